"""Every mechanism judged under every reading of the open questions, by one process or several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from dstamp_sim.engines.parallel.tasks import Workers
from dstamp_sim.engines.replay import replay
from dstamp_sim.incident.evidence import ExperimentOutcome
from dstamp_sim.incident.possible.abduction import Judging
from dstamp_sim.incident.possible.ask import engines
from dstamp_sim.incident.possible.budget import Budget
from dstamp_sim.incident.possible.case import Case, LeastWitness, MechanismFinding, Possible
from dstamp_sim.incident.possible.least import LeastSearch
from dstamp_sim.incident.possible.variant import Variant, pairs, variants_of_mechanism
from dstamp_sim.inputs.model_file import Model, load_model
from dstamp_sim.pipeline.where import Where


@dataclass(frozen=True)
class JudgementTask:
    """What must be judged: a model's mechanisms, by the observations, and in what time."""

    model: Model
    case: Case
    budget: Budget = field(default_factory=Budget)

    @property
    def variants(self) -> list[Variant]:
        """Each mechanism under each of its readings, in the order of the rows."""
        return [variant for name in self.model.mechanisms for variant in self.variants_of(name)]

    def variants_of(self, mechanism: str) -> list[Variant]:
        """One mechanism under each of its readings."""
        assert self.model.hypotheses is not None
        return variants_of_mechanism(
            mechanism, self.model.mechanisms[mechanism], self.model.hypotheses, self.case.constants
        )

    def row(self, variant: Variant) -> MechanismFinding:
        """The judgement of one of them."""
        return Judging(variant, self.case, self.budget.timed(engines())).row()

    def since(self, rows: Sequence[MechanismFinding], outcomes: Sequence[ExperimentOutcome]) -> list[MechanismFinding]:
        """These rows with more outcomes of experiments.

        Rows that are impossible already are asked only if none other is left: then every outcome may be in conflict.
        """
        asked = engines()
        judgings = [Judging(variant, self.case, asked) for variant in self.variants]
        found = [
            row if row.verdict is Possible.IMPOSSIBLE else judging.since(row, outcomes)
            for judging, row in zip(judgings, rows, strict=True)
        ]
        if any(row.verdict is not Possible.IMPOSSIBLE for row in found):
            return found
        whole = (*self.case.outcomes, *outcomes)
        return [judging.since(row, whole) for judging, row in zip(judgings, found, strict=True)]

    def rows(self, workers: int) -> Iterator[MechanismFinding]:
        """The judgement of all of them, one after the other: the same whatever the number of `workers`."""
        known = self.variants
        if workers < 2:
            yield from map(self.row, known)
            return
        asked = [(name, k) for name in self.model.mechanisms for k in range(len(self.variants_of(name)))]
        sent = self._workers(workers, len(asked)).in_turn(_judged, asked)
        for variant, packed in zip(known, sent, strict=True):
            yield self._unpacked(variant, packed)

    def excluded_pairs(self, names: Sequence[str], workers: int) -> list[bool]:
        """Of every two mechanisms at once, whether little work shows that they exclude one of these observations."""
        asked = [(number, tuple(names)) for number in range(len(self.pairs))]
        return list(self._workers(workers, len(asked)).in_turn(_excluded, asked))

    def _workers(self, processes: int, tasks: int) -> Workers:
        return Where(processes).workers(self, self.model.reference, _begin, self._about, tasks)

    @property
    def _about(self) -> tuple[str, tuple[str, ...], Case, float]:
        """What a worker process needs to make the same task."""
        return self.model.reference, tuple(self.model.mechanisms), self.case, self.budget.row_s

    @cached_property
    def pairs(self) -> list[Variant]:
        """Every two mechanisms at once, under the readings that fit each other."""
        assert self.model.hypotheses is not None
        return list(pairs(self.model.mechanisms, self.model.hypotheses, self.case.constants))

    def excludes(self, number: int, names: Sequence[str]) -> bool:
        """Whether one of the pairs, by its place, is."""
        return Judging(self.pairs[number], self.case, engines()).excludes(names)

    def _unpacked(self, variant: Variant, packed: Packed) -> MechanismFinding:
        least = LeastSearch(variant, self.case, engines())
        timed, untimed = (found and found.unpacked(least) for found in (packed.timed, packed.untimed))
        return replace(packed.row, timed=timed, untimed=untimed)


class PackedFound(NamedTuple):
    """A `LeastWitness` as it crosses processes: without its system and its trace, which its schedule makes again."""

    rest: dict[str, Any]
    schedule: str

    def unpacked(self, least: LeastSearch) -> LeastWitness:
        """The same with both: the schedule is replayed strictly."""
        system = least.system(self.rest["candidate"], self.rest["crashes"])
        return LeastWitness(system=system, trace=replay(system, self.schedule), **self.rest)


class Packed(NamedTuple):
    """A row as it crosses processes."""

    row: MechanismFinding
    timed: PackedFound | None
    untimed: PackedFound | None


def _packed(row: MechanismFinding) -> Packed:
    return Packed(replace(row, timed=None, untimed=None), _packed_found(row.timed), _packed_found(row.untimed))


def _packed_found(found: LeastWitness | None) -> PackedFound | None:
    if found is None:
        return None
    rest = {name: value for name, value in vars(found).items() if name not in ("system", "trace")}
    return PackedFound(rest, str(found.trace.schedule))


def _begin(reference: str, names: Sequence[str], case: Case, row_s: float) -> JudgementTask:
    model = load_model(reference)
    judged = {name: model.mechanisms[name] for name in names}
    return JudgementTask(replace(model, mechanisms=judged), case, Budget(row_s))


def _excluded(task: JudgementTask, asked: tuple[int, tuple[str, ...]]) -> bool:
    return task.excludes(*asked)


def _judged(task: JudgementTask, asked: tuple[str, int]) -> Packed:
    name, number = asked
    return _packed(task.row(task.variants_of(name)[number]))
