"""The judgement of an incident: which mechanism is possible, how likely each is, and what to do next."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dstamp_sim.analyses.abduction import Case, Observation, Possible, Row, conflict, judge
from dstamp_sim.analyses.overlap import Sighting, orders
from dstamp_sim.core.errors import ScenarioError, UsageError, unknown
from dstamp_sim.core.mechanism import Experiment, Hypotheses
from dstamp_sim.core.scenario import Priors, Scenario, Timing
from dstamp_sim.engines.sweep import Sweeper
from dstamp_sim.inputs.evidence import Evidence
from dstamp_sim.inputs.model_file import Model
from dstamp_sim.pipeline.ask import engines
from dstamp_sim.pipeline.likelihood import Likelihood, Predicted, Weighed, predict, weigh

Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Rated:
    """An experiment: its outcomes by mechanism, what it is expected to tell in bits, and a sentence per outcome."""

    name: str
    experiment: Experiment
    predicted: Mapping[str, Predicted]
    bits: float
    means: Mapping[str, str]


@dataclass(frozen=True)
class Judged:
    """Everything that was found out about an incident.

    `posterior` is over mechanisms, each as likely as another before; `varied` are posteriors under other priors;
    `flips` names those variations under which another mechanism comes first. `conflict` is a smallest set of
    observations that no mechanism can give together, where none is possible.
    """

    rows: tuple[Row, ...]
    weighed: Mapping[str, Weighed]
    posterior: Mapping[str, float]
    varied: Mapping[str, Mapping[str, float]]
    flips: tuple[str, ...]
    next: tuple[Rated, ...]
    conflict: tuple[str, ...]
    longest_run_s: float

    def best(self, mechanism: str) -> Row:
        """The row of a mechanism that assumes least."""
        return min((row for row in self.rows if row.mechanism == mechanism), key=_effort)

    def verdict(self, mechanism: str) -> Possible:
        """Possible if it is under any reading, impossible if under none."""
        return self.best(mechanism).verdict


def judge_incident(scenario: Scenario, evidence: Evidence, model: Model, tell: Tell | None = None) -> Judged:
    """Judges every mechanism that the model names. The same arguments give the same numbers.

    Raises UsageError where the model has no hypotheses, ScenarioError where the scenario has no priors.
    """
    hypotheses, priors = _needed(scenario, model)
    case = case_of(evidence, hypotheses, priors.longest_run_s)
    timing = _timing(scenario, evidence)
    done, total = 0, 2 * len(model.mechanisms) + len(priors.variations) + 1
    rows: list[Row] = []
    for name, mechanism in model.mechanisms.items():
        rows += judge(name, mechanism, hypotheses, case, engines())
        done = _told(tell, done, total)
    alive = [name for name in model.mechanisms if any(r.mechanism == name and _alive(r) for r in rows)]
    dead = {name: Weighed(Likelihood(0, priors.runs), Likelihood(0, 1), ()) for name in model.mechanisms}
    hopeless = {name: [row.settings for row in rows if row.mechanism == name and not _alive(row)] for name in alive}
    sight = {key: value for given in hypotheses.sight.values() for key, value in given.items()}
    sweepers: dict[Any, Sweeper] = {}

    def weigh_all(beliefs: Priors) -> dict[str, Weighed]:
        return dead | {
            name: weigh(
                model.mechanisms[name], hypotheses, case, timing, beliefs,
                seed=scenario.timing.seed, sight=sight, impossible=hopeless[name], sweepers=sweepers,
            )
            for name in alive
        }  # fmt: skip

    weighed = weigh_all(priors)
    done = _told(tell, done, total)
    posterior = _with_outcomes(_posterior(weighed), weighed, evidence, model, hypotheses, timing)
    varied = {}
    for name, beliefs in priors.variations.items():
        other = weigh_all(replace(beliefs, runs=max(1, beliefs.runs // 4)))
        varied[name] = _with_outcomes(_posterior(other), other, evidence, model, hypotheses, timing)
        done = _told(tell, done, total)
    first = _first(posterior)
    flips = tuple(name for name, other in varied.items() if _first(other) != first)
    rated = _rated(posterior, weighed, model, hypotheses, timing)
    return Judged(tuple(rows), weighed, posterior, varied, flips, rated, conflict(rows), priors.longest_run_s)


def _needed(scenario: Scenario, model: Model) -> tuple[Hypotheses, Priors]:
    if model.hypotheses is None or not model.mechanisms:
        raise UsageError(f"model {model.reference} names no HYPOTHESES, so its mechanisms cannot be judged")
    if scenario.priors is None:
        raise ScenarioError("the scenario has no [priors]: durations, partners and failure rates have to be assumed")
    return model.hypotheses, scenario.priors


def _told(tell: Tell | None, done: int, total: int) -> int:
    if tell is not None:
        tell(done + 1, total)
    return done + 1


def case_of(evidence: Evidence, hypotheses: Hypotheses, longest_s: float) -> Case:
    """What is to be explained, as the abduction takes it."""
    sightings = [
        Sighting(
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
            run.id, tuple(sorted(run.observed().items())), {k: getattr(run, k, None) for k in hypotheses.identity}
        )
        for run in evidence.runs
    ]
    known = [probe for probe in evidence.probes if probe.id in hypotheses.probes]
    probes = [Observation(probe.id, tuple(probe.observed().items()), {}, probe=True) for probe in known]
    return Case(runs, probes, orders(sightings, longest_s), orders(sightings, math.inf), evidence.constants)


def _timing(scenario: Scenario, evidence: Evidence) -> Timing:
    """The scenario's clock with the observed runs' times as starts, from the first of them on."""
    times = {run.id: run.time.timestamp() for run in evidence.runs if run.time is not None}
    first = min(times.values(), default=0.0)
    starts = {run.id: times.get(run.id, first) - first for run in evidence.runs}
    return replace(scenario.timing, starts_s=starts)


def _effort(row: Row) -> tuple[int, int]:
    order = (Possible.POSSIBLE, Possible.UNDETERMINED, Possible.IMPOSSIBLE)
    return order.index(row.verdict), row.timed.unseen if row.timed else 99


def _alive(row: Row) -> bool:
    return row.verdict is not Possible.IMPOSSIBLE


def _posterior(weighed: Mapping[str, Weighed]) -> dict[str, float]:
    """Over mechanisms, each as likely as another before the evidence."""
    total = sum(item.likelihood.estimate for item in weighed.values())
    return {name: item.likelihood.estimate / total if total else 0.0 for name, item in weighed.items()}


def _first(posterior: Mapping[str, float]) -> str:
    return max(posterior, key=lambda name: posterior[name])


def _with_outcomes(
    posterior: dict[str, float],
    weighed: Mapping[str, Weighed],
    evidence: Evidence,
    model: Model,
    hypotheses: Hypotheses,
    timing: Timing,
) -> dict[str, float]:
    """The posterior after the experiments whose outcomes the evidence holds; one added count smooths each share."""
    for item in evidence.outcomes:
        if item.experiment not in hypotheses.experiments:
            raise UsageError(unknown("experiment", item.experiment, hypotheses.experiments))
        experiment = hypotheses.experiments[item.experiment]
        for name in [name for name, share in posterior.items() if share > 0]:
            told = predict(experiment, model.mechanisms[name], weighed[name], timing, seed=timing.seed)
            hits = told.shares.get(item.outcome, 0.0) * told.worlds
            posterior[name] *= (hits + 0.5) / (told.worlds + 1.0)
        total = sum(posterior.values())
        posterior = {name: share / total for name, share in posterior.items()} if total else posterior
    return posterior


def _rated(
    posterior: Mapping[str, float],
    weighed: Mapping[str, Weighed],
    model: Model,
    hypotheses: Hypotheses,
    timing: Timing,
) -> tuple[Rated, ...]:
    """The catalogue, the most telling experiment first."""
    alive = [name for name, share in posterior.items() if share > 0]
    rated = []
    for name, experiment in hypotheses.experiments.items():
        told = {m: predict(experiment, model.mechanisms[m], weighed[m], timing, seed=timing.seed) for m in alive}
        outcomes = sorted({outcome for item in told.values() for outcome in item.shares})
        means = {outcome: _meaning(outcome, posterior, told) for outcome in outcomes}
        rated.append(Rated(name, experiment, told, _bits(posterior, told, outcomes), means))
    return tuple(sorted(rated, key=lambda item: -item.bits))


def _bits(posterior: Mapping[str, float], told: Mapping[str, Predicted], outcomes: Sequence[str]) -> float:
    """The expected information on the mechanism: the entropy now, less that expected after the outcome."""
    after = 0.0
    for outcome in outcomes:
        joint = {name: posterior[name] * item.shares.get(outcome, 0.0) for name, item in told.items()}
        chance = sum(joint.values())
        after += chance * _entropy([share / chance for share in joint.values()]) if chance > 0 else 0.0
    return max(0.0, _entropy([posterior[name] for name in told]) - after)


def _entropy(shares: Sequence[float]) -> float:
    return -sum(share * math.log2(share) for share in shares if share > 0)


def _meaning(outcome: str, posterior: Mapping[str, float], told: Mapping[str, Predicted]) -> str:
    """What an outcome would and would not show."""
    joint = {name: posterior[name] * item.shares.get(outcome, 0.0) for name, item in told.items()}
    chance = sum(joint.values())
    if chance == 0:
        return "not expected under any mechanism"
    after = {name: share / chance for name, share in joint.items()}
    never = [name for name, share in joint.items() if share == 0]
    kept = [name for name in sorted(after, key=lambda n: -after[n]) if after[name] >= 0.01]
    ranked = ", ".join(f"{name} {posterior[name]:.0%} -> {after[name]:.0%}" for name in kept)
    against = f"speaks against {', '.join(never)} (never seen in the worlds drawn); " if never else ""
    cannot = f"cannot tell {' from '.join(kept)}" if len(kept) > 1 else "leaves no other with 1 % or more"
    return f"{against}{ranked}; {cannot}"


def as_json(judged: Judged) -> dict[str, Any]:
    """The judgement as plain values."""
    return {
        "mechanisms": [
            {
                "mechanism": row.mechanism,
                "reading": dict(row.reading),
                "verdict": row.verdict.value,
                "why": row.why,
                "unseen_partners": row.timed.unseen if row.timed else None,
                "unseen_partners_without_timing": row.untimed.unseen if row.untimed else None,
                "assumed": list(row.timed.assumed) if row.timed else [],
                "bearings": {name: bearing.value for name, bearing in row.bearings.items()},
            }
            for row in judged.rows
        ],
        "likelihoods": {
            name: {
                "estimate": item.likelihood.estimate,
                "interval": list(item.likelihood.interval),
                "without_unseen_partners": item.alone.estimate,
            }
            for name, item in judged.weighed.items()
        },
        "posterior": dict(judged.posterior),
        "other_priors": {name: dict(other) for name, other in judged.varied.items()},
        "flips": list(judged.flips),
        "conflict": list(judged.conflict),
        "longest_run_s": judged.longest_run_s,
        "experiments": [
            {
                "experiment": item.name,
                "story": item.experiment.story,
                "cost": item.experiment.cost,
                "bits": item.bits,
                "predicted": {name: dict(told.shares) for name, told in item.predicted.items()},
                "means": dict(item.means),
            }
            for item in judged.next
        ],
    }
