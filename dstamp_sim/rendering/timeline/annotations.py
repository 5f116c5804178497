"""The steps and links of an explanation, by numbers from 0: the same for the timeline, the page and exporters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

MOST_LINKS = 5_000
"""How many dependencies pictures get at most: the last ones."""


class Missing(NamedTuple):
    """A lock that was not held where it should have been: by whom, which ("": there is none), over which steps."""

    process: str
    lock: str
    first: int
    last: int


class DependencyLink(NamedTuple):
    """A dependency: step `target` depends on step `source`; `kind` is ww, wr, rw or wants; `says` is its sentence."""

    kind: str
    source: int
    target: int
    says: str


@dataclass(frozen=True)
class Annotations:
    """The sentence and the proof; the window (its process, first and last step) and the write inside it; the rest.

    `cycle` are the links that make the proof, `links` the dependencies of steps, `reads` is the step that mattered.
    `sources` has, by read, the last step that wrote the value.
    `steps` are all that it speaks of, `nones` those of them that only looked and got None, which is an answer.
    `clocks` has a vector clock per step: how many steps of each process it knows of. Only some formats need it.
    """

    sentence: str = ""
    proof: str = ""
    window: tuple[str, int, int] | None = None
    write: int | None = None
    reads: int | None = None
    missing: Missing | None = None
    cycle: tuple[DependencyLink, ...] = ()
    links: tuple[DependencyLink, ...] = ()
    steps: frozenset[int] = frozenset()
    nones: frozenset[int] = frozenset()
    sources: Mapping[int, int] = field(default_factory=dict)
    clocks: tuple[tuple[int, ...], ...] = ()
