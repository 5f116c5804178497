"""A serial order of the runs: the verdict is that of all orders, listed one by one; wrong twins are caught."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import permutations
from typing import Any

import pytest

from dstamp_sim import (
    ANY,
    Chance,
    Mutex,
    Process,
    Register,
    System,
    Trace,
    UsageError,
    Verdict,
    explore,
    prove,
    replay,
    sample,
    serial,
)
from dstamp_sim.analyses.explain import explain
from dstamp_sim.core import judge
from dstamp_sim.core import serial as orders
from dstamp_sim.core.verdict import Judgement
from dstamp_sim.engines.explore import explorer
from dstamp_sim.engines.explore.settings import ALL_REDUCTIONS, NO_REDUCTION
from dstamp_sim.export.tabulate import tabulate
from dstamp_sim.random_systems import described
from dstamp_sim.testing import assert_violated, system_of
from tests.oracle import Oracle, State
from tests.random_systems import random_system
from tests.todays import in_parts
from tests.trap_systems import trap_system

NAME = "as in a serial order"
FAST, ALL, MOST_RUNS = 90, 370, 3


@pytest.fixture(autouse=True)
def informed_from_the_first_state(monkeypatch):
    """Small spaces too are searched with complete tables, so that every reduction is on."""
    monkeypatch.setattr(explorer, "WORTH_KNOWING", 0)


def system_of_seed(seed: int) -> System | None:
    """Random processes with locks, chance and deaths, or with daemons; None where orders are too many to list."""
    system = trap_system(seed)[0] if seed % 3 == 0 else random_system(seed)
    return system if 2 <= len(system.must_end) <= MOST_RUNS else None


def moved(oracle: Oracle, state: State, pid: int) -> Iterator[State]:
    """The states after each move of one process, its death included."""
    offer, process = oracle.offers(state)[pid], oracle.instances[pid].process
    for outcome in offer.outcomes:
        yield oracle._performed(state, pid, offer, outcome)
    if offer.op is not None and process.killable and state.deaths < oracle.system.crashes:
        yield oracle._died(state, pid, offer)


def reached(oracle: Oracle, begin: Iterable[State], movers: list[int]) -> set[State]:
    """All states that these processes come to by themselves."""
    seen = set(begin)
    waiting = list(seen)
    while waiting:
        state = waiting.pop()
        for after in (after for pid in movers for after in moved(oracle, state, pid)):
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    return seen


def end(oracle: Oracle, state: State) -> tuple[Any, ...]:
    declared = [value for item, value in zip(oracle.shared, state.shared, strict=True) if item in oracle.system.objects]
    return tuple(sorted(oracle.results(state).items())), tuple(declared)


def expected(system: System) -> str:
    """The verdict, by listing every order of the runs and every state of the system."""
    oracle = Oracle(system)
    everybody = range(len(oracle.instances))
    daemons = [pid for pid in everybody if oracle.instances[pid].process.daemon]
    runs = [pid for pid in everybody if pid not in daemons]
    of_orders = set()
    for order in permutations(runs):
        states = set(oracle.initials())
        for pid in order:
            states = {state for state in reached(oracle, states, [pid, *daemons]) if oracle.ended(state, pid)}
        of_orders |= {end(oracle, state) for state in reached(oracle, states, daemons)}
    ends = {end(oracle, s) for s in reached(oracle, oracle.initials(), list(everybody)) if oracle.all_ended(s)}
    if len(runs) < 2 or not of_orders or not ends:
        return "UNDETERMINED"
    return "HOLDS" if ends <= of_orders else "VIOLATED"


def differences(seeds: Iterable[int], tally: Counter[str]) -> Iterator[str]:
    for seed in seeds:
        if (system := system_of_seed(seed)) is None:
            continue
        wanted = expected(system)
        tally[wanted] += 1
        for used in (ALL_REDUCTIONS, NO_REDUCTION):
            judged = explore(system.with_serial(), properties=[NAME], reductions=used).judgement(NAME)
            if judged.verdict.value != wanted:
                yield f"seed {seed}, {used}: {judged.verdict} ({judged.reason}), not {wanted}\n{described(system)}"


def test_the_verdict_is_that_of_every_order_listed():
    tally = Counter[str]()
    assert list(differences(range(FAST), tally)) == []
    assert min(tally[verdict.value] for verdict in Verdict) > 2, tally


@pytest.mark.slow
@pytest.mark.parametrize("seeds", in_parts(range(FAST, ALL), 40), ids=str)
def test_the_verdict_is_that_of_every_order_on_more_systems(seeds):
    assert list(differences(seeds, Counter())) == []


def _in_declared_order(semantics, at, *, ordered):
    unbegun = [pid for pid, local in enumerate(at.state.local) if local == semantics.fresh]
    for after in ONWARD(semantics, at, ordered=ordered):
        began = next((pid for pid in unbegun if after.state.local[pid] != semantics.fresh), None)
        if began is None or not any(pid < began for pid in unbegun if not semantics.processes[pid].daemon):
            yield after


def _with_switches(semantics, at, *, ordered):
    yield from ONWARD(semantics, at._replace(amid=-1), ordered=ordered)


def _without_daemons(semantics, at, *, ordered):
    yield from (after for after in ONWARD(semantics, at, ordered=ordered) if _is_of_a_run(semantics, at, after))


def _is_of_a_run(semantics, at, after):
    pairs = zip(semantics.processes, at.state.local, after.state.local, strict=True)
    return all(before == now for process, before, now in pairs if process.daemon)


ONWARD, COUNTS = orders._onward, judge._that_counts


@pytest.mark.parametrize(
    ("module", "name", "twin"),
    [
        (orders, "_onward", _in_declared_order),
        (orders, "_onward", _with_switches),
        (orders, "_onward", _without_daemons),
        (judge, "_that_counts", lambda prop, _, seen: COUNTS(prop, (), seen)),
        (judge, "_that_counts", lambda prop, results, _: COUNTS(prop, results, ())),
    ],
    ids=["an order left out", "switches", "daemons that stand still", "results forgotten", "final values forgotten"],
)
def test_a_wrong_twin_is_caught(monkeypatch, module, name, twin):
    monkeypatch.setattr(module, name, twin)
    assert next(differences(range(FAST), Counter()), None) is not None


balance = Register("balance", 100)


def withdraw(amount):
    seen = yield balance.read()
    yield balance.write(seen - amount)
    return seen


def bank(**given: Any) -> System:
    return System(objects=[balance], processes=[Process("customer", withdraw, 60, copies=2)], **given)


def judged(system: System) -> Judgement:
    return explore(system.with_serial(), properties=[NAME], keep_going=True).judgement(NAME)


def test_the_story_names_both_runs_and_how_each_order_ends():
    system = bank().with_serial()
    told = explain(system, violated(system)).sentence
    assert "customer#1's write at step 4 still acted on 100; so 'as in a serial order' fails at step 4" in told
    assert (
        "No serial order ends so: customer#1, then customer#2: customer#2 returns 40, balance is -20; "
        "customer#2, then customer#1: customer#1 returns 40, balance is -20" in told
    )


def violated(system: System) -> Trace:
    trace = assert_violated(system, NAME)
    assert str(replay(system, str(trace.schedule)).schedule) == str(trace.schedule)
    return trace


def test_what_of_a_result_counts_the_model_says():
    lost = serial("nothing lost", lambda seen: seen > 0)
    assert explore(bank(properties=[lost])).judgement("nothing lost").verdict is Verdict.HOLDS
    left = serial("nothing lost", lambda seen: seen > 0, reads=[balance])
    assert explore(bank(properties=[left])).judgement("nothing lost").verdict is Verdict.VIOLATED
    assert [p.name for p in bank(properties=[left]).with_serial().properties] == ["nothing lost"]


def test_copies_stay_alike_though_results_are_compared_by_name():
    report = explore(bank().with_serial(), properties=[NAME], keep_going=True)
    assert any("symmetry of copies" in note for note in report.coverage.reductions)


def test_who_waits_for_a_later_run_is_in_no_order_and_without_any_nothing_is_compared():
    ball = Register("ball", "here")

    def throw(to, back):
        yield ball.write(to)
        yield ball.wait_for(back)

    pair = [Process("a", throw, "there", "here"), Process("b", throw, "here", "there")]
    found = judged(System(objects=[ball], processes=pair))
    assert found.verdict is Verdict.UNDETERMINED
    assert found.reason == "no serial order comes to an end: in each, a run waits for a later one"


def one() -> Iterator[Any]:
    yield balance.read()


@pytest.mark.parametrize(
    ("system", "why"),
    [
        (
            System(objects=[balance], processes=[Process("a", one), Process("d", one, daemon=True)]),
            "vacuous: 1 run must",
        ),
        (
            System(objects=[balance, Register("x", [1, 2])], processes=[Process("a", one, copies=2)]),
            "x may begin in several states: choose one",
        ),
    ],
)
def test_what_has_no_order_to_compare_is_undetermined_and_says_so(system, why):
    found = judged(system)
    assert found.verdict is Verdict.UNDETERMINED
    assert found.reason.startswith(why)


def test_too_many_states_leave_it_undetermined(monkeypatch):
    monkeypatch.setattr(orders, "MOST_IN_ORDER", 3)
    assert judged(bank()).reason == "the serial orders have more than 3 states"


def test_a_death_ends_a_run_wherever_it_comes_and_a_lock_that_it_leaves_stops_the_later_ones():
    lock = Mutex("lock")

    def add():
        yield lock.acquire()
        seen = yield balance.read()
        yield balance.write(seen + 1)
        yield lock.release()

    system = System(objects=[lock, balance], processes=[Process("a", add, copies=2)], crashes=1)
    assert judged(system).verdict is Verdict.HOLDS


def test_what_counts_is_blamed_if_it_raises():
    with pytest.raises(Exception, match=r"property 'x'.*unsupported operand"):
        explore(bank(properties=[serial("x", lambda seen: seen + "s")]))


def test_sampling_finds_it_and_any_number_is_tried():
    system = bank().with_serial()
    assert sample(system, 50, properties=[NAME]).decided[NAME] > 0
    many = System(objects=[balance], processes=[Process("customer", withdraw, 60, copies=ANY)]).with_serial()
    assert prove(many, states_beyond=0).judgement(NAME).copies == {"customer": 2}


def test_chance_is_free_in_serial_orders_too():
    coin = Chance("coin", "heads", "tails")

    def toss():
        return (yield coin.draw())

    assert judged(System(objects=[coin], processes=[Process("a", toss, copies=2)])).verdict is Verdict.HOLDS


def test_it_is_not_exported():
    with pytest.raises(UsageError, match="as serial orders are not"):
        tabulate(bank().with_serial(), "bank")


@pytest.mark.parametrize(
    ("model", "verdict"),
    [
        *((name, "VIOLATED") for name in ("bank", "lock_file", "two_phase_commit", "two_phase_commit_impatient")),
        *((name, "HOLDS") for name in ("bank_fixed", "lock_file_fixed", "controllers", "controllers_one_owner")),
        *((name, "HOLDS") for name in ("peterson", "peterson_broken", "philosophers", "philosophers_ordered")),
        *((name, "UNDETERMINED") for name in ("spin_lock", "spin_lock_tickets")),
        *((name, "UNDETERMINED") for name in ("readers_writers", "readers_writers_fair")),
    ],
)
def test_the_classics_have_the_verdicts_that_the_page_says(model, verdict):
    report = explore(system_of(f"classic/{model}", serial=True), properties=[NAME])
    assert report.judgement(NAME).verdict.value == verdict
