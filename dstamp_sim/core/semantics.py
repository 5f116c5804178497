"""The only place where an op, a death or a daemon's restart takes effect. Engines differ only in who chooses."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any, NamedTuple

from dstamp_sim.core.answers import ask_outcomes, left_by_death, listed_outcomes, same_outcomes
from dstamp_sim.core.automaton import DEPENDS, Automaton, Hold, Node
from dstamp_sim.core.errors import ModelError, ScheduleError, UsageError, unknown
from dstamp_sim.core.op import Op
from dstamp_sim.core.place import defined
from dstamp_sim.core.repeated import in_further_orders, in_other_orders, is_same, shaken
from dstamp_sim.core.rules import Rules
from dstamp_sim.core.schedule import CRASH, Choice, Schedule
from dstamp_sim.core.shared_object import Outcome, SharedObject, gives_up
from dstamp_sim.core.suspended import shows_suspended
from dstamp_sim.core.system import Instance, System
from dstamp_sim.core.trace import Change, Step, Trace
from dstamp_sim.core.value import ORDER_OF_SETS, Distinct, key, same, text

DEAD = -1
"""The node of a process that died."""

_UNTOUCHED = (Outcome(None),)

_OF_STATES, _OF_TOKENS = "state", "token"
"""The place of a value, beside its object: among the object's states, or among the tokens that processes hold."""


class Local(NamedTuple):
    """One process's part of a state: its automaton node (or `DEAD`) and the states of its private objects."""

    node: int
    private: tuple[Hashable, ...]


class State(NamedTuple):
    """A global state: the shared objects' states in declared order, each process's part, and the deaths so far."""

    shared: tuple[Hashable, ...]
    local: tuple[Local, ...]
    deaths: int


class Move(NamedTuple):
    """A choice as engines handle it: the process by number, and the outcome of its op or `CRASH`."""

    pid: int
    outcome: int


