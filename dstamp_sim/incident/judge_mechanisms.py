"""The judgement of an incident: which mechanism is possible, how likely each is, and what to do next."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from dstamp_sim.analyses.confidence import below
from dstamp_sim.core.errors import ScenarioError, UsageError
from dstamp_sim.core.mechanism import Hypotheses, Mechanism
from dstamp_sim.core.scenario import Priors, Timing
from dstamp_sim.incident.evidence import Evidence
from dstamp_sim.incident.likely.experiments import (
    Rated,
    RuleJudged,
    Survivors,
    check_outcome,
    judged_rule,
    observed_since,
    rated,
)
from dstamp_sim.incident.likely.identifiability import Profile, either, twins
from dstamp_sim.incident.likely.likelihood import NEVER, Weighed, weigh
from dstamp_sim.incident.likely.observed_clock import observed_clock
from dstamp_sim.incident.likely.profiles import Numbers, ProfileSize, flat_priors, observed_outcomes, profile
from dstamp_sim.incident.likely.worlds import Sweepers
from dstamp_sim.incident.loaded import Incident
from dstamp_sim.incident.possible.abduction import Judging
from dstamp_sim.incident.possible.ask import engines
from dstamp_sim.incident.possible.case import Case, MechanismFinding, Observation, Possible
from dstamp_sim.incident.possible.conflicting import Conflict, conflict
from dstamp_sim.incident.possible.judge_variant import JudgementTask
from dstamp_sim.incident.possible.overlap import ObservedTime, orders
from dstamp_sim.incident.possible.pairing import Pairs, judge_pairs
from dstamp_sim.incident.possible.variant import variants_of_mechanism
from dstamp_sim.incident.witness.construct import ClockedMechanism, Construction
from dstamp_sim.incident.witness.drawn import Best, DrawnMechanism, constructed
from dstamp_sim.inputs.model_file import Model
from dstamp_sim.pipeline.progress import Progress

SIZE = ProfileSize(settings=40, repetitions=1000)
"""The size of the profiles that show which mechanisms the outcomes distinguish."""


@dataclass
class StepsDone:
    """The progress of a judgement, in whole steps."""

    tell: Progress | None
    total: int
    done: float = 0.0

    def more(self, part: float = 1.0) -> None:
        """One more step, or a part of one."""
        self.done += part
        if self.tell is not None:
            self.tell(round(self.done), self.total)


SILENT = StepsDone(None, 0)


@dataclass(frozen=True)
class IncidentFindings:
    """All findings about an incident.

    `posterior` is over mechanisms that are equally likely before the evidence; `limits` are its limits by the number of
    worlds (95 %); `varied` are posteriors under other priors; `flips` names the variations under which another
    mechanism comes first. `twins` has, by mechanism, the others that the outcomes cannot distinguish from it, with the
    share of its settings. `witnesses` are runs of the cluster in which everything comes out as observed, `timeless` the
    failed attempts for the other possible mechanisms. `pairs` are two mechanisms at once, judged where no single one is
    possible; `conflict` are the fewest observations that no single one can produce together. `since` is the instant
    from which the times of witnesses count.
    """

    rows: tuple[MechanismFinding, ...]
    weighed: Mapping[str, Weighed]
    posterior: Mapping[str, float]
    limits: Mapping[str, tuple[float, float]]
    varied: Mapping[str, Mapping[str, float]]
    flips: tuple[str, ...]
    twins: Mapping[str, Mapping[str, float]]
    next: tuple[Rated, ...]
    rule: RuleJudged | None
    witnesses: Mapping[str, Best]
    timeless: Mapping[str, Construction]
    pairs: Pairs
    conflict: Conflict | None
    longest_run_s: float
    since: datetime | None = None

    def best(self, mechanism: str) -> MechanismFinding:
        """The row of a mechanism that assumes least."""
        return _best_row(self.rows, mechanism)

    @property
    def left(self) -> list[str]:
        """The mechanisms that are not impossible."""
        return [name for name in self.posterior if self.verdict(name) is not Possible.IMPOSSIBLE]

    @property
    def without_share(self) -> dict[str, str]:
        """Mechanisms that are left and have no share of the posterior, with the reason and what is known instead.

        Worlds are drawn without deaths, so the likelihood of one that needs a death is not known.
        """
        reasons: dict[str, str] = {}
        for name in self.left:
            found = self.best(name).timed
            if found is not None and found.crashes:
                reasons[name] = "not weighed: it needs a death, and worlds have none"
            elif not self.posterior[name]:
                reasons[name] = f"no world agreed; {below(self.limits[name][1])}"
        return reasons

    def verdict(self, mechanism: str) -> Possible:
        """Possible if it is possible under some reading, impossible if impossible under all."""
        return self.best(mechanism).verdict


def judge_mechanisms(incident: Incident, *, workers: int = 1, tell: Progress | None = None) -> IncidentFindings:
    """Judges every mechanism that the model names. Deterministic, whatever the number of `workers`.

    `workers` are processes; more than one needs a main module that can be imported.
    Raises UsageError if the model has no hypotheses, ScenarioError if the scenario has no evidence or priors.
    """
    scenario, model = incident.scenario, incident.model
    evidence, hypotheses, priors = _needed(incident)
    case = case_of(evidence, hypotheses, priors.longest_run_s)
    steps = StepsDone(tell, 3 * len(model.mechanisms) + len(priors.variations) + 1)
    task = JudgementTask(model, case)
    rows: list[MechanismFinding] = []
    for row in task.rows(workers):
        rows.append(row)
        steps.more(len(model.mechanisms) / len(task.variants))
    none_alone = all(row.verdict is not Possible.POSSIBLE for row in rows)
    clash = _conflict(rows, task) if none_alone else None
    both = _pairs(model, hypotheses, case, clash) if none_alone else Pairs()
    timing, since = observed_clock(evidence, hypotheses, scenario.timing, priors)
    cluster = Cluster(hypotheses, case, timing, _alive(rows, model), _hopeless(rows))
    survivors = cluster.weighed(priors, steps)
    survivors, likelihoods = observed_since(evidence, hypotheses, survivors)
    posterior, varied = _posterior(survivors, likelihoods, model), {}
    for name, beliefs in priors.variations.items():
        other = cluster.weighed(replace(beliefs, runs=max(1, beliefs.runs // 4)), steps)
        varied[name] = _posterior(*observed_since(evidence, hypotheses, other), model)
    first = _first(posterior)
    next_ones = rated(posterior, hypotheses, survivors) if cluster.mechanisms else ()
    witnesses, timeless = _witnesses(cluster, survivors, rows, priors)
    return IncidentFindings(
        rows=tuple(rows),
        weighed=dict.fromkeys(model.mechanisms, NEVER) | dict(survivors.weighed),
        posterior=posterior,
        limits=_limits(survivors, likelihoods, model),
        varied=varied,
        flips=tuple(name for name, other in varied.items() if _first(other) != first),
        twins=cluster.twins(priors, SIZE, cluster.observed(priors), steps),
        next=next_ones,
        rule=_rule(hypotheses, next_ones),
        witnesses=witnesses,
        timeless=timeless,
        pairs=both,
        conflict=clash,
        longest_run_s=priors.longest_run_s,
        since=since,
    )


@dataclass(frozen=True)
class Cluster:
    """The observed runs on the clock, under each of `mechanisms` but for its `impossible` settings."""

    hypotheses: Hypotheses
    case: Case
    timing: Timing
    mechanisms: Mapping[str, Mechanism]
    impossible: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    sweepers: Sweepers = field(default_factory=dict)
    numbers: Numbers = field(default_factory=Numbers)

    @property
    def needs(self) -> dict[str, Any]:
        """The parameters with which a result has every field that was observed of a run, or that can be looked up."""
        seen = {name for run in self.case.runs for name, _ in run.fields}
        later = [item.settings for item in self.hypotheses.experiments.values() if not item.starts_s]
        found = [self.hypotheses.evidence.needs(sorted(seen)), *later]
        return {key: value for given in found for key, value in given.items()}

    def weighed(self, beliefs: Priors, steps: StepsDone = SILENT) -> Survivors:
        """How likely each makes the evidence."""
        weighed = {}
        for name, mechanism in self.mechanisms.items():
            weighed[name] = weigh(
                mechanism, self.hypotheses, self.case, self.timing, beliefs, seed=self.timing.seed,
                needs=self.needs, impossible=self.impossible.get(name, ()), sweepers=self.sweepers,
            )  # fmt: skip
            steps.more(1 / len(self.mechanisms))
        return Survivors(self.mechanisms, weighed, self.timing)

    def observed(self, beliefs: Priors) -> list[int]:
        """The numbers, in profiles, of what was observed."""
        return observed_outcomes(self.case, self.timing, beliefs.longest_run_s, self.numbers)

    def profiles(self, beliefs: Priors, size: ProfileSize, steps: StepsDone = SILENT) -> dict[str, Profile]:
        """What the observed runs do under each mechanism, many times over."""
        found = {}
        for name, mechanism in self.mechanisms.items():
            found[name] = profile(
                mechanism, self.hypotheses, self.case, self.timing, beliefs, size, seed=self.timing.seed,
                needs=self.needs, impossible=self.impossible.get(name, ()), sweepers=self.sweepers,
                numbers=self.numbers,
            )  # fmt: skip
            steps.more()
        return found

    def twins(
        self, priors: Priors, size: ProfileSize, observed: Sequence[int] | None = None, steps: StepsDone = SILENT
    ) -> dict[str, dict[str, float]]:
        """By mechanism, those that the outcomes do not distinguish from it, with any or with believed unknowns."""
        beliefs = (flat_priors(priors), priors)
        return either(*(twins(self.profiles(belief, size, steps), observed) for belief in beliefs))


def _witnesses(
    cluster: Cluster, survivors: Survivors, rows: Sequence[MechanismFinding], priors: Priors
) -> tuple[dict[str, Best], dict[str, Construction]]:
    """The best witness of every mechanism that is possible: from the worlds that agreed, else constructed.

    Also the attempts without a witness.
    """
    found, failed = {}, {}
    for name, mechanism in cluster.mechanisms.items():
        known = cluster.hypotheses.evidence
        runs = DrawnMechanism(name, mechanism, cluster.case, cluster.timing, cluster.needs, known)
        best = runs.best(survivors.weighed[name])
        row = _best_row(rows, name)
        if best is None and row.timed is not None:
            judged = variants_of_mechanism(name, mechanism, cluster.hypotheses, cluster.case.constants)
            variant = next(variant for variant in judged if variant.settings == row.settings)
            attempt = ClockedMechanism(variant, row.timed, cluster.case, cluster.timing, priors).construct()
            best = constructed(name, attempt)
            if best is None:
                failed[name] = attempt
        if best is not None:
            found[name] = best
    return found, failed


def _best_row(rows: Sequence[MechanismFinding], name: str) -> MechanismFinding:
    """The row of a mechanism that assumes least."""
    return min((row for row in rows if row.mechanism == name), key=_effort)


def _alive(rows: Sequence[MechanismFinding], model: Model) -> dict[str, Mechanism]:
    names = {row.mechanism for row in rows if row.verdict is not Possible.IMPOSSIBLE}
    return {name: mechanism for name, mechanism in model.mechanisms.items() if name in names}


def _hopeless(rows: Sequence[MechanismFinding]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row.verdict is Possible.IMPOSSIBLE:
            found.setdefault(row.mechanism, []).append(row.settings)
    return found


def _conflict(rows: Sequence[MechanismFinding], task: JudgementTask) -> Conflict | None:
    """The fewest observations that no row can produce together, if there are any."""
    asked, case = engines(), task.case
    variant = dict(zip(map(id, rows), task.variants, strict=True))
    return conflict(rows, case.names, lambda row, names: Judging(variant[id(row)], case, asked).refutes(names))


def _pairs(model: Model, hypotheses: Hypotheses, case: Case, clash: Conflict | None) -> Pairs:
    contested = clash.names if clash else ()
    return judge_pairs(model.mechanisms, hypotheses, case, engines(), contested)


def _needed(incident: Incident) -> tuple[Evidence, Hypotheses, Priors]:
    model, scenario = incident.model, incident.scenario
    if model.hypotheses is None or not model.mechanisms:
        raise UsageError(f"model {model.reference} names no HYPOTHESES, so its mechanisms cannot be judged")
    if incident.evidence is None:
        raise ScenarioError("the scenario names no evidence to judge mechanisms against")
    if scenario.priors is None:
        raise ScenarioError("the scenario has no [priors]: durations, partners and failure rates must be assumed")
    return incident.evidence, model.hypotheses, scenario.priors


def case_of(evidence: Evidence, hypotheses: Hypotheses, longest_s: float) -> Case:
    """The observations to explain, in the form that the abduction takes."""
    times = [
        ObservedTime(
            run.id,
            run.time.timestamp() if run.time else None,
            run.time_means,
            run.until.timestamp() if run.until else None,
            run.company == "solo",
            run.source,
        )
        for run in evidence.runs
    ]
    runs = [
        Observation(
            run.id, hypotheses.evidence.compared(run.seen), {key: run.seen.get(key) for key in hypotheses.identity}
        )
        for run in evidence.runs
    ]
    known = [probe for probe in evidence.probes if probe.id in hypotheses.probes]
    probes = [Observation(probe.id, hypotheses.evidence.compared(probe.seen), {}, probe=True) for probe in known]
    alone = frozenset(run.id for run in evidence.runs if run.company == "solo")
    timed, untimed = orders(times, longest_s), orders(times, math.inf)
    for one in evidence.outcomes:
        check_outcome(hypotheses, one.experiment, one.outcome)
    return Case(runs, probes, timed, untimed, evidence.constants, alone=alone, outcomes=evidence.outcomes)


def _effort(row: MechanismFinding) -> tuple[int, int]:
    order = (Possible.POSSIBLE, Possible.UNDETERMINED, Possible.IMPOSSIBLE)
    return order.index(row.verdict), row.timed.unseen if row.timed else 99


def _posterior(survivors: Survivors, likelihoods: Mapping[str, float], model: Model) -> dict[str, float]:
    """The posterior over mechanisms that are equally likely before the evidence."""
    weights = {name: survivors.weighed[name].likelihood.estimate * likelihoods[name] for name in survivors.weighed}
    total = sum(weights.values())
    return {name: weights.get(name, 0.0) / total if total else 0.0 for name in model.mechanisms}


def _limits(survivors: Survivors, likelihoods: Mapping[str, float], model: Model) -> dict[str, tuple[float, float]]:
    """Each mechanism at one end of its interval, all others at the other end of theirs."""
    low = {name: item.likelihood.interval.low * likelihoods[name] for name, item in survivors.weighed.items()}
    high = {name: item.likelihood.interval.high * likelihoods[name] for name, item in survivors.weighed.items()}

    def share(name: str, own: Mapping[str, float], others: Mapping[str, float]) -> float:
        total = own.get(name, 0.0) + sum(others.values()) - others.get(name, 0.0)
        return own.get(name, 0.0) / total if total else 0.0

    return {name: (share(name, low, high), share(name, high, low)) for name in model.mechanisms}


def _first(posterior: Mapping[str, float]) -> str:
    return max(posterior, key=lambda name: posterior[name])


def _rule(hypotheses: Hypotheses, next_ones: Sequence[Rated]) -> RuleJudged | None:
    rule = hypotheses.rule
    predicted = next((item.predicted for item in next_ones if rule is not None and item.name == rule.experiment), None)
    return None if rule is None or predicted is None else judged_rule(rule, predicted)
