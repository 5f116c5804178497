"""What an explanation says of a trap, claim by claim, and how each is verified: by performing all that can follow.

A trap is a state from which not all who must end can come to their end any more, though somebody may move for ever.
"""

from __future__ import annotations

from collections.abc import Callable

from dstamp_sim.analyses.claims import Claim
from dstamp_sim.analyses.speech import Speech, listed
from dstamp_sim.analyses.trace_record import Record
from dstamp_sim.analyses.verify import against
from dstamp_sim.core.schedule import CRASH
from dstamp_sim.core.semantics import State


class CannotEnd(Claim):
    """Since step `step` no behaviour ends `processes`, which before it was possible; -1: from the start.

    Each of them, or with `together` all of them in one behaviour.
    """

    processes: tuple[str, ...]
    step: int
    together: bool

    def words(self, say: Speech) -> str:
        """`After worker's death at step 1 main cannot end any more`."""
        never = "cannot all end" if self.together else "cannot end"
        if self.step < 0:
            return f"{listed(self.processes)} {never}, from the start"
        return f"After {say.does(self.step)} {listed(self.processes)} {never} any more"


class OnlyADeath(Claim):
    """Already before step `step`, a death, `processes` could not all end unless somebody died."""

    processes: tuple[str, ...]
    step: int

    def words(self, say: Speech) -> str:
        """`even before, only a death could let them all end, and not enough may die any more`."""
        who = "them all" if len(self.processes) > 1 else "it"
        return f"even before, only a death could let {who} end, and not enough may die any more"


class WaitsInVain(Claim):
    """In the end `processes` wait for `op`, and wait for it still after everything that can follow."""

    processes: tuple[str, ...]
    op: str

    def words(self, say: Speech) -> str:
        """`main waits for done.wait_for(True), which nothing that can still happen makes possible`."""
        wait = "wait" if len(self.processes) > 1 else "waits"
        return f"{listed(self.processes)} {wait} for {self.op}, which nothing that can still happen makes possible"


class GoesOn(Claim):
    """After everything that can follow the end, one of `processes` can move."""

    processes: tuple[str, ...]

    def words(self, say: Speech) -> str:
        """`heartbeat can always go on`; `run starts again and can always go on` after its death."""
        died = {step.process for step in say.trace.steps if step.choice.outcome == CRASH}
        if len(self.processes) == 1:
            again = " starts again and" if self.processes[0] in died else ""
            return f"{self.processes[0]}{again} can always go on"
        return f"one of {listed(self.processes)} can always go on"


class NeverPast(Claim):
    """After step `step` (-1: from the start) each of `processes` never gets past the first of `ops` that closes.

    That is a place where it can never move, and none of them ever ends. `held` is the object that each of them holds
    itself wherever it stands so; else empty.
    """

    processes: tuple[str, ...]
    ops: tuple[str, ...]
    step: int
    held: str

    def words(self, say: Speech) -> str:
        """`p0 can never get past mutex.acquire() (where it holds mutex itself)`."""
        can, more = ("can never get", "") if self.step < 0 else ("cannot get", " any more")
        it_holds = "it holds" if len(self.processes) == 1 else "each holds"
        why = f" (where {it_holds} {self.held} itself)" if self.held else ""
        return f"{listed(self.processes)} {can} past {listed(self.ops, 'or')}{more}{why}"


@against.register
def _cannot_end(claim: CannotEnd, record: Record) -> str:
    after = record.following(claim.step + 1)
    if after is None:
        return "too much can follow"
    groups = [claim.processes] if claim.together else [(name,) for name in claim.processes]
    for names in groups:
        ended = _all_ended(names, record)
        if any(map(ended, after)):
            return f"{listed(names)} can end"
        if claim.step >= 0 and (before := record.comes_to(claim.step, ended)) is not True:
            return "too much could have followed" if before is None else f"{listed(names)} could not end before either"
    return ""


def _all_ended(names: tuple[str, ...], record: Record) -> Callable[[State], bool]:
    """Whether in a state all of these processes have ended or died."""
    semantics, pids = record.performance.semantics, [record.performance.pid(name) for name in names]

    def ended(state: State) -> bool:
        nodes = (semantics.node(state, pid) for pid in pids)
        return all(node is None or node.ended for node in nodes)

    return ended


@against.register
def _only_a_death(claim: OnlyADeath, record: Record) -> str:
    steps = record.trace.steps
    if not 0 <= claim.step < len(steps) or steps[claim.step].choice.outcome != CRASH:
        return f"step {claim.step + 1} is no death"
    without = record.comes_to(claim.step, _all_ended(claim.processes, record), deaths=False)
    return "" if without is False else "they could end without a death" if without else "too much could have followed"


@against.register
def _waits_in_vain(claim: WaitsInVain, record: Record) -> str:
    semantics, states = record.performance.semantics, record.following(len(record.trace.steps))
    if states is None:
        return "too much can follow"
    for name in claim.processes:
        pid = record.performance.pid(name)
        for state in states:
            node = semantics.node(state, pid)
            if node is None or str(node.op) != claim.op or semantics.outcomes(state, pid):
                return f"{name} does not wait for {claim.op} for ever"
    return ""


@against.register
def _never_past(claim: NeverPast, record: Record) -> str:
    semantics, states = record.performance.semantics, record.following(claim.step + 1)
    if states is None:
        return "too much can follow"
    for name in claim.processes:
        pid = record.performance.pid(name)
        stands = {state.local[pid].node: node for state in states if (node := semantics.node(state, pid)) is not None}
        passed = {state.local[pid].node for state in states if semantics.outcomes(state, pid)}
        closed = [node for number, node in stands.items() if number not in passed]
        if any(node.ended for node in stands.values()) or {str(node.op) for node in closed} != set(claim.ops):
            return f"{name} ends, or stands elsewhere for ever"
        if claim.held and not all(claim.held in [hold.target.name for hold in node.holds] for node in closed):
            return f"{name} does not hold {claim.held} there"
    return "" if claim.processes and claim.ops else "nobody is named, or no op"


@against.register
def _goes_on(claim: GoesOn, record: Record) -> str:
    semantics, states = record.performance.semantics, record.following(len(record.trace.steps))
    if states is None:
        return "too much can follow"
    pids = [record.performance.pid(name) for name in claim.processes]
    stopped = any(not any(semantics.outcomes(state, pid) for pid in pids) for state in states)
    return f"{listed(claim.processes)} can come to a standstill" if stopped else ""
