"""The whole report of a judgement: what a reader of the incident's own document needs in addition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dstamp_sim.analyses.confidence import share
from dstamp_sim.analyses.speech import listed
from dstamp_sim.core.numbers import many
from dstamp_sim.incident.likely.plan import MOST_TOGETHER
from dstamp_sim.incident.report.first_screen import first_answer
from dstamp_sim.incident.report.phrases import chance, estimate, flips, likely, partners, plan, rarely, reasons
from dstamp_sim.incident.report.replayed import replay_table
from dstamp_sim.incident.report.summary import (
    EvidenceSummary,
    ExperimentRow,
    MechanismRow,
    OtherShare,
    Summary,
    UnderWay,
)
from dstamp_sim.rendering.document import (
    Block,
    Document,
    Figure,
    Heading,
    Items,
    Link,
    Paragraph,
    Table,
    Text,
    code,
    emphasis,
    parts,
    strong,
    with_code,
)


def full_report(summary: Summary, files: Mapping[str, Path]) -> Document:
    """The judgement as a document; `files` are its pictures and tables by their stems."""
    weighed = (*_likely(summary, files), *_next(summary), *_rule(summary)) if summary.left else ()
    blocks = (
        *_short(summary),
        *_seen(summary),
        *_possible(summary, files),
        *weighed,
        *_replayed(summary),
        *_made(summary),
    )
    return Document(f"{summary.title}: which mechanism can have done it", blocks)


def _short(summary: Summary) -> Iterator[Block]:
    if summary.about:
        yield Paragraph(summary.about)
    yield Paragraph(
        (
            "Every figure is computed from the evidence, the model and the scenario. What is ",
            emphasis("possible"), " or ", emphasis("impossible"),
            " was found or proved in the model and rests on no probability. What is ", emphasis("likely"),
            " rests on assumed priors, where durations, failure rates and other runs are not known: it says where to "
            "look first, not what happened.",
        )
    )  # fmt: skip
    yield Heading("In short")
    yield from first_answer(summary)
    yield _candidates(summary)
    groups = _twins(summary)
    if groups:
        yield Paragraph(
            (
                strong("Not to be settled by such results"),
                f": {listed(list(groups))} behave as others do; more runs that report the same fields will not "
                "tell them apart (see below).",
            )
        )


def _candidates(summary: Summary) -> Table:
    """What each mechanism is, and what became of it: those that are left first, the largest share on top."""
    ranked = sorted(summary.weights.items(), key=lambda item: (item[0] not in summary.left, -item[1].span[1]))
    rows = [
        (code(name), summary.stories[name], summary.best[name].verdict, likely(weight) if name in summary.left else "")
        for name, weight in ranked
    ]
    return Table(("mechanism", "what it is", "verdict", "share over the priors"), tuple(map(_cells, rows)))


def _seen(summary: Summary) -> Iterator[Block]:
    yield Heading("What was seen")
    yield Table(
        ("run", "time (its meaning)", "company", "seen", "source"),
        tuple(
            (
                run.id,
                f"{run.time or 'unknown'} ({run.time_means})",
                run.company,
                with_code(run.says),
                run.source,
            )
            for run in summary.evidence.runs
        ),
    )
    items = tuple(_other_items(summary.evidence))
    if items:
        yield Items(items)
    taken = [f"{name} is taken as {value}" for name, value in summary.evidence.missing.items()]
    yield Paragraph(
        "Missing values are unknown and were not filled in: all values were tried, or drawn from the priors"
        + (f"; but {listed(taken)} where a run does not say it." if taken else ".")
    )


def _other_items(evidence: EvidenceSummary) -> Iterator[Text]:
    for probe in evidence.probes:
        says = with_code(f"It showed {probe.says} and reached: {probe.reached}.")
        yield "Probe ", emphasis(probe.id), f": {probe.setup}. ", *parts(says)
    for fact in evidence.facts:
        yield f"{fact['text']}."
    for outcome in evidence.outcomes:
        yield "Experiment ", emphasis(outcome["experiment"]), f": {outcome['outcome']} ({outcome['source']})."


def _possible(summary: Summary, files: Mapping[str, Path]) -> Iterator[Block]:
    yield Heading("Possible or not")
    yield Paragraph(
        (
            "One row per mechanism and verdict; a reading answers a question that the evidence leaves open, and the ",
            Link("table", files["judgement"]),
            " has a row for each. Impossible means with any number of partners, of whom "
            f"{summary.most_deaths} may die. Partners are runs that nobody saw: the number if a run lasts at most "
            f"{summary.longest_run_s:g} s, and (in brackets, if it differs) the number for runs of any length.",
        )
    )
    rows = tuple(
        (code(name), verdict, _under(summary, name, of), with_code(reasons(summary, of)), _partners(of))
        for (name, verdict), of in summary.grouped.items()
    )
    yield Table(("mechanism", "verdict", "under", "why", "partners"), tuple(_cells(row) for row in rows))
    yield from _pairs(summary)
    yield from _closed_cluster(summary)
    yield from _assumptions(summary, files)
    yield from _to_look_up(summary)
    yield Heading("What each says of each observation", 3)
    names = list(dict.fromkeys(item for row in summary.mechanisms for item in row.bearings))
    bearings = [(code(name), *(row.bearings.get(item, "") for item in names)) for name, row in summary.best.items()]
    yield Table(("mechanism, best reading", *names), tuple(_cells(row) for row in bearings))


def _cells(row: Sequence[Any]) -> tuple[Text, ...]:
    """A row whose single spans are texts."""
    return tuple(cell if isinstance(cell, str | tuple) else (cell,) for cell in row)


def _under(summary: Summary, name: str, of: Sequence[MechanismRow]) -> str:
    """The readings of some rows of a mechanism in words, or that these are all readings."""
    whole = [row for row in summary.mechanisms if row.mechanism == name]
    if len(of) == len(whole):
        return "every reading"
    if of[0].verdict == "impossible":
        return "every other reading"
    return " / ".join(_reading(row) for row in of)


def _reading(row: MechanismRow) -> str:
    return "; ".join(row.reading.values())


def _partners(rows: Sequence[MechanismRow]) -> str:
    return "; ".join(dict.fromkeys(found for row in rows if (found := partners(row))))


def _pairs(summary: Summary) -> Iterator[Block]:
    """Two mechanisms at once, where none can alone."""
    if summary.pairs:
        yield Items(
            tuple(
                f"{row.mechanism} ({_reading(row)}): {row.verdict}, {'; '.join(row.reasons)}." for row in summary.pairs
            )
        )


def _closed_cluster(summary: Summary) -> Iterator[Block]:
    """The sentences on mechanisms that need runs which nobody saw."""
    for name, row in summary.best.items():
        if row.least and row.least.partners and row.least.exact:
            without = row.least_without_timing
            otherwise = _many_partners(without.partners if without else None)
            yield Paragraph(
                (
                    strong(f"With the observed runs alone, {name} cannot produce everything that was observed"),
                    f" where a run lasts at most {summary.longest_run_s:g} s: it takes "
                    f"{_many_partners(row.least.partners)} that nobody saw. If runs may last any length, it takes "
                    f"{otherwise}.",
                )
            )


def _many_partners(count: int | None) -> str:
    if count is None:
        return "an unknown number of partners"
    return many(count, "partner") if count else "none"


def _assumptions(summary: Summary, files: Mapping[str, Path]) -> Iterator[Block]:
    """What each possible mechanism must assume, with its best witness."""
    yield Heading("What each possible mechanism must assume", 3)
    items: list[Text] = []
    for name, row in summary.best.items():
        if row.verdict != "possible":
            continue
        others = [r for r in summary.mechanisms if r.mechanism == name and r.verdict == "possible" and r is not row]
        assumed = " Or else ".join(["; ".join(one.assumes) + "." for one in (row, *others)])
        begin: Text = (strong(name), f": {summary.stories[name]}. Assumes {assumed}")
        if name in summary.witnesses:
            how = summary.witnesses[name].how
            items.append((*begin, f" Witness, {how}: ", Link("timeline", files[f"witness-{name}"]), "."))
        else:
            items.append((*begin, f" {summary.without_witness[name]}" if name in summary.without_witness else ""))
    yield Items(tuple(items)) if items else Paragraph("None is possible.")


def _to_look_up(summary: Summary) -> Iterator[Block]:
    """The runs that nobody saw, as a list to take to the host."""
    if not summary.company:
        return
    yield Heading("What to look for on the host", 3)
    yield Paragraph(
        "Some mechanisms need runs that nobody saw. In each interval one of them did something, or had left something "
        "that was still there: without, it is refuted that the runs named come out as they did. A host that shows no "
        "other run there rules the mechanism out, in that reading. What such runs left is taken from the order of "
        "steps that was found: look for it first."
    )
    rows = [
        (code(name), "; ".join(found.reading.values()), "; ".join(map(_under_way, found.when)), "; ".join(found.leaves))
        for name, found in summary.company.items()
    ]
    yield Table(("mechanism", "under", "a run that nobody saw", "what such runs left"), tuple(map(_cells, rows)))


def _under_way(found: UnderWay) -> str:
    means = f", if the times are {found.reading}s" if found.reading else ""
    return f"{found.begins or 'any time'} to {found.ends or 'any time'}, for {listed(found.runs)}{means}"


def _likely(summary: Summary, files: Mapping[str, Path]) -> Iterator[Block]:
    yield Heading("Likely or not")
    yield Paragraph(
        (
            "P(evidence) is the share of worlds, drawn from the priors and run on the clock, in which ",
            emphasis("every"),
            " run came out as observed. The limits of the posterior come from the number of worlds (95 %), the range "
            "from the stated priors.",
        )
    )
    columns = ("mechanism", "P(evidence)", "95 % interval", "if nobody else was there", "posterior", "over the priors")
    yield Table(columns, tuple(_weight_rows(summary)))
    yield from (Paragraph(with_code(sentence)) for sentence in rarely(summary))
    if "posterior" in files:
        yield Figure(files["posterior"], "The posterior, with the range over other priors")
    yield Heading("What was assumed", 3)
    yield Items(summary.priors)
    yield Heading("Which assumption moves it", 3)
    yield Paragraph(flips(summary))
    if "assumptions" in files:
        yield Figure(files["assumptions"], "Each assumption by itself, instead of the scenario's own")
    instead = tuple(
        (name, *(f"{mechanism} {share(found)}" for mechanism, found in _ranked(_shares(other))[:3]))
        for name, other in summary.other_priors.items()
    )
    if instead:
        yield Table(("instead", "first", "second", "third")[: len(instead[0])], instead)
    if "offsets" in files:
        yield Heading("How close two runs must come", 3)
        yield Paragraph(
            "Two runs that share what runs can share, with the durations that are assumed: how often one of them comes "
            "out wrong. Where a line falls, another run has to be near; a line at zero says that no pair showed it."
        )
        yield Figure(files["offsets"], "The chance that one of two runs comes out wrong, by the time between them")
    yield from _not_told_apart(summary)


def _weight_rows(summary: Summary) -> Iterator[tuple[Text, ...]]:
    for name, weight in summary.ranked:
        if not weight.worlds:
            yield _cells((code(name), "0 (impossible)", "", "", "0", ""))
            continue
        low, high = weight.limits
        limits = f"{estimate(weight.posterior, high)} ({estimate(low, low)} to {estimate(high, high)})"
        alone = chance(weight.without_unseen_partners, weight.without_unseen_at_most)
        found, interval = (
            chance(weight.estimate, weight.interval[1]),
            " to ".join(f"{end:.2g}" for end in weight.interval),
        )
        yield _cells((code(name), found, interval, alone, weight.instead or limits, likely(weight)))


def _not_told_apart(summary: Summary) -> Iterator[Block]:
    groups = _twins(summary)
    if not groups:
        return
    yield Heading("What these outcomes cannot tell apart", 3)
    yield Paragraph(
        "Computed from the outcomes at hand, with failures at any rate: even if everything "
        f"were observed {summary.repetitions} more times, no rule could choose between these with fewer than 5 errors "
        "in 100. The share is of the settings of the first (rates, durations, readings) that produce the observations."
    )
    yield Items(
        tuple(
            ("What ", strong(name), " does, so does: "
             + ", ".join(f"{other} ({found:.0%})" for other, found in _ranked(others)) + ".")
            for name, others in groups.items()
        )
    )  # fmt: skip
    yield Paragraph("Between these the posterior repeats the priors' rates. Only other observations can decide.")


def _next(summary: Summary) -> Iterator[Block]:
    yield Heading("What to do next")
    yield Paragraph(
        "The expected information of each experiment on the mechanism; "
        f"{summary.entropy_bits:.2f} bits are open under the priors."
    )
    rows = tuple((item.story, f"{item.bits:.2f}", item.cost or "not given") for item in summary.experiments)
    yield Table(("experiment", "bits", "cost"), rows)
    if summary.plans:
        yield Paragraph(
            f"Of all plans of up to {MOST_TOGETHER} of these, the first tells most under the scenario's priors; a "
            "second one leaves fewer mechanisms at worst, whatever the priors, of all outcomes that a drawn world "
            "had. Of two that do as well, the one that costs less is named. The meaning of outcomes was learned in "
            "one half of the worlds, and the bits were counted in the other."
        )
        yield Items(tuple(f"{plan(one, len(summary.left))}." for one in summary.plans))
    for item in summary.experiments:
        yield from _experiment(item)


def _experiment(item: ExperimentRow) -> Iterator[Block]:
    yield Heading(f"{item.experiment[:1].upper()}{item.experiment[1:]} ({item.bits:.2f} bits)", 3)
    rows = tuple((o, *(_chance(of.get(o, 0.0)) for of in item.predicted.values())) for o in item.means)
    yield Table(("outcome", *item.predicted), rows)
    meanings: list[Text] = [(emphasis(outcome), f": {meaning}.") for outcome, meaning in item.means.items()]
    if item.without_agreeing_worlds:
        names = listed(item.without_agreeing_worlds)
        closest = f"No drawn world of {names} agreed with the evidence: the predictions come from the closest worlds"
        meanings.append(f"{closest}{', which say nothing of what the incident left' if item.unknown else ''}.")
    yield Items(tuple(meanings))


def _rule(summary: Summary) -> Iterator[Block]:
    rule = summary.rule
    if rule is None:
        return
    yield Heading("The document's own rule, judged")
    yield Paragraph((f"The rule ({rule.source}): ", emphasis(rule.says), "."))
    yield Items(tuple(with_code(sentence) for sentence in rule.judgement))


def _replayed(summary: Summary) -> Iterator[Block]:
    """One replay, run by run."""
    replay = summary.replay
    if replay is None:
        return
    yield Heading("One replay, run by run")
    under = f"mechanism {replay.mechanism}" if replay.mechanism else "the model's own behaviour"
    yield Paragraph(
        f"One draw from the scenario's figures: {under}, lock placement {replay.placement}, seed {summary.seed}. It "
        f"reproduced {replay.reproduced}; it shows what can happen, not how likely it was."
    )
    yield replay_table(replay.runs)
    yield Items(replay.properties)
    if summary.assumptions:
        yield Paragraph("The model assumes besides:")
        yield Items(tuple(f"{text} ({source})" for text, source in summary.assumptions))


def _made(summary: Summary) -> Iterator[Block]:
    yield Heading("How this was made")
    yield Paragraph(
        (
            code(summary.command),
            f", seed {summary.seed}. The same command prints the same figures. To vary it, copy the scenario and the "
            "evidence, edit the copies and name their paths; ",
            code("dstamp update"),
            " adds an outcome.",
        )
    )
    yield Paragraph("Verdicts are about the model, and about the real system only as far as the model covers it.")


def _twins(summary: Summary) -> dict[str, Mapping[str, float]]:
    return {name: others for name, others in summary.not_told_apart.items() if others}


def _ranked(shares: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(shares.items(), key=lambda item: -item[1])


def _shares(other: Mapping[str, OtherShare]) -> dict[str, float]:
    """The shares of those that have one, or may have."""
    return {name: one.posterior for name, one in other.items() if one.at_most}


def _chance(found: float) -> str:
    return "" if found == 0 else f"{found:.0%}" if found >= 0.01 else "below 1%"
