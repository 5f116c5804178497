"""What a process yields: one verb on one object. Programs are generators of ops."""

from __future__ import annotations

from collections.abc import Generator, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from dstamp_sim.core.value import text

if TYPE_CHECKING:
    from dstamp_sim.core.shared_object import SharedObject

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Op:
    """One verb on one object, with hashable arguments; the only way to touch shared state.

    `target` is None for the ops that touch nothing: `delay`, and the marks that open and close a section.
    """

    target: SharedObject | None
    verb: str
    args: tuple[Hashable, ...] = ()

    @property
    def is_delay(self) -> bool:
        """Whether it touches nothing and only lets time pass; its argument is the delay's name."""
        return self.target is None and self.verb == DELAY

    def __str__(self) -> str:
        if self.target is None:
            return " ".join([self.verb, *map(str, self.args)])
        return f"{self.target.name}.{self.verb}({', '.join(text(arg) for arg in self.args)})"


@dataclass(slots=True, eq=False)
class Stay:
    """One stay in a section. `closed` tells that its generator was closed, which leaves no time to yield its exit."""

    closed: bool = False


@dataclass(frozen=True, slots=True)
class Mark(Op):
    """The entry into a section, or the exit from it; its argument is the section's name."""

    stay: Stay = field(default_factory=Stay, compare=False)


Program = Generator[Op, Any, T]
"""A process's code: yields ops, is sent their results, returns the process's result of type T."""

ENTER, EXIT, DELAY = "enter", "exit", "delay"


def delay(name: str) -> Op:
    """Time passes; how long is the scenario's business. Untimed engines treat it as a local step."""
    return Op(None, DELAY, (name,))


def section(name: str, body: Program[T]) -> Program[T]:
    """Run `body` as the stretch of the program called `name`: what placements cover and timelines draw.

    It is left however `body` ends: by returning, by an exception, or by being closed.
    """
    stay = Stay()
    try:
        yield Mark(None, ENTER, (name,), stay)
        result = yield from body
    except GeneratorExit:
        stay.closed = True
        raise
    except BaseException:
        yield Mark(None, EXIT, (name,), stay)
        raise
    yield Mark(None, EXIT, (name,), stay)
    return result
