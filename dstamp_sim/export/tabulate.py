"""A system's tables as plain data: reachable states by process, and properties as conditions on numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

import numpy as np

from dstamp_sim.core.errors import ModelError, UsageError
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.properties import Property, PropertyKind
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.core.system import Fairness, System
from dstamp_sim.core.value import key, same, text
from dstamp_sim.engines.explore.coverage import met
from dstamp_sim.engines.explore.settings import HISTORY_LIMIT
from dstamp_sim.engines.explore.space import Space
from dstamp_sim.engines.tables.closure import close
from dstamp_sim.engines.tables.quotient import quotient
from dstamp_sim.engines.tables.tables import ENDED, LOCAL, Tables
from dstamp_sim.export.machine import (
    CELL,
    COUNT,
    RESULT,
    Branch,
    Cell,
    CheckedProperty,
    Guard,
    Loss,
    Machine,
    ProcessType,
    Split,
    Stand,
    Variable,
)

Domain = tuple[Variable, Sequence[int]]
"""A variable, and its possible values."""

MOST_SEEN = 300_000
"""How many states are visited to learn which entries of the tables are used."""

WALKED = 20_000
"""How many states are walked through to learn whether a predicate fails where no behaviour goes."""

CASES = 50_000
"""How many combinations of states and results one property is asked about."""


def tabulate(system: System, name: str, *, properties: Sequence[str] = (), merge: bool = True) -> Machine:
    """The machine of `system`, with the named properties (all, if none are named).

    Local steps stay steps. With `merge`, equal futures are merged, of local states and of object states; without, the
    machine has exactly the states that an exploration without reductions has. Entries that no behaviour meets are left
    out, if that is known within `MOST_SEEN` states. Deterministic. Raises UsageError if the tables cannot be completed,
    ModelError if the model breaks a rule.
    """
    asked = system.properties_named(properties)
    for prop in asked:
        if lost := _lost(system, prop):
            raise UsageError(
                f"property {prop.name!r} ({prop.kind.value}) is not exported, as {lost}: name the others with "
                "--property"
            )
    in_time = [prop for prop in asked if prop.in_time]
    semantics = Semantics(system, history_limit=HISTORY_LIMIT, by_value=True)
    at_once = [prop for prop in asked if not prop.asks_ahead]
    parts = [part for prop in in_time for part in (prop.goal, prop.start) if part is not None]
    judge = Judge(semantics, [*at_once, *parts])
    tables = Tables(semantics, judge, merge=False)
    tables.initial_row()
    why_not = close(tables)
    if merge and not why_not:
        tables = quotient(tables)
    used = _used(tables, why_not)
    failed = list[ModelError]()
    machine = Machine(
        name=name,
        cells=tuple(_cells(tables)),
        classes=tuple(_classes(tables, used)),
        results=tuple(text(result) for result in _results(tables)),
        questions=(*_questions(tables, judge, at_once, failed), *_in_time(tables, judge, in_time, failed)),
        crashes=system.crashes,
    )
    if failed:
        _check_unmet(semantics, judge, failed[0])
    judge.check()
    return machine


def _lost(system: System, prop: Property) -> str:
    """What an export of a property would lose; empty if nothing."""
    if prop.kind is PropertyKind.SERIAL:
        return "serial orders are not"
    if not prop.in_time:
        return ""
    if prop.kind not in (PropertyKind.EVENTUALLY, PropertyKind.LEADS_TO, PropertyKind.ALWAYS_EVENTUALLY):
        return "waits for locks and ends are not"
    if not prop.reads:
        return "what comes of results in time is not"
    if system.crashes:
        return "SPIN's fairness would owe a death to who may die"
    if any(process.fair is not Fairness.WEAK or process.fair_ops for process in system.processes):
        return "fairness is not, but for weak fairness of all"
    return ""


def _check_unmet(semantics: Semantics, judge: Judge, failed: ModelError) -> None:
    """Raises a predicate's error, unless no behaviour goes to where a predicate fails; that is walked through here."""
    waiting = [semantics.initial()]
    seen = set(waiting)
    while waiting:
        state = waiting.pop()
        for _ in judge.decides(state):
            continue  # it raises the error of a predicate that fails there
        after = {semantics.perform(state, move) for move in semantics.moves(state)} - seen
        seen |= after
        waiting.extend(after)
        if len(seen) > WALKED:
            raise failed


