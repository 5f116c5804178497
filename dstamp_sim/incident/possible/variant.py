"""A mechanism under one reading, or two mechanisms at once: the systems that a judgement asks about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, product
from typing import Any

from dstamp_sim.core.experiment import Experiment
from dstamp_sim.core.mechanism import Hypotheses, Mechanism
from dstamp_sim.core.system import System
from dstamp_sim.incident.possible.case import Observation
from dstamp_sim.incident.possible.identities import another, assignments

Factory = Callable[..., System]


@dataclass(frozen=True)
class Variant:
    """A mechanism with the answers to the questions on which it depends, and their parameters."""

    name: str
    mechanism: Mechanism
    hypotheses: Hypotheses
    reading: Mapping[str, str]
    settings: Mapping[str, Any]

    def system(self, factory: Factory, identities: Sequence[Mapping[str, Any]], runs: Sequence[Observation]) -> System:
        """The system of runs with these identities, in which every field that was read of `runs` can be read."""
        per_run = {key: tuple(identity[key] for identity in identities) for key in self.quantified()}
        return factory(**{**self.settings, **self.needs(runs), **per_run, "runs": len(identities)})

    def alone(self, item: Observation, runs: Sequence[Observation]) -> System:
        """The system of one observed run without the mechanism."""
        identity = {key: (value,) for key, value in self.identity(item).items()}
        return self.hypotheses.nothing(**{**identity, **self.settings, **self.needs(runs), "runs": 1})

    def identity(self, item: Observation) -> dict[str, Any]:
        """Who an observed run can be, seen by itself: what is not known of it is made up."""
        return {
            key: another((), self.hypotheses.kind(key)) if value is None else value
            for key, value in item.identity.items()
        }

    def probe(self, item: Observation, factory: Factory) -> System:
        """The system of a probe."""
        fixed = _keywords(factory) if factory is self.mechanism.factory else {}
        return self.hypotheses.probes[item.name](**{**fixed, **self.settings})

    def experiment(self, experiment: Experiment, factory: Factory) -> System:
        """The system of the runs of an experiment."""
        return factory(**{**self.settings, **experiment.settings})

    def needs(self, runs: Sequence[Observation]) -> dict[str, Any]:
        """The parameters with which results have the fields that were observed."""
        return self.hypotheses.evidence.needs(dict.fromkeys(name for item in runs for name, _ in item.fields))

    @property
    def apart(self) -> bool:
        """Whether it is judged where runs share nothing by their identity."""
        return bool(self.hypotheses.apart) and self.hypotheses.apart.items() <= dict(self.settings).items()

    def quantified(self) -> list[str]:
        """The parts of a run's identity that neither the mechanism nor the reading fixes."""
        fixed = {*self.settings, *_keywords(self.mechanism.factory)}
        return [key for key in self.hypotheses.identity if key not in fixed]

    def identities(self, runs: Sequence[Observation]) -> list[list[dict[str, Any]]]:
        """What the runs' unknown identities can be, up to renaming: all the same first, then all different."""
        keys = self.quantified()
        columns = [assignments([run.identity.get(key) for run in runs], self.hypotheses.kind(key)) for key in keys]
        fixed = [{k: v for k, v in run.identity.items() if k not in keys} for run in runs]
        return [
            [{**fixed[i], **{key: column[i] for key, column in zip(keys, combined, strict=True)}}
             for i in range(len(runs))]
            for combined in product(*columns)
        ]  # fmt: skip


def readings(
    mechanism: Mechanism, hypotheses: Hypotheses, constants: frozenset[str]
) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """Every combination of answers to the questions on which a mechanism depends, with its parameters.

    If the part with its fault is known never to have changed, only the first readings of that part remain.
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


def variants_of_mechanism(
    name: str, mechanism: Mechanism, hypotheses: Hypotheses, constants: frozenset[str]
) -> list[Variant]:
    """A mechanism under each of its readings."""
    return [
        Variant(name, mechanism, hypotheses, reading, settings)
        for reading, settings in readings(mechanism, hypotheses, constants)
    ]


def pairs(mechanisms: Mapping[str, Mechanism], hypotheses: Hypotheses, constants: frozenset[str]) -> Iterator[Variant]:
    """Every two mechanisms at once, under the readings that fit each other.

    Two fit where no parameter would have to have two values. One that is judged where runs share nothing
    (`Hypotheses.apart`) is judged where they do beside one that is not. Mechanisms whose factories are not
    partial applications of `hypotheses.nothing` are in no pair.
    """
    for (name, one), (other_name, other) in combinations(mechanisms.items(), 2):
        for first in variants_of_mechanism(name, one, hypotheses, constants):
            for second in variants_of_mechanism(other_name, other, hypotheses, constants):
                both = _paired(first, second)
                if both is not None:
                    yield both


def _paired(first: Variant, second: Variant) -> Variant | None:
    hypotheses, (one, other) = first.hypotheses, (first.mechanism, second.mechanism)
    factories = one.factory, other.factory
    if any(not isinstance(f, partial) or f.func is not hypotheses.nothing or f.args for f in factories):
        return None
    open_to_both = {*first.quantified(), *second.quantified(), "runs"}
    if not (first.apart and second.apart):
        open_to_both |= {*hypotheses.apart}
    whole = [_without({**_keywords(v.mechanism.factory), **v.settings}, open_to_both) for v in (first, second)]
    if any(whole[0][key] != whole[1][key] for key in whole[0].keys() & whole[1].keys()):
        return None
    settings = _without({**first.settings, **second.settings}, open_to_both)
    both = {**_keywords(one.factory), **_keywords(other.factory)}
    factory = partial(hypotheses.nothing, **_without(both, open_to_both))
    mechanism = replace(one, story=f"{one.story}; and {other.story}", factory=factory, within=None)
    reading = dict(first.reading) | {k: v for k, v in second.reading.items() if not _settled_by(first, second, k)}
    return Variant(f"{first.name} + {second.name}", mechanism, hypotheses, reading, settings)


def _settled_by(first: Variant, second: Variant, question: str) -> bool:
    """Whether an answer of the second is one of the first, whatever the runs share."""
    known = first.hypotheses.questions[question].readings[second.reading[question]]
    return _without(known, first.hypotheses.apart).items() <= dict(first.settings).items()


def _without(values: Mapping[str, Any], keys: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in keys}


def _keywords(factory: Factory) -> dict[str, Any]:
    return dict(factory.keywords) if isinstance(factory, partial) else {}
