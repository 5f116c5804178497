"""What outcomes of experiments changed, in ten lines: before, after, what is refuted and why, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from dstamp_sim.analyses.confidence import below, share
from dstamp_sim.analyses.speech import listed
from dstamp_sim.core.numbers import many
from dstamp_sim.incident.evidence import ExperimentOutcome
from dstamp_sim.incident.possible.case import Possible
from dstamp_sim.incident.report.phrases import span
from dstamp_sim.incident.standing import WhatStands
from dstamp_sim.rendering.document import Document, Items, Paragraph, Text, strong

MOST_LEFT_NAMED = 3
"""How many mechanisms are named with their shares at most, before and after."""

LEAST_CHANGE = 0.005
"""A share that changed by less is not named."""


def changes(
    made: Sequence[ExperimentOutcome], before: WhatStands, after: WhatStands, conflict: str, page: Path
) -> Document:
    """What these outcomes changed; `conflict` says which observations conflict, `page` is the whole report."""
    lines = (*_stood(before, after), *_refuted(made, before, after), *_moved(before, after), *_next(after, conflict))
    title = f"Observed: {'; '.join(f'{one.experiment}: {one.outcome}' for one in made)}"
    return Document(title, (Items(lines), Paragraph(f"Reasons, assumptions, pictures and all tables: {page}.")))


def _stood(before: WhatStands, after: WhatStands) -> Iterator[Text]:
    for when, standing in (("Before", before), ("After", after)):
        yield strong(when), f": {_left(standing)}."


def _left(standing: WhatStands) -> str:
    """How many mechanisms are left, and the likeliest over all priors."""
    count = many(len(standing.posterior), "mechanism")
    if not standing.left:
        return f"none of {count} is left"
    ranked = sorted(standing.left, key=lambda name: -standing.span(name)[1])
    shares = [f"{name} {span(standing.span(name), standing.most(name))}" for name in ranked[:MOST_LEFT_NAMED]]
    rest = max((standing.most(name) for name in ranked[MOST_LEFT_NAMED:]), default=0.0)
    others = [f"the others {below(rest)} each"] if rest else []
    return f"{len(standing.left)} of {count} left; over all priors {', '.join([*shares, *others])}"


def _refuted(made: Sequence[ExperimentOutcome], before: WhatStands, after: WhatStands) -> Iterator[Text]:
    """The mechanisms that these outcomes refute, by the outcomes that do."""
    by: dict[tuple[str, ...], list[str]] = {}
    for name in before.left:
        if name not in after.left:
            against = [row.against for row in after.rows if row.mechanism == name]
            by.setdefault(tuple(one.name for one in made if any(one.name in of for of in against)), []).append(name)
    for outcomes, names in by.items():
        what = listed([f'"{outcome}"' for outcome in outcomes], "or")
        yield (
            strong("Refuted by proof"),
            f": {listed(names)}. No order of the experiment's own steps comes out as {what}.",
        )
    if not by and before.left:
        yield strong("Refuted"), ": none; each that was left can come out so."


def _moved(before: WhatStands, after: WhatStands) -> Iterator[Text]:
    """The shares that rose and fell, under the scenario's own priors: by how likely each makes the outcome."""
    change = {name: after.posterior[name] - before.posterior[name] for name in after.left}
    for words, names in (
        ("More likely", sorted((n for n in change if change[n] >= LEAST_CHANGE), key=lambda n: -change[n])),
        ("Less likely", sorted((n for n in change if change[n] <= -LEAST_CHANGE), key=lambda n: change[n])),
    ):
        if names:
            moved = [f"{n} {share(before.posterior[n])} -> {share(after.posterior[n])}" for n in names]
            yield strong(words), f" (own priors): {', '.join(moved)}."


def _next(after: WhatStands, conflict: str) -> Iterator[Text]:
    if conflict:
        yield strong("No mechanism alone can produce everything that was observed"), f": {conflict}."
    if not after.left:
        yield (
            strong("No mechanism is left"),
            ": look again at the observations that conflict, or add to the model another mechanism.",
        )
        return
    if len(after.left) == 1 and after.verdict(after.left[0]) is Possible.POSSIBLE:
        yield strong("Settled"), f", if the model has the mechanism: only {after.left[0]} is left."
        return
    first = after.next[0] if after.next else None
    if first is None or first.bits < LEAST_CHANGE:
        yield strong("Next"), ": no experiment that the model lists can tell what is left apart; give it another."
        return
    cost = first.experiment.cost or "not stated"
    yield strong("Next"), f": {first.name}, {first.experiment.story} (cost: {cost}; {first.bits:.2f} bits expected)."
