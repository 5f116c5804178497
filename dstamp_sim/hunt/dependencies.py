"""What depends on what in a trial, by what its calls touch: links for pages and exporters, and vector clocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dstamp_sim.hunt.story import step_words
from dstamp_sim.hunt.touches import Touch
from dstamp_sim.hunt.trial import HeldStep
from dstamp_sim.rendering.timeline.annotations import DependencyLink

MOST_LINKS = 5_000
"""How many links there are at most: the last ones."""
_SAYS = {"wr": "may read what it wrote", "ww": "writes after it", "rw": "writes after it looked"}


def links_of(steps: Sequence[HeldStep]) -> tuple[DependencyLink, ...]:
    """The links between steps of different runs that touch one object and one of which writes."""
    found = {(link.kind, link.source, link.target): link for link in _links(steps)}
    return tuple(found.values())[-MOST_LINKS:]


def _links(steps: Sequence[HeldStep]) -> Iterator[DependencyLink]:
    writer: dict[str, int] = {}
    readers: dict[str, list[int]] = {}
    for target, step in enumerate(steps):
        for name, how in step.call.touches:
            sources = [("w" + how, writer[name])] if name in writer else []
            sources += [("rw", reader) for reader in readers.get(name, [])] if how == "w" else []
            for kind, source in sources:
                if steps[source].run != step.run:
                    says = f"{step_words(steps, target)} {_SAYS[kind]}: {step_words(steps, source)}"
                    yield DependencyLink(kind, source, target, says)
        for touch in step.call.touches:
            _note(touch, target, writer, readers)


def _note(touch: Touch, number: int, writer: dict[str, int], readers: dict[str, list[int]]) -> None:
    if touch.how == "w":
        writer[touch.object] = number
        readers[touch.object] = []
    else:
        readers.setdefault(touch.object, []).append(number)


def clocks_of(
    steps: Sequence[HeldStep], runs: Sequence[str], links: Sequence[DependencyLink]
) -> tuple[tuple[int, ...], ...]:
    """A vector clock for each step: how many steps of each run it comes after, itself included."""
    sources: dict[int, list[int]] = {}
    for link in links:
        sources.setdefault(link.target, []).append(link.source)
    last = {run: (0,) * len(runs) for run in runs}
    clocks: list[tuple[int, ...]] = []
    for number, step in enumerate(steps):
        known = [last[step.run], *(clocks[source] for source in sources.get(number, ()))]
        clock = [max(counts) for counts in zip(*known, strict=True)]
        clock[runs.index(step.run)] += 1
        last[step.run] = tuple(clock)
        clocks.append(tuple(clock))
    return tuple(clocks)