def _used(tables: Tables, why_not: str) -> dict[int, set[int]]:
    """By possible local state: the states of its object that it meets there."""
    space = Space(tables, symmetry=True, future=None, memory_bytes=1 << 30)
    while space.levels[-2] < space.levels[-1] and space.count <= MOST_SEEN:
        at, end = space.levels[-2:]
        while at < end:
            at = space.expand(at, end)
        space.close_level()
    if space.count > MOST_SEEN:
        if why_not:
            raise UsageError(f"the tables cannot be completed: {why_not}, and there are more than {MOST_SEEN:,} states")
        return {n: set(tables.met(n) if tables.target.data[n] >= 0 else ()) for n in range(len(tables.keys))}
    columns = range(space.objects, space.objects + space.processes)
    stood_in = sorted({number for c in columns for number in np.unique(space.column(c, 0, space.count)).tolist()})
    seen = met(space)
    return {local: seen.get(local, set()) for local in stood_in}


def _cells(tables: Tables) -> Iterator[Cell]:
    for slot, (item, states) in enumerate(zip(tables.objects, tables.states, strict=True)):
        yield Cell(item.name, tuple(text(state) for state in states), tables.start_numbers(slot)[0])


def _classes(tables: Tables, used: dict[int, set[int]]) -> Iterator[ProcessType]:
    start = tables.initial_row()[len(tables.objects) :]
    for number, klass in enumerate(tables.classes):
        mine = [local for local in used if tables.keys[local].klass == number]
        mortal = klass.killable and tables.semantics.system.crashes > 0
        yield ProcessType(
            name=tables.semantics.processes[klass.pids[0]].name,
            copies=len(klass.pids),
            daemon=klass.daemon and not tables.has_result(start[klass.pids[0]]),
            killable=klass.killable,
            start=start[klass.pids[0]],
            dead=tables.death(start[klass.pids[0]]),
            stands={local: _stand(tables, local, used[local], mortal=mortal) for local in mine},
        )


def _stand(tables: Tables, local: int, states: set[int], *, mortal: bool) -> Stand:
    slot = int(tables.target.data[local])
    if slot == ENDED:
        return _end(tables, local)
    node = tables.node(tables.keys[local])
    assert node is not None
    ways = _ways(tables, local, sorted(states)) if slot != LOCAL else _local_ways(tables, local)
    return Stand(
        about=f"{'/'.join(node.sections)}: {node.op}".removeprefix(": "),
        cell=None if slot == LOCAL else slot,
        met=tuple(sorted(states)),
        ways=tuple(ways),
        rests=tables.rests(local),
        losses=tuple(_losses(tables, local)) if mortal else (),
    )


def _end(tables: Tables, local: int) -> Stand:
    if not tables.has_result(local):
        return Stand("died", ended=True, rests=True)
    result, bits = tables.result(local), int(tables.violates.data[local])
    refutes = tuple(index for index in range(len(tables.judge.properties)) if bits >> index & 1)
    number = _number(_results(tables), result)
    return Stand(f"ended: {text(result)}", ended=True, rests=True, result=number, refutes=refutes)


def _ways(tables: Tables, local: int, states: Sequence[int]) -> Iterator[Branch]:
    """The ways of an op on a cell: outcomes to one stand are merged, with their states."""
    grouped: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for state in states:
        for outcome, (onward, after) in enumerate(tables.successors(local, state)):
            grouped.setdefault((outcome, onward), []).append((state, after))
    for (_, onward), pairs in grouped.items():
        yield Branch(tuple(state for state, _ in pairs), tuple(after for _, after in pairs), onward)