class Semantics:
    """The transition relation of one system: initial state, possible moves, and what each move does.

    Deterministic and free of side effects but for caches (automata, outcomes). `history_limit` bounds the ops of one
    process (None: no bound). With `by_value`, and on a Python that shows them, programs that are suspended alike stand
    at one node, whatever their histories. Raises ModelError if the model breaks a rule.
    """

    def __init__(self, system: System, *, history_limit: int | None = None, by_value: bool = False) -> None:
        self.system = system
        instances = system.instances()
        self.names = tuple(instance.name for instance in instances)
        self.processes = tuple(instance.process for instance in instances)
        declared = system.all_objects
        self.shared = tuple(item for item in declared if not item.private)
        self.private = tuple(item for item in declared if item.private)
        self._slot = {id(item): i for group in (self.shared, self.private) for i, item in enumerate(group)}
        self._outcomes: dict[tuple[Hashable, ...], tuple[Outcome, ...]] = {}
        self._owns = tuple(item.initial for item in self.private)
        self._values = Distinct()
        for item in declared:
            for each in item.initials:
                if wrong := self._values.wrong((id(item), _OF_STATES), each):
                    raise ModelError(f"{item!r} begins with the state {wrong}")
        self._asked: list[tuple[SharedObject, Hashable, Node, tuple[Outcome, ...]]] = []
        self._bereaved: list[tuple[SharedObject, Hashable, Hashable, Hashable]] = []
        self._rules = Rules(system, declared)
        self.by_value = by_value and shows_suspended()
        automata: dict[Any, Automaton] = {}
        known_sections = (*system.sections, *system.drawn) if system.sections else ()
        for instance in instances:
            program, args = instance.process.program, instance.process.args
            if (kind := _kind(instance)) not in automata:
                automata[kind] = Automaton(
                    program,
                    args,
                    instance.bound,
                    declared,
                    self._values,
                    history_limit,
                    known_sections,
                    self._rules.own(instance.process),
                    self._rules.lasts if self.by_value else None,
                    self._rules.check_kept,
                )
        self.automata = tuple(automata[_kind(instance)] for instance in instances)

    def check(self, also: Callable[[], None] = lambda: None) -> None:
        """Asks every question since the last call again, the last one first, and compares; asks what `also` asks, too.

        Engines call it before they report. Raises ModelError, with the line and what differed, if a program or
        an object depends on more than its arguments, or if something else that they reach has changed.
        """
        self._rules.check_kept()
        with self._rules.turned():
            for automaton in dict.fromkeys(self.automata):
                automaton.repeat()
            self._ask_all_again()
            also()
        self._rules.check_kept()

    def _ask_all_again(self) -> None:
        asked, self._asked = self._asked, []
        states: dict[int, Hashable] = {}
        ops: dict[int, Op] = {}
        for target, current, node, outcomes in reversed(asked):
            if id(current) not in states:
                states[id(current)] = shaken(current)
            if id(node.op) not in ops:
                ops[id(node.op)] = _shaken_op(node)
            again, op = states[id(current)], ops[id(node.op)]
            ORDER_OF_SETS.largest = 0
            self._ask_again(target, current, again, node, op, outcomes)
            if ORDER_OF_SETS.largest > 1 and ORDER_OF_SETS.left:
                in_further_orders(partial(self._ask_again, target, current, again, node, op, outcomes))
        while self._bereaved:
            in_other_orders(partial(self._bereave_again, *self._bereaved.pop()))

    @property
    def fresh(self) -> Local:
        """A process's part of a state at its start."""
        return Local(0, self._owns)

    @property
    def start(self) -> tuple[tuple[str, int], ...]:
        """The chosen start, as schedules have it; empty where nothing is chosen or to be chosen."""
        return tuple((self.system.start or {}).items())

    def begins_in(self, item: SharedObject) -> tuple[Hashable, ...]:
        """The states that an object may begin in: one, where the system's start is chosen."""
        chosen = self.system.start
        return item.initials if chosen is None else (item.initials[chosen.get(item.name, 0)],)

    def initials(self) -> Iterator[State]:
        """Every initial state; `start_of` says by which choice."""
        for shared in product(*map(self.begins_in, self.shared)):
            yield State(shared, (self.fresh,) * len(self.names), 0)

    def start_of(self, initial: State) -> dict[str, int]:
        """The choice that makes an initial state of this system."""
        several, states = self.system.several, zip(self.shared, initial.shared, strict=True)
        return {item.name: item.initials.index(state) for item, state in states if item.name in several}

    def initial(self) -> State:
        """The state in which every process is at its start. Raises UsageError where there are several, none chosen."""
        if self.system.start is None and (several := self.system.several):
            name, item = next(iter(several.items()))
            raise UsageError(
                f"{name} has {len(item.initials):,} initial states: this needs one of them: system.with_start("
                f"{{{name!r}: 0}}), or a schedule that begins with {name}:=0"
            )
        return next(self.initials())

    def started(self, start: Mapping[str, int]) -> Semantics:
        """This semantics, with all that it remembers, of `System.with_start`."""
        if not self.system.several:
            self.system.with_start(start)
            return self
        other = copy(self)
        other.system = self.system.with_start(start)
        return other

    def node(self, state: State, pid: int) -> Node | None:
        """Where a process stands; None when it is dead."""
        at = state.local[pid].node
        return None if at == DEAD else self.automata[pid].nodes[at]

    def outcomes(self, state: State, pid: int) -> tuple[Outcome, ...]:
        """What a process's op may do now: empty when it is blocked, has ended or is dead."""
        node = self.node(state, pid)
        if node is None or node.op is None:
            return ()
        target = node.op.target
        return _UNTOUCHED if target is None else self.look_up(target, self.state_of(state, pid, target), node)

    def lasting(self, state: State, pid: int) -> str | None:
        """The delay that a process waits out: that of its op, or the patience of one that its object blocks."""
        node = self.node(state, pid)
        if node is None or node.op is None:
            return None
        if node.op.is_delay:
            return str(node.op.args[0])
        return node.op.patience if node.op.patience and gives_up(self.outcomes(state, pid)) else None

    def may_die(self, state: State, pid: int) -> bool:
        """Whether this process may die now: the system allows another death and it has not ended."""
        node = self.node(state, pid)
        alive = node is not None and not node.ended
        return alive and self.processes[pid].killable and state.deaths < self.system.crashes

    def moves(self, state: State) -> Iterator[Move]:
        """Every possible move: each process in order, its outcomes in order, then the deaths."""
        for pid in range(len(self.names)):
            for k in range(len(self.outcomes(state, pid))):
                yield Move(pid, k)
        if state.deaths < self.system.crashes:
            for pid in range(len(self.names)):
                if self.may_die(state, pid):
                    yield Move(pid, CRASH)

    def perform(self, state: State, move: Move) -> State:
        """The state after a possible move."""
        if move.outcome == CRASH:
            return self._die(state, move.pid)
        node = self.node(state, move.pid)
        assert node is not None and node.op is not None
        return self.given(state, move.pid, self.outcomes(state, move.pid)[move.outcome])

    def given(self, state: State, pid: int, outcome: Outcome) -> State:
        """The state if a process's op had `outcome`, even one that its object does not allow."""
        node = self.node(state, pid)
        assert node is not None and node.op is not None
        return self._apply(state, pid, node.op.target, outcome)

    def ended(self, state: State) -> bool:
        """Whether every process that must end has ended or died."""
        return all(
            process.daemon or local.node == DEAD or automaton.nodes[local.node].ended
            for process, local, automaton in zip(self.processes, state.local, self.automata, strict=True)
        )

    def rests(self, pid: int, node: int) -> bool:
        """Whether a process that stands at `node` (or is dead) may stay there: it has ended, or is a daemon at its
        beginning (`Automaton.at_beginning`).
        """  # noqa: D205 - one sentence
        automaton = self.automata[pid]
        if node == DEAD or automaton.nodes[node].ended:
            return True
        return self.processes[pid].daemon and automaton.at_beginning(node)

    def at_rest(self, state: State) -> bool:
        """Whether every process may stay where it is: a state without a move is a deadlock where this is not so."""
        return all(self.rests(pid, local.node) for pid, local in enumerate(state.local))

    def results(self, state: State) -> dict[str, Any]:
        """The results of the processes that have ended, by name."""
        nodes = ((name, self.node(state, pid)) for pid, name in enumerate(self.names))
        return {name: node.result for name, node in nodes if node is not None and node.ended}

    def schedule(self, initial: State, moves: Iterable[Move]) -> Schedule:
        """The schedule that makes `moves` from an initial state."""
        return Schedule(tuple(self.choice(move) for move in moves), start=tuple(self.start_of(initial).items()))

    def choice(self, move: Move) -> Choice:
        """A move, by name."""
        return Choice(self.names[move.pid], move.outcome)

    def move(self, state: State, choice: Choice) -> Move:
        """A choice, by number. Raises ScheduleError with the reason when it is not possible in `state`."""
        if choice.process not in self.names:
            raise ScheduleError(unknown("process", choice.process, self.names))
        pid = self.names.index(choice.process)
        possible = (
            self.may_die(state, pid)
            if choice.outcome == CRASH
            else 0 <= choice.outcome < len(self.outcomes(state, pid))
        )
        if not possible:
            raise ScheduleError(self._why_not(state, pid, choice.outcome))
        return Move(pid, choice.outcome)

    def step(self, state: State, move: Move, after: State, time_s: float | None = None) -> Step:
        """The step that `move` makes from `state` to `after`."""
        node = self.node(state, move.pid)
        assert node is not None
        dies = move.outcome == CRASH
        target = node.op.target if node.op and not dies else None
        outcome = _UNTOUCHED[0] if dies else self.outcomes(state, move.pid)[move.outcome]
        there = after.local[move.pid].node
        end = self.automata[move.pid].nodes[there] if there != DEAD else None
        return Step(
            choice=self.choice(move),
            op=None if dies else node.op,
            touched=None if target is None else self._name(target, move.pid),
            sections=node.sections,
            place=node.place,
            changes=tuple(self._changes(state, after, move.pid)),
            result=outcome.result,
            label=outcome.label,
            taken=None if target is None or outcome.takes is None else Hold(target, outcome.takes),
            dropped=node.holds if dies else _dropped(target, outcome),
            ended=end is not None and end.ended,
            returned=end.result if end is not None and end.ended else None,
            restarted=self.processes[move.pid].daemon and (dies or self._returns(state, move.pid, outcome)),
            time_s=time_s,
        )

    def _returns(self, state: State, pid: int, outcome: Outcome) -> bool:
        automaton = self.automata[pid]
        return automaton.nodes[automaton.advance(state.local[pid].node, outcome)].ended

    def trace(self, steps: Sequence[Step], final: State) -> Trace:
        """The trace made of `steps`, which led from the initial state to `final`."""
        return Trace(
            processes=self.names,
            daemons=tuple(n for n, process in zip(self.names, self.processes, strict=True) if process.daemon),
            initial=dict(self.named(self.initial())),
            steps=tuple(steps),
            results=self.results(final),
            waiting=dict(self.waiting(final)),
            start=self.system.start or {},
        )

    def waiting(self, state: State) -> Iterator[tuple[str, str]]:
        """The processes that can neither move nor stay where they are, with the op that each waits to perform."""
        for pid, name in enumerate(self.names):
            node = self.node(state, pid)
            if node is not None and not self.rests(pid, state.local[pid].node) and not self.outcomes(state, pid):
                yield name, str(node.op)

    def _ask(self, target: SharedObject, current: Hashable, node: Node) -> tuple[Outcome, ...]:
        assert node.op is not None
        outcomes = ask_outcomes(target, current, node.op, node.place)
        for outcome in outcomes:
            if wrong := self._wrong(target, node.op, outcome):
                raise ModelError(f"{node.place}: {node.op} returns the {wrong}")
        if not _is_known_pure(target):
            self._asked.append((target, current, node, outcomes))
        return outcomes

    def _ask_again(
        self, target: SharedObject, current: Hashable, again: Hashable, node: Node, op: Op, before: tuple[Outcome, ...]
    ) -> None:
        """Asks about a state once more, as its equal `again`, with the equal `op`."""
        now = ask_outcomes(target, again, op, node.place)
        if not same_outcomes(now, before, again, current):
            once, later = listed_outcomes(before), listed_outcomes(now)
            raise ModelError(
                f"{node.place}: not deterministic: {node.op} in state {text(current)} had {once} once and "
                f"{later} later: an object remembers nothing but its state, and {DEPENDS}"
            )

    def _wrong(self, target: SharedObject, op: Op, outcome: Outcome) -> str:
        """Which of an outcome's values is not allowed, and why; empty when all are."""
        place, wrong = id(target), self._values.wrong
        if outcome.state is not None and (why := wrong((place, _OF_STATES), outcome.state)):
            return f"state {why}"
        if outcome.result is not None and (why := wrong((place, op.verb, op.args), outcome.result)):
            return f"result {why}"
        for token in (outcome.takes, outcome.drops):
            if token is not None and (why := wrong((place, _OF_TOKENS), token)):
                return f"token {why}"
        return ""

    def bereaved(self, target: SharedObject, current: Hashable, token: Hashable) -> Hashable:
        """The state of an object after a process died that held `token` of it."""
        after = left_by_death(target, current, token)
        if wrong := self._values.wrong((id(target), _OF_STATES), after):
            place = defined(type(target).on_death)
            raise ModelError(f"{place}: {target!r}: on_death of the token {text(token)} returns the state {wrong}")
        if not _is_known_pure(target):
            self._bereaved.append((target, current, token, after))
        return after

    def _bereave_again(self, target: SharedObject, current: Hashable, token: Hashable, before: Hashable) -> None:
        now = left_by_death(target, shaken(current), shaken(token))
        if not is_same(now, before):
            raise ModelError(
                f"{defined(type(target).on_death)}: not deterministic: on_death of {target.name!r} in state "
                f"{text(current)} left {text(before)} once and {text(now)} later: an object remembers nothing but its "
                f"state, and {DEPENDS}"
            )

    def state_of(self, state: State, pid: int, target: SharedObject) -> Hashable:
        """The state of an object, of a private one that of this process."""
        slot = self._slot[id(target)]
        return state.local[pid].private[slot] if target.private else state.shared[slot]

    def look_up(self, target: SharedObject, current: Hashable, node: Node) -> tuple[Outcome, ...]:
        """What the op of `node` may do to its target in state `current`; remembered, and checked for hashability."""
        assert node.op is not None
        question = (id(target), current, node.op.verb, node.op.args, node.op.patience)
        known = self._outcomes.get(question)
        if known is None:
            known = self._outcomes[question] = self._ask(target, current, node)
        return known

    def _apply(self, state: State, pid: int, target: SharedObject | None, outcome: Outcome) -> State:
        shared, local = state.shared, state.local[pid]
        private = local.private
        if target is not None:
            slot = self._slot[id(target)]
            if target.private:
                private = _put(private, slot, outcome.state)
            else:
                shared = _put(shared, slot, outcome.state)
        node = self.automata[pid].advance(local.node, outcome)
        moved = Local(node, private)
        if self.processes[pid].daemon and self.automata[pid].nodes[node].ended:
            moved = Local(0, self._owns)
        return State(shared, _put(state.local, pid, moved), state.deaths)

    def _die(self, state: State, pid: int) -> State:
        node = self.node(state, pid)
        assert node is not None
        shared = state.shared
        for target, token in reversed(node.holds):
            if not target.private:
                slot = self._slot[id(target)]
                shared = _put(shared, slot, self.bereaved(target, shared[slot], token))
        left = Local(0, self._owns) if self.processes[pid].daemon else Local(DEAD, self._owns)
        return State(shared, _put(state.local, pid, left), state.deaths + 1)

    def _changes(self, before: State, after: State, pid: int) -> Iterator[Change]:
        if before.shared is not after.shared:
            for item, old, new in zip(self.shared, before.shared, after.shared, strict=True):
                if not same(old, new):
                    yield Change(item.name, old, new)
        for item, old, new in zip(self.private, before.local[pid].private, after.local[pid].private, strict=True):
            if not same(old, new):
                yield Change(self._name(item, pid), old, new)

    def named(self, state: State) -> Iterator[tuple[str, Hashable]]:
        """Every object with its state in `state`, as traces name them (`name@process` for a private one)."""
        yield from ((item.name, value) for item, value in zip(self.shared, state.shared, strict=True))
        for pid, local in enumerate(state.local):
            yield from ((self._name(i, pid), value) for i, value in zip(self.private, local.private, strict=True))

    def _name(self, item: SharedObject, pid: int) -> str:
        return f"{item.name}@{self.names[pid]}" if item.private else item.name

    def _why_not(self, state: State, pid: int, outcome: int) -> str:
        name, node = self.names[pid], self.node(state, pid)
        if node is None:
            return f"{name} has died"
        if node.op is None:
            return f"{name} has ended"
        if outcome == CRASH:
            return f"{name} cannot die here: the system allows {self.system.crashes} crashes in all"
        count = len(self.outcomes(state, pid))
        return (
            f"{name} is blocked in {node.op}"
            if count == 0
            else f"{node.op} has no outcome {outcome}, only 0..{count - 1}"
        )


