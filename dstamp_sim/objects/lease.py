"""A lock that lapses: a lease, a session, a key with a time to live."""

from __future__ import annotations

from typing import NamedTuple

from dstamp_sim.core.op import Op, Program, delay
from dstamp_sim.core.shared_object import Outcome, SharedObject
from dstamp_sim.objects.waiting_line import unused, without


class Term(NamedTuple):
    """The state of a lease: the token of its holder (None: free), and how many tokens there have been.

    `term` is the number of the present time to live, and `running` are the numbers of those that still run.
    """

    holder: int | None = None
    issued: int = 0
    term: int = 0
    running: tuple[int, ...] = ()


class Lease(SharedObject):
    """A lock that is free again when its time is over, whatever its holder does: SET NX PX, an etcd lease, a session.

    Time is a daemon: `Process("ttl", lease.lapses, daemon=True)`. Without one the lease never lapses. Where time is not
    told, it lapses at any moment; on the clock when the delay "NAME ttl" is over, counted from taking or the last
    renewal (`copies` of the daemon: as many as takings and renewals can fall into one time to live). A death or an end
    releases nothing: its time must run out. A token counts up, so it can fence: `Store.put_fenced`. (A loop that takes
    a lease for ever has states without end.)
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, Term())

    def acquire(self) -> Op:
        """Blocks until the lease is free, then holds it; returns the token."""
        return self.op("acquire")

    def try_acquire(self) -> Op:
        """Holds the lease if it is free; returns the token, or None, and never blocks."""
        return self.op("try_acquire")

    def renew(self, token: int) -> Op:
        """Begins a new time to live if the lease is still held with this token; returns whether it is."""
        return self.op("renew", token)

    def is_held(self, token: int) -> Op:
        """Returns whether the lease is still held with this token."""
        return self.op("is_held", token)

    def release(self, token: int) -> Op:
        """Frees the lease if it is held with this token (compare-and-delete); returns whether it was."""
        return self.op("release", token)

    def delete(self, token: int) -> Op:
        """Frees the lease, whoever holds it by now (DEL); this process holds `token` no more. Returns None."""
        return self.op("delete", token)

    def watch(self) -> Op:
        """Blocks until the lease is held and nobody counts this time to live; returns its number. For the daemon."""
        return self.op("watch")

    def lapse(self, term: int) -> Op:
        """This time to live is over: frees the lease if it is still the present one; returns None. For the daemon."""
        return self.op("lapse", term)

    def lapses(self) -> Program[None]:
        """The daemon's program: counts one time to live, and ends it."""
        term = yield self.watch()
        yield delay(f"{self.name} ttl")
        yield self.lapse(term)

    def outcomes(self, state: Term, op: Op) -> tuple[Outcome, ...]:
        """Deterministic; `acquire` and `watch` block."""
        match op.verb, op.args:
            case "acquire" | "try_acquire", ():
                return _taken(state, waits=op.verb == "acquire")
            case "watch", ():
                counted = state.holder is None or state.term in state.running
                running = tuple(sorted({*state.running, state.term}))
                return () if counted else (Outcome(state._replace(running=running), state.term),)
            case "lapse", (int(term),):
                over = term == state.term and state.holder is not None
                rest = state._replace(running=without(state.running, term))
                return (Outcome(rest._replace(holder=None) if over else rest, label="" if over else "not the last"),)
            case "delete", (int(token),):
                return (Outcome(state._replace(holder=None), drops=token),)
            case ("renew" | "is_held" | "release") as verb, (int(token),):
                return (_asked(state, verb, token),)
        raise self.unknown_verb(op)


def _taken(state: Term, *, waits: bool) -> tuple[Outcome, ...]:
    if state.holder is not None:
        return () if waits else (Outcome(state, None),)
    token = state.issued + 1
    return (Outcome(Term(token, token, unused(state.running), state.running), token, takes=token),)


def _asked(state: Term, verb: str, token: int) -> Outcome:
    held = state.holder == token
    if verb == "release":
        return Outcome(state._replace(holder=None) if held else state, held, drops=token)
    if verb == "renew" and held and state.term in state.running:
        return Outcome(state._replace(term=unused(state.running)), held)
    return Outcome(state, held)
