"""What an explanation says of a lasso, claim by claim, and how each is verified: by performing it.

A lasso comes back to a state; what a property in time waits for is then put off for ever.
"""

from __future__ import annotations

from collections.abc import Iterator

from dstamp_sim.analyses.claims import Claim
from dstamp_sim.analyses.speech import Speech, listed
from dstamp_sim.analyses.trace_record import Record
from dstamp_sim.analyses.verify import Narrator, against
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.lasso import Lasso, lasso_of
from dstamp_sim.core.properties import Property, PropertyKind
from dstamp_sim.core.schedule import CRASH
from dstamp_sim.core.semantics import Semantics, State
from dstamp_sim.core.system import Fairness
from dstamp_sim.core.trace import Trace


class NeverComes(Claim):
    """What `property` waits for never comes after step `step` (-1: the start), though fairness is kept."""

    property: str
    kind: PropertyKind
    step: int

    def words(self, say: Speech) -> str:
        """`After writer's write at step 2 'written is read' is due and never comes`."""
        since = f"After {say.does(self.step)}" if self.step >= 0 else "From the start"
        if self.kind is PropertyKind.LEADS_TO:
            return f"{since} {self.property!r} is due and never comes"
        return f"{since} {self.property!r} never comes{' again' if self.step >= 0 else ''}"


class NeverEnd(Claim):
    """The `processes`, all that must end and have not, never do, though fairness is kept."""

    processes: tuple[str, ...]

    def words(self, say: Speech) -> str:
        """`controller 1 and controller 2 never end`."""
        return f"{listed(self.processes)} never {'ends' if len(self.processes) == 1 else 'end'}"


class Starves(Claim):
    """After step `step` (-1: the start) `process` is blocked by a lock in `op`, and never gets on; fairness is kept."""

    process: str
    op: str
    step: int

    def words(self, say: Speech) -> str:
        """`From step 4 on writer waits for room.acquire_write() and never gets it`."""
        since = f"From step {self.step + 1} on" if self.step >= 0 else "From the start"
        return f"{since} {self.process} waits for {self.op} and never gets it"


class GoRound(Claim):
    """The steps `first` to `last` lead back to the state before them; `processes` make them, for ever."""

    processes: tuple[str, ...]
    first: int
    last: int

    def words(self, say: Speech) -> str:
        """`reader#1 and reader#2 go round for ever (steps 3 to 8)`."""
        go = "goes" if len(self.processes) == 1 else "go"
        steps = f"steps {self.first + 1} to {self.last + 1}" if self.last > self.first else f"step {self.first + 1}"
        return f"{listed(self.processes)} {go} round for ever ({steps})"


class StandStill(Claim):
    """After so many `steps` nobody moves any more, and nobody is owed a move."""

    steps: int

    def words(self, say: Speech) -> str:
        """`after step 4 nobody moves any more`."""
        return f"after step {self.steps} nobody moves any more" if self.steps else "nobody ever moves"


class PutOff(Claim):
    """`process`, which has not ended, never moves in the cycle; `possible`: its `op` is, never, sometimes or always."""

    process: str
    op: str
    possible: str
    fair: Fairness

    def words(self, say: Speech) -> str:
        """`writer waits for gate.wait_for(0), which is possible only now and then, and weak fairness owes it no …`."""
        if self.possible == "never":
            return f"{self.process} waits for {self.op}, which never becomes possible"
        if self.fair is Fairness.NONE:
            return f"{self.process} could perform {self.op} but may stand still (fair='none')"
        return f"{self.process} waits for {self.op}, which is possible now and then, but never stays so (fair='weak')"


def told(record: Record, prop: Property, narrator: Narrator) -> str:
    """What a lasso shows of a property in time that it breaks; empty if it does not break it."""
    lasso = _performed(record)
    since = lasso.broken_since(Judge(lasso.semantics, ()), prop)
    if since is None:
        return ""
    never = narrator.tell([_in_vain(lasso, prop, since)])
    how = narrator.tell([_round(record.trace), *_put_off(lasso)])
    return f"{never}: {how}" if never else how


def _in_vain(lasso: Lasso, prop: Property, since: int) -> Claim:
    """What never comes, from the state `since` on."""
    semantics, last = lasso.semantics, lasso.states[-1]
    if prop.kind is PropertyKind.NOBODY_STARVES:
        pid = next(pid for pid, begins in lasso.starving() if begins == since)
        node = semantics.node(last, pid)
        return Starves(semantics.names[pid], str(node.op if node else None), since - 1)
    if prop.kind is PropertyKind.NO_LIVELOCK:
        return NeverEnd(_not_ended(semantics, last))
    return NeverComes(prop.name, prop.kind, since - 1)


def _not_ended(semantics: Semantics, state: State) -> tuple[str, ...]:
    """Who must end and has neither ended nor died."""
    nodes = ((pid, semantics.node(state, pid)) for pid, process in enumerate(semantics.processes) if not process.daemon)
    return tuple(semantics.names[pid] for pid, node in nodes if node is not None and not node.ended)


