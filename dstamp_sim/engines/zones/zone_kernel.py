"""Zones, compiled: sets of clock values as difference bounds, and the search that visits them breadth first.

A zone is a matrix of upper bounds of differences of clocks: clock 0 is always 0, clock p + 1 counts how long the
pending delay of process p has lasted, and a last one the time since the beginning, where that is asked. A bound is one
whole number: twice the figure, plus 1 if the figure itself is allowed (Bengtsson and Yi, 2004).

A zone covers another one if every bound of it is at least as large. The clocks of a zone that is kept are widened by
their lower and upper constants (Behrmann, Bouyer, Larsen and Pelánek, 2006): how far a delay is past its least length
does not matter. No delay is longer than its greatest length, so there are finitely many zones without the last clock,
of which nothing is dropped.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from dstamp_sim.engines.tables.compiled import compiled

DONE, FULL, NOT_FOUND = 0, 1, 2
"""Why a search came back: its zones are visited, there is no room for more, or a pause's bursts are not found yet."""

INF = NO_BOUND = 1 << 60
ZERO = 1
"""The bound `at most 0`."""

RUNS, ENDS, STUCK = 0, 1, 2
"""What may become of a run in a pause: it goes on; all have ended, and it stops; nothing will ever happen."""

EARLIEST, LATEST, FOUND_ZONE, FOUND_BURST, SEEN, ASKED, UNFAILED, BURSTS = range(8)
"""The places of a search's figures: bounds of the moment, where the earliest is, what was seen, and counts."""


class Pauses(NamedTuple):
    """What the kernel knows of the pauses: by pause and process the bounds of its pending delay (`NO_BOUND`: none);
    whether time stands still; what may become of the run; and its bursts, `count[r]` from `first[r]` on.
    """  # noqa: D205 - one sentence

    low: Any
    high: Any
    still: Any
    becomes: Any
    first: Any
    count: Any
    mover: Any
    leads_to: Any
    decides: Any
    asks: Any


class Unfollowed(NamedTuple):
    """What a search does not follow: bursts that decide these properties (bits), and what comes later than one did."""

    cut: Any
    later: Any


class Zones(NamedTuple):
    """The zones found: matrices, the pause of each, the zone and burst it comes from, and those of one pause chained.

    `covered`: another one has all of its values. `head` is the first zone of a pause.
    """

    bounds: Any
    pause: Any
    parent: Any
    burst: Any
    next: Any
    covered: Any
    head: Any


@compiled
def _sum(one: Any, other: Any) -> Any:
    if one >= INF or other >= INF:
        return INF
    return one + other - ((one | other) & 1)


@compiled
def _copy(zone: Any, into: Any) -> None:
    for i in range(zone.shape[0]):
        for j in range(zone.shape[0]):
            into[i, j] = zone[i, j]


@compiled
def tighten(zone: Any, i: Any, j: Any, bound: Any) -> Any:
    """Adds the bound of clock i - clock j; False if nothing is left. The zone stays canonical."""
    if bound >= zone[i, j]:
        return True
    if _sum(bound, zone[j, i]) < ZERO:
        return False
    n = zone.shape[0]
    for k in range(n):
        to_i = _sum(zone[k, i], bound)
        for m in range(n):
            through = _sum(to_i, zone[j, m])
            zone[k, m] = min(zone[k, m], through)
    return True


@compiled
def start_clock(zone: Any, i: Any) -> None:
    """Sets clock i to 0."""
    for j in range(zone.shape[0]):
        zone[i, j], zone[j, i] = zone[0, j], zone[j, 0]
    zone[i, i] = ZERO


@compiled
def forget_clock(zone: Any, i: Any) -> None:
    """Lets clock i have any value: nothing depends on it any more."""
    for j in range(zone.shape[0]):
        zone[i, j], zone[j, i] = INF, zone[j, 0]
    zone[i, i] = ZERO


@compiled
def _let_time_pass(zone: Any) -> None:
    for i in range(1, zone.shape[0]):
        zone[i, 0] = INF


@compiled
def _close(zone: Any) -> None:
    n = zone.shape[0]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                through = _sum(zone[i, k], zone[k, j])
                zone[i, j] = min(zone[i, j], through)


@compiled
def _keep_to_bounds(zone: Any, high: Any) -> None:
    """No pending delay lasts longer than it may."""
    for p in range(high.shape[0]):
        if high[p] < NO_BOUND:
            tighten(zone, p + 1, 0, high[p])


