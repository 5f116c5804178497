"""Which runs can have overlapped, by their known times.

A run that begins at t and lasts at most T performs all its ops between t and t + T, and no durations inside it are
known. So an order of all runs' ops is possible in time exactly if no op of a run comes after an op of a run that can
begin only once the first must be over: all of the timing is *who is over before whom begins* (see
docs/how-it-works.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from math import inf


@dataclass(frozen=True)
class ObservedTime:
    """An observed run's time in seconds (None: unknown), its meaning, its end if both are known, and its company.

    Times with the same `group` have times of the same meaning if that meaning is unknown.
    """

    name: str
    time_s: float | None
    means: str
    until_s: float | None
    solo: bool
    group: str


Unseen = tuple[tuple[frozenset[str], frozenset[str]], ...]


@dataclass(frozen=True)
class IntervalOrder:
    """Which runs are over before which begin: pairs (first, second) of names, for one reading of the times.

    `reading` says what the times then are (empty: it makes no difference). `unseen` are the ways in which a partner
    that nobody saw can lie among them, each as the runs that are over before it begins and the runs that begin only
    when it is over. `windows` are the earliest and the latest instant of each run.
    """

    pairs: frozenset[tuple[str, str]]
    unseen: Unseen
    reading: str
    windows: tuple[tuple[str, float, float], ...] = ()

    def together(self) -> list[frozenset[str]]:
        """The runs in groups, in order: no run of one can have overlapped a run of another."""
        groups: list[frozenset[str]] = []
        for name, _, _ in sorted(self.windows, key=lambda window: window[1:]):
            near = [of for of in groups if any(not {(name, o), (o, name)} & self.pairs for o in of)]
            groups = [*(of for of in groups if of not in near), frozenset({name}).union(*near)]
        return groups

    def only(self, names: Collection[str]) -> IntervalOrder:
        """The same order with only these observed."""
        kept = frozenset(names)
        pairs = frozenset(pair for pair in self.pairs if kept.issuperset(pair))
        places = {(before & kept, after & kept) for before, after in self.unseen}
        free = _freest(place for place in places if len(place[1]) < len(kept))
        return IntervalOrder(pairs, free, self.reading, tuple(one for one in self.windows if one[0] in kept))


def orders(times: Sequence[ObservedTime], longest_s: float) -> list[IntervalOrder]:
    """The orders that the times allow, one per reading of what they mean, without equal ones.

    `longest_s` is how long a run lasts at most; inf uses only starts, ends, and that a solo run overlaps nobody.
    """
    found: dict[tuple[frozenset[tuple[str, str]], Unseen], dict[str, Mapping[str, tuple[float, float]]]] = {}
    for reading in _readings(times):
        windows = {s.name: _window(s, reading.get(s.group, s.means), longest_s) for s in times}
        solo = {s.name for s in times if s.solo}
        pairs = frozenset(_pairs(windows, solo))
        meant = ", ".join(sorted(set(reading.values())))
        found.setdefault((pairs, _unseen(windows, solo, longest_s)), {})[meant] = windows
    alone = len(found) == 1
    return [
        IntervalOrder(pairs, unseen, "" if alone else " or ".join(meanings), tuple(_widest(meanings.values())))
        for (pairs, unseen), meanings in found.items()
    ]


def _widest(windows: Iterable[Mapping[str, tuple[float, float]]]) -> Iterator[tuple[str, float, float]]:
    """The window of each run that holds those of all readings."""
    known = list(windows)
    for name in known[0]:
        yield name, min(of[name][0] for of in known), max(of[name][1] for of in known)


def _readings(times: Sequence[ObservedTime]) -> Iterator[dict[str, str]]:
    groups = list(dict.fromkeys(s.group for s in times if s.means == "unknown" and s.time_s is not None))
    for meanings in product(("start", "end"), repeat=len(groups)):
        yield dict(zip(groups, meanings, strict=True))


def _window(observed: ObservedTime, means: str, longest_s: float) -> tuple[float, float]:
    """The earliest and the latest instant at which the run can have done anything."""
    if observed.time_s is None:
        return -inf, inf
    if observed.until_s is not None:
        return observed.time_s, observed.until_s
    if means == "start":
        return observed.time_s, observed.time_s + longest_s
    return observed.time_s - longest_s, observed.time_s


def _pairs(windows: Mapping[str, tuple[float, float]], solo: set[str]) -> Iterator[tuple[str, str]]:
    for a, b in product(windows, windows):
        if a != b and (windows[a][1] < windows[b][0] or (solo & {a, b} and _middle(windows[a]) < _middle(windows[b]))):
            yield a, b


def _middle(window: tuple[float, float]) -> float:
    """Where a run lies, to order a solo run among the others: its known end, or between both."""
    low, high = window
    return low if high == inf else high if low == -inf else (low + high) / 2


def _unseen(windows: Mapping[str, tuple[float, float]], solo: set[str], longest_s: float) -> Unseen:
    """Where a partner of at most `longest_s` can lie; only the places that are not more constrained than another.

    A partner that is over before any observed run begins is left out: it could act only by what it leaves behind.
    """
    edges = sorted({edge for low, high in windows.values() for edge in (low - longest_s, high) if abs(edge) != inf})
    starts = edges + [(a + b) / 2 for a, b in pairwise(edges)] + [edge + d for edge in edges[:1] for d in (-1.0,)]
    starts += [edge + 1.0 for edge in edges[-1:]] or [0.0]
    found = {place for start in starts for place in _places(windows, solo, start, start + longest_s)}
    return _freest(place for place in found if len(place[1]) < len(windows))


def _freest(places: Iterable[tuple[frozenset[str], frozenset[str]]]) -> Unseen:
    """The places that are not more constrained than another, in order."""
    found = set(places)
    free = [p for p in found if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in found)]
    return tuple(sorted(free, key=lambda place: (sorted(place[0]), sorted(place[1]))))


def _places(
    windows: Mapping[str, tuple[float, float]], solo: set[str], start: float, end: float
) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    before = {name for name, (_, high) in windows.items() if high < start}
    after = {name for name, (low, _) in windows.items() if end < low}
    undecided = sorted(solo - before - after)
    for sides in product((True, False), repeat=len(undecided)):
        earlier = {name for name, side in zip(undecided, sides, strict=True) if side}
        yield frozenset(before | earlier), frozenset(after | (set(undecided) - earlier))
