"""A shared object: a pure state machine that says what each op may do in each state."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.op import GAVE_UP, Op, Program
from dstamp_sim.core.place import here
from dstamp_sim.core.typed import expect, is_name
from dstamp_sim.core.value import Distinct, text


@dataclass(frozen=True, slots=True)
class Outcome:
    """One thing an op may do: the object's next state, the result sent back into the program, an optional label.

    `takes` and `drops` are tokens of what the process holds from now on or no longer (a lock, a descriptor). They let
    the semantics release what a dead process held, and timelines draw holds, while object states stay free of names.
    """

    state: Hashable
    result: Hashable = None
    label: str = ""
    takes: Hashable = None
    drops: Hashable = None


def may_do(op: Op, state: Any) -> tuple[Outcome, ...]:
    """What `op` may do to its object in `state`: nothing while it waits, or giving up if it does that."""
    assert op.target is not None
    return tuple(op.target.outcomes(state, op)) or giving_up(op, state)


def giving_up(op: Op, state: Any) -> tuple[Outcome, ...]:
    """What `op` may do where its object lets it do nothing."""
    if not op.patience or op.target is None:
        return ()
    return (Outcome(state, GAVE_UP, f"gave up waiting for {op.target.name} after {op.patience}"),)


def gives_up(outcomes: tuple[Outcome, ...]) -> bool:
    """Whether an op with these outcomes waits and may give up."""
    return len(outcomes) == 1 and outcomes[0].result is GAVE_UP


class SharedObject:
    """A named state machine with an initial state; subclass it and write `outcomes`.

    A list as `initial` holds several states, in any of which a behaviour may begin (`initials`; `initial` is the first
    one). With `private=True` every process has its own instance. Two declared objects may not share a name.
    """

    is_lock = False
    """Locks get bars on the timeline instead of a lane, and appear in wait-for graphs."""

    is_line = False
    """Who waits in a line waits for what comes after it."""

    beside: tuple[SharedObject, ...] = ()
    """The objects that come with it into a system."""

    def __init__(self, name: str, initial: Hashable | list[Any] = None, *, private: bool = False) -> None:
        who = type(self).__name__
        expect(is_name(name), who, "name", name, "a text that is not empty")
        expect(isinstance(private, bool), f"{who} {name!r}", "private", private, "True or False")
        for verb in ("outcomes", "on_death", "at_exit"):
            expect(callable(getattr(self, verb)), f"{who} {name!r}", verb, getattr(self, verb), "a method")
        self.name = name
        self.initials: tuple[Hashable, ...] = tuple(initial) if isinstance(initial, list) else (initial,)
        self.private = private
        values = Distinct()
        for each in self.initials:
            if wrong := values.wrong("initial", each):
                raise ModelError(f"{here()}{self!r} begins with the state {wrong}")
        if len(set(self.initials)) < max(len(self.initials), 1):
            raise ModelError(f"{here()}{self!r} begins with {text(initial)}: a list holds one state or more, each once")
        if private and len(self.initials) > 1:
            raise ModelError(f"{here()}{self!r} is private and begins with {text(initial)}: give it one state")

    @property
    def initial(self) -> Hashable:
        """The state that it begins in; of several, the first."""
        return self.initials[0]

    def op(self, verb: str, *args: Hashable) -> Op:
        """An op of this object; subclasses give their verbs typed methods that call this."""
        return Op(self, verb, args)

    def outcomes(self, state: Any, op: Op) -> tuple[Outcome, ...]:
        """Returns what `op` may do in `state`: none means blocked, several nondeterministic. Pure and deterministic."""
        raise NotImplementedError

    def turn(self, op: Op) -> Program[Any] | None:
        """How a process comes to perform `op` where that takes more ops than this one; None where it does not."""
        return None

    def on_death(self, state: Any, token: Hashable) -> Any:
        """The state after a process died that held `token`; unchanged unless the kernel cleans up after it."""
        return state

    def at_exit(self, token: Hashable) -> Op | None:
        """The op that a process performs by ending while it holds `token`; None when nothing is released."""
        return None

    def unknown_verb(self, op: Op) -> NotImplementedError:
        """The error to raise for a verb that this object does not have."""
        return NotImplementedError(f"{type(self).__name__} {self.name!r} has no verb {op.verb!r}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def __deepcopy__(self, memo: object) -> SharedObject:
        """Returns itself: copies of a holder share the object."""
        return self