@compiled
def widen(zone: Any, low: Any, high: Any) -> None:
    """Drops upper bounds that are past a delay's least length: what can follow does not depend on them.

    Drops all lower bounds of a delay that may last for ever: who has waited for longer can do no less.
    """
    changed = False
    for p in range(low.shape[0]):
        if low[p] < NO_BOUND and high[p] >= NO_BOUND:
            zone[0, p + 1], changed = ZERO, True
            for j in range(1, zone.shape[0]):
                if j != p + 1:
                    zone[j, p + 1] = INF
        if low[p] < NO_BOUND:
            for j in range(zone.shape[0]):
                if j != p + 1 and zone[p + 1, j] < INF and (zone[p + 1, j] >> 1) > -(low[p] >> 1):
                    zone[p + 1, j], changed = INF, True
    if changed:
        _close(zone)
        _keep_to_bounds(zone, high)


@compiled
def covers(zone: Any, other: Any) -> Any:
    """Whether `zone` has all values of `other`."""
    for i in range(zone.shape[0]):
        for j in range(zone.shape[0]):
            if zone[i, j] < other[i, j]:
                return False
    return True


@compiled
def _may_end(zone: Any, high: Any, work: Any) -> Any:
    """Whether no pending delay need end at this very instant."""
    _copy(zone, work)
    for p in range(high.shape[0]):  # noqa: SIM110 - the compiler knows no all()
        if high[p] < NO_BOUND and not tighten(work, p + 1, 0, high[p] & ~1):
            return False
    return True


@compiled
def enter(desk: Any, pauses: Any, r: Any, zones: Any, count: Any, came: Any, burst: Any, figures: Any) -> Any:
    """Keeps the zone on the desk with which pause r begins, once time has passed there, unless it is covered.

    Returns the number of zones, or -1 if there is no room.
    """
    zone, work = desk[0], desk[1]
    if not pauses.still[r]:
        _let_time_pass(zone)
    _keep_to_bounds(zone, pauses.high[r])
    if pauses.becomes[r] == STUCK or (pauses.becomes[r] == ENDS and _may_end(zone, pauses.high[r], work)):
        figures[UNFAILED] = 1
    widen(zone, pauses.low[r], pauses.high[r])
    z = zones.head[r]
    while z >= 0:
        if not zones.covered[z]:
            if covers(zones.bounds[z], zone):
                return count
            if covers(zone, zones.bounds[z]):
                zones.covered[z] = True
        z = zones.next[z]
    if count == zones.pause.shape[0]:
        return -1
    _copy(zone, zones.bounds[count])
    zones.pause[count], zones.parent[count], zones.burst[count] = r, came, burst
    zones.covered[count], zones.next[count] = False, zones.head[r]
    zones.head[r] = count
    return count + 1


@compiled
def _note_moment(zone: Any, z: Any, burst: Any, figures: Any) -> None:
    """Notes the moments at which a deciding burst may happen, by the last clock."""
    last = zone.shape[0] - 1
    if zone[0, last] > figures[EARLIEST]:
        figures[EARLIEST], figures[FOUND_ZONE], figures[FOUND_BURST] = zone[0, last], z, burst
    figures[LATEST] = max(figures[LATEST], zone[last, 0])


@compiled
def advance(at: Any, end: Any, count: Any, zones: Any, pauses: Any, unfollowed: Any, figures: Any, desk: Any) -> Any:
    """Visits the zones from `at` to `end`: what every burst makes of them.

    Bursts of `unfollowed` are not followed: those that decide its `cut` are noted with their moments. Returns why it
    came back, the first zone not visited, and the number of zones.
    `desk` has room for two matrices.
    """
    zone, last = desk[0], desk.shape[1] - 1
    while at < min(end, count):
        r = zones.pause[at]
        if zones.covered[at]:
            at += 1
            continue
        if pauses.count[r] < 0:
            return NOT_FOUND, at, count
        for burst in range(pauses.first[r], pauses.first[r] + pauses.count[r]):
            p, to = pauses.mover[burst], pauses.leads_to[burst]
            _copy(zones.bounds[at], zone)
            if pauses.low[r, p] < NO_BOUND and not tighten(zone, 0, p + 1, pauses.low[r, p]):
                continue
            figures[BURSTS] += 1
            figures[SEEN] |= pauses.decides[burst]
            figures[ASKED] |= pauses.asks[burst]
            if pauses.decides[burst] & unfollowed.cut:
                _note_moment(zone, at, burst, figures)
                continue
            if unfollowed.later and zone[0, last] <= figures[EARLIEST]:
                continue
            if pauses.low[to, p] < NO_BOUND:
                start_clock(zone, p + 1)
            else:
                forget_clock(zone, p + 1)
            added = enter(desk, pauses, to, zones, count, at, burst, figures)
            if added < 0:
                return FULL, at, count
            count = added
        at += 1
    return DONE, at, count
