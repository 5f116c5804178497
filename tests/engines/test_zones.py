"""Exact time against explicit ticking, and known answers worked out by hand."""

import random

import numpy as np
import pytest

from dstamp_sim import Chance, Counter, Process, Register, System, always, at_end, delay, each_result, reachable
from dstamp_sim.analyses.judged_trace import judged_trace
from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.op import GAVE_UP
from dstamp_sim.core.scenario import Distribution, Shape, Timing
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.core.verdict import Verdict
from dstamp_sim.engines.zones import ticks, zone_kernel
from dstamp_sim.engines.zones.bursts import Bursts
from dstamp_sim.engines.zones.ticks import TickBounds
from dstamp_sim.engines.zones.within import Possibility, explore_within
from tests.ticking import PatientWriter, Ticking, random_timed_system
from tests.todays import todays

FEW_ZONES = 20_000
FEWER_ZONES, SMALL = 200, sorted({*range(20, 60)} - {20, 27, 28, 31, 48, 49, 50, 56})
"""A limit for twins, which run in Python and may have no end of zones, and seeds that do not reach it."""


def uniform(low, high, open_ends=()):
    return Distribution(Shape.UNIFORM, (float(low), float(high)), open_ends=tuple(open_ends))


def timing_of(delays, starts=None):
    bounds = {name: uniform(*pair) for name, pair in delays.items()}
    late = {name: uniform(0, high - low) for name, (low, high) in (starts or {}).items()}
    starts_s = {name: float(low) for name, (low, _) in (starts or {}).items()}
    bounds |= {f"late {name}": one for name, one in late.items()}
    return Timing(bounds, starts_s, late={name: f"late {name}" for name in late})


def disagreements(seed, limit=FEW_ZONES):
    """What exact time and ticking say differently of the random system of this seed, and traces that are wrong."""
    system, delays, starts = random_timed_system(random.Random(seed), PatientWriter)
    found, ticking = explore_within(system, timing_of(delays, starts), limit=limit), Ticking(system, delays, starts)
    for prop in ticking.properties:
        when, known = found.when[prop.name], ticking.answer(prop)
        late = when.latest_s in (None, known.latest) if known.endless else when.latest_s == known.latest
        if (when.possibility.value, when.earliest_s) != (known.verdict, known.earliest) or not late:
            yield seed, prop.name, when, known
        trace = found.report.judgement(prop.name).trace
        if (trace is not None) is not (known.earliest is not None):
            yield seed, prop.name, "a trace is missing, or one too many"
        elif trace is not None:
            yield from wrong_in(trace, system, prop, delays, starts, when.earliest_s)


def wrong_in(trace, system, prop, delays, starts, earliest_s):
    """The steps of a trace that ends too early or too late, or does not fail with its last step at `earliest_s`."""
    since = dict(trace.starts_s)
    if trace.steps:
        yield from ((prop.name, name, at) for name, at in since.items() if not starts[name][0] <= at <= starts[name][1])
    for step in trace.steps:
        low, high = delays.get(step.op.args[0] if step.op.is_delay else step.op.patience, (0, 1_000))
        low = low if step.op.is_delay or step.result is GAVE_UP else 0
        if not low <= step.time_s - since[step.process] <= high:
            yield prop.name, step
        since[step.process] = step.time_s
    shown = {one.prop.name: one for one in judged_trace(system, trace)}[prop.name]
    last_s = trace.steps[-1].time_s if trace.steps else 0
    if shown.step != len(trace.steps) - 1 or last_s != earliest_s:
        yield prop.name, shown.step, last_s


def test_exact_time_says_what_ticking_says_and_the_timed_engine_performs_its_traces():
    assert [wrong for seed in SMALL for wrong in disagreements(seed)] == []


@pytest.mark.slow
def test_exact_time_says_what_ticking_says_of_a_thousand_systems():
    assert [wrong for seed in todays(range(1_000)) for wrong in disagreements(seed)] == []


def test_the_gate_sees_all_three_answers_with_room_between_the_moments():
    found = [
        explore_within(system, timing_of(*rest))
        for system, *rest in map(random_timed_system, map(random.Random, SMALL))
    ]
    whens = [when for one in found for when in one.when.values()]
    assert {when.possibility for when in whens} == {
        Possibility.IMPOSSIBLE,
        Possibility.POSSIBLE,
        Possibility.INEVITABLE,
    }
    assert sum(when.earliest_s != when.latest_s for when in whens) > 10


def _covered_instead(zone, other, covers=zone_kernel.covers.py_func):
    return covers(other, zone)


