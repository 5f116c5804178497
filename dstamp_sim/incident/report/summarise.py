"""A judgement made into a summary: what the engines found, in the words and figures that every page tells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, tzinfo

from dstamp_sim.analyses.confidence import share
from dstamp_sim.core.observable import UNKNOWN, Observable
from dstamp_sim.core.scenario import Priors, Scenario
from dstamp_sim.incident.evidence import Evidence
from dstamp_sim.incident.likely.experiments import Rated, RuleJudged, entropy
from dstamp_sim.incident.likely.identifiability import REPETITIONS
from dstamp_sim.incident.likely.likelihood import Weighed
from dstamp_sim.incident.likely.worlds import UNSEEN
from dstamp_sim.incident.loaded import Incident
from dstamp_sim.incident.possible.case import Case, LeastWitness, MechanismFinding, partners_text
from dstamp_sim.incident.possible.company import left_behind
from dstamp_sim.incident.possible.conflicting import Conflict
from dstamp_sim.incident.possible.never import Never
from dstamp_sim.incident.replay_scenario import Replay
from dstamp_sim.incident.report.summary import (
    CompanyRow,
    ConflictRow,
    EvidenceSummary,
    ExperimentRow,
    Least,
    MechanismRow,
    OtherShare,
    ProbeRow,
    ReplaySummary,
    RuleRow,
    RunRow,
    Summary,
    UnderWay,
    Weight,
    WitnessRow,
)
from dstamp_sim.incident.standing import IncidentFindings, WhatStands
from dstamp_sim.incident.witness.construct import Construction
from dstamp_sim.incident.witness.drawn import Best
from dstamp_sim.inputs.model_file import Model


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
        rare=incident.rare,
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
        split=len(item.likelihood.split),
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
