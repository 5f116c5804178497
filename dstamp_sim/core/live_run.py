"""A program that runs: its generator, the sections that it is in, and the ops that it has made and not yielded."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import CodeType
from typing import Any
from weakref import finalize

from dstamp_sim.core.errors import is_ctrl_c
from dstamp_sim.core.made import RUNNING, Made
from dstamp_sim.core.op import ENTER, Op, Program, SectionMark
from dstamp_sim.core.placement import LockTaken
from dstamp_sim.core.shared_object import SharedObject

MOST_DROPPED = 1_000
"""How many ops the `finally` clauses of a dropped program may yield before they are cut off."""


@dataclass(slots=True, weakref_slot=True, eq=False)
class LiveRun:
    """A running generator, suspended at a node; it is closed quietly when it is no longer needed.

    `repeats` says whether it only runs again what ran before, to be compared.
    """

    body: Program[Any]
    driver: Program[Any]
    refusing: tuple[SharedObject, ...] = ()
    made: Made = field(default_factory=Made)
    repeats: bool = False
    last: object = None
    cut_off: bool = False
    returned: bool = False
    value: Any = None
    inside: tuple[SectionMark, ...] = ()
    passed: list[tuple[CodeType, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        finalize(self, _drop, self.driver, self.body)

    @property
    def sections(self) -> tuple[str, ...]:
        """The sections that it is in, outermost first."""
        return tuple(str(mark.args[0]) for mark in self.inside if not mark.stay.closed)

    def mark(self, item: SectionMark) -> None:
        """Notes that it passed a mark: the entry into a section, or the exit from one."""
        left = tuple(mark for mark in self.inside if mark.stay is not item.stay)
        self.inside = (*left, item) if item.verb == ENTER else left

    def end(self, value: Any) -> None:
        """Notes that it returned."""
        self.returned, self.value, self.inside = True, value, ()

    def send(self, answer: Any) -> Any:
        """Returns what it yields next after `answer`; notes ops made meanwhile, and strikes out the yielded one."""
        if self.refusing and answer is None and isinstance(self.last, Op) and self.last.verb == "try_acquire":
            self.cut_off = self.cut_off or any(self.last.target is lock for lock in self.refusing)
        before, RUNNING.made = RUNNING.made, self.made
        try:
            item: Any = self.driver.send(answer)
        finally:
            RUNNING.made = before
        self.last = item
        self.made.strike(item)
        return item


def _drop(*generators: Program[Any]) -> None:
    """End a program that is dropped half-way: its `finally` clauses run, but what they yield is not performed."""
    before, RUNNING.made = RUNNING.made, None  # another program's code may be running
    try:
        for generator in generators:
            _end(generator)
    finally:
        RUNNING.made = before


def _end(generator: Program[Any]) -> None:
    try:
        generator.throw(LockTaken())
        for _ in range(MOST_DROPPED):
            generator.send(None)
    except BaseException as error:  # how it ends decides nothing
        if is_ctrl_c(error):
            raise