def _widened_from_zero(zone, low, high, widen=zone_kernel.widen.py_func):
    return widen(zone, np.where(low < zone_kernel.NO_BOUND, 1, low), high)


def _clock_goes_on(zone, i):
    pass


TWINS = {"covers": _covered_instead, "widen": _widened_from_zero, "start_clock": _clock_goes_on}


def _caught():
    """Whether the gate notices a twin: a disagreement, or a way that no times allow."""
    for seed in SMALL:
        try:
            if any(True for _ in disagreements(seed, FEWER_ZONES)):
                return True
        except AssertionError:
            return True
    return False


@pytest.fixture
def kernel_in_python(monkeypatch):
    """The kernel not compiled, so that a twin of one part takes effect."""
    for name, part in vars(zone_kernel).copy().items():
        if hasattr(part, "py_func"):
            monkeypatch.setattr(zone_kernel, name, part.py_func)


@pytest.mark.usefixtures("kernel_in_python")
def test_the_gate_finds_nothing_wrong_with_the_kernel_in_python():
    assert not _caught()


@pytest.mark.usefixtures("kernel_in_python")
@pytest.mark.parametrize("part", TWINS)
def test_the_gate_catches_a_wrong_kernel(part, monkeypatch):
    monkeypatch.setattr(zone_kernel, part, TWINS[part])
    assert _caught()


def test_the_gate_catches_time_that_passes_though_somebody_can_move(monkeypatch):
    monkeypatch.setattr(Bursts, "is_still", lambda self, pause: self._all_ended(pause))
    assert _caught()


def test_the_gate_catches_starts_that_are_never_late(monkeypatch):
    def punctual(name, at, *_):
        return TickBounds(at, at)

    monkeypatch.setattr(ticks, "_start", punctual)
    assert _caught()


def test_the_gate_catches_who_gives_up_too_soon(monkeypatch):
    delay = Bursts._delay

    def hasty(self, state, pid):
        lasts, node = delay(self, state, pid), self.semantics.node(state, pid)
        return lasts._replace(low=0) if lasts and node.op.patience else lasts

    monkeypatch.setattr(Bursts, "_delay", hasty)
    assert _caught()


def test_the_gate_catches_who_waits_on_for_what_is_free(monkeypatch):
    lasting = Semantics.lasting

    def stubborn(self, state, pid):
        node = self.node(state, pid)
        return lasting(self, state, pid) or (node and node.op and node.op.patience) or None

    monkeypatch.setattr(Semantics, "lasting", stubborn)
    assert _caught()


def answers(system, delays, **options):
    """What is said of each property."""
    found = explore_within(system, Timing(delays=delays), **options)
    return {name: when.words() for name, when in found.when.items()}


def race(*, first, second, ends=()):
    """Whether b may set a register before a does, each after its delay."""
    x = Register("x", "none")

    def run(name):
        yield delay(name)
        if (yield x.compare_and_set("none", name)):
            return "first"
        return "second"

    system = System(
        objects=[x],
        processes=[Process("a", run, "a"), Process("b", run, "b")],
        properties=[always("a is first", lambda state: state[x] != "b", reads=[x])],
    )
    return answers(system, {"a": uniform(*first), "b": uniform(*second, ends)})["a is first"]


def test_at_one_instant_either_may_come_first_and_an_open_end_rules_that_out():
    assert (
        race(first=(2, 4), second=(4, 9))
        == "possible within these bounds, at the earliest at 4 s, at the latest at 4 s"
    )
    assert race(first=(2, 4), second=(4, 9), ends=["low"]) == "impossible within these bounds"
    after = race(first=(2, 4), second=(1, 3), ends=["low"])
    assert after == "possible within these bounds, at the earliest just after 1 s, at the latest at 3 s"


def test_what_must_fail_is_inevitable():
    assert (
        race(first=(5, 9), second=(1, 3))
        == "inevitable within these bounds, at the earliest at 1 s, at the latest at 3 s"
    )


def test_fractions_of_a_second_are_not_rounded():
    assert race(first=(0.3, 0.3), second=(0.1, 0.3)).endswith("at the earliest at 0.1 s, at the latest at 0.3 s")
    x = Register("x", 0)

    def twice():
        yield delay("tenth")
        yield delay("fifth")
        yield x.write(1)

    def once():
        yield delay("three tenths")
        seen = yield x.read()
        return seen

    system = System(
        objects=[x],
        processes=[Process("twice", twice), Process("once", once)],
        properties=[reachable("seen", lambda results: results.get("once") == 1)],
    )
    delays = {"tenth": uniform(0.1, 0.1), "fifth": uniform(0.2, 0.2), "three tenths": uniform(0.3, 0.3)}
    assert answers(system, delays)["seen"].startswith("possible within these bounds, at the earliest at 0.3 s")


