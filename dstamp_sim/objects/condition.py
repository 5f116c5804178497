"""A condition variable with its lock."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import NamedTuple

from dstamp_sim.core.op import Op, Program
from dstamp_sim.core.shared_object import Outcome, SharedObject
from dstamp_sim.objects.waiting_line import unused, without


class Waiters(NamedTuple):
    """The state of a condition: whether its lock is held, and the tickets of who sleeps and of who was notified."""

    held: bool = False
    asleep: tuple[int, ...] = ()
    notified: tuple[int, ...] = ()


class Condition(SharedObject):
    """A lock, and sleepers whom a notification wakes: `threading.Condition`, a monitor, pthread_cond_t.

    `wait` lets go of the lock and sleeps in one op; whom a notification reaches competes for the lock with all that
    ask. A notification that finds nobody asleep is lost. `notify` reaches the one that sleeps longest, as in Python,
    Java and Go; with `fifo=False` any one, as POSIX has it (on the clock, whom is a chance). With `spurious=True` a
    sleeper may wake without one. The lock and a sleeper are left as they are by a death, as in memory: a dead sleeper
    may be the one that is notified.
    """

    is_lock = True

    def __init__(self, name: str, *, fifo: bool = True, spurious: bool = False) -> None:
        super().__init__(name, Waiters())
        self.fifo = fifo
        self.spurious = spurious

    def acquire(self) -> Op:
        """Blocks until the lock is free, then holds it; returns True."""
        return self.op("acquire")

    def release(self, token: Hashable = True) -> Op:
        """Frees the lock that this process holds; returns None."""
        return self.op("release", token)

    def sleep(self) -> Op:
        """Frees the lock that this process holds and sleeps, in one op; returns the ticket of this sleep."""
        return self.op("sleep")

    def wake(self, ticket: int) -> Op:
        """Blocks until this sleep was notified and the lock is free, then holds the lock; returns True."""
        return self.op("wake", ticket)

    def wait(self) -> Program[bool]:
        """Sleeps, and wakes with the lock held; returns True. What it waited for may be gone again: ask in a loop."""
        ticket = yield self.sleep()
        held: bool = yield self.wake(ticket)
        return held

    def notify(self) -> Op:
        """Notifies one sleeper, if there is one; returns None. POSIX does not ask for the lock, Python does."""
        return self.op("notify")

    def notify_all(self) -> Op:
        """Notifies all sleepers; returns None."""
        return self.op("notify_all")

    def outcomes(self, state: Waiters, op: Op) -> tuple[Outcome, ...]:
        """Deterministic but for `notify` without `fifo`; `acquire` and `wake` block."""
        match op.verb, op.args:
            case "acquire", ():
                return () if state.held else (Outcome(state._replace(held=True), True, takes=True),)
            case "release", (True,):
                return (Outcome(state._replace(held=False), drops=True),)
            case "sleep", ():
                return (self._asleep(state),)
            case "wake", (int(ticket),):
                return self._woken(state, ticket)
            case "notify", ():
                return tuple(self._notified(state))
            case "notify_all", ():
                notified = tuple(sorted((*state.asleep, *state.notified)))
                return (Outcome(Waiters(state.held, (), notified), label="" if state.asleep else NOBODY),)
        raise self.unknown_verb(op)

    def _asleep(self, state: Waiters) -> Outcome:
        ticket = unused(state.asleep, state.notified)
        asleep = (*state.asleep, ticket)
        ordered = asleep if self.fifo else tuple(sorted(asleep))
        return Outcome(Waiters(False, ordered, state.notified), ticket, drops=True)

    def _woken(self, state: Waiters, ticket: int) -> tuple[Outcome, ...]:
        if state.held or (ticket in state.asleep and not self.spurious):
            return ()
        awake = Waiters(True, without(state.asleep, ticket), without(state.notified, ticket))
        return (Outcome(awake, True, "spurious" if ticket in state.asleep else "", takes=True),)

    def _notified(self, state: Waiters) -> Iterator[Outcome]:
        for ticket in state.asleep[:1] if self.fifo else state.asleep:
            notified = tuple(sorted((*state.notified, ticket)))
            label = f"reaches {ticket}" if len(state.asleep) > 1 and not self.fifo else ""
            yield Outcome(Waiters(state.held, without(state.asleep, ticket), notified), label=label)
        if not state.asleep:
            yield Outcome(state, label=NOBODY)


NOBODY = "nobody is asleep"
"""The label of a notification that is lost."""
