"""What a strategy is: a name, a line of help, three compiled functions, and its options.

    begin(memory)                  a new schedule begins
    choose(memory, step, offer)    which actor moves, and with which outcome; actor -1: this cannot be decided here
    done(memory)                   a schedule is complete; false when there is no further one

Each strategy is a module of this folder that ends with its `STRATEGY`; `strategies` lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from dstamp_sim.core.errors import UsageError, cut, unknown
from dstamp_sim.engines.sampling.oracle import Memory, Offer
from dstamp_sim.engines.tables.compiled import compiled

Options = Mapping[str, int]
"""A strategy's options by name, defaults included."""


LARGEST_OPTION = 10_000
"""No option of a strategy is larger: it counts steps or switches of one schedule."""


class Option(NamedTuple):
    """An option of a strategy: a number of at least `least`."""

    name: str
    default: int
    least: int
    help: str


@compiled
def nothing_to_begin(memory: Memory) -> None:
    """For a strategy that remembers nothing."""


@compiled
def always_another(memory: Memory) -> Any:
    """For a strategy that never runs out of schedules."""
    return True


def as_it_is(memory: Memory, options: Options) -> Memory:
    """For a strategy that needs no room."""
    return memory


def every_schedule(memory: Memory, options: Options) -> str:
    """For a strategy that runs out of schedules only when it has tried them all."""
    return "every schedule was tried (explore can prove)"


@dataclass(frozen=True)
class Strategy:
    """How schedules are chosen.

    `set_up` makes room in the memory, according to the options. With `needs_length`, some random walks tell how long a
    schedule is (`numbers[LENGTH]`) before the first one; with `counts`, all interleavings are counted (`memory.graph`).
    `independent`: schedules are drawn independently of each other, so that confidence can be computed.
    `guarantee(actors, length, options)` is the least probability with which one schedule finds any one bug, where the
    strategy has one. `all_tried(memory, options)` says what it means that `done` was false.
    """

    name: str
    help: str
    choose: Callable[[Memory, int, Offer], Any]
    begin: Callable[[Memory], Any] = nothing_to_begin
    done: Callable[[Memory], Any] = always_another
    options: tuple[Option, ...] = ()
    set_up: Callable[[Memory, Options], Memory] = as_it_is
    needs_length: bool = False
    counts: bool = False
    independent: bool = True
    guarantee: Callable[[int, int, Options], float] | None = None
    all_tried: Callable[[Memory, Options], str] = every_schedule

    def completed(self, options: Options) -> Options:
        """`options` with the defaults of the others. Raises UsageError for an unknown one or a figure out of range."""
        known = {option.name: option for option in self.options}
        for name, value in options.items():
            if name not in known:
                why = unknown("option", name, known) if known else "it has no options"
                raise UsageError(f"{name}={value} means nothing to {self.name}: {why}")
            if value < known[name].least:
                raise UsageError(f"{name}={value}, but it must be {known[name].least} or more")
            if value > LARGEST_OPTION:
                raise UsageError(f"{name}={cut(str(value), 24)}, but it must be {LARGEST_OPTION:,} at most")
        return {name: options.get(name, option.default) for name, option in known.items()}
