"""Accesses, happens-before, dependencies and their cycles: known answers worked out by hand."""

from typing import NamedTuple

import pytest

from dstamp_sim import Counter, Flock, Mutex, Op, Outcome, Process, Program, Register, SharedObject, System, replay
from dstamp_sim.analyses.accesses import Accesses
from dstamp_sim.analyses.conflicts import Conflicts
from dstamp_sim.analyses.fields import Location
from dstamp_sim.analyses.happens_before import HappensBefore, OrderKind

X, Y = Register("x", 0), Register("y", 0)


def ops(*given: Op) -> Program[None]:
    for op in given:  # noqa: UP028 - a tuple's iterator cannot be sent results
        yield op


def trace_of(schedule, objects, crashes=0, **programs):
    processes = [Process(name, ops, *given) for name, given in programs.items()]
    return replay(System(objects=objects, processes=processes, crashes=crashes), schedule)


def accesses(*given: Op, objects=(X,)):
    trace = trace_of(f"p*{len(given)}", list(objects), p=given)
    found = Accesses(trace)
    return [
        (["/".join(place.path) or place.target for place in found[n].reads],
         ["/".join(place.path) or place.target for place in found[n].writes])
        for n in range(len(given))
    ]  # fmt: skip


def test_a_write_of_the_same_value_writes_and_does_not_read():
    assert accesses(X.write(0)) == [([], ["x"])]


def test_a_read_reads():
    assert accesses(X.read()) == [(["x"], [])]


def test_a_compare_and_set_reads_and_writes_only_where_it_sets():
    assert accesses(X.compare_and_set(0, 1), X.compare_and_set(0, 1)) == [(["x"], ["x"]), (["x"], [])]


def test_adding_reads_and_writes():
    count = Counter("count")
    assert accesses(count.add(1), objects=[count]) == [(["count"], ["count"])]


def test_waiting_for_a_value_reads_it():
    assert accesses(X.wait_for(0)) == [(["x"], [])]


class Pair(NamedTuple):
    left: int = 0
    right: int = 0


class Two(SharedObject):
    def outcomes(self, state: Pair, op: Op) -> tuple[Outcome, ...]:
        match op.verb:
            case "left":
                return (Outcome(state._replace(left=1)),)
            case "copy":
                return (Outcome(state._replace(right=state.left)),)
        return (Outcome(state, state.right),)


def test_fields_are_told_apart():
    two = Two("two", Pair())
    assert accesses(two.op("left"), two.op("right"), two.op("copy"), objects=[two]) == [
        ([], ["left"]),
        (["right"], []),
        (["left"], ["right"]),
    ]


def test_a_step_happens_before_the_next_of_its_process_and_of_the_locks_next_holder():
    lock = Mutex("lock")
    both = (lock.acquire(), X.write(1), lock.release())
    trace = trace_of("p*3 q*3", [lock, X], p=both, q=both)
    order = HappensBefore(trace)
    assert [(e.before, e.after) for e in order.edges if e.order is OrderKind.LOCK] == [(2, 3)]
    assert (order.clocks[1], order.clocks[4]) == ((2, 0), (3, 2)), "the second step of p is before the second of q"


def test_who_was_blocked_is_woken_by_the_change():
    trace = trace_of("p q", [X], p=[X.write(1)], q=[X.wait_for(1)])
    assert [(e.before, e.after) for e in HappensBefore(trace).edges if e.order is OrderKind.WAKE] == [(0, 1)]


def shortest_cycle(conflicts):
    """A shortest cycle through each dependency, and of these a shortest; None where the runs have a serial order."""
    found = []
    for edge in reversed(conflicts.dependencies):
        first, second = (conflicts.trace.steps[n].process for n in (edge.source, edge.target))
        path = conflicts.back(second, first, edge.location)
        found += [conflicts.cycle((edge, *path))] if path is not None else []
    return min(filter(None, found), key=lambda cycle: len(cycle.edges), default=None)


@pytest.mark.parametrize(
    ("name", "schedule", "p", "q"),
    [
        ("dirty write (G0)", "p q*2 p", [X.write(1), Y.write(1)], [X.write(2), Y.write(2)]),
        ("circular information flow (G1c)", "p q p", [X.write(1), X.read()], [X.write(2)]),
        ("lost update", "p q*2 p", [X.read(), X.write(1)], [X.read(), X.write(2)]),
        ("read skew (G-single)", "p q*2 p", [X.read(), Y.read()], [X.write(1), Y.write(1)]),
        ("write skew (G2-item)", "p q p q", [X.read(), Y.write(1)], [Y.read(), X.write(1)]),
    ],
)
def test_an_anomaly_has_its_name_in_the_literature(name, schedule, p, q):
    cycle = shortest_cycle(Conflicts(trace_of(schedule, [X, Y], p=p, q=q)))
    assert cycle is not None and cycle.name == name


def test_a_serial_trace_has_no_cycle():
    given = [X.read(), X.write(1), Y.write(1)]
    assert shortest_cycle(Conflicts(trace_of("p*3 q*3", [X, Y], p=given, q=given))) is None


def test_what_a_death_found_is_known_of_every_object_that_it_changed():
    lock = Flock("lock")
    trace = trace_of("p p!", [lock, X], crashes=1, p=[lock.acquire(), X.read()], q=[X.read()])
    assert Accesses(trace).value(1, Location("lock", ("locked",))) == ((1, 1),)
