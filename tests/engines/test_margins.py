"""Margins against explicit ticking at every half second, and known answers worked out by hand."""

import random
from fractions import Fraction
from itertools import islice
from time import monotonic

import pytest

from dstamp_sim import Process, Register, System, always, delay
from dstamp_sim.core.scenario import Timing
from dstamp_sim.engines.zones import margins as margins_module
from dstamp_sim.engines.zones.bursts import Bursts
from dstamp_sim.engines.zones.levers import Lever, MovedEnd, levers
from dstamp_sim.engines.zones.margins import Margins
from dstamp_sim.engines.zones.stretches import ShiftSpot
from dstamp_sim.engines.zones.within import Possibility, timed_bursts
from tests.engines.test_zones import fischer, timing_of, uniform
from tests.ticking import Ticking, random_timed_system
from tests.todays import todays

LONGEST, SHORTEST, BOTH = MovedEnd.LONGEST, MovedEnd.SHORTEST, MovedEnd.BOTH

FLIPPING = (
    (3, "x at end", Lever("short", BOTH)),
    (3, "x at end", Lever(1, BOTH)),
    (6, "x at end", Lever("long", SHORTEST)),
    (86, "x at end", Lever("late p0", LONGEST, (0,))),
    (88, "x at end", Lever("long", BOTH)),
    (96, "two agree", Lever(0, BOTH)),
    (98, "result is not bad", Lever(1, BOTH)),
)
"""Random systems (their seeds) of which a property flips where a lever is moved."""


def margins_of(system, timing, name, limit=20_000):
    bursts = timed_bursts(system, timing, system.properties_named([name]))
    return Margins(bursts, 0, limit=limit, deadline=monotonic() + 100)


def disagreements(seed, name, lever, ticks=2):
    """What margins and ticking say differently of a random system, at lengths in so many ticks a second."""
    system, delays, starts = random_timed_system(random.Random(seed))
    found = margins_of(system, timing_of(delays, starts), name, limit=300)
    margin = found.of(lever)
    for shift in shifts_of(found, lever, ticks):
        known = next(one.possibility for one in margin.known if one.shifts.has(ShiftSpot(shift)))
        ticked = ticking(system, delays, starts, lever, shift, name, ticks)
        if known is not Possibility.UNKNOWN and (known is Possibility.POSSIBLE) is not ticked:
            yield seed, lever, shift, known
    for flip in margin.flips:
        if flip.sides[0].possibility is flip.sides[1].possibility:
            yield seed, lever, flip


def any_lever(seed):
    """A lever of the random system of this seed, with a property."""
    rng = random.Random(seed)
    system, delays, starts = random_timed_system(rng)
    names = [prop.name for prop in Ticking(system, delays, starts).properties]
    timing = timing_of(delays, starts)
    return seed, rng.choice(names), rng.choice(levers_of(margins_of(system, timing, names[0]), timing))


def levers_of(found, timing):
    return [*levers(found.base, found.bursts.semantics.names, timing)]


def shifts_of(found, lever, ticks):
    """The shifts that are ticked: those of the domain, some seconds around the present."""
    domain = lever.domain(found.base)
    shifts = (Fraction(tick, ticks) for tick in range(-4 * ticks, 5 * ticks))
    return [shift for shift in shifts if domain.has(ShiftSpot(shift))]


def ticking(system, delays, starts, lever, shift, name, ticks):
    """Whether the property is decided in some behaviour with that lever moved, by explicit ticking."""
    delays = {one: [ticks * end for end in ends] for one, ends in delays.items()}
    starts = {one: [ticks * end for end in ends] for one, ends in starts.items()}
    of = Ticking(system, delays, starts).names[lever.of] if isinstance(lever.of, int) else lever.of
    ends = delays[of] if of in delays else starts[of.removeprefix("late ")]  # see `timing_of`
    ends[0] += int(ticks * shift) if lever.end is not LONGEST else 0
    ends[1] += int(ticks * shift) if lever.end is not SHORTEST else 0
    ticked = Ticking(system, delays, starts)
    prop = next(prop for prop in ticked.properties if prop.name == name)
    return ticked.answer(prop).verdict != "impossible"


def test_margins_say_what_ticking_says_at_every_half_second():
    assert [wrong for asked in FLIPPING for wrong in disagreements(*asked)] == []


@pytest.mark.slow
def test_margins_say_what_ticking_says_of_a_duration_of_fifty_systems():
    asked = map(any_lever, todays(range(100, 150)))
    assert [wrong for one in asked for wrong in disagreements(*one, ticks=1)] == []


def test_the_gate_sees_flips_both_ways():
    flips = set()
    for seed, name, lever in FLIPPING:
        system, *rest = random_timed_system(random.Random(seed))
        margin = margins_of(system, timing_of(*rest), name).of(lever)
        assert margin.flips
        flips |= {tuple(side.possibility for side in flip.sides) for flip in margin.flips}
    assert len(flips) == 2


def _wholly(bounds, count, within):
    return within


def _less(lever, clockwork, by, moved=Lever.moved):
    return moved(lever, clockwork, by._replace(last=by.first))


