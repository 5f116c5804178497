"""Whether a claim about holds and waits is true of a trace: decided by programs and objects, never by `Trace.holds`.

The programs know who holds what; the object says what would be possible after a release, by performing it. The op of a
release is seen in the trace and in plain runs of the system, where one process goes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from dstamp_sim.analyses.hold_claims import (
    AsksForNone,
    BothHeld,
    CameBefore,
    EachWaits,
    HadLapsed,
    HadLetGo,
    HeldAllTheWhile,
    HeldAnother,
    HeldInVain,
    LetGoBetween,
    MoreWait,
    NeitherUnder,
    NeverAsked,
    NoLockHeld,
    NoneFree,
    OneOrder,
    Refused,
    StaysOpen,
    TookOnly,
    Waits,
    WaitsForHolders,
    WaitsForItself,
    WentTo,
)
from dstamp_sim.analyses.trace_record import Record
from dstamp_sim.analyses.verify import against
from dstamp_sim.core.automaton import Hold, Node
from dstamp_sim.core.holds import Held
from dstamp_sim.core.op import Op
from dstamp_sim.core.placement import PROCESS_EXIT
from dstamp_sim.core.shared_object import may_do
from dstamp_sim.core.trace import Step
from dstamp_sim.core.value import same


@against.register
def _waits_for_itself(claim: WaitsForItself, record: Record) -> str:
    return _not_held(claim.held, record) or _not_for(claim.held.process, (claim.held,), record)


@against.register
def _stays_open(claim: StaysOpen, record: Record) -> str:
    held, span = claim.held, claim.span
    instances = {instance.name: instance for instance in record.system.instances()}
    if not any(b.lock is held.hold.target and b.span == span for b in instances[held.process].bound):
        return f"{held.name} is not taken for {span}"
    if span.last in (PROCESS_EXIT, span.first) or record.trace.steps[held.since].section != span.first:
        return f"{span} does not end in a section of its own, or began elsewhere"
    node = _node(held.process, record)
    since = [step.sections for step in record.trace.steps[held.since :] if step.process == held.process]
    if any(span.last in sections for sections in [*since, node.sections if node else ()]):
        return f"{held.process} has come to {span.last}"
    return _not_held(held, record)


@against.register
def _each_waits(claim: EachWaits, record: Record) -> str:
    if len({held.process for held in claim.holds}) < max(2, len(claim.holds)):
        return "they are fewer than two processes, or one comes twice"
    for mine, its in pairwise([*claim.holds, claim.holds[0]]):
        if wrong := _not_held(mine, record) or _not_for(mine.process, (its,), record):
            return wrong
    return ""


@against.register
def _none_free(claim: NoneFree, record: Record) -> str:
    if len({held.name for held in claim.holds}) != 1 or not claim.waiting:
        return "it is of several objects, or nobody waits"
    if wrong := next((no for held in claim.holds if (no := _not_held(held, record))), ""):
        return wrong
    target, takes = claim.holds[0].hold.target, {record.trace.steps[held.since].op for held in claim.holds}
    nodes = [_node(name, record) for name in record.trace.processes]
    if sum(hold.target is target for node in nodes if node for hold in node.holds) != len(claim.holds):
        return f"there are other holds of {target.name}"
    for name in claim.waiting:
        node = _node(name, record)
        if node is None or {node.op} != takes or not any(hold.target is target for hold in node.holds):
            return f"{name} holds none, or wants something else"
        if wrong := next((no for held in claim.holds if (no := _not_for(name, (held,), record))), ""):
            return wrong
    return ""


@against.register
def _waits_for_holders(claim: WaitsForHolders, record: Record) -> str:
    if wrong := next((no for held in claim.holds if (no := _not_held(held, record))), ""):
        return wrong
    return next((no for name in claim.processes if (no := _not_for(name, claim.holds, record))), "")


@against.register
def _waits(claim: Waits, record: Record) -> str:
    semantics, last = record.performance.semantics, record.performance.states[-1]
    for name in claim.processes:
        node = _node(name, record)
        if node is None or str(node.op) != claim.op:
            return f"{name} does not wait for {claim.op}"
    if any(semantics.outcomes(last, pid) for pid in range(len(semantics.names))):
        return "somebody can move"
    others = [_node(name, record) for name in semantics.names if name not in claim.processes]
    alive = any(other is not None and not other.ended for other in others)
    return "others are alive, too" if claim.last and alive else ""


@against.register
def _more_wait(claim: MoreWait, record: Record) -> str:
    semantics, last = record.performance.semantics, record.performance.states[-1]
    waiting = dict(semantics.waiting(last))
    return next((f"{name} does not wait" for name in claim.processes if name not in waiting), "")


@against.register
def _came_before(claim: CameBefore, record: Record) -> str:
    steps = record.trace.steps
    mine = [n for n, step in enumerate(steps) if step.process == claim.process]
    if not mine or claim.own != mine[-1] or claim.step > claim.own or record.of(claim.step) == claim.process:
        return f"step {claim.own + 1} is not what {claim.process} did last, after another's step {claim.step + 1}"
    return _not_by_step(claim.process, claim.step, record)


@against.register
def _went_to(claim: WentTo, record: Record) -> str:
    step, other = record.trace.steps[claim.step], record.trace.steps[claim.other]
    if claim.step >= claim.other or other.process in (claim.process, step.process) or other.touched != step.touched:
        return f"step {claim.other + 1} is not a third one's, after step {claim.step + 1}"
    assert other.op is not None and other.op.target is not None and step.touched is not None
    before, after = (_possible(record.state(step.touched, claim.step + n), other.op) for n in (0, 1))
    at_once, without = after and not before, _states_without(claim, record)
    if not at_once and (not without or any(_possible(state, other.op) for state in without)):
        return f"that step {claim.other + 1} is possible is not due to step {claim.step + 1}"
    return _not_by_step(claim.process, claim.step, record)


def _states_without(claim: WentTo, record: Record) -> list[Any]:
    """The states of its object before step `other`, had `step` not been made and the others come out as they did.

    None if that is not possible, or if a death changed the object in between.
    """
    name = record.trace.steps[claim.step].touched
    assert name is not None
    states = [record.state(name, claim.step)]
    for step in record.trace.steps[claim.step + 1 : claim.other]:
        if step.op is None and any(change.target == name for change in step.changes):
            return []
        if step.touched == name and step.op is not None:
            states = [state for before in states for state in _states_with(step, before)]
    return states


def _states_with(step: Step, state: Any) -> list[Any]:
    assert step.op is not None and step.op.target is not None
    try:
        return [one.state for one in may_do(step.op, state) if same(one.result, step.result)]
    except Exception:  # a model's object may raise on a question that no process asked
        return []


@against.register
def _one_order(claim: OneOrder, record: Record) -> str:
    if len({held.name for held in claim.holds}) < 2:
        return "there is one object only"
    return _each_waits(EachWaits(claim.holds), record)


@against.register
def _held_in_vain(claim: HeldInVain, record: Record) -> str:
    if record.of(claim.write) != claim.held.process:
        return f"step {claim.write + 1} is another's"
    return _not_over(claim.held, claim.write, record) or against(claim.why, record)


@against.register
def _held_all_the_while(claim: HeldAllTheWhile, record: Record) -> str:
    if record.of(claim.write) == claim.held.process:
        return f"step {claim.write + 1} is its own"
    return _not_over(claim.held, claim.write, record) or against(claim.why, record)


@against.register
def _both_held(claim: BothHeld, record: Record) -> str:
    first, second = claim.first, claim.second
    if first.process == second.process or first.name != second.name or first.hold.token == second.hold.token:
        return "it is the same"
    return _not_over(first, claim.moment, record) or _not_over(second, claim.moment, record)


@against.register
def _took_only(claim: TookOnly, record: Record) -> str:
    if claim.held.since <= claim.first:
        return f"it was taken before step {claim.first + 1}"
    return _not_taken(claim.held, record) or _under(claim.held.process, claim.held.name, claim.first, record)


@against.register
def _had_let_go(claim: HadLetGo, record: Record) -> str:
    held = claim.held
    if held.until is None or held.until > claim.first:
        return f"it was not let go of before step {claim.first + 1}"
    return _not_let_go(held, record) or _under(held.process, held.name, claim.first, record)


@against.register
def _let_go_between(claim: LetGoBetween, record: Record) -> str:
    held = claim.held
    if held.until is None or not claim.first < held.until < claim.last:
        return "it was not let go of between the two"
    if {record.of(claim.first), record.of(claim.last)} != {held.process}:
        return "the steps are another's"
    return _not_let_go(held, record)


@against.register
def _had_lapsed(claim: HadLapsed, record: Record) -> str:
    held = claim.held
    if held.until is None or held.until <= held.since:
        return "it did not lapse"
    if wrong := _not_taken(held, record):
        return wrong
    node = _node(held.process, record, held.until + 1)
    if node is None or held.hold not in node.holds:
        return f"{held.process} let go of it itself"
    taken, before, after = (record.state(held.name, n) for n in (held.since + 1, held.until, held.until + 1))
    if not _let_go(held, taken, record):
        return _not_taken_away(held, record)
    if not _let_go(held, before, record):
        return f"to let go of it did nothing before step {held.until + 1} either"
    return f"to let go of it does something after step {held.until + 1}, too" if _let_go(held, after, record) else ""


def _not_taken_away(held: Held, record: Record) -> str:
    """The objection to a hold having kept everybody out up to step `until`, with somebody getting in then or later."""
    take, steps = record.trace.steps[held.since].op, record.trace.steps
    assert take is not None and held.until is not None
    if any(_takes(take, record.state(held.name, number)) for number in range(held.since + 1, held.until + 1)):
        return f"it did not keep others out before step {held.until + 1}"
    opened = _gives(steps[held.until], held) or _takes(take, record.state(held.name, held.until + 1))
    given = any(_gives(step, held) for step in steps[held.until :])
    return "" if opened and given else f"step {held.until + 1} lets nobody else in"


def _gives(step: Step, held: Held) -> bool:
    """Whether a step hands out something of the same object, under another token."""
    return step.taken is not None and step.touched == held.name and step.taken != held.hold


@against.register
def _refused(claim: Refused, record: Record) -> str:
    step = record.trace.steps[claim.step]
    if step.op is None or step.taken is not None or step.touched is None or step.dropped:
        return f"step {claim.step + 1} asks for nothing, or gets it"
    states = {record.state(step.touched, number) for number in range(len(record.trace.steps) + 1)}
    return "" if any(_takes(step.op, state) for state in states) else f"step {claim.step + 1} asks for nothing"


@against.register
def _held_another(claim: HeldAnother, record: Record) -> str:
    if claim.held.name == claim.name:
        return "it is the same object"
    asked = _never_asked(NeverAsked(claim.held.process, claim.name, claim.step), record)
    return asked or _not_over(claim.held, claim.step, record)


@against.register
def _never_asked(claim: NeverAsked, record: Record) -> str:
    on_it = (n for n, step in enumerate(record.trace.steps[: claim.last + 1]) if step.touched == claim.name)
    asked = next((n for n in on_it if record.of(n) == claim.process), None)
    return "" if asked is None else f"it asked for it with step {asked + 1}"


@against.register
def _asks_for_none(claim: AsksForNone, record: Record) -> str:
    if claim.daemon not in record.trace.daemons:
        return f"{claim.daemon} is no daemon"
    ops = [node.op for node in record.performance.semantics.automata[record.performance.pid(claim.daemon)].nodes]
    asked = next((op for op in ops if op is not None and op.target is not None and op.target.is_lock), None)
    return "" if asked is None else f"it has {asked}"


@against.register
def _neither_under(claim: NeitherUnder, record: Record) -> str:
    if wrong := _under(record.of(claim.write), claim.name, claim.write, record):
        return wrong
    mine, numbers = record.of(claim.opens), range(claim.opens, claim.closes + 1)
    outside = any(not _under(mine, claim.name, number, record) for number in numbers)
    return "" if outside else f"{mine} held {claim.name} from step {claim.opens + 1} to step {claim.closes + 1}"


@against.register
def _no_lock_held(claim: NoLockHeld, record: Record) -> str:
    for number in range(claim.last + 1):
        for process in claim.processes:
            node = _node(process, record, number)
            held = next((hold for hold in node.holds if hold.target.is_lock), None) if node is not None else None
            if held is not None:
                return f"{process} holds {held.target.name} before step {number + 1}"
    return ""


def _node(process: str, record: Record, number: int = -1) -> Node | None:
    """The node of a process just before step `number`, or at the end; None if it is dead."""
    return record.performance.semantics.node(record.performance.states[number], record.performance.pid(process))


def _not_taken(held: Held, record: Record) -> str:
    """The objection to a hold having been taken with its step `since`."""
    step = record.trace.steps[held.since]
    taken = (step.process, step.taken, step.touched) == (held.process, held.hold, held.name)
    return "" if taken else f"step {held.since + 1} does not take {held.name}"


def _not_let_go(held: Held, record: Record) -> str:
    """The objection to a hold having been released by its process with step `until`."""
    if held.until is None:
        return "it was not let go of"
    step = record.trace.steps[held.until]
    if step.process != held.process or step.op is None or held.hold not in step.dropped:
        return f"step {held.until + 1} does not let go of it"
    return _not_taken(held, record)


def _not_over(held: Held, number: int, record: Record) -> str:
    """The objection to a hold having been held when step `number` was performed."""
    if not held.since < number:
        return f"it was taken with step {held.since + 1} only"
    node = _node(held.process, record, number)
    has = node is not None and held.hold in node.holds
    return _not_taken(held, record) if has else f"{held.process} did not hold {held.name} at step {number + 1}"


def _under(process: str, name: str, number: int, record: Record) -> str:
    """The objection to a process having held nothing of an object when step `number` was performed."""
    node = _node(process, record, number)
    names = [f"{h.target.name}@{process}" if h.target.private else h.target.name for h in node.holds] if node else []
    return f"{process} held {name} at step {number + 1}" if name in names else ""


def _not_held(held: Held, record: Record) -> str:
    """The objection to a process having taken something with step `since` and still holding it, at its death too."""
    steps, pid = record.trace.steps, record.performance.pid(held.process)
    step = steps[held.since]
    if step.process != held.process or step.taken != held.hold or step.touched != held.name:
        return f"step {held.since + 1} does not take {held.name}"
    last = len(steps) if held.until is None else held.until
    node = record.performance.semantics.node(record.performance.states[last], pid)
    if node is None or held.hold not in node.holds:
        return f"{held.process} does not hold {held.name}"
    open_ = 1
    for n in range(held.since + 1, last):
        if record.of(n) == held.process:
            open_ += (steps[n].taken == held.hold) - (held.hold in steps[n].dropped)
            if not open_:
                return f"{held.process} lets go of it with step {n + 1}"
    lost = held.until is None or steps[held.until].op is None or steps[held.until].restarted
    return "" if lost else "it is let go of"


def _not_for(process: str, holds: Sequence[Held], record: Record) -> str:
    """The objection to a process waiting, and going on if these holds were released."""
    node, target = _node(process, record), holds[0].hold.target
    if node is None or node.op is None or node.op.target is not target:
        return f"{process} does not wait for {target.name}"
    state = record.state(holds[0].name, len(record.trace.steps))
    if _possible(state, node.op):
        return f"{process} can go on"
    states = [state]
    for held in holds:
        states = [after for before in states for after in _let_go(held, before, record)]
    free = any(_possible(after, node.op) for after in states)
    return "" if free else f"{process} could not go on without {_those(holds)}"


def _those(holds: Sequence[Held]) -> str:
    return " and ".join(f"{held.process}'s hold of {held.name}" for held in holds)


def _not_by_step(process: str, number: int, record: Record) -> str:
    """The objection to the op of a step, performed at the end, letting a process go on."""
    node, step = _node(process, record), record.trace.steps[number]
    if node is None or node.op is None or node.op.target is None or step.op is None:
        return f"{process} does not wait"
    if step.op.target is not node.op.target or step.touched is None:
        return f"step {number + 1} is on something else"
    state = record.state(step.touched, len(record.trace.steps))
    if _possible(state, node.op):
        return f"{process} can go on"
    after = _states_after(step.op, state)
    helps = bool(after) and all(_possible(one, node.op) for one in after)
    return "" if helps else f"step {number + 1} would not let {process} go on"


def _let_go(held: Held, state: Any, record: Record) -> list[Any]:
    """The states of its object after a hold is released in `state`, in every way that is known to change something."""
    found = [after for way in _ways(held.hold, record) for after in way(state) if after != state]
    return list(dict.fromkeys(found))


def _ways(hold: Hold, record: Record) -> Iterator[Callable[[Any], list[Any]]]:
    at_exit = hold.target.at_exit(hold.token)
    release = [hold.target.op("release", hold.token)] if hold.target.is_lock else []
    for op in [*([] if at_exit is None else [at_exit]), *release]:
        yield partial(_states_after, op)
    for other, op in record.releases:
        if other.target is hold.target:
            args = tuple(hold.token if arg == other.token else arg for arg in op.args)
            yield partial(_states_after, Op(op.target, op.verb, args))
    yield partial(_after_death, hold)


def _states_after(op: Op, state: Any) -> list[Any]:
    assert op.target is not None
    try:
        return [outcome.state for outcome in may_do(op, state)]
    except Exception:  # a model's object may raise on a question that no process asked
        return []


def _after_death(hold: Hold, state: Any) -> list[Any]:
    try:
        return [hold.target.on_death(state, hold.token)]
    except Exception:  # as above
        return []


def _takes(op: Op, state: Any) -> bool:
    assert op.target is not None
    try:
        return any(outcome.takes is not None for outcome in may_do(op, state))
    except Exception:  # as above
        return False


def _possible(state: Any, op: Op) -> bool:
    try:
        return bool(may_do(op, state))
    except Exception:  # as above
        return False