def timed(trace: Trace, starts_s: dict[str, float]) -> Trace:
    """`trace` marked as timed, with the processes' start times."""
    return replace(trace, starts_s=starts_s)


def _shaken_op(node: Node) -> Op:
    """The op of a node, with the sets among its arguments in another order."""
    assert node.op is not None
    args = shaken(node.op.args)
    return node.op if args is node.op.args else replace(node.op, args=args)


def _is_known_pure(target: SharedObject) -> bool:
    """Whether an object is the library's: its tests have asked it twice, so a model's run need not."""
    return type(target).__module__.startswith(_LIBRARY)


_LIBRARY = "dstamp_sim.objects."


def _dropped(target: SharedObject | None, outcome: Outcome) -> tuple[Hold, ...]:
    return () if target is None or outcome.drops is None else (Hold(target, outcome.drops),)


def _kind(instance: Instance) -> Hashable:
    """The key of processes that share an automaton; arguments that are merely equal (1, True) have different keys."""
    process, locks = instance.process, tuple((bound.span, bound.lock and bound.lock.name) for bound in instance.bound)
    return id(process.program), key(process.args), locks


def _put(row: tuple[Any, ...], index: int, value: Any) -> tuple[Any, ...]:
    return row[:index] + (value,) + row[index + 1 :]  # noqa: RUF005 - faster, from a dozen values on
