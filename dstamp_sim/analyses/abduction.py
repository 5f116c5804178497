"""Which mechanism can have produced what was observed, and what it must assume: possible, impossible, or undetermined.

Everything is asked of the systems that a model builds; the engines are handed in as functions. A row judges one
mechanism under one answer to each question that the evidence leaves open, for all observed runs *jointly*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import combinations_with_replacement, product
from typing import Any

from dstamp_sim.analyses.overlap import Order
from dstamp_sim.analyses.turns import Role, cast
from dstamp_sim.core.mechanism import Hypotheses, Mechanism
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace
from dstamp_sim.core.verdict import Verdict

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
    """What an engine says: can all come out as observed (VIOLATED: yes, by `trace`), over how many states, and why."""

    verdict: Verdict
    reason: str
    trace: Trace | None = None


@dataclass(frozen=True)
class Engines:
    """How systems are judged: each for itself, and for any number of the processes of these names."""

    reach: Callable[[System], Reached]
    reach_any: Callable[[System, Sequence[str]], Reached]


@dataclass(frozen=True)
class Found:
    """The least number of unseen partners with which all is possible, and the behaviour that shows it."""

    unseen: int
    system: System
    trace: Trace
    assumed: tuple[str, ...]


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

    `timed` are the orders under the longest duration of a run, `untimed` those without; `most_unseen` bounds the search.
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

    def row(self) -> Row:
        bearings = {item.name: self._bearing(item) for item in (*self.case.runs, *self.case.probes)}
        against = [name for name, bearing in bearings.items() if bearing is Bearing.CONTRADICTS]
        if against:
            why = f"{', '.join(against)}: such an outcome is unreachable, with any number of partners"
            return self._row(Possible.IMPOSSIBLE, why, bearings)
        untimed, exhaustive = self._least(self.case.untimed)
        if untimed is None:
            verdict = Possible.UNDETERMINED
            bound = f"up to {self.case.most_unseen} unseen partners"
            why = f"not with {bound}; more were not tried" if exhaustive else f"the search did not end with {bound}"
            return self._row(verdict, why, bearings)
        timed, exhaustive = self._least(self.case.timed, untimed.unseen)
        if timed is None:
            why = f"possible without regard to time; in time not with up to {self.case.most_unseen} unseen partners"
            return self._row(Possible.UNDETERMINED, why, bearings, None, untimed)
        why = "alone" if timed.unseen == 0 else f"needs {timed.unseen} unseen partner" + "s" * (timed.unseen > 1)
        return self._row(Possible.POSSIBLE, why, bearings, timed, untimed)

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
        """How the mechanism bears on one item: can it come out so with any partners, and without any mechanism?"""
        with_it = self._probed(item, self.mechanism.factory) if item.probe else self._any_partners(item)
        if with_it.verdict is Verdict.HOLDS:
            return Bearing.CONTRADICTS
        without = self._probed(item, self.hypotheses.nothing) if item.probe else self._alone(item)
        if with_it.verdict is Verdict.UNDETERMINED or without.verdict is Verdict.UNDETERMINED:
            return Bearing.OPEN
        return Bearing.SILENT if without.verdict is Verdict.VIOLATED else Bearing.EXPLAINS

    def _probed(self, item: Observation, factory: Callable[..., System]) -> Reached:
        fixed = getattr(factory, "keywords", {}) if factory is self.mechanism.factory else {}
        system = self.hypotheses.probes[item.name](**{**fixed, **self.settings})
        return self.engines.reach(cast(system, [Role(item.name, item.fields)], {}))

    def _alone(self, item: Observation) -> Reached:
        identity = {key: tuple([value if value is not None else 1]) for key, value in item.identity.items()}
        system = self.hypotheses.nothing(**{**identity, **self.settings, **self._sight(), "runs": 1})
        return self.engines.reach(cast(system, [Role(item.name, item.fields)], {}))

    def _any_partners(self, item: Observation) -> Reached:
        """One observed run among any number of partners like it and any number of another identity."""
        own = {key: 1 if value is None else value for key, value in item.identity.items()}
        roles = [Role(item.name, item.fields), Role(PARTNER, None, "like it"), Role(f"{PARTNER} other", None, "other")]
        identities = [own, own, _fresh([own])]
        system = cast(self._system(identities), roles, {})
        return self.engines.reach_any(system, [roles[1].name, roles[2].name])

    def _least(self, orders: Sequence[Order], least: int = 0) -> tuple[Found | None, bool]:
        """The least number of unseen partners, from `least` on, and whether every smaller number was refuted."""
        exhaustive = True
        for unseen in range(least, self.case.most_unseen + 1):
            for order, identities in product(orders, self._identities()):
                found, complete = self._with(unseen, order, identities)
                exhaustive = exhaustive and complete
                if found is not None:
                    return found, exhaustive
        return None, exhaustive

    def _with(self, unseen: int, order: Order, identities: Sequence[Mapping[str, Any]]) -> tuple[Found | None, bool]:
        known = list(dict.fromkeys(tuple(identity.items()) for identity in identities))
        choices = [dict(items) for items in known]
        complete = True
        for partners in combinations_with_replacement(list(product(range(len(order.unseen)), choices)), unseen):
            system = self._joint(order, identities, partners)
            reached = self.engines.reach(system)
            complete = complete and reached.verdict is not Verdict.UNDETERMINED
            if reached.trace is not None:
                return Found(unseen, system, reached.trace, self._assumed(order, identities)), complete
        return None, complete

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
        return cast(self._system([*identities, *(identity for _, identity in partners)]), roles, follows)

    def _system(self, identities: Sequence[Mapping[str, Any]]) -> System:
        keys = [key for key in self.hypotheses.identity if key not in self.settings]
        per_run = {key: tuple(identity[key] for identity in identities) for key in keys}
        given = {**self.settings, **self._sight(), **per_run, "runs": len(identities)}
        return self.mechanism.factory(**given)

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
        return [key for key in self.hypotheses.identity if key not in self.settings]

    def _assumed(self, order: Order, identities: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        told = [f"the times are {order.reading}s"] if order.reading else []
        for key in self._quantified():
            if any(run.identity.get(key) is None for run in self.case.runs):
                values = [identity[key] for identity in identities]
                told.append(f"{key} of {', '.join(run.name for run in self.case.runs)}: {_pattern(values)}")
        return tuple(told)


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
