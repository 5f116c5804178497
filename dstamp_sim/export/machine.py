"""A system as plain numbers and texts, for writers in another language.

Engines make it from their tables, exporters read it: neither needs to know the other. Every local state of a process is
a `Stand`, every shared object a `Cell` with numbered states; a step is one `Branch` of a stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dstamp_sim.core.properties import PropertyKind


@dataclass(frozen=True)
class Cell:
    """A shared object: its name, its states as texts, and the number of the initial one."""

    name: str
    states: tuple[str, ...]
    initial: int


@dataclass(frozen=True)
class Branch:
    """One outcome of a step: possible in the states `when` of the cell, which then has the state beside it in `after`.

    Both are empty for a step that touches no cell. `to` is the stand after it.
    """

    when: tuple[int, ...]
    after: tuple[int, ...]
    to: int


@dataclass(frozen=True)
class Loss:
    """What the death of a process does to a cell that it holds: the next state, by state."""

    cell: int
    after: Mapping[int, int]


@dataclass(frozen=True)
class Stand:
    """A local state: the next op in words, the cell that it touches (None: none), and its ways.

    `met` are the states of the cell that a process may find here; without a way it waits, and may wait for ever where
    it `rests`. `result` numbers the result of an ended one, `refutes` the each-result questions that it violates.
    """

    about: str
    cell: int | None = None
    met: tuple[int, ...] = ()
    ways: tuple[Branch, ...] = ()
    ended: bool = False
    rests: bool = False
    result: int | None = None
    refutes: tuple[int, ...] = ()
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True)
class ProcessType:
    """Identical processes: `copies` of one program that begins at `start`; `dead` is where its dead stand."""

    name: str
    copies: int
    daemon: bool
    killable: bool
    start: int
    dead: int
    stands: Mapping[int, Stand]


class Variable(NamedTuple):
    """The subject of a condition: a cell's state; how many processes ended with a result; or one process's result.

    A process's result is 0 while there is none, and otherwise the result's number plus one.
    """

    of: str
    number: int


CELL, COUNT, RESULT = "cell", "count", "result"


@dataclass(frozen=True)
class Split:
    """A condition that branches on one variable's value; impossible values have no branch."""

    variable: Variable
    branches: tuple[tuple[tuple[int, ...], Guard], ...]


Guard = Split | bool


@dataclass(frozen=True)
class CheckedProperty:
    """A property: what it reads, and the condition that decides it (a violation, or the wish).

    One in time has a `goal` instead, where what it waits for is true, and waits for it wherever its `start` is true.
    """

    name: str
    kind: PropertyKind
    reads: tuple[int, ...]
    decided_when: Guard
    goal: Guard = False
    start: Guard = True


@dataclass(frozen=True)
class Machine:
    """The whole system: cells, classes in order of their processes, all results, and the questions."""

    name: str
    cells: tuple[Cell, ...]
    classes: tuple[ProcessType, ...]
    results: tuple[str, ...]
    questions: tuple[CheckedProperty, ...]
    crashes: int

    @property
    def must_end(self) -> int:
        """The number of processes that are no daemons."""
        return sum(c.copies for c in self.classes if not c.daemon)
