"""What a process yields: one verb on one object. Programs are generators of ops."""

from __future__ import annotations

from collections.abc import Generator, Hashable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.made import RUNNING
from dstamp_sim.core.place import here
from dstamp_sim.core.value import text

if TYPE_CHECKING:
    from dstamp_sim.core.shared_object import SharedObject

T = TypeVar("T")


class GaveUp(Enum):
    """The one result of an op that gave up; false, as nothing was got."""

    GAVE_UP = "gave up"

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return self.value


GAVE_UP = GaveUp.GAVE_UP
"""What an op returns that may give up (`Op.within`) and did."""


@dataclass(frozen=True, slots=True)
class Op:
    """One verb on one object, with hashable arguments; the only way to touch shared state.

    `target` is None for the ops that touch nothing: `delay`, and the marks that open and close a section. `patience` is
    the delay after which it gives up waiting; empty if it never does.
    """

    target: SharedObject | None
    verb: str
    args: tuple[Hashable, ...] = ()
    patience: str = ""

    def __post_init__(self) -> None:
        if RUNNING.made is not None:
            RUNNING.made.note(self)

    @property
    def is_delay(self) -> bool:
        """Whether it touches nothing and only lets time pass; its argument is the delay's name."""
        return self.target is None and self.verb in DELAYS

    def on(self, target: SharedObject) -> Op:
        """The same op on another object; to be yielded in its place."""
        return self._instead(replace(self, target=target))

    def within(self, patience: str) -> Op:
        """The same op, which gives up if it still waits after the delay of this name; it returns `GAVE_UP` then.

        Giving up leaves the object as it is. Where time is not told, it may come at any moment while the op waits.
        """
        wrong = f"{here()}{self}.within({patience!r})"
        if self.target is None or self.patience:
            raise ModelError(f"{wrong}: only what waits for an object gives up, after one delay")
        if not isinstance(patience, str) or not patience:
            raise ModelError(f"{wrong}: a delay's name is a text; a scenario says how long it lasts")
        return self._instead(replace(self, patience=patience))

    def _instead(self, other: Op) -> Op:
        if RUNNING.made is not None:
            RUNNING.made.strike(self)
        return other

    @property
    def asks_lock(self) -> bool:
        """Whether who is blocked in it waits for a lock, or in the line before one."""
        return self.target is not None and (self.target.is_lock or self.target.is_line)

    @property
    def name(self) -> str:
        """Its object and its verb, as `Process(fair=...)` names it: `lock.acquire`; a delay as it is written."""
        return str(self) if self.target is None else f"{self.target.name}.{self.verb}"

    def __str__(self) -> str:
        if self.target is None:
            return " ".join([self.verb, *map(str, self.args)])
        patience = f" within {self.patience}" if self.patience else ""
        return f"{self.target.name}.{self.verb}({', '.join(text(arg) for arg in self.args)}){patience}"


@dataclass(slots=True, eq=False)
class Stay:
    """One stay in a section. `closed`: its generator was closed, so it could not yield its exit."""

    closed: bool = False


@dataclass(frozen=True, slots=True)
class SectionMark(Op):
    """The entry into a section, or the exit from it; its argument is the section's name."""

    stay: Stay = field(default_factory=Stay, compare=False)


Program = Generator[Op, Any, T]
"""A process's code: yields ops, is sent their results, returns the process's result of type T."""

ENTER, EXIT, DELAY, SLEEP = "enter", "exit", "delay", "sleep"

DELAYS = (DELAY, SLEEP)
"""The verbs of ops that only let time pass."""


def delay(name: str) -> Op:
    """Time passes; how long is the scenario's business. Untimed engines treat it as a local step."""
    return _lasting(DELAY, name)


def sleep(name: str) -> Op:
    """The process sleeps on purpose (a backoff, a poll's pause): a `delay`, of which reports say that it sleeps."""
    return _lasting(SLEEP, name)


def _lasting(verb: str, name: object) -> Op:
    if not isinstance(name, str):
        raise ModelError(f"{here()}{verb}({name!r}): a delay's name is a text; a scenario says how long it lasts")
    return Op(None, verb, (name,))


def section(name: str, body: Program[T]) -> Program[T]:
    """Runs `body` as the section called `name`, which placements cover and timelines draw.

    It is left however `body` ends: by returning, by an exception, or by being closed. Write
    `yield from section("pay", pay())`: a section that is never started is an error.
    """
    if not isinstance(name, str):
        raise ModelError(f"{here()}section({name!r}, ...): a section's name is a text")
    if not hasattr(body, "__iter__"):
        raise ModelError(
            f"{here()}section({name!r}, {body!r}): a section runs what a generator function returned: "
            f"write `section({name!r}, body())`"
        )
    made = _marked(name, body)
    if RUNNING.made is not None:
        RUNNING.made.note(made)
    return made


def _marked(name: str, body: Program[T]) -> Program[T]:
    """`body` between the marks of a section."""
    stay = Stay()
    try:
        yield SectionMark(None, ENTER, (name,), stay=stay)
        result = yield from body
    except GeneratorExit:
        stay.closed = True
        raise
    except BaseException:
        yield SectionMark(None, EXIT, (name,), stay=stay)
        raise
    yield SectionMark(None, EXIT, (name,), stay=stay)
    return result
