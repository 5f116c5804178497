"""The judgement of an incident: which mechanism is possible, how likely each is, and what to do next."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dstamp_sim.analyses.speech import listed
from dstamp_sim.core.errors import ScenarioError, UsageError
from dstamp_sim.core.mechanism import Hypotheses, Mechanism
from dstamp_sim.core.scenario import Priors
from dstamp_sim.incident.evidence import Evidence
from dstamp_sim.incident.likely.cluster import Cluster
from dstamp_sim.incident.likely.experiments import (
    Rated,
    RuleJudged,
    Survivors,
    check_outcome,
    judged_rule,
    observed_since,
    rated,
)
from dstamp_sim.incident.likely.likelihood import NEVER, Weighed
from dstamp_sim.incident.likely.observed_clock import observed_clock
from dstamp_sim.incident.likely.plan import plans
from dstamp_sim.incident.likely.profiles import ProfileSize
from dstamp_sim.incident.likely.splitting import SplittingSize
from dstamp_sim.incident.loaded import Incident
from dstamp_sim.incident.possible.abduction import Judging
from dstamp_sim.incident.possible.ask import engines
from dstamp_sim.incident.possible.budget import Budget
from dstamp_sim.incident.possible.case import Case, MechanismFinding, Observation, Possible
from dstamp_sim.incident.possible.company import Company, company
from dstamp_sim.incident.possible.conflicting import Conflict, conflict
from dstamp_sim.incident.possible.judge_variant import JudgementTask
from dstamp_sim.incident.possible.never import conflicting, never
from dstamp_sim.incident.possible.overlap import ObservedTime, orders
from dstamp_sim.incident.possible.pairing import Pairs, judge_pairs
from dstamp_sim.incident.possible.variant import variants_of_mechanism
from dstamp_sim.incident.standing import IncidentFindings, Shares, WhatStands, best_row
from dstamp_sim.incident.witness.construct import ClockedMechanism, Construction
from dstamp_sim.incident.witness.drawn import Best, DrawnMechanism, constructed
from dstamp_sim.inputs.model_file import Model
from dstamp_sim.pipeline.progress import Progress

PROFILE_SIZE = ProfileSize(settings=40, repetitions=1000)
"""The size of the profiles that show which mechanisms the outcomes distinguish."""


class JudgementInterrupted(KeyboardInterrupt):
    """Ctrl-C amid a judgement: the `rows` that were finished, and how many there are in all. Nothing was weighed."""

    def __init__(self, rows: Sequence[MechanismFinding], in_all: int) -> None:
        super().__init__()
        self.rows, self.in_all = tuple(rows), in_all


@dataclass
class StepsDone:
    """The progress of a judgement, in whole steps."""

    tell: Progress | None
    total: int
    done: float = 0.0

    def more(self, part: float = 1.0, what: str = "") -> None:
        """One more step, or a part of one; `what` is next."""
        self.done += part
        if self.tell is not None:
            self.tell(round(self.done), self.total, what)


def judge_mechanisms(incident: Incident, *, workers: int = 1, tell: Progress | None = None) -> IncidentFindings:
    """Judges every mechanism that the model names. Deterministic, whatever the number of `workers`.

    `workers` are processes; more than one needs a main module that can be imported.
    Raises UsageError if the model has no hypotheses, ScenarioError if the scenario has no evidence or priors.
    """
    return judge_since(incident, [], workers=workers, tell=tell)[1]


def judge_since(
    incident: Incident, earlier: Sequence[int], *, workers: int = 1, tell: Progress | None = None
) -> tuple[list[WhatStands], IncidentFindings]:
    """What stood after so many outcomes of the evidence (each number of `earlier`, ascending), and what is found now.

    Each standing is that which the evidence with just these outcomes has. Raises what `judge_mechanisms` raises, and
    JudgementInterrupted on Ctrl-C.
    """
    evidence, hypotheses, priors = _needed(incident)
    case = case_of(evidence, hypotheses, priors.longest_run_s)
    counts = [*earlier, len(case.outcomes)]
    stages = 3 + incident.rare
    steps = StepsDone(tell, stages * len(incident.model.mechanisms) + len(priors.variations) + 1)
    task = JudgementTask(incident.model, replace(case, outcomes=case.outcomes[: counts[0]]), Budget(incident.row_s))
    rows: list[MechanismFinding] = []
    try:
        rows.extend(_rows(task, workers, steps))
        return _weighed(incident, task, rows, case, counts, steps, workers)
    except KeyboardInterrupt:
        raise JudgementInterrupted(rows, len(task.variants)) from None


def _rows(task: JudgementTask, workers: int, steps: StepsDone) -> Iterator[MechanismFinding]:
    """The rows as they are judged; the progress names the one at hand."""
    coming = [variant.name for variant in task.variants]
    steps.more(0.0, coming[0])
    for row, then in zip(task.rows(workers), (*coming[1:], "likelihoods"), strict=True):
        yield row
        steps.more(len(task.model.mechanisms) / len(coming), then)


def _weighed(
    incident: Incident,
    task: JudgementTask,
    rows: Sequence[MechanismFinding],
    case: Case,
    counts: Sequence[int],
    steps: StepsDone,
    workers: int,
) -> tuple[list[WhatStands], IncidentFindings]:
    """What `judge_since` returns, from the rows of the first stage."""
    evidence, hypotheses, priors = _needed(incident)
    stages = [Stage(task, count, tuple(task.since(rows, case.outcomes[counts[0] : count]))) for count in counts]
    timing, since = observed_clock(evidence, hypotheses, incident.scenario.timing, priors)
    size = SplittingSize() if incident.rare else None
    clock = Cluster(hypotheses, case, timing, _alive(rows, incident.model), _hopeless(rows), splitting=size)
    stood = _standings(stages, clock, evidence, priors, steps)
    last, now = stages[-1], stood[-1]
    cluster = last.on(clock)
    none_alone = all(row.verdict is not Possible.POSSIBLE for row in last.rows)
    clash = _conflict(last.rows, task, case) if none_alone else None
    witnesses, timeless = _witnesses(cluster, now.weighed, last.rows, priors)
    found = IncidentFindings(
        standing=now,
        plans=plans(now.posterior, now.next) if len(now.left) > 1 else (),
        never=never([Judging(variant, case, engines()) for variant in task.variants], last.rows),
        twins=cluster.twins(priors, PROFILE_SIZE, cluster.observed(priors), steps.more),
        company=_company(last.rows, task, case),
        rule=_rule(hypotheses, now.next),
        witnesses=witnesses,
        timeless=timeless,
        pairs=_pairs(task, case, clash, workers) if none_alone else Pairs(),
        conflict=clash,
        longest_run_s=priors.longest_run_s,
        since=since,
    )
    return stood[:-1], found


@dataclass(frozen=True)
class Stage:
    """The rows of a judgement after the first `count` outcomes of its evidence."""

    task: JudgementTask
    count: int
    rows: tuple[MechanismFinding, ...]

    def on(self, clock: Cluster) -> Cluster:
        """The cluster under what these rows leave."""
        alive = _alive(self.rows, self.task.model)
        return replace(clock, mechanisms=alive, impossible=_hopeless(self.rows))

    def since(
        self, survivors: Survivors, evidence: Evidence, hypotheses: Hypotheses, odds: Mapping[str, float]
    ) -> tuple[Survivors, Shares]:
        """What these rows and outcomes leave of worlds that were drawn without them, and the shares."""
        alive, hopeless = _alive(self.rows, self.task.model), _hopeless(self.rows)
        weighed = {name: survivors.weighed[name].but(hopeless.get(name, ())) for name in alive}
        made = evidence.model_copy(update={"outcomes": evidence.outcomes[: self.count]})
        kept, likelihoods = observed_since(made, hypotheses, replace(survivors, mechanisms=alive, weighed=weighed))
        factors = {name: odds.get(name, 1.0) * likelihood for name, likelihood in likelihoods.items()}
        return kept, Shares.of(kept, factors, list(self.task.model.mechanisms))


def _standings(
    stages: Sequence[Stage], clock: Cluster, evidence: Evidence, priors: Priors, steps: StepsDone
) -> list[WhatStands]:
    """What stands after each stage. Worlds are drawn once, for the rows of the first; for other odds not again.

    Rare evidence is split, if it shall be, under the scenario's own priors: under others it has its upper limit.
    """
    hypotheses = clock.hypotheses
    drawn = clock.weighed(priors, steps.more)
    if clock.splitting is not None:
        drawn = clock.estimated(drawn, priors, steps.more)
    kept = [stage.since(drawn, evidence, hypotheses, priors.odds) for stage in stages]
    varied: list[dict[str, Shares]] = [{} for _ in stages]
    for name, beliefs in priors.variations.items():
        if beliefs.draws_as(priors):
            other = drawn
            steps.more()
        else:
            other = clock.weighed(replace(beliefs, runs=max(1, beliefs.runs // 4)), steps.more)
        for stage, found in zip(stages, varied, strict=True):
            found[name] = stage.since(other, evidence, hypotheses, beliefs.odds)[1]
    return [
        WhatStands(
            rows=stage.rows,
            weighed=dict.fromkeys(stage.task.model.mechanisms, NEVER) | dict(survivors.weighed),
            shares=shares,
            varied=others,
            next=rated(shares.posterior, hypotheses, survivors) if survivors.mechanisms else (),
        )
        for stage, (survivors, shares), others in zip(stages, kept, varied, strict=True)
    ]


def _witnesses(
    cluster: Cluster, weighed: Mapping[str, Weighed], rows: Sequence[MechanismFinding], priors: Priors
) -> tuple[dict[str, Best], dict[str, Construction]]:
    """The best witness of every mechanism that is possible: from the worlds that agreed, else constructed.

    Also the attempts without a witness.
    """
    found, failed = {}, {}
    for name, mechanism in cluster.mechanisms.items():
        known = cluster.hypotheses.evidence
        runs = DrawnMechanism(name, mechanism, cluster.case, cluster.timing, cluster.needs, known)
        best = runs.best(weighed[name])
        row = best_row(rows, name)
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


def _alive(rows: Sequence[MechanismFinding], model: Model) -> dict[str, Mechanism]:
    names = {row.mechanism for row in rows if row.verdict is not Possible.IMPOSSIBLE}
    return {name: mechanism for name, mechanism in model.mechanisms.items() if name in names}


def _hopeless(rows: Sequence[MechanismFinding]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row.verdict is Possible.IMPOSSIBLE:
            found.setdefault(row.mechanism, []).append(row.settings)
    return found


def _conflict(rows: Sequence[MechanismFinding], task: JudgementTask, case: Case) -> Conflict | None:
    """The fewest observations that no row can produce together, if there are any."""
    asked = engines()
    variant = dict(zip(map(id, rows), task.variants, strict=True))
    found = conflict(rows, case.names, lambda row, names: Judging(variant[id(row)], case, asked).refutes(names))
    if found is None or not found.proved:
        return found
    judgings = [Judging(variant[id(row)], case, asked) for row in rows]
    return replace(found, values=conflicting(judgings, rows, found.names))


def _company(rows: Sequence[MechanismFinding], task: JudgementTask, case: Case) -> dict[str, tuple[Company, ...]]:
    """By mechanism that needs runs which nobody saw, when these were under way, in the reading that assumes least."""
    variant = dict(zip(map(id, rows), task.variants, strict=True))
    best = [best_row(rows, name) for name in task.model.mechanisms]
    needing = [row for row in best if row.timed is not None and row.timed.unseen]
    return {row.mechanism: company(variant[id(row)], case, engines()) for row in needing}


def _pairs(task: JudgementTask, case: Case, clash: Conflict | None, workers: int) -> Pairs:
    assert task.model.hypotheses is not None
    asked = replace(task, case=case)
    contested = clash.names if clash else ()
    excluded = asked.excluded_pairs(contested or case.names, workers)
    return judge_pairs(task.model.mechanisms, task.model.hypotheses, case, engines(), contested, excluded)


def _needed(incident: Incident) -> tuple[Evidence, Hypotheses, Priors]:
    model, scenario = incident.model, incident.scenario
    if model.hypotheses is None or not model.mechanisms:
        raise UsageError(f"model {model.reference} names no HYPOTHESES, so its mechanisms cannot be judged")
    if incident.evidence is None:
        raise ScenarioError("the scenario names no evidence to judge mechanisms against")
    if scenario.priors is None:
        raise ScenarioError("the scenario has no [priors]: durations, partners and failure rates must be assumed")
    ignored = [name for name in scenario.parameters if name not in ("runs", *model.hypotheses.identity)]
    if ignored:
        raise ScenarioError(
            f"parameters.{ignored[0]}: a judgement takes only runs and what tells runs apart "
            f"({listed(model.hypotheses.identity) or 'nothing, in this model'}) from here: set it in the factory of "
            "each mechanism, or in a reading; or replay without judging (--no-judge)"
        )
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


def _rule(hypotheses: Hypotheses, next_ones: Sequence[Rated]) -> RuleJudged | None:
    rule = hypotheses.rule
    predicted = next((item.predicted for item in next_ones if rule is not None and item.name == rule.experiment), None)
    return None if rule is None or predicted is None else judged_rule(rule, predicted)
