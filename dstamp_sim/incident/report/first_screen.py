"""The first screen of a judgement: the question, the answer in a few lines, one small table, and where the rest is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from dstamp_sim.analyses.confidence import below
from dstamp_sim.analyses.speech import listed
from dstamp_sim.core.numbers import many
from dstamp_sim.incident.possible.case import Possible
from dstamp_sim.incident.report.phrases import (
    fits,
    fitting,
    flips,
    likely,
    likely_outcomes,
    partners,
    plan,
    rarities,
    refuted,
    span,
)
from dstamp_sim.incident.report.summary import MechanismRow, Summary
from dstamp_sim.rendering.document import (
    Block,
    Document,
    Items,
    Paragraph,
    Table,
    Text,
    parts,
    strong,
    with_code,
)

LEAST_LISTED = 0.01
"""Smaller shares of the posterior are not listed one by one."""

MOST_OUTCOMES = 4
"""How many outcomes of the next experiment are listed at most, the most expected first."""

LEAST_BITS = 0.005
"""What an experiment has to tell at least, in bits of the question which mechanism it was, to be worth making."""


def first_screen(summary: Summary, page: Path) -> Document:
    """What a reader must know first; `page` is the file of the whole report."""
    return Document(summary.title, (*first_answer(summary), _small_table(summary), Paragraph(_rest(summary, page))))


def first_answer(summary: Summary) -> tuple[Block, ...]:
    """The question and its answer: what stands whatever the priors, what they move, and what to do next."""
    return (Paragraph(question(summary)), Items(tuple(_lines(summary))))


def question(summary: Summary) -> str:
    """The question."""
    runs, probes = len(summary.evidence.runs), len(summary.evidence.probes)
    seen = many(runs, "run") + (f" and {many(probes, 'probe')}" if probes else "")
    return f"Which of {many(len(summary.stories), 'mechanism')} can have produced {seen} as observed?"


def _lines(summary: Summary) -> Iterator[Text]:
    yield from _proved(summary)
    if summary.conflict:
        yield strong("No mechanism alone can produce everything that was observed"), f": {summary.conflict.says}."
    if summary.pairs_say:
        yield f"{summary.pairs_say}."
    if not summary.left:
        yield (
            strong("Nothing is weighed"),
            ", for no mechanism is left: look again at the observations that conflict, or add to the model another "
            "mechanism.",
        )
        return
    yield strong("Not settled" if len(summary.left) > 1 else "Left"), f": {_spans(summary)}"
    if rare := rarities(summary):
        yield (
            strong("Rare"),
            f": P(evidence) is {rare}, under the scenario's own priors (by splitting; see the report).",
        )
    yield from _next(summary)


def _proved(summary: Summary) -> Iterator[Text]:
    """The findings that rest on no probability."""
    cannot = ". ".join(refuted(summary))
    if cannot:
        yield strong("Proved impossible"), ", with any number of partners: ", *parts(with_code(f"{cannot}."))
    possible = {name: row for name, row in summary.best.items() if row.verdict == Possible.POSSIBLE.value}
    company = _by_number({n: row for n, row in possible.items() if _partners_in_time(row)}, _least_partners)
    if company:
        yield strong("Needs runs that nobody saw"), f": {company}."
    alone = _by_number({n: row for n, row in possible.items() if not _partners_in_time(row)}, _failures)
    if alone:
        yield strong("Possible alone"), f": {alone}."
    undecided = summary.with_verdict(Possible.UNDETERMINED)
    if undecided:
        yield strong("Neither shown nor refuted"), f" within the bounds: {listed(undecided)}."


def _partners_in_time(row: MechanismRow) -> int:
    return row.least.partners if row.least else 0


def _least_partners(row: MechanismRow) -> str:
    assert row.least is not None
    return f"{'exactly' if row.least.exact else 'at most'} {row.least.partners}"


def _failures(row: MechanismRow) -> str:
    assert row.least is not None
    failures = row.least.failures
    bound = "" if row.least.failures_exact else "at most "
    return f"with {bound}{many(failures, 'failure')}" if failures else "with no failure"


def _by_number(rows: dict[str, MechanismRow], number: Callable[[MechanismRow], str]) -> str:
    groups: dict[str, list[str]] = {}
    for name, row in rows.items():
        groups.setdefault(number(row), []).append(name)
    return "; ".join(f"{listed(names)} ({count})" for count, names in groups.items())


def _spans(summary: Summary) -> str:
    """The likelihood of each as a range over the stated priors, and the priors that change the first place."""
    ranked = sorted(summary.weighed, key=lambda name: -summary.weights[name].span[1])
    named = [name for name in ranked if summary.weights[name].span[1] >= LEAST_LISTED]
    shares = ", ".join(f"{name} {span(summary.weights[name].span, summary.weights[name].most)}" for name in named)
    others = [name for name in ranked if name not in named]
    most = max((summary.weights[name].most for name in others), default=0.0)
    rest = f"{others[0] if len(others) == 1 else f'the other {len(others)}'} {below(most)}" if others and named else ""
    unweighed = [name for name in summary.left if name not in ranked]
    without = f" Not weighed, and in no share: {listed(unweighed)}." if unweighed else ""
    priors = many(len(summary.other_priors) + 1, "set")
    if not named:
        return f"under none of the {priors} of priors that were tried did a drawn world agree with all observations."
    ranges = ", ".join(part for part in (shares, rest) if part)
    return f"{ranges}, over {priors} of assumed priors. {flips(summary)}{without}"


def _next(summary: Summary) -> Iterator[Text]:
    """The most telling experiment, and what its outcomes would mean."""
    if not summary.experiments:
        return
    first = summary.experiments[0]
    if first.bits < LEAST_BITS:
        yield strong("Next"), ": no experiment that the model lists can tell what is left apart; give it another."
        return
    outcomes = [outcome for outcome in likely_outcomes(summary, first) if fitting(first, outcome)]
    means = [f'"{outcome}" {fits(summary, first, outcome)}' for outcome in outcomes[:MOST_OUTCOMES]]
    if len(outcomes) > MOST_OUTCOMES:
        means.append(f"{many(len(outcomes) - MOST_OUTCOMES, 'more outcome')} in the report")
    if first.unknown:
        means.append(
            f"any outcome may fit {listed(first.unknown, 'or')}, of which no drawn world agreed with the evidence"
        )
    tells = f"{first.bits:.2f} of {summary.entropy_bits:.2f} bits"
    yield strong("Next"), f": {first.story} (cost: {first.cost or 'not stated'}; tells {tells}). {'; '.join(means)}."
    if summary.plans and any(len(one.names) > 1 for one in summary.plans):
        yield strong("Together"), f": {'; '.join(plan(one, len(summary.left)) for one in summary.plans)}."


def _small_table(summary: Summary) -> Table:
    """A row for each mechanism that is left, the largest share first."""
    rows: list[tuple[Text, ...]] = []
    for name, weight in sorted(summary.weights.items(), key=lambda item: -item[1].span[1]):
        if name in summary.left:
            row = summary.best[name]
            rows.append((name, row.verdict, partners(row), likely(weight)))
    gone = len(summary.stories) - len(summary.left)
    if gone:
        rows.append((many(gone, "other" if rows else "mechanism"), Possible.IMPOSSIBLE.value, "", ""))
    return Table(("mechanism", "verdict", "unseen", "share over the priors"), tuple(rows))


def _rest(summary: Summary, page: Path) -> str:
    replayed = ""
    if summary.replay:
        under = f" under {summary.replay.mechanism}" if summary.replay.mechanism else ""
        replayed = f"One replay{under} (seed {summary.seed}) reproduced {summary.replay.reproduced}. "
    return f"{replayed}Reasons, assumptions, pictures and all tables: {page}, or here with --full."