TWINS = {
    "a way is possible wherever it was found": (margins_module, "possible_shifts", _wholly),
    "only one end of a stretch is asked": (Lever, "moved", _less),
    "the clock is not set": (Bursts, "set_clock", lambda *_: None),
}


@pytest.mark.parametrize("twin", TWINS)
def test_the_gate_catches_a_wrong_search_of_margins(twin, monkeypatch):
    monkeypatch.setattr(*TWINS[twin])

    def wrong():
        for asked in FLIPPING:
            try:
                yield from disagreements(*asked)
            except AssertionError:  # a way that no times allow
                yield asked

    assert [*islice(wrong(), 1)]


def flips_of(found, of, end):
    """Where the verdict flips: the last length with the present verdict, whether it is in, and what is beyond."""
    lever = Lever(of, end)
    bounds = lever.bounds(found.base)
    now = bounds.high if end is LONGEST else bounds.low
    return [
        (float(now + flip.last.figure), not flip.last.side, flip.sides[1].possibility.value)
        for flip in found.of(lever).flips
    ]


@pytest.mark.parametrize("processes", [2, 3, 4])
def test_fischers_protocol_flips_where_the_write_may_last_as_long_as_the_wait(processes):
    delays = {"write": uniform(0, 2), "wait": uniform(3, 5), "work": uniform(0, 10)}
    found = margins_of(fischer(processes), Timing(delays=delays), "one at a time")
    assert flips_of(found, "write", LONGEST) == [(3, False, "possible")]
    assert flips_of(found, "wait", SHORTEST) == [(2, False, "possible")]
    assert flips_of(found, "wait", LONGEST) == []
    assert flips_of(found, "work", LONGEST) == []


def test_an_open_end_flips_beyond_the_figure_itself():
    delays = {"write": uniform(0, 2, ["high"]), "wait": uniform(3, 5), "work": uniform(0, 10)}
    found = margins_of(fischer(2), Timing(delays=delays), "one at a time")
    assert flips_of(found, "write", LONGEST) == [(3, True, "possible")]


def test_a_threshold_that_is_no_decimal_fraction_is_exact():
    x = Register("x", 0)
    late = Register("late", 0)

    def sleeper():
        for _ in range(3):
            yield delay("nap")
        yield late.write((yield x.read()))

    def writer():
        yield delay("write")
        yield x.write(1)

    system = System(
        objects=[x, late],
        processes=[Process("sleeper", sleeper), Process("writer", writer)],
        properties=[always("not late", lambda state: state[late] == 0, reads=[late])],
    )
    found = margins_of(system, Timing(delays={"nap": uniform(1, 1), "write": uniform(10, 10)}), "not late")
    [flip] = found.of(Lever("nap", BOTH)).flips
    assert (1 + flip.last.figure, flip.last.side) == (Fraction(10, 3), -1)
    assert [side.possibility for side in flip.sides] == [Possibility.IMPOSSIBLE, Possibility.POSSIBLE]
    assert flip.because == ("'write' of writer lasts at least 10 s",)


def test_a_length_may_be_safe_between_two_that_are_not():
    x, met = Register("x", "free"), Register("met", 0)

    def first():
        yield delay("begin")
        yield x.write("taken")
        yield delay("hold")
        yield x.write("free")

    def second():
        yield delay("sleep")
        if (yield x.read()) == "taken":
            yield met.write(1)

    system = System(
        objects=[x, met],
        processes=[Process("first", first), Process("second", second)],
        properties=[always("they do not meet", lambda state: state[met] == 0, reads=[met])],
    )
    delays = {"begin": uniform(10, 10), "hold": uniform(5, 5), "sleep": uniform(12, 12)}
    found = margins_of(system, Timing(delays=delays), "they do not meet")
    known = found.of(Lever("sleep", BOTH)).known
    assert [one.possibility.value for one in known] == ["impossible", "possible", "impossible"]
    assert [12 + spot.figure for spot in known[1].shifts] == [10, 15]
    assert found.of(Lever("sleep", BOTH)).is_whole


def test_what_is_not_asked_in_time_is_not_known():
    delays = {"write": uniform(0, 2), "wait": uniform(3, 5), "work": uniform(0, 10)}
    system = fischer(2)
    bursts = timed_bursts(system, Timing(delays=delays), system.properties_named(["one at a time"]))
    found = Margins(bursts, 0, limit=20_000, deadline=monotonic() + 100)
    found.deadline = monotonic()
    margin = found.of(Lever("write", LONGEST))
    assert not margin.is_whole
    assert margin.flips == ()
    assert {one.why for one in margin.known} == {"", "the time given was over"}


def test_a_search_that_reaches_its_limit_is_not_known():
    delays = {"write": uniform(0, 2), "wait": uniform(3, 5), "work": uniform(0, 10)}
    found = margins_of(fischer(2), Timing(delays=delays), "one at a time", limit=2)
    assert (found.present.possibility, found.present.why) == (
        Possibility.UNKNOWN,
        "the limit of 2 zones was reached",
    )