def _local_ways(tables: Tables, local: int) -> Iterator[Branch]:
    for onward, _ in tables.successors(local, 0):
        yield Branch((), (), onward)


def _losses(tables: Tables, local: int) -> Iterator[Loss]:
    for hold in tables.holds_of(local):
        slot = int(tables.hold_object.data[hold])
        yield Loss(slot, {state: tables.after_loss(hold, state) for state in tables.lost_in(hold)})


def _results(tables: Tables) -> list[object]:
    """The results that processes can end with, each once, in order of their local states."""
    found = (tables.result(local) for local in _with_result(tables))
    return list({key(result): result for result in found}.values())


def _number(results: Sequence[object], result: object) -> int:
    """The number of this one among `results`, by type and content."""
    return next(number for number, known in enumerate(results) if same(known, result))


def _with_result(tables: Tables) -> list[int]:
    return [local for local in range(len(tables.keys)) if tables.has_result(local)]


def _slots(tables: Tables, prop: Property) -> tuple[int, ...]:
    slots = {id(item): slot for slot, item in enumerate(tables.objects)}
    return tuple(slots[id(item)] for item in prop.reads)


def _in_time(
    tables: Tables, judge: Judge, asked: Sequence[Property], failed: list[ModelError]
) -> Iterator[CheckedProperty]:
    """The properties in time: where their goals and premises are true."""
    for prop in asked:
        goal = _true_when(tables, judge, prop.goal, failed)
        start = True if prop.start is None else _true_when(tables, judge, prop.start, failed)
        yield CheckedProperty(prop.name, prop.kind, _slots(tables, prop), False, goal, start)


def _true_when(tables: Tables, judge: Judge, part: Property, failed: list[ModelError]) -> Guard:
    reads = _slots(tables, part)
    cells: list[Domain] = [(Variable(CELL, slot), range(len(tables.states[slot]))) for slot in reads]
    return _Cases(part.name, failed).condition(cells, lambda seen: judge.state_ok(part, _values(tables, reads, seen)))


def _questions(
    tables: Tables, judge: Judge, asked: Sequence[Property], failed: list[ModelError]
) -> Iterator[CheckedProperty]:
    for prop in asked:
        reads = _slots(tables, prop)
        yield CheckedProperty(prop.name, prop.kind, reads, _decided_when(tables, judge, prop, reads, failed))


def _decided_when(
    tables: Tables, judge: Judge, prop: Property, reads: tuple[int, ...], failed: list[ModelError]
) -> Guard:
    """When a property is decided, by what it reads; deadlock and each-result ones have no such condition."""
    if prop.kind in (PropertyKind.NO_DEADLOCK, PropertyKind.EACH_RESULT):
        return False
    cells: list[Domain] = [(Variable(CELL, slot), range(len(tables.states[slot]))) for slot in reads]
    cases = _Cases(prop.name, failed)
    if prop.kind is PropertyKind.ALWAYS:
        return cases.condition(cells, lambda seen: not judge.state_ok(prop, _values(tables, reads, seen)))
    asked = _Asked(tables, judge, prop, reads)
    counts: list[Domain] = [
        (Variable(COUNT, number), range(len(asked.runners) + 1)) for number in range(len(asked.results))
    ]
    by_count = cases.condition(counts + cells, asked.by_count, asked.is_possible_count)
    if prop.name not in judge.tell_apart:
        return by_count
    single: list[Domain] = [(Variable(RESULT, pid), asked.results_of(pid)) for pid in asked.runners]
    return _Cases(prop.name, failed).condition(single + cells, asked.by_process)


def _values(tables: Tables, reads: Sequence[int], seen: Sequence[int]) -> tuple[object, ...]:
    return tuple(tables.states[slot][number] for slot, number in zip(reads, seen, strict=True))


