"""Closed tables have an entry for whatever a process may meet in any behaviour; wrong twins lack some."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from dstamp_sim import Counter, Process, Program, Register, System
from dstamp_sim.core.errors import UnboundedProgram
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.semantics import Semantics, State
from dstamp_sim.engines.tables import closure
from dstamp_sim.engines.tables.closure import ENDLESS_STATES, close
from dstamp_sim.engines.tables.quotient import quotient
from dstamp_sim.engines.tables.tables import LOCAL, Tables
from models.cc_ci import MECHANISMS, stack_race
from tests.random_systems import random_system
from tests.todays import todays

FAST, MOST, HISTORY = 40, 300, 2_000


def tables_of(system: System) -> Tables:
    semantics = Semantics(system)
    tables = Tables(semantics, Judge(semantics, ()), merge=False)
    tables.initial_row()
    return tables


def reachable(system: System, most: int) -> tuple[Semantics, list[State]] | None:
    """Every state, by histories, as in the tables here: a node has one depth. None if there are more than `most`."""
    semantics = Semantics(system, history_limit=HISTORY)
    states = [semantics.initial()]
    seen = set(states)
    try:
        for state in states:  # grows
            after = {semantics.perform(state, move) for move in semantics.moves(state)} - seen
            seen |= after
            states += after
            if len(states) > most:
                return None
    except UnboundedProgram:
        return None
    return semantics, states


def needed(semantics: Semantics, states: Sequence[State]) -> Iterator[tuple[Any, ...]]:
    """What processes meet in reachable states: who stands where, and the state of the object that it touches next,
    or that its death would leave.
    """  # noqa: D205 - one sentence
    for state in states:
        for pid, local in enumerate(state.local):
            node, process = semantics.node(state, pid), semantics.processes[pid]
            if node is None or node.ended:  # the dead and those who have ended meet nothing
                continue
            told = (process.name, str(node.op), node.depth, local.private)
            yield (*told, *_met(semantics, node.op.target, state))
            for hold in node.holds if semantics.system.crashes and process.killable else ():
                if not hold.target.private:
                    yield (*told, "dies", hold.token, *_met(semantics, hold.target, state))


def _met(semantics: Semantics, target: Any, state: Any) -> tuple[Any, ...]:
    own = target is None or target.private
    return ("local", 0) if own else (target.name, state.shared[semantics.shared.index(target)])


def held(tables: Tables) -> Iterator[tuple[Any, ...]]:
    """The same of what tables have entries for."""
    for local, key in enumerate(tables.keys):
        node, name = tables.node(key), tables.semantics.processes[tables.classes[key.klass].pids[0]].name
        if node is None:
            continue
        told = (name, str(node.op), node.depth, key.local.private)
        slot = int(tables.target.data[local])
        for number in tables.met(local):
            yield (
                *told,
                *(("local", 0) if slot == LOCAL else (tables.objects[slot].name, tables.states[slot][number])),
            )
        begin = int(tables.hold_first.data[local])
        for hold in range(begin, begin + int(tables.hold_count.data[local])):
            of, token = tables.hold_key(hold)
            for number in tables.lost_in(hold):
                yield (*told, "dies", token, of, tables.states[int(tables.hold_object.data[hold])][number])


def missed(system: System, *, any_number: tuple[str, ...] = (), closed: System | None = None) -> int | None:
    """How many entries lack that a behaviour of `system` needs; None where either has no end."""
    space, tables = reachable(system, MOST), tables_of(closed or system)
    if space is None or close(tables, any_number=any_number):
        return None
    return len(set(needed(*space)) - set(held(tables)))


def test_whatever_a_random_system_meets_is_in_its_closed_tables():
    found = [missed(random_system(seed)) for seed in range(FAST)]
    assert set(found) <= {0, None}
    assert found.count(0) > FAST // 3


@pytest.mark.slow
def test_so_it_is_of_more_systems():
    assert {missed(random_system(seed)) for seed in todays(range(FAST, 2000))} <= {0, None}


def multiplied(seed: int) -> tuple[str, System, System]:
    """A random system with one copy of its first process, and with two."""
    system = random_system(seed)
    first, *others = system.processes
    one, two = ([first.with_copies(number), *others] for number in (1, 2))
    return first.name, replace(system, processes=one), replace(system, processes=two)


def test_what_more_processes_meet_is_in_the_tables_closed_for_any_number():
    found = []
    for seed in range(FAST):
        name, one, two = multiplied(seed)
        found.append(missed(two, any_number=(name,), closed=one))
    assert set(found) <= {0, None}
    assert found.count(0) > FAST // 6


def test_the_tables_of_one_process_alone_do_not_tell_what_two_meet():
    assert any(missed(two, closed=one) for _, one, two in map(multiplied, range(FAST)))


class Forgetful(closure._Spread):
    """Wrong on purpose: a state that an object takes on later is met by nobody who asked before."""

    def _met_by_all(self, slot, state):
        pass


class Possessive(closure._Spread):
    """Wrong on purpose: the first to touch an object has it for itself, though others touch it, too."""

    def _owns(self, klass, slot):
        return slot not in self.shared


class Immortal(closure._Spread):
    """Wrong on purpose: nobody dies."""

    def _die(self, local, own):
        pass


@pytest.mark.parametrize("twin", [Forgetful, Possessive, Immortal])
def test_wrong_twins_are_caught(twin, monkeypatch):
    monkeypatch.setattr(closure, "_Spread", twin)
    assert any(missed(random_system(seed)) for seed in range(FAST))


@pytest.mark.parametrize("name", ["stack-race", "checkout-race", "swarm-rollback"])
def test_so_it_is_of_the_incident(name):
    assert missed(MECHANISMS[name].factory(runs=1)) == 0


def test_two_runs_need_no_more_than_is_closed_for_any_number_of_one():
    space = reachable(stack_race(runs=2), ENDLESS_STATES)
    assert space is not None
    tables = tables_of(stack_race(runs=1))
    assert close(tables, any_number=[tables.semantics.processes[0].name]) == ""
    assert set(needed(*space)) <= set(held(tables))


def increment(counter: Counter) -> Program[None]:
    yield counter.add(1)


def test_an_object_with_no_end_of_states_is_said_to_have_none():
    counter = Counter("counter")
    system = System(objects=[counter], processes=[Process("run", increment, counter, copies=2)])
    assert close(tables_of(system)).endswith(f"{ENDLESS_STATES:,} states of {system.objects[0].name}")


def met_twice(register: Register, value: str) -> Program[str]:
    yield register.write(value)
    return (yield register.read())


def test_closed_tables_are_not_filled_any_further():
    register = Register("x", "a")
    tables = tables_of(System(objects=[register], processes=[Process("run", met_twice, register, "b")]))
    assert close(tables) == ""
    begin = tables.initial_row()[1]
    ((reading, written),) = tables.successors(begin, tables.state_numbers[0]["a"])
    assert tables.met(reading) == [written]  # its own register: nobody else can have written "a" back
    with pytest.raises(AssertionError, match="closed tables lack"):
        tables.successors(reading, tables.state_numbers[0]["a"])


def test_processes_come_to_the_classes_of_a_quotient_and_not_to_the_numbers_of_the_full_tables():
    smaller = 0
    for seed in range(FAST):
        full = tables_of(random_system(seed))
        if close(full):
            continue
        small = quotient(full)
        smaller += len(small.keys) < len(full.keys)
        assert all(small.arrive(*key) == small.number_of[key, 0] for key in full.arrived)
    assert smaller > FAST // 6
