"""A system as plain numbers and texts, for those who write it down in another language.

Engines make it from their tables, exporters read it: neither needs to know the other. Every local state of a process is
a `Stand`, every shared object a `Cell` with numbered states; a step is one `Way` of a stand.
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
class Way:
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
    """A local state: what is about to happen in words, the cell that it touches (None: none), and how it may go.

    `met` are the states of the cell that a process may find here; in those without a way it waits. `result` numbers
    the result of an ended one, `refutes` the each-result questions that this result answers badly.
    """

    about: str
    cell: int | None = None
    met: tuple[int, ...] = ()
    ways: tuple[Way, ...] = ()
    ended: bool = False
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
    """What a condition looks at: a cell's state; how many processes ended with a result; or one process's result.

    A process's result is 0 while there is none, and otherwise the result's number plus one.
    """

    of: str
    number: int


CELL, COUNT, RESULT = "cell", "count", "result"


@dataclass(frozen=True)
class Split:
    """A condition that looks at one variable and goes on by its value; values that cannot occur are in no branch."""

    variable: Variable
    branches: tuple[tuple[tuple[int, ...], Condition], ...]


Condition = Split | bool


@dataclass(frozen=True)
class Question:
    """A property: what it reads, and the condition that decides it (a violation, or what must be reachable)."""

    name: str
    kind: PropertyKind
    reads: tuple[int, ...]
    decided_when: Condition


@dataclass(frozen=True)
class Machine:
    """The whole system: cells, classes in order of their processes, the results that there are, and what is asked."""

    name: str
    cells: tuple[Cell, ...]
    classes: tuple[ProcessType, ...]
    results: tuple[str, ...]
    questions: tuple[Question, ...]
    crashes: int

    @property
    def must_end(self) -> int:
        """The number of processes that are no daemons."""
        return sum(c.copies for c in self.classes if not c.daemon)
