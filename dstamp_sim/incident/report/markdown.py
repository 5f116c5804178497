"""The judgement of an incident as a report (Markdown): what a reader of the incident's own document wants beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]


def markdown(document: Document, title: str, pictures: Mapping[str, str]) -> str:
    """The judgement (as `dstamp replay --json` gives it) as a report; `pictures` are links to files by their stems."""
    weighed = (_likely(document, pictures), _next(document), _rule(document)) if document["left"] else ()
    parts = (
        _head(title),
        _short(document),
        _seen(document),
        _possible(document, pictures),
        *weighed,
        _made(document),
    )
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def _head(title: str) -> Iterator[str]:
    yield from (f"# {title}: which mechanism can have done it", "")
    yield "Written by `dstamp replay --report`; every figure is computed from the evidence, the model and the scenario."
    yield "What is *possible* or *impossible* was found or proved in the model and rests on no probability. What is"
    yield "*likely* rests on assumed priors, since no duration, no failure rate and no other run of the cluster is"
    yield "known: it says where to look first, not what happened."
    yield ""


def _short(document: Document) -> Iterator[str]:
    yield from ("## In short", "")
    verdicts = _verdicts(document)
    for word, told in (
        ("possible", "can have produced everything that was observed, each under the assumptions below"),
        ("undetermined", "was neither shown to be possible nor refuted"),
        ("impossible", f"cannot, with any number of partners, of whom {document['most_deaths']} may die"),
    ):
        names = [name for name, verdict in verdicts.items() if verdict == word]
        if names:
            yield f"- **{word.capitalize()}**: {_listed(names)} {told}."
    if document["conflict"]:
        yield f"- **No mechanism alone can give all that was observed**; {document['conflict']['told']}."
    if document["pairs_told"]:
        yield f"- {document['pairs_told']}."
    for row in document["pairs"]:
        if row["verdict"] == "possible":
            yield f"  - {row['mechanism']}: {row['why']}."
    ranked = _ranked(document["posterior"])
    if ranked and ranked[0][1] > 0:
        name, share = ranked[0]
        low, high = _range(document, name)
        yield f"- **Not settled**: under the assumed priors {name} comes first with {share:.0%}, under other priors it"
        yield f"  has {low:.0%} to {high:.0%}. {_flips(document)}"
    groups = _twins(document)
    if groups:
        yield f"- **Not to be settled by such results**: {_listed(list(groups))} do what others do as well; more runs"
        yield "  that report no more than these did will not tell them apart (see below)."
    if not document["left"]:
        yield "- **Nothing is weighed**, for no mechanism is left: look again at the observations that conflict, or"
        yield "  give the model another mechanism."
    best = document["experiments"][0] if document["experiments"] else None
    if best:
        yield f"- **Next**: {best['story']} ({best['bits']:.2f} bits expected; cost: {best['cost'] or 'not given'})."
    yield ""


def _seen(document: Document) -> Iterator[str]:
    yield from ("## What was seen", "")
    evidence = document["evidence"]
    yield from _table(
        ("run", "time (its meaning)", "company", "level", "verdicts", "stamp", "source"),
        [
            (
                run["id"],
                f"{run['time'] or 'unknown'} ({run['time_means']})",
                run["company"],
                run["level"],
                ", ".join(f"{stage} {verdict}" for stage, verdict in run["stages"].items()),
                run["stamp"],
                run["source"],
            )
            for run in evidence["runs"]
        ],
    )
    for probe in evidence["probes"]:
        told = f"It stamped `{probe['stamp']}` and reached: {probe['reached']}"
        yield f"- Probe *{probe['id']}*: {probe['setup']}. {told}."
    for fact in evidence["facts"]:
        yield f"- {fact['text']}."
    for outcome in evidence["outcomes"]:
        yield f"- Experiment *{outcome['experiment']}*: {outcome['outcome']} ({outcome['source']})."
    yield ""
    yield "What is missing is unknown and was not filled in: all its values were tried, or drawn from the priors."
    yield ""


def _possible(document: Document, pictures: Mapping[str, str]) -> Iterator[str]:
    yield from ("## Possible or not", "")
    yield "One row per mechanism and verdict; a reading is an answer to what the evidence leaves open, and the"
    yield f"[table]({pictures['judgement']}) has a row for each. Partners are runs that nobody saw: so many where a run"
    yield f"lasts at most {document['longest_run_s']:g} s, and (in brackets) without regard to how long runs last."
    yield ""
    rows = []
    for (name, verdict), of in _grouped(document).items():
        whole = sum(row["mechanism"] == name for row in document["mechanisms"])
        every = "every reading" if len(of) == whole else "every other reading" if verdict == "impossible" else ""
        under = every or " / ".join(_reading(row) for row in of)
        rows.append((f"`{name}`", verdict, under, _whys(of), _partners(of)))
    yield from _table(("mechanism", "verdict", "under", "why", "partners"), rows)
    yield from _closed_cluster(document)
    yield from _assumptions(document, pictures)
    yield from ("### What each says of each observation", "")
    names = list(document["mechanisms"][0]["bearings"])
    best = _best_rows(document)
    yield from _table(
        ("mechanism, best reading", *names),
        [(f"`{name}`", *(row["bearings"].get(item, "") for item in names)) for name, row in best.items()],
    )


def _closed_cluster(document: Document) -> Iterator[str]:
    """The sentences on mechanisms that need runs which nobody saw."""
    for name, row in _best_rows(document).items():
        if row["unseen_partners"] and row["unseen_partners_exact"]:
            without = row["unseen_partners_without_timing"]
            otherwise = f"it takes {_many(without)}" if without else "it takes none"
            yield (
                f"**With nobody there but the observed runs, `{name}` cannot give all that was observed** where a run "
                f"lasts at most {document['longest_run_s']:g} s: it takes {_many(row['unseen_partners'])} that nobody "
                f"saw. Without regard to how long runs last {otherwise}."
            )
            yield ""


def _assumptions(document: Document, pictures: Mapping[str, str]) -> Iterator[str]:
    """What each possible mechanism has to assume, with its best witness."""
    yield from ("### What each possible mechanism must assume", "")
    for name, row in _best_rows(document).items():
        if row["verdict"] != "possible":
            continue
        yield f"- **{name}**: {document['stories'][name]}. Assumes {'; '.join(row['assumes'])}."
        if name in document["witnesses"]:
            how = document["witnesses"][name]["told"]
            yield f"  Witness, {how}: [timeline]({pictures[f'witness-{name}']})."
        elif name in document["without_witness"]:
            yield f"  {document['without_witness'][name]['told']}"
    yield ""


def _likely(document: Document, pictures: Mapping[str, str]) -> Iterator[str]:
    yield from ("## Likely or not", "")
    yield "P(evidence) is the share of worlds, drawn from the priors and run on the clock, in which *every* run came"
    yield "out as observed. The limits of the posterior say what the number of worlds leaves open (95 %), the range"
    yield "what the other priors below make of it."
    yield ""
    rows = []
    for name, share in _ranked(document["posterior"]):
        item, (low, high) = document["likelihoods"][name], document["posterior_limits"][name]
        if not item["worlds"]:
            rows.append((f"`{name}`", "0 (impossible)", "", "", "0", ""))
            continue
        least, most = _range(document, name)
        told = document["without_share"].get(name, f"{share:.1%} ({low:.1%} to {high:.1%})")
        alone = f"{item['without_unseen_partners']:.2g}"
        interval = f"{item['interval'][0]:.2g} to {item['interval'][1]:.2g}"
        rows.append((f"`{name}`", f"{item['estimate']:.2g}", interval, alone, told, f"{least:.0%} to {most:.0%}"))
    columns = ("mechanism", "P(evidence)", "95 % interval", "if nobody else was there", "posterior", "other priors")
    yield from _table(columns, rows)
    yield from (f"![The posterior, with the range over other priors]({pictures['posterior']})", "")
    yield from ("### What was assumed", "")
    yield from (f"- {line}" for line in document["priors"])
    yield ""
    yield from ("### Which assumption flips it", "", _flips(document), "")
    rows = [
        (name, *(f"{mechanism} {share:.0%}" for mechanism, share in _ranked(other)[:3]))
        for name, other in document["other_priors"].items()
    ]
    yield from _table(("instead", "first", "second", "third"), rows)
    yield from _not_told_apart(document)


def _not_told_apart(document: Document) -> Iterator[str]:
    groups = _twins(document)
    if not groups:
        return
    yield from ("### What these outcomes cannot tell apart", "")
    yield "Computed from the outcomes at hand, with failures at any rate: were everything observed"
    yield f"{document['repetitions']} times again, no rule could guess between these with fewer than 5 errors in 100."
    yield "The share is of the settings of the first (rates, durations, readings) that give what was observed."
    yield ""
    for name, others in groups.items():
        told = ", ".join(f"{other} ({share:.0%})" for other, share in _ranked(others))
        yield f"- What **{name}** does, so does: {told}."
    yield ""
    yield "Between these the posterior repeats what the priors assume of their rates. It takes other observations."
    yield ""


def _next(document: Document) -> Iterator[str]:
    yield from ("## What to do next", "")
    now = document["entropy_bits"]
    yield f"How much each experiment is expected to tell of the mechanism; {now:.2f} bits are open under the priors."
    yield ""
    yield from _table(
        ("experiment", "bits", "cost"),
        [(item["story"], f"{item['bits']:.2f}", item["cost"] or "not given") for item in document["experiments"]],
    )
    for item in document["experiments"]:
        yield from (f"### {item['experiment'].capitalize()} ({item['bits']:.2f} bits)", "")
        outcomes = list(item["means"])
        yield from _table(
            ("outcome", *item["predicted"]),
            [(o, *(_chance(told.get(o, 0.0)) for told in item["predicted"].values())) for o in outcomes],
        )
        for outcome, meaning in item["means"].items():
            yield f"- *{outcome}*: {meaning}."
        if item["without_agreeing_worlds"]:
            names = _listed(item["without_agreeing_worlds"])
            yield f"- No drawn world bore out {names}: predicted from the worlds that came closest."
        yield ""


def _rule(document: Document) -> Iterator[str]:
    rule = document["rule"]
    if rule is None:
        return
    yield from ("## The document's own rule, judged", "")
    yield f"The rule ({rule['source']}): *{rule['says']}*."
    yield ""
    yield from (f"- {sentence}" for sentence in rule["judgement"])
    yield ""


def _made(document: Document) -> Iterator[str]:
    yield from ("## How this was made", "")
    yield f"`{document['command']}`, seed {document['seed']}. The same command gives the same figures. To vary it, copy"
    yield "`scenario.toml` and `evidence.toml`, edit the copy and give its path; `dstamp update` adds an outcome."
    yield ""
    yield "Verdicts speak of the model, not of the real system beyond what the model has of it."


def _verdicts(document: Document) -> dict[str, str]:
    return {name: row["verdict"] for name, row in _best_rows(document).items()}


def _best_rows(document: Document) -> dict[str, Mapping[str, Any]]:
    """By mechanism the row that assumes least: a possible one with the fewest partners, else undetermined, else any."""
    order = ("possible", "undetermined", "impossible")
    rows: dict[str, Mapping[str, Any]] = {}
    for row in sorted(document["mechanisms"], key=lambda r: (order.index(r["verdict"]), r["unseen_partners"] or 0)):
        rows.setdefault(row["mechanism"], row)
    return rows


def _grouped(document: Document) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    order = ("possible", "undetermined", "impossible")
    grouped: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in sorted(document["mechanisms"], key=lambda row: order.index(row["verdict"])):
        grouped.setdefault((row["mechanism"], row["verdict"]), []).append(row)
    return grouped


def _whys(rows: Sequence[Mapping[str, Any]]) -> str:
    """Why, once each; a reason that says the same of more observations stands for those that say it of fewer."""
    reasons = list(dict.fromkeys(row["why"] for row in rows))
    return "; ".join(r for r in reasons if not any(r != other and other.endswith(r) for other in reasons))


def _partners(rows: Sequence[Mapping[str, Any]]) -> str:
    found = [(row["unseen_partners"], row["unseen_partners_without_timing"]) for row in rows]
    told = [f"{timed} ({untimed})" if timed else "0" for timed, untimed in found if timed is not None]
    return "; ".join(dict.fromkeys(told))


def _twins(document: Document) -> dict[str, Mapping[str, float]]:
    return {name: others for name, others in document["not_told_apart"].items() if others}


def _flips(document: Document) -> str:
    if not document["flips"]:
        return "No other prior that was tried changes which comes first."
    return f"Another comes first where the assumption is instead: {'; '.join(document['flips'])}."


def _range(document: Document, name: str) -> tuple[float, float]:
    shares = [other[name] for other in document["other_priors"].values()] or [document["posterior"][name]]
    return min(shares), max(shares)


def _ranked(shares: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(shares.items(), key=lambda item: -item[1])


def _reading(row: Mapping[str, Any]) -> str:
    return "; ".join(row["reading"].values())


def _chance(share: float) -> str:
    return "" if share == 0 else f"{share:.0%}" if share >= 0.01 else "<1%"


def _many(partners: int | None) -> str:
    return "an unknown number of partners" if partners is None else f"{partners} partner{'s' * (partners != 1)}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield "| " + " | ".join("" if cell is None else str(cell).replace("|", "\\|") for cell in row) + " |"
    yield ""
