"""Which mechanism can have produced what was observed, and what it must assume: possible, impossible, or undetermined.

All questions are about systems that the model builds; the engines are arguments. A row judges one
mechanism (or two at once) under one answer to each question that the evidence leaves open, for all observed runs
*jointly*.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dstamp_sim.core.system import System
from dstamp_sim.incident.evidence import ExperimentOutcome
from dstamp_sim.incident.possible.budget import OutOfTime
from dstamp_sim.incident.possible.case import (
    Bearing,
    Case,
    EngineAnswer,
    Engines,
    LeastWitness,
    MechanismFinding,
    Observation,
    Possible,
    partners_text,
)
from dstamp_sim.incident.possible.identities import stranger
from dstamp_sim.incident.possible.least import PARTNER, LeastSearch
from dstamp_sim.incident.possible.outcomes import OutcomeQuestion
from dstamp_sim.incident.possible.turns import Role, with_roles
from dstamp_sim.incident.possible.variant import Factory, Variant


@dataclass
class Judging:
    """One row under way."""

    variant: Variant
    case: Case
    engines: Engines
    known: dict[Hashable, Bearing] = field(default_factory=dict)

    def row(self, contested: Collection[str] = ()) -> MechanismFinding:
        """The judgement of all observations; a `contested` one that is impossible, or left open, decides it.

        Undetermined if the time for it is over.
        """
        bearings: dict[str, Bearing] = {}
        try:
            return self._judged(contested, bearings)
        except OutOfTime as late:
            return self._row(Possible.UNDETERMINED, (str(late),), bearings)

    def _judged(self, contested: Collection[str], bearings: dict[str, Bearing]) -> MechanismFinding:
        for item in sorted((*self.case.runs, *self.case.probes), key=lambda item: item.name not in contested):
            bearings[item.name] = self._bearing(item)
            if item.name in contested and bearings[item.name] in (Bearing.CONTRADICTS, Bearing.OPEN):
                break
        if Bearing.CONTRADICTS in bearings.values():
            return self._refuted(bearings)
        undecided = [name for name, bearing in bearings.items() if bearing is Bearing.OPEN]
        bearings |= self._outcomes(self.case.outcomes)
        if Bearing.CONTRADICTS in bearings.values():
            return self._refuted(bearings)
        if undecided:
            why = f"{', '.join(undecided)}: not decided within the bounds"
            return self._row(Possible.UNDETERMINED, (why,), bearings)
        least, most = LeastSearch(self.variant, self.case, self.engines), self.case.most_unseen
        timed, refuted = least.found(self.case.timed, most)
        untimed, _ = least.found(self.case.untimed, timed.unseen if timed else most, timed)
        if timed is not None:
            return self._row(Possible.POSSIBLE, self._needs(timed, untimed), bearings, timed, untimed)
        bound = f"with up to {partners_text(most)}"
        why = f"not {bound}; more were not tried" if refuted else f"the search {bound} did not end"
        without = (f"if runs may last any length, it needs {untimed.words()}",) if untimed else ()
        return self._row(Possible.UNDETERMINED, (why, *without), bearings, None, untimed, refuted=refuted)

    def since(self, row: MechanismFinding, outcomes: Sequence[ExperimentOutcome]) -> MechanismFinding:
        """The row with these outcomes of experiments in addition."""
        bearings = {**row.bearings, **self._outcomes(outcomes)}
        return self._refuted(bearings) if Bearing.CONTRADICTS in bearings.values() else replace(row, bearings=bearings)

    def excludes(self, names: Collection[str]) -> bool:
        """Whether it is known at little cost that one of these observed runs cannot have come out so."""
        runs = [run for run in self.case.runs if run.name in names]
        factory = self.variant.mechanism.factory
        return any(self.engines.excluded(*self._with_any_partners(run, factory)) for run in runs)

    def excludes_values(self, run: Observation, values: tuple[tuple[str, Any], ...]) -> bool:
        """Whether it is known at little cost that an observed run cannot have these of its values."""
        seen = replace(run, fields=values)
        return self.engines.excluded(*self._with_any_partners(seen, self.variant.mechanism.factory))

    def refutes(self, names: Collection[str]) -> bool:
        """Whether these observations alone are refuted for every number of partners that is tried."""
        case = self.case.only(names)
        return bool(case.runs) and LeastSearch(self.variant, case, self.engines).refuted(case.timed, case.most_unseen)

    def _needs(self, timed: LeastWitness, untimed: LeastWitness | None) -> tuple[str, ...]:
        """What it needs, in words, and what a closed cluster cannot do."""
        needs = "alone"
        if timed.unseen:
            without = untimed.words() if untimed and untimed.unseen else "none"
            needs = f"needs {timed.words()} within the timing constraint, {without} without it"
        needs += f", and the death of {timed.crashes} of them" if timed.crashes else ""
        failures = (self._failures(timed),) if timed.faults else ()
        closed = (self._closed(),) if untimed and untimed.unseen and untimed.exact else ()
        return (needs, *failures, *closed)

    def _failures(self, found: LeastWitness) -> str:
        bound, failing = "exactly" if found.exact_faults else "at most", self.variant.hypotheses.failing
        return f"{bound} {found.faults} failure{'s' * (found.faults != 1)}" + (f" ({failing})" if failing else "")

    def _closed(self) -> str:
        window = self.variant.mechanism.window
        if not window.by_others:
            return "in a closed cluster not all can have come out so"
        return (
            "in a closed cluster not all can have come out so, in any order: after the last "
            f"{window.opening.removeprefix('its ')} no {window.writer} comes"
        )

    def _row(
        self,
        verdict: Possible,
        reasons: tuple[str, ...],
        bearings: Mapping[str, Bearing],
        timed: LeastWitness | None = None,
        untimed: LeastWitness | None = None,
        *,
        refuted: bool = False,
    ) -> MechanismFinding:
        v = self.variant
        return MechanismFinding(v.name, v.reading, v.settings, verdict, reasons, timed, untimed, bearings, refuted)

    def _refuted(self, bearings: Mapping[str, Bearing]) -> MechanismFinding:
        """The row that is impossible, and why each contradicted observation is unreachable."""
        against = [name for name, bearing in bearings.items() if bearing is Bearing.CONTRADICTS]
        items = [item.name for item in (*self.case.runs, *self.case.probes)]
        runs, made = ([name for name in against if (name in items) is seen] for seen in (True, False))
        return self._row(Possible.IMPOSSIBLE, tuple(_unreachable(runs, made)), bearings)

    def _outcomes(self, made: Sequence[ExperimentOutcome]) -> dict[str, Bearing]:
        return {one.name: bearing for one in made if (bearing := self._outcome(one)) is not None}

    def _outcome(self, made: ExperimentOutcome) -> Bearing | None:
        """How the mechanism bears on an experiment's outcome; None if the incident itself was looked at again."""
        experiment = self.variant.hypotheses.experiments[made.experiment]
        if not experiment.starts_s:
            return None
        question = OutcomeQuestion(experiment, made.outcome)
        with_it = question.answer(self.variant.experiment(experiment, self.variant.mechanism.factory), self.engines)
        if with_it.verdict is Possible.IMPOSSIBLE:
            return Bearing.CONTRADICTS
        if with_it.verdict is Possible.UNDETERMINED:
            return Bearing.OPEN
        without = question.answer(self.variant.experiment(experiment, self.variant.hypotheses.nothing), self.engines)
        if without.verdict is Possible.UNDETERMINED:
            return Bearing.OPEN
        return Bearing.SILENT if without.verdict is Possible.POSSIBLE else Bearing.EXPLAINS

    def _bearing(self, item: Observation) -> Bearing:
        """How the mechanism relates to one item: can it come out so, with partners, and without the mechanism."""
        key = (item.fields, tuple(item.identity.items()), item.name if item.probe else "")
        if key not in self.known:
            self.known[key] = self._asked(item)
        return self.known[key]

    def _asked(self, item: Observation) -> Bearing:
        with_it = self._probed(item, self.variant.mechanism.factory) if item.probe else self._joined(item)
        if with_it.verdict is Possible.IMPOSSIBLE:
            return Bearing.CONTRADICTS
        without = self._probed(item, self.variant.hypotheses.nothing) if item.probe else self._alone(item)
        if Possible.UNDETERMINED in (with_it.verdict, without.verdict):
            return Bearing.OPEN
        return Bearing.SILENT if without.verdict is Possible.POSSIBLE else Bearing.EXPLAINS

    def _probed(self, item: Observation, factory: Factory) -> EngineAnswer:
        return self.engines.reach(self._with_roles(self.variant.probe(item, factory), [Role(item.name, item.fields)]))

    def _alone(self, item: Observation) -> EngineAnswer:
        system = self.variant.alone(item, self.case.runs)
        return self.engines.reach(self._with_roles(system, [Role(item.name, item.fields)]))

    def _joined(self, item: Observation) -> EngineAnswer:
        """One observed run among partners; first in the variant that is easier to judge, if there is one."""
        mechanism = self.variant.mechanism
        if mechanism.within is not None:
            wider = self._among_partners(item, mechanism.within)
            if wider.verdict is Possible.IMPOSSIBLE:
                return wider
        return self._among_partners(item, mechanism.factory)

    def _among_partners(self, item: Observation, factory: Factory) -> EngineAnswer:
        """One observed run alone, with a partner or two, then among any number like it and of another identity."""
        system, names = self._with_any_partners(item, factory)
        if self.engines.excluded(system, names):
            return EngineAnswer(Possible.IMPOSSIBLE, "in no combination of what any number of processes can do")
        for count in range(len(self._kinds()) + 1):
            reached = self.engines.reach(self._with_partners(item, factory, count))
            if reached.trace is not None:
                return reached
        return self.engines.reach_any(system, names)

    def _with_any_partners(self, item: Observation, factory: Factory) -> tuple[System, list[str]]:
        """The run with a partner of each kind, who may die; and what the partners are called."""
        system = self._with_partners(item, factory, len(self._kinds()))
        names = [process.name for process in system.processes if process.name.startswith(PARTNER)]
        return system.with_crashes(self.case.most_crashes), names

    def _with_partners(self, item: Observation, factory: Factory, count: int) -> System:
        own = self.variant.identity(item)
        identities = [own, own, stranger(own)][: count + 1]
        partners = [Role(f"{PARTNER}, {kind}", None, kind) for kind in self._kinds()[:count]]
        system = self.variant.system(factory, identities, self.case.runs)
        return self._with_roles(system, [Role(item.name, item.fields), *partners])

    def _with_roles(self, system: System, roles: Sequence[Role]) -> System:
        return with_roles(system, roles, {}, self.variant.hypotheses.evidence)

    def _kinds(self) -> list[str]:
        """Who partners can be; if nothing depends on it, every run is of another identity."""
        return ["like it", "other"] if self.variant.quantified() else ["like it"]


def _unreachable(runs: Sequence[str], made: Sequence[str]) -> Iterator[str]:
    """Why contradicted runs and outcomes of experiments are."""
    if runs:
        yield f"{', '.join(runs)}: such an outcome is unreachable, with any number of partners"
    if made:
        yield f"{', '.join(made)}: no order of the experiment's own steps comes out so"