class _Cases:
    """Asks a question about every combination of values, and keeps what distinguishes the answers.

    Errors of the predicate go to `failed`: they are the model's if some behaviour goes there.
    """

    def __init__(self, name: str, failed: list[ModelError]) -> None:
        self._name, self._failed, self._asked = name, failed, 0

    def condition(
        self,
        variables: Sequence[Domain],
        ask: Callable[[tuple[int, ...]], bool],
        possible: Callable[[tuple[int, ...]], bool] = lambda _: True,
        so_far: tuple[int, ...] = (),
    ) -> Guard:
        """The smallest tree in this order of variables; True if the predicate raises."""
        if len(so_far) == len(variables):
            self._asked += 1
            if self._asked > CASES:
                raise UsageError(
                    f"property {self._name!r} depends on more than {CASES:,} combinations of states and results: "
                    "leave it out by naming the others with --property"
                )
            try:
                return ask(so_far)
            except ModelError as error:
                self._failed.append(error)
                return True
        variable, values = variables[len(so_far)]
        grouped: dict[Guard, list[int]] = {}
        for value in values:
            if possible((*so_far, value)):
                branch = self.condition(variables, ask, possible, (*so_far, value))
                grouped.setdefault(branch, []).append(value)
        if len(grouped) <= 1:
            return next(iter(grouped), False)
        return Split(variable, tuple((tuple(numbers), branch) for branch, numbers in grouped.items()))


class _Asked:
    """A property of results: how it answers when so many processes have each result, or these processes have these."""

    def __init__(self, tables: Tables, judge: Judge, prop: Property, reads: tuple[int, ...]) -> None:
        self._tables, self._judge, self._prop, self._reads = tables, judge, prop, reads
        processes, crashes = tables.semantics.processes, tables.semantics.system.crashes
        self._start = tables.initial_row()[len(tables.objects) : -1]
        self.runners = [
            pid for pid, process in enumerate(processes) if not process.daemon or tables.has_result(self._start[pid])
        ]
        self.results = _results(tables)
        everybody = len(self.runners)
        self._fewest = max(everybody - crashes, 0) if prop.kind is PropertyKind.AT_END else 0

    def results_of(self, pid: int) -> list[int]:
        """The possible results of this process, as a variable has them."""
        klass = self._tables.class_of[pid]
        if self._tables.has_result(self._start[pid]):
            return [1 + _number(self.results, self._tables.result(self._start[pid]))]
        own = (
            _number(self.results, self._tables.result(local))
            for local in _with_result(self._tables)
            if self._tables.keys[local].klass == klass
        )
        return [0, *(1 + number for number in dict.fromkeys(own))]

    def is_possible_count(self, values: tuple[int, ...]) -> bool:
        """Whether so many processes can have ended with the results that are counted so far."""
        counts = values[: len(self.results)]
        enough = len(values) < len(self.results) or sum(counts) >= self._fewest
        return sum(counts) <= len(self.runners) and enough

    def by_count(self, values: tuple[int, ...]) -> bool:
        """Whether the property is decided if result k came `values[k]` times, from any processes."""
        counts, seen = values[: len(self.results)], values[len(self.results) :]
        given = chain.from_iterable([result] * count for result, count in zip(self.results, counts, strict=True))
        return self._decides(list(zip(self.runners, given, strict=False)), seen)

    def by_process(self, values: tuple[int, ...]) -> bool:
        """Whether the property is decided if the processes have these results (0: none)."""
        numbers, seen = values[: len(self.runners)], values[len(self.runners) :]
        given = [(pid, self.results[n - 1]) for pid, n in zip(self.runners, numbers, strict=True) if n]
        return self._decides(given, seen)

    def _decides(self, given: Sequence[tuple[int, object]], seen: Sequence[int]) -> bool:
        names = self._tables.semantics.names
        results = tuple((names[pid], result) for pid, result in given)
        holds = self._judge.results_ok(self._prop, results, _values(self._tables, self._reads, seen))
        return holds is self._prop.is_wish
