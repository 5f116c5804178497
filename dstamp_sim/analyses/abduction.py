"""Which mechanism can have produced what was observed, and what it must assume: possible, impossible, or undetermined.

Everything is asked of the systems that a model builds; the engines are handed in as functions. A row judges one
mechanism under one answer to each question that the evidence leaves open, for all observed runs *jointly*.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import combinations, combinations_with_replacement, product
from typing import Any

from dstamp_sim.analyses.overlap import Order
from dstamp_sim.analyses.turns import Role, alike, cast
from dstamp_sim.core.mechanism import Hypotheses, Mechanism
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace

MOST_OPEN = 40
"""Questions that the engines may leave undetermined before a search for the least number gives up."""

PARTNER = "unseen"
"""What partners that nobody saw are called."""


class Possible(Enum):
    """Whether a mechanism can have produced everything observed; the value is the word for it."""

    POSSIBLE = "possible"
    IMPOSSIBLE = "impossible"
    UNDETERMINED = "undetermined"


class Bearing(Enum):
    """What a mechanism has to do with one observation."""

    EXPLAINS = "explains"
    CONTRADICTS = "contradicts"
    SILENT = "is silent on"
    OPEN = "undetermined"


@dataclass(frozen=True)
class Observation:
    """One observed run or probe: its name, what was read of it, and which run it was (None: not known which)."""

    name: str
    fields: tuple[tuple[str, Any], ...]
    identity: Mapping[str, Any] = field(default_factory=dict)
    probe: bool = False


@dataclass(frozen=True)
class Reached:
    """What an engine says: whether all can come out as observed (by `trace`), and why."""

    verdict: Possible
    reason: str
    trace: Trace | None = None


@dataclass(frozen=True)
class Engines:
    """How systems are judged: each for itself, and for any number of the processes of these names."""

    reach: Callable[[System], Reached]
    reach_any: Callable[[System, Sequence[str]], Reached]


@dataclass(frozen=True)
class Found:
    """The least number of unseen partners with which all is possible, and the behaviour that shows it.

    `exact` is whether every smaller number was refuted.
    """

    unseen: int
    system: System
    trace: Trace
    assumed: tuple[str, ...]
    exact: bool = True

    def told(self) -> str:
        """The number in words."""
        return f"{'exactly' if self.exact else 'at most'} {_partners(self.unseen)}"


@dataclass(frozen=True)
class Row:
    """A mechanism under one reading: the verdict and why, with what it must assume and how it bears on each item.

    `timed` respects who can have overlapped, `untimed` ignores how long runs last; None where nothing was found.
    """

    mechanism: str
    reading: Mapping[str, str]
    settings: Mapping[str, Any]
    verdict: Possible
    why: str
    timed: Found | None = None
    untimed: Found | None = None
    bearings: Mapping[str, Bearing] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """What is to be explained: the observed runs, the probes, the orders in time, and the parts that never changed.

    `timed` are the orders under the longest duration of a run, `untimed` those without. `most_unseen` partners are
    tried at most.
    """

    runs: Sequence[Observation]
    probes: Sequence[Observation]
    timed: Sequence[Order]
    untimed: Sequence[Order]
    constants: frozenset[str] = frozenset()
    most_unseen: int = 3


def judge(name: str, mechanism: Mechanism, hypotheses: Hypotheses, case: Case, engines: Engines) -> list[Row]:
    """A row per reading of the questions on which the mechanism depends."""
    return [
        _Judging(name, mechanism, hypotheses, case, engines, reading, settings).row()
        for reading, settings in readings(mechanism, hypotheses, case.constants)
    ]


def readings(
    mechanism: Mechanism, hypotheses: Hypotheses, constants: frozenset[str]
) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """Every combination of answers to the questions on which a mechanism depends, with the parameters it stands for.

    Where the part in which its fault lies is known never to have changed, only first readings of that part are left.
    """
    names = mechanism.open
    choices = []
    for name in names:
        question = hypotheses.questions[name]
        answers = list(question.readings)
        part = mechanism.part if question.part == "fault" else question.part
        choices.append(answers[:1] if part in constants else answers)
    for answer in product(*choices):
        settings: dict[str, Any] = {}
        for name, reading in zip(names, answer, strict=True):
            settings |= hypotheses.questions[name].readings[reading]
        yield dict(zip(names, answer, strict=True)), settings


@dataclass
class _Judging:
    """One row under way."""

    name: str
    mechanism: Mechanism
    hypotheses: Hypotheses
    case: Case
    engines: Engines
    reading: Mapping[str, str]
    settings: Mapping[str, Any]
    known: dict[Hashable, Bearing] = field(default_factory=dict)

    def row(self) -> Row:
        bearings = {item.name: self._bearing(item) for item in (*self.case.runs, *self.case.probes)}
        against = [name for name, bearing in bearings.items() if bearing is Bearing.CONTRADICTS]
        if against:
            why = f"{', '.join(against)}: such an outcome is unreachable, with any number of partners"
            return self._row(Possible.IMPOSSIBLE, why, bearings)
        undecided = [name for name, bearing in bearings.items() if bearing is Bearing.OPEN]
        if undecided:
            return self._row(Possible.UNDETERMINED, f"{', '.join(undecided)}: not decided within the bounds", bearings)
        timed, refuted = self._least(self.case.timed, self.case.most_unseen)
        untimed, _ = self._least(self.case.untimed, timed.unseen if timed else self.case.most_unseen, timed)
        if timed is None:
            bound = f"with up to {_partners(self.case.most_unseen)}"
            why = f"not {bound}; more were not tried" if refuted else f"the search {bound} did not end"
            why += f"; without regard to how long runs last, {untimed.told()} will do" if untimed else ""
            return self._row(Possible.UNDETERMINED, why, bearings, None, untimed)
        return self._row(Possible.POSSIBLE, self._needs(timed, untimed), bearings, timed, untimed)

    def _needs(self, timed: Found, untimed: Found | None) -> str:
        """How many unseen partners it takes, and what a closed cluster cannot do."""
        if timed.unseen == 0:
            return "alone"
        told = f"needs {timed.told()} within the timing constraint"
        if untimed is None or untimed.unseen == 0:
            return f"{told}, none without it" if untimed else told
        told += f", {untimed.told()} without it"
        if not (untimed.exact and self.mechanism.window.by_others):
            return told
        window = self.mechanism.window
        return (
            f"{told}: in a closed cluster not all can have come out so, in whatever order; the run after whose "
            f"{window.opening.removeprefix('its ')} no {window.writer} comes any more cannot"
        )

    def _row(
        self,
        verdict: Possible,
        why: str,
        bearings: Mapping[str, Bearing],
        timed: Found | None = None,
        untimed: Found | None = None,
    ) -> Row:
        return Row(self.name, self.reading, self.settings, verdict, why, timed, untimed, bearings)

    def _bearing(self, item: Observation) -> Bearing:
        """How the mechanism bears on one item: whether it can come out so, with partners, and without the mechanism."""
        key = (item.fields, tuple(item.identity.items()), item.name if item.probe else "")
        if key not in self.known:
            self.known[key] = self._asked(item)
        return self.known[key]

    def _asked(self, item: Observation) -> Bearing:
        with_it = self._probed(item, self.mechanism.factory) if item.probe else self._joined(item)
        if with_it.verdict is Possible.IMPOSSIBLE:
            return Bearing.CONTRADICTS
        without = self._probed(item, self.hypotheses.nothing) if item.probe else self._alone(item)
        if Possible.UNDETERMINED in (with_it.verdict, without.verdict):
            return Bearing.OPEN
        return Bearing.SILENT if without.verdict is Possible.POSSIBLE else Bearing.EXPLAINS

    def _probed(self, item: Observation, factory: Callable[..., System]) -> Reached:
        fixed = getattr(factory, "keywords", {}) if factory is self.mechanism.factory else {}
        system = self.hypotheses.probes[item.name](**{**fixed, **self.settings})
        return self.engines.reach(cast(system, [Role(item.name, item.fields)], {}))

    def _alone(self, item: Observation) -> Reached:
        identity = {key: (1 if value is None else value,) for key, value in item.identity.items()}
        system = self.hypotheses.nothing(**{**identity, **self.settings, **self._sight(), "runs": 1})
        return self.engines.reach(cast(system, [Role(item.name, item.fields)], {}))

    def _joined(self, item: Observation) -> Reached:
        """One observed run among partners; first in the variant that is easier to judge, if there is one."""
        if self.mechanism.within is not None:
            wider = self._among_partners(item, self.mechanism.within)
            if wider.verdict is Possible.IMPOSSIBLE:
                return wider
        return self._among_partners(item, self.mechanism.factory)

    def _among_partners(self, item: Observation, factory: Callable[..., System]) -> Reached:
        """One observed run alone, with a partner or two, then among any number like it and of another identity."""
        own = {key: 1 if value is None else value for key, value in item.identity.items()}
        identities, groups = [own, own, _fresh([own])], ["", "like it", "other"]
        if not self._quantified():  # every run is of another identity
            identities, groups = identities[:2], groups[:2]
        roles = [Role(item.name, item.fields), *(Role(f"{PARTNER}, {group}", None, group) for group in groups[1:])]
        for count in range(1, len(groups) + 1):
            system = cast(self._system(identities[:count], factory), roles[:count], {})
            reached = self.engines.reach(system)
            if reached.trace is not None:
                return reached
        return self.engines.reach_any(system, [role.name for role in roles[1:]])

    def _least(self, orders: Sequence[Order], most: int, otherwise: Found | None = None) -> tuple[Found | None, bool]:
        """The least number of unseen partners up to `most`, and whether every number below (or all) was refuted.

        `otherwise` is known to be possible with `most`.
        """
        left_open = 0
        for unseen in range(most + (otherwise is None)):
            below = left_open == 0
            for order, identities in product(orders, self._identities()):
                found, undetermined = self._with(unseen, order, identities)
                if found is not None:
                    return replace(found, exact=below), below
                left_open += undetermined
                if left_open > MOST_OPEN:
                    return otherwise and replace(otherwise, exact=False), False
        return otherwise and replace(otherwise, exact=left_open == 0), left_open == 0

    def _with(self, unseen: int, order: Order, identities: Sequence[Mapping[str, Any]]) -> tuple[Found | None, int]:
        """What this many partners can do in this order with these identities, and how many questions stay open."""
        known = list(dict.fromkeys(tuple(identity.items()) for identity in identities))
        choices = [dict(items) for items in known]
        left_open = 0
        for partners in combinations_with_replacement(list(product(range(len(order.unseen)), choices)), unseen):
            system = self._joint(order, identities, partners)
            reached = self.engines.reach(system)
            if reached.trace is not None:
                return Found(unseen, system, reached.trace, self._assumed(order, identities)), left_open
            left_open += reached.verdict is Possible.UNDETERMINED
        return None, left_open

    def _joint(
        self,
        order: Order,
        identities: Sequence[Mapping[str, Any]],
        partners: Sequence[tuple[int, Mapping[str, Any]]],
    ) -> System:
        """The system of all observed runs and these partners, in this order of time."""
        roles = [Role(item.name, item.fields, item.name) for item in self.case.runs]
        follows = {item.name: frozenset(a for a, b in order.pairs if b == item.name) for item in self.case.runs}
        for number, (place, _) in enumerate(partners):
            group = f"{PARTNER} {place + 1}"
            roles.append(Role(f"{PARTNER}-{number + 1}", None, group))
            before, after = order.unseen[place]
            follows[group] = before
            follows |= {name: follows[name] | {group} for name in after}
        roles, follows = alike(roles, follows)
        everyone = [*identities, *(identity for _, identity in partners)]
        return cast(self._system(everyone, self.mechanism.factory), roles, follows)

    def _system(self, identities: Sequence[Mapping[str, Any]], factory: Callable[..., System]) -> System:
        per_run = {key: tuple(identity[key] for identity in identities) for key in self._quantified()}
        given = {**self.settings, **self._sight(), **per_run, "runs": len(identities)}
        return factory(**given)

    def _sight(self) -> dict[str, Any]:
        seen = {name for item in self.case.runs for name, _ in item.fields}
        return {key: value for name in seen for key, value in self.hypotheses.sight.get(name, {}).items()}

    def _identities(self) -> list[list[dict[str, Any]]]:
        """What the runs' unknown identities can be, up to renaming: all the same first, then all different."""
        columns = [list(assignments([run.identity.get(key) for run in self.case.runs])) for key in self._quantified()]
        fixed = [{k: v for k, v in run.identity.items() if k not in self._quantified()} for run in self.case.runs]
        return [
            [{**fixed[i], **{key: column[i] for key, column in zip(self._quantified(), combined, strict=True)}}
             for i in range(len(self.case.runs))]
            for combined in product(*columns)
        ]  # fmt: skip

    def _quantified(self) -> list[str]:
        """The parts of a run's identity that neither the mechanism nor the reading fixes."""
        fixed = {*self.settings, *getattr(self.mechanism.factory, "keywords", {})}
        return [key for key in self.hypotheses.identity if key not in fixed]

    def _assumed(self, order: Order, identities: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        told = [f"the times are {order.reading}s"] if order.reading else []
        for key in self._quantified():
            if any(run.identity.get(key) is None for run in self.case.runs):
                values = [identity[key] for identity in identities]
                told.append(f"{key} of {', '.join(run.name for run in self.case.runs)}: {_pattern(values)}")
        return tuple(told)


def _partners(count: int) -> str:
    return f"{count} unseen partner" + "s" * (count != 1)


def assignments(values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """`values` with each None replaced: by a value that is known or given to another, or by a fresh one.

    All ways up to renaming of fresh values; fewest different ones first, then most, then the rest.
    """
    found: list[tuple[Any, ...]] = [()]
    for value in values:
        found = [(*begun, choice) for begun in found for choice in _choices(value, begun, values)]
    ranked = sorted(found, key=lambda given: len(set(given)))
    return ranked[:1] + ranked[-1:] + ranked[1:-1] if len(ranked) > 1 else ranked


def _choices(value: Any, begun: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    if value is not None:
        return [value]
    known = [other for other in values if other is not None]
    used = list(dict.fromkeys([*known, *begun]))
    return [*used, next(number for number in range(1, len(used) + 2) if number not in used)]


def _fresh(identities: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """An identity that differs from all of these in every part that is a number."""
    first = dict(identities[0])
    return {
        key: 1 + max(other[key] for other in identities) if isinstance(value, int) else value
        for key, value in first.items()
    }


def _pattern(values: Sequence[Any]) -> str:
    if len(set(values)) == 1:
        return "all the same"
    return "all different" if len(set(values)) == len(values) else ", ".join(map(str, values))


def conflict(rows: Sequence[Row]) -> tuple[str, ...]:
    """Where every row contradicts something: a smallest set of observations of which each row contradicts one.

    Empty where some row contradicts nothing. Among equally small sets the first in the order of the observations.
    """
    against = [{name for name, bearing in row.bearings.items() if bearing is Bearing.CONTRADICTS} for row in rows]
    if not against or not all(against):
        return ()
    names = [name for name in rows[0].bearings if any(name in some for some in against)]
    sets = (chosen for size in range(1, len(names) + 1) for chosen in combinations(names, size))
    return next(chosen for chosen in sets if all(some & set(chosen) for some in against))
