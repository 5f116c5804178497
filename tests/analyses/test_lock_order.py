"""Lock orders that may deadlock though no run did."""

from dstamp_sim import Mutex, Process, Program, System, explore
from dstamp_sim.analyses.lock_order import lock_order
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.engines.explore.atlas import chart
from dstamp_sim.engines.replay import replay_to_end
from dstamp_sim.inputs.model_file import load_model

ONE, OTHER, GUARD = Mutex("one"), Mutex("other"), Mutex("guard")


def take(*locks: Mutex) -> Program[None]:
    for lock in locks:
        yield lock.acquire()
    for lock in reversed(locks):
        yield lock.release()


def system(*orders: tuple[Mutex, ...]) -> System:
    names = [Process(f"p{n}", take, *order) for n, order in enumerate(orders)]
    return System(objects=[ONE, OTHER, GUARD], processes=names)


def cycles(*orders: tuple[Mutex, ...]) -> list[list[tuple[str, str, str]]]:
    order = lock_order(chart(system(*orders)).semantics)
    return [[(o.process, o.first, o.then) for o in cycle] for cycle in order.cycles]


def test_a_cycle_of_the_lock_order_is_seen_in_a_run_that_did_not_deadlock():
    """The automata come from one run without a switch: nobody ever waited."""
    semantics = Semantics(system((ONE, OTHER), (OTHER, ONE)))
    replay_to_end(semantics, "p0*4 p1*4")
    assert len(lock_order(semantics).cycles) == 1


def test_one_order_for_all_has_no_cycle():
    assert cycles((ONE, OTHER), (ONE, OTHER)) == []


def test_two_orders_of_two_processes_are_a_cycle():
    assert cycles((ONE, OTHER), (OTHER, ONE)) == [[("p0", "one", "other"), ("p1", "other", "one")]]


def test_a_lock_that_both_hold_meanwhile_makes_the_cycle_harmless():
    assert cycles((GUARD, ONE, OTHER), (GUARD, OTHER, ONE)) == []
    assert all(j.trace is None for j in explore(system((GUARD, ONE, OTHER), (GUARD, OTHER, ONE))).judgements)


def test_one_process_alone_cannot_deadlock_with_itself():
    def both() -> Program[None]:
        yield from take(ONE, OTHER)
        yield from take(OTHER, ONE)

    made = System(objects=[ONE, OTHER], processes=[Process("p", both)])
    assert lock_order(chart(made).semantics).cycles == ()


def test_the_philosophers_have_one_and_their_fixed_twin_has_none():
    racy, fixed = (load_model(f"classic/{name}").build({}, None) for name in ("philosophers", "philosophers_ordered"))
    assert [len(cycle) for cycle in lock_order(chart(racy).semantics).cycles] == [3]
    assert lock_order(chart(fixed).semantics).cycles == ()
