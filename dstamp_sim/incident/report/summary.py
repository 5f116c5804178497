"""The findings of a judgement, as plain typed values: `--json` prints them, every text and table is made of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from typing import Any

from dstamp_sim.analyses.confidence import share
from dstamp_sim.core.observable import UNKNOWN, Observable
from dstamp_sim.core.scenario import Priors, Scenario
from dstamp_sim.incident.evidence import Evidence
from dstamp_sim.incident.likely.experiments import Rated, RuleJudged, entropy
from dstamp_sim.incident.likely.identifiability import REPETITIONS
from dstamp_sim.incident.likely.likelihood import Weighed
from dstamp_sim.incident.likely.plan import Plan
from dstamp_sim.incident.likely.worlds import UNSEEN
from dstamp_sim.incident.loaded import Incident
from dstamp_sim.incident.possible.case import Case, LeastWitness, MechanismFinding, Possible, partners_text
from dstamp_sim.incident.possible.company import left_behind
from dstamp_sim.incident.possible.conflicting import Conflict
from dstamp_sim.incident.possible.never import Never
from dstamp_sim.incident.replay_scenario import Replay, ReplayedRun
from dstamp_sim.incident.standing import IncidentFindings, WhatStands
from dstamp_sim.incident.witness.construct import Construction
from dstamp_sim.incident.witness.drawn import Best
from dstamp_sim.inputs.model_file import Model

ORDER = ("possible", "undetermined", "impossible")
"""The verdicts, the one that assumes least first."""


@dataclass(frozen=True)
class RunRow:
    """An observed run: the meaning of its time, what was `seen` of it by field, and the same in words."""

    id: str
    time: str | None
    time_means: str
    until: str | None
    company: str
    seen: Mapping[str, Any]
    says: str
    source: str


@dataclass(frozen=True)
class ProbeRow:
    """An isolated reproduction, and what was seen of it."""

    id: str
    setup: str
    reached: str
    seen: Mapping[str, Any]
    says: str
    source: str


@dataclass(frozen=True)
class EvidenceSummary:
    """The observations; `missing` has the defaults of fields that a run lacks, where the default is not unknown."""

    runs: tuple[RunRow, ...]
    probes: tuple[ProbeRow, ...]
    facts: tuple[Mapping[str, str | None], ...]
    outcomes: tuple[Mapping[str, str], ...]
    missing: Mapping[str, Any]


@dataclass(frozen=True)
class Least:
    """The least numbers with which all observations are possible; `exact` if every smaller one was refuted."""

    partners: int
    exact: bool
    deaths: int
    failures: int
    failures_exact: bool


@dataclass(frozen=True)
class MechanismRow:
    """A mechanism under one reading: in time (`least`), and for runs of any length."""

    mechanism: str
    reading: Mapping[str, str]
    verdict: str
    reasons: tuple[str, ...]
    against: tuple[str, ...]
    least: Least | None
    least_without_timing: Least | None
    assumes: tuple[str, ...]
    bearings: Mapping[str, str]


@dataclass(frozen=True)
class Weight:
    """How likely a mechanism makes the evidence, and its share of the posterior.

    `limits` come from the number of worlds (95 %), `span` from the stated priors (the scenario's included). `most` is
    the largest share that is left to it under any of them: where no drawn world agreed, the upper limit. `instead` says
    why it has no share although it is left.
    """

    estimate: float
    interval: tuple[float, float]
    worlds: int
    without_unseen_partners: float
    without_unseen_at_most: float
    posterior: float
    limits: tuple[float, float]
    span: tuple[float, float]
    most: float
    instead: str | None


@dataclass(frozen=True)
class OtherShare:
    """The share of a mechanism under other priors; `at_most` is its upper limit where no drawn world agreed."""

    posterior: float
    at_most: float


@dataclass(frozen=True)
class UnderWay:
    """Between two instants a run that nobody saw did something, or had left something that was still there.

    Else these observed `runs` cannot have come out so. `reading` says what their times then mean (empty: either).
    """

    runs: tuple[str, ...]
    begins: str | None
    ends: str | None
    reading: str


@dataclass(frozen=True)
class CompanyRow:
    """When runs that nobody saw were under way under a reading, and what they left in the order that was found."""

    reading: Mapping[str, str]
    when: tuple[UnderWay, ...]
    leaves: tuple[str, ...]


@dataclass(frozen=True)
class WitnessRow:
    """A run on the clock in which everything came out as observed, and its origin."""

    unseen_partners: int
    constructed: bool
    how: str


@dataclass(frozen=True)
class ExperimentRow:
    """An experiment: how it comes out under each mechanism, and what each outcome would mean.

    `unknown` are the mechanisms of which nothing is known here (`Rated.unknown`).
    """

    experiment: str
    story: str
    cost: str
    bits: float
    predicted: Mapping[str, Mapping[str, float]]
    without_agreeing_worlds: tuple[str, ...]
    unknown: tuple[str, ...]
    means: Mapping[str, str]


@dataclass(frozen=True)
class RuleRow:
    """A way to read an experiment, judged."""

    says: str
    source: str
    experiment: str
    need_company: tuple[str, ...]
    chances: Mapping[str, float]
    factor: float | None
    judgement: tuple[str, ...]


@dataclass(frozen=True)
class ConflictRow:
    """Observations that no mechanism alone can produce together; `values` are the fields that conflict, if known."""

    names: tuple[str, ...]
    smallest: bool
    proved: bool
    values: Mapping[str, Mapping[str, Any]]
    says: str


@dataclass(frozen=True)
class ReplaySummary:
    """One replay: one draw from the scenario's figures."""

    mechanism: str
    placement: str
    runs: tuple[ReplayedRun, ...]
    reproduced: str
    properties: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """All findings about an incident, with the evidence and the priors that they rest on."""

    title: str
    about: str
    command: str
    seed: int
    evidence: EvidenceSummary
    stories: Mapping[str, str]
    priors: tuple[str, ...]
    assumptions: tuple[tuple[str, str], ...]
    replay: ReplaySummary | None
    mechanisms: tuple[MechanismRow, ...]
    left: tuple[str, ...]
    weights: Mapping[str, Weight]
    entropy_bits: float
    other_priors: Mapping[str, Mapping[str, OtherShare]]
    flips: tuple[str, ...]
    not_told_apart: Mapping[str, Mapping[str, float]]
    repetitions: int
    witnesses: Mapping[str, WitnessRow]
    without_witness: Mapping[str, str]
    pairs: tuple[MechanismRow, ...]
    pairs_refuted: int
    pairs_unjudged: int
    pairs_say: str
    conflict: ConflictRow | None
    longest_run_s: float
    most_deaths: int
    experiments: tuple[ExperimentRow, ...]
    plans: tuple[Plan, ...]
    never: Mapping[str, str]
    company: Mapping[str, CompanyRow]
    rule: RuleRow | None

    @property
    def grouped(self) -> dict[tuple[str, str], list[MechanismRow]]:
        """By mechanism and verdict, its rows; possible ones first."""
        groups: dict[tuple[str, str], list[MechanismRow]] = {}
        for row in sorted(self.mechanisms, key=lambda row: ORDER.index(row.verdict)):
            groups.setdefault((row.mechanism, row.verdict), []).append(row)
        return groups

    @property
    def best(self) -> dict[str, MechanismRow]:
        """By mechanism, the row that assumes least: a possible one with the fewest partners, else undetermined."""
        rows: dict[str, MechanismRow] = {}
        for row in sorted(self.mechanisms, key=lambda r: (ORDER.index(r.verdict), r.least.partners if r.least else 0)):
            rows.setdefault(row.mechanism, row)
        return rows

    def with_verdict(self, verdict: Possible) -> list[str]:
        """The mechanisms with this verdict."""
        return [name for name, row in self.best.items() if row.verdict == verdict.value]

    @property
    def weighed(self) -> list[str]:
        """The mechanisms that are left and have a share, or an upper limit of one."""
        return [name for name in self.left if self.weights[name].most < 1 or not self.weights[name].instead]

    @property
    def ranked(self) -> list[tuple[str, Weight]]:
        """The mechanisms, the one with the largest share of the posterior first."""
        return sorted(self.weights.items(), key=lambda item: -item[1].posterior)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def summarise(judged: IncidentFindings, incident: Incident, evidence: Evidence, replayed: Replay | None) -> Summary:
    """A judgement as plain values, with its evidence and assumptions."""
    scenario, model, now = incident.scenario, incident.model, judged.standing
    return Summary(
        title=scenario.title,
        about=model.about,
        command=incident.command,
        seed=scenario.timing.seed,
        evidence=_evidence(evidence, model.evidence),
        stories={name: mechanism.story for name, mechanism in model.mechanisms.items()},
        priors=tuple(_priors(scenario, model)),
        assumptions=tuple(model.assumptions),
        replay=_replay(replayed) if replayed else None,
        mechanisms=tuple(map(mechanism_row, now.rows)),
        left=tuple(now.left),
        weights={name: _weight(name, item, now) for name, item in now.weighed.items()},
        entropy_bits=entropy(list(now.posterior.values())),
        other_priors={
            prior: {name: OtherShare(share, of.most(name)) for name, share in of.posterior.items()}
            for prior, of in now.varied.items()
        },
        flips=now.flips,
        not_told_apart={name: dict(others) for name, others in judged.twins.items()},
        repetitions=REPETITIONS,
        witnesses={name: _witness(best, now.best(name).timed) for name, best in judged.witnesses.items()},
        without_witness={name: _timeless(attempt) for name, attempt in judged.timeless.items()},
        pairs=tuple(map(mechanism_row, judged.pairs.rows)),
        pairs_refuted=judged.pairs.refuted,
        pairs_unjudged=judged.pairs.unjudged,
        pairs_say=judged.pairs.words(),
        conflict=_conflict(judged.conflict, model.evidence) if judged.conflict else None,
        longest_run_s=judged.longest_run_s,
        most_deaths=Case.most_crashes,
        experiments=tuple(map(_experiment, now.next)),
        plans=judged.plans,
        never={name: _never(one, model.evidence) for name, one in judged.never.items()},
        company={name: _company(judged, name, incident, evidence) for name in judged.company},
        rule=_rule(judged.rule) if judged.rule else None,
    )


def _company(judged: IncidentFindings, name: str, incident: Incident, evidence: Evidence) -> CompanyRow:
    zone = next((run.time.tzinfo for run in evidence.runs if run.time), None)
    hypotheses = incident.model.hypotheses
    assert hypotheses is not None
    row = judged.standing.best(name)
    return CompanyRow(
        reading=dict(row.reading),
        when=tuple(
            UnderWay(one.runs, _instant(one.begins_s, zone), _instant(one.ends_s, zone), one.reading)
            for one in judged.company[name]
        ),
        leaves=tuple(dict.fromkeys(filter(None, map(hypotheses.leaves, left_behind(row))))),
    )


def _instant(seconds: float, zone: tzinfo | None) -> str | None:
    """An instant of the evidence's clock; None if it is not known."""
    return datetime.fromtimestamp(seconds, zone).isoformat() if math.isfinite(seconds) else None


def _evidence(evidence: Evidence, observable: Observable) -> EvidenceSummary:
    return EvidenceSummary(
        runs=tuple(
            RunRow(
                run.id, _written(run.time), run.time_means, _written(run.until),
                run.company, run.seen, observable.worded(run.seen), run.source,
            )
            for run in evidence.runs
        ),
        probes=tuple(
            ProbeRow(probe.id, probe.setup, probe.reached, probe.seen, observable.worded(probe.seen), probe.source)
            for probe in evidence.probes
        ),
        facts=tuple(fact.model_dump() for fact in evidence.facts),
        outcomes=tuple(outcome.model_dump() for outcome in evidence.outcomes),
        missing={one.name: one.missing for one in observable.fields if one.missing is not UNKNOWN},
    )  # fmt: skip


def _written(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def _priors(scenario: Scenario, model: Model) -> list[str]:
    """What the judgement assumes, in sentences."""
    priors = scenario.priors
    assert priors is not None and model.hypotheses is not None
    low, high = priors.unseen_mean
    identity = ", ".join(model.hypotheses.identity)
    rates = [
        f'"{label}": {share(a / (a + b))} on average (beta {a:g}, {b:g})'
        for label, (a, b) in priors.probabilities.items()
    ]
    delays = [f"{name} {given.words()}" for name, given in scenario.timing.delays.items()]
    return [
        f"source of the priors: {priors.source}",
        _odds(priors),
        f"unseen partners around the cluster: {low:g} to {high:g} on average (log-uniform), {UNSEEN} at most",
        *(
            [f"all runs have the same unknown identity ({identity}) with probability {priors.same_identity:g}, "
             "else all differ"]
            if identity
            else []
        ),
        f"a run lasts at most {priors.longest_run_s:g} s; the times in the evidence are starts unless stated otherwise",
        f"durations, all assumed: {'; '.join(delays)}; all together longer or shorter by a factor whose logarithm has "
        f"a standard deviation of {priors.spread:g}",
        f"rates, one draw for all runs of a world: {'; '.join(rates) or 'none'}",
    ]  # fmt: skip


def _never(found: Never, observable: Observable) -> str:
    return f"{observable.worded(found.values)}, as {found.run} did"


def _odds(priors: Priors) -> str:
    if not priors.odds:
        return "all mechanisms are equally likely before the evidence, and so are the readings of each"
    stated = ", ".join(f"{name} {odds:g}" for name, odds in priors.odds.items())
    return f"odds of the mechanisms before the evidence: {stated}, else 1; the readings of each are equally likely"


def _replay(replayed: Replay) -> ReplaySummary:
    properties = tuple(f"{shown.judgement.prop.title}: {shown.words}" for shown in replayed.properties)
    return ReplaySummary(replayed.mechanism, replayed.placement, replayed.rows, replayed.reproduced, properties)


def _conflict(found: Conflict, observable: Observable) -> ConflictRow:
    return ConflictRow(found.names, found.smallest, found.proved, found.values, found.words(observable))


def mechanism_row(row: MechanismFinding) -> MechanismRow:
    """A row; the least numbers are None if none was found."""
    return MechanismRow(
        mechanism=row.mechanism,
        reading=dict(row.reading),
        verdict=row.verdict.value,
        reasons=row.reasons,
        against=tuple(name for name in row.bearings if name in row.against),
        least=_least(row.timed) if row.timed else None,
        least_without_timing=_least(row.untimed) if row.untimed else None,
        assumes=(*(f"{question}: {answer}" for question, answer in row.reading.items()), *_assumed(row.timed)),
        bearings={name: bearing.value for name, bearing in row.bearings.items()},
    )


def _least(found: LeastWitness) -> Least:
    return Least(found.unseen, found.exact, found.crashes, found.faults, found.exact_faults)


def _assumed(found: LeastWitness | None) -> Sequence[str]:
    """What it assumes beside the reading: who the runs were, and what nobody saw."""
    if found is None:
        return ()
    seen = found.words() if found.unseen else "no other run"
    died = [f"the death of {found.crashes} of them"] if found.crashes else []
    failed = [f"{found.faults} failure{'s' * (found.faults != 1)}"] if found.faults else []
    return [*found.assumed, seen, *died, *failed]


def _weight(name: str, item: Weighed, now: WhatStands) -> Weight:
    low, high = item.likelihood.interval
    return Weight(
        estimate=item.likelihood.estimate,
        interval=(low, high),
        worlds=item.likelihood.worlds,
        without_unseen_partners=item.alone.estimate,
        without_unseen_at_most=item.alone.interval.high,
        posterior=now.posterior[name],
        limits=now.shares.limits[name],
        span=now.span(name),
        most=now.most(name),
        instead=now.without_share.get(name),
    )


def _witness(best: Best, least: LeastWitness | None) -> WitnessRow:
    """The origin of a witness; for a constructed one, how ordinary its durations are, and why it has more partners."""
    if best.fitted is None:
        return WitnessRow(best.unseen, constructed=False, how="a world drawn from the priors")
    how = "constructed, as no world drawn from the priors agreed, with "
    if best.fitted.excluded:
        how += f"all durations {best.fitted.factor:.1f} times those assumed, which the priors exclude; with those "
        how += f"assumed, these cannot all hold: {'; '.join(best.bites)}"
    else:
        how += f"every duration within the middle {math.ceil(100 * best.fitted.middle)} % of its prior"
    if least is not None and best.unseen > least.unseen:
        how += (
            f"; it has {partners_text(best.unseen)}, as no order of steps that was tried with {least.unseen} fits those"
        )
    return WitnessRow(best.unseen, constructed=True, how=how)


def _timeless(attempt: Construction) -> str:
    """The sentence that no run on the clock could be constructed, and why."""
    return (
        "No run on the clock shows it. An order of steps shows that it is possible, with regard to the longest run "
        f"only, and to no duration. None of the {attempt.orders} orders that were tried, with up to {UNSEEN} partners, "
        "fits the assumed durations, or all of them longer or shorter by a factor. In the first these cannot all hold: "
        f"{'; '.join(attempt.bites)}."
    )


def _experiment(item: Rated) -> ExperimentRow:
    return ExperimentRow(
        experiment=item.name,
        story=item.experiment.story,
        cost=item.experiment.cost,
        bits=item.bits,
        predicted={name: dict(found.shares) for name, found in item.predicted.items()},
        without_agreeing_worlds=tuple(name for name, found in item.predicted.items() if not found.agree),
        unknown=item.unknown(),
        means=dict(item.means),
    )


def _rule(judged: RuleJudged) -> RuleRow:
    return RuleRow(
        says=judged.rule.says,
        source=judged.rule.source,
        experiment=judged.rule.experiment,
        need_company=judged.company,
        chances=dict(judged.chances),
        factor=judged.factor,
        judgement=judged.sentences,
    )