def test_what_never_comes_within_the_bounds_is_vacuous_and_not_safe():
    x = Register("x", 0)

    def waits():
        yield x.wait_for(1)

    def ticks():
        yield delay("tick")

    system = System(
        objects=[x],
        processes=[Process("waits", waits), Process("ticks", ticks, daemon=True)],
        properties=[at_end("fine", lambda _: True)],
    )
    found = explore_within(system, Timing(delays={"tick": uniform(1, 2)}))
    assert found.report.judgement("fine").verdict is Verdict.UNDETERMINED


def test_a_failure_that_can_be_put_off_for_ever_has_an_earliest_moment_and_no_latest():
    coin = Chance("coin", "go on", "stop")

    def flips():
        while (yield coin.draw()) != "stop":
            yield delay("wait")
        return "stopped"

    system = System(
        objects=[coin],
        processes=[Process("flips", flips)],
        properties=[each_result("never stops", lambda result: result != "stopped")],
    )
    said = answers(system, {"wait": uniform(3, 5)}, limit=200)["never stops"]
    assert said.startswith(
        "possible within these bounds, at the earliest at 0 s, whether it is inevitable is not known"
    )


def test_a_loop_without_time_is_refused():
    x = Register("x", 0)

    def spins():
        while True:
            yield x.write(0)

    def ends():
        yield delay("a")

    system = System(objects=[x], processes=[Process("spins", spins, daemon=True), Process("ends", ends)], properties=[])
    with pytest.raises(ModelError, match="time stands still"):
        explore_within(system, Timing(delays={"a": uniform(1, 1)}))


def fischer(processes):
    """Fischer's mutual exclusion: who finds the register free writes his number, and enters if it is still there."""
    x, inside = Register("x", 0), Counter("inside")

    def run(me):
        while True:
            yield x.wait_for(0)
            yield delay("write")
            yield x.write(me)
            yield delay("wait")
            if (yield x.read()) == me:
                break
        yield inside.add(1)
        yield delay("work")
        yield inside.add(-1)
        yield x.write(0)

    return System(
        objects=[x, inside],
        processes=[Process(f"p{number}", run, number) for number in range(1, processes + 1)],
        properties=[always("one at a time", lambda state: state[inside] <= 1, reads=[inside])],
    )


@pytest.mark.parametrize("processes", [2, 3, 4, pytest.param(5, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("write", "possibility"),
    [
        (uniform(0, 2), Possibility.IMPOSSIBLE),
        (uniform(0, 3, ["high"]), Possibility.IMPOSSIBLE),
        (uniform(0, 3), Possibility.POSSIBLE),
        (uniform(0, 4), Possibility.POSSIBLE),
    ],
    ids=["shorter than the wait", "shorter, as near as may be", "as long as the wait", "longer than the wait"],
)
def test_fischers_protocol_is_safe_exactly_while_the_wait_exceeds_the_write(processes, write, possibility):
    delays = {"write": write, "wait": uniform(3, 5), "work": uniform(0, 10)}
    found = explore_within(fischer(processes), Timing(delays=delays), properties=["one at a time"])
    assert found.when["one at a time"].possibility is possibility


def test_an_outcome_with_a_probability_of_0_does_not_happen():
    coin, x = Chance("coin", "heads", "tails"), Register("x", "none")

    def flips():
        yield x.write((yield coin.draw()))

    system = System(
        objects=[coin, x],
        processes=[Process("flips", flips)],
        properties=[always("no tails", lambda state: state[x] != "tails", reads=[x])],
    )
    for probability, possibility in ((0.0, Possibility.IMPOSSIBLE), (0.1, Possibility.POSSIBLE)):
        found = explore_within(system, Timing(probabilities={"tails": probability}))
        assert found.when["no tails"].possibility is possibility
    assert explore_within(system, Timing()).when["no tails"].possibility is Possibility.POSSIBLE


def test_what_may_begin_in_several_states_is_judged_from_all_and_the_trace_begins_in_the_right_one():
    x = Register("x", [0, 1, 2])

    def reads():
        yield delay("a")
        return (yield x.read())

    system = System(
        objects=[x],
        processes=[Process("reads", reads)],
        properties=[each_result("never 2", lambda result: result != 2)],
    )
    found = explore_within(system, Timing(delays={"a": uniform(1, 4)}))
    assert found.when["never 2"].words() == "possible within these bounds, at the earliest at 1 s, at the latest at 4 s"
    assert found.report.trace.start == {"x": 2}