def _performed(record: Record) -> Lasso:
    return lasso_of(record.performance.semantics, record.trace.schedule)


def _round(trace: Trace) -> Claim:
    assert trace.loop is not None
    movers = tuple(dict.fromkeys(step.process for step in trace.steps[trace.loop :]))
    return GoRound(movers, trace.loop, len(trace.steps) - 1) if movers else StandStill(trace.loop)


def _put_off(lasso: Lasso) -> Iterator[PutOff]:
    """Who has not ended and does not move in the cycle, but for daemons that wait for work."""
    semantics = lasso.semantics
    for pid, name in enumerate(semantics.names):
        node = semantics.node(lasso.cycle[0], pid)
        if pid in lasso.movers[lasso.loop :] or node is None or node.op is None:
            continue
        can = lasso.possible(pid)
        if any(can) or not semantics.rests(pid, lasso.cycle[0].local[pid].node):
            yield PutOff(name, str(node.op), _how_often(can), semantics.processes[pid].fairness(node.op))


def _how_often(can: list[bool]) -> str:
    return "always" if all(can) else "sometimes" if any(can) else "never"


@against.register
def _never_comes(claim: NeverComes, record: Record) -> str:
    prop = next(prop for prop in record.system.checked_properties if prop.name == claim.property)
    states, semantics = record.performance.states, record.performance.semantics
    judge, after = Judge(semantics, ()), claim.step + 1
    if any(judge.true_in(prop.goal, state) for state in states[after:]):
        return "it comes"
    if prop.start is not None and not judge.true_in(prop.start, states[after]):
        return "it is not due"
    if prop.owed_once and claim.step >= 0:
        return "it may have come before"
    again = prop.kind is PropertyKind.ALWAYS_EVENTUALLY and claim.step >= 0
    if again and not judge.true_in(prop.goal, states[claim.step]):
        return "it ceased before"
    return _unfair(record)


def _unfair(record: Record) -> str:
    lasso = _performed(record)
    unfair = [lasso.semantics.names[pid] for pid in lasso.put_off()]
    return f"the cycle is unfair to {listed(unfair)}" if unfair else ""


@against.register
def _never_end(claim: NeverEnd, record: Record) -> str:
    semantics, last = record.performance.semantics, record.performance.states[-1]
    if not claim.processes or claim.processes != _not_ended(semantics, last):
        return "others have not ended"
    return _unfair(record)


@against.register
def _starves(claim: Starves, record: Record) -> str:
    semantics, pid = record.performance.semantics, record.performance.pid(claim.process)
    states, choices = record.performance.states[claim.step + 1 :], record.performance.choices[claim.step + 1 :]
    if any(choice.process == claim.process for choice in choices):
        return "it moves"
    node = semantics.node(states[0], pid)
    if node is None or node.op is None or str(node.op) != claim.op:
        return "it waits for something else"
    if not node.op.asks_lock or semantics.outcomes(states[0], pid):
        return "no lock blocks it"
    return _unfair(record)


@against.register
def _go_round(claim: GoRound, record: Record) -> str:
    states, choices = record.performance.states, record.performance.choices[claim.first : claim.last + 1]
    if states[claim.first] != states[claim.last + 1] or claim.last + 1 != len(record.trace.steps):
        return "it does not lead back"
    if any(choice.outcome == CRASH for choice in choices):
        return "a death happens once"
    return "" if {choice.process for choice in choices} == set(claim.processes) else "others move"


@against.register
def _stand_still(claim: StandStill, record: Record) -> str:
    if claim.steps != len(record.trace.steps) or record.trace.loop != claim.steps:
        return "somebody moves"
    owed = [process for pid, process in enumerate(record.performance.semantics.names) if _is_owed(record, pid)]
    return f"{listed(owed)} must move" if owed else ""


def _is_owed(record: Record, pid: int) -> bool:
    semantics, last = record.performance.semantics, record.performance.states[-1]
    node = semantics.node(last, pid)
    if node is None or node.op is None or semantics.processes[pid].fairness(node.op) is Fairness.NONE:
        return False
    return bool(semantics.outcomes(last, pid))


@against.register
def _is_put_off(claim: PutOff, record: Record) -> str:
    semantics, pid = record.performance.semantics, record.performance.pid(claim.process)
    loop = record.trace.loop
    assert loop is not None
    states = record.performance.states[loop:]
    if any(choice.process == claim.process for choice in record.performance.choices[loop:]):
        return "it moves"
    if any((node := semantics.node(state, pid)) is None or str(node.op) != claim.op for state in states):
        return "it waits for something else"
    how = _how_often([bool(semantics.outcomes(state, pid)) for state in states])
    return "" if how == claim.possible else f"it is possible {how}"
