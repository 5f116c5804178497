"""A judgement as plain values: what `--json` prints, and what pictures and the report are made of."""

from __future__ import annotations

import math
from typing import Any

from dstamp_sim.core.scenario import Scenario
from dstamp_sim.incident.evidence import Evidence
from dstamp_sim.incident.judge_mechanisms import Judged
from dstamp_sim.incident.likely.experiments import RuleJudged, entropy
from dstamp_sim.incident.likely.identifiability import REPETITIONS
from dstamp_sim.incident.likely.worlds import UNSEEN
from dstamp_sim.incident.possible.case import Case, Found, Row, partners_told
from dstamp_sim.incident.witness.construct import Attempt
from dstamp_sim.incident.witness.drawn import Best
from dstamp_sim.inputs.model_file import Model


def as_json(judged: Judged, scenario: Scenario, evidence: Evidence, model: Model) -> dict[str, Any]:
    """The judgement as plain values, with the evidence and the priors that it rests on."""
    return {
        "evidence": evidence.model_dump(mode="json", exclude={"runs": {"__all__": {"other"}}}),
        "stories": {name: mechanism.story for name, mechanism in model.mechanisms.items()},
        "priors": _priors(scenario),
        "seed": scenario.timing.seed,
        "entropy_bits": entropy(list(judged.posterior.values())),
        "mechanisms": [_row(row) for row in judged.rows],
        "left": judged.left,
        "without_share": judged.without_share,
        "likelihoods": {
            name: {
                "estimate": item.likelihood.estimate,
                "interval": list(item.likelihood.interval),
                "worlds": item.likelihood.worlds,
                "without_unseen_partners": item.alone.estimate,
            }
            for name, item in judged.weighed.items()
        },
        "posterior": dict(judged.posterior),
        "posterior_limits": {name: list(limits) for name, limits in judged.limits.items()},
        "other_priors": {name: dict(other) for name, other in judged.varied.items()},
        "flips": list(judged.flips),
        "not_told_apart": {name: dict(others) for name, others in judged.twins.items()},
        "repetitions": REPETITIONS,
        "witnesses": {name: _witness(best, judged.best(name).timed) for name, best in judged.witnesses.items()},
        "without_witness": {name: _timeless(attempt) for name, attempt in judged.timeless.items()},
        "pairs": [_row(row) for row in judged.pairs.rows],
        "pairs_refuted": judged.pairs.refuted,
        "pairs_unjudged": judged.pairs.unjudged,
        "pairs_told": judged.pairs.told(),
        "conflict": None if judged.conflict is None else vars(judged.conflict) | {"told": judged.conflict.told()},
        "longest_run_s": judged.longest_run_s,
        "most_deaths": Case.most_crashes,
        "experiments": [
            {
                "experiment": item.name,
                "story": item.experiment.story,
                "cost": item.experiment.cost,
                "bits": item.bits,
                "predicted": {name: dict(told.shares) for name, told in item.predicted.items()},
                "without_agreeing_worlds": [name for name, told in item.predicted.items() if not told.agree],
                "means": dict(item.means),
            }
            for item in judged.next
        ],
        "rule": None if judged.rule is None else _rule(judged.rule),
    }


def _priors(scenario: Scenario) -> list[str]:
    """What the judgement assumes, in sentences."""
    priors = scenario.priors
    assert priors is not None
    low, high = priors.unseen_mean
    rates = [
        f'"{label}": {a / (a + b):.0%} on average (beta {a:g}, {b:g})' for label, (a, b) in priors.probabilities.items()
    ]
    delays = [f"{name} {given.told()}" for name, given in scenario.timing.delays.items()]
    return [
        f"source of the priors: {priors.source}",
        "all mechanisms are equally likely before the evidence, and so are the readings of each",
        f"unseen partners around the cluster: {low:g} to {high:g} on average (log-uniform), {UNSEEN} at most",
        f"all runs have the same unknown identity (pr) with probability {priors.same_identity:g}, else all differ",
        f"a run lasts at most {priors.longest_run_s:g} s; the times in the evidence are starts where that is not said",
        f"durations, all assumed: {'; '.join(delays)}; all together longer or shorter by a factor whose logarithm has "
        f"a standard deviation of {priors.spread:g}",
        f"rates, one draw for all runs of a world: {'; '.join(rates)}",
    ]


def _row(row: Row) -> dict[str, Any]:
    """A row; the least numbers are None where nothing was found, and the reading without timing has its own."""
    numbers: dict[str, Any] = {}
    for found, suffix in ((row.timed, ""), (row.untimed, "_without_timing")):
        numbers |= {
            f"unseen_partners{suffix}": found and found.unseen,
            f"unseen_partners_exact{suffix}": found and found.exact,
            f"crashes{suffix}": found and found.crashes,
            f"failures{suffix}": found and found.faults,
            f"failures_exact{suffix}": found and found.exact_faults,
        }
    return {
        "mechanism": row.mechanism,
        "reading": dict(row.reading),
        "verdict": row.verdict.value,
        "why": row.why,
        **numbers,
        "assumed": list(row.timed.assumed) if row.timed else [],
        "assumes": [*(f"{question}: {answer}" for question, answer in row.reading.items()), *_assumed(row.timed)],
        "bearings": {name: bearing.value for name, bearing in row.bearings.items()},
    }


def _assumed(found: Found | None) -> list[str]:
    """What it takes beside the reading: who the runs were, and what nobody saw."""
    if found is None:
        return []
    seen = found.told() if found.unseen else "no other run"
    died = [f"the death of {found.crashes} of them"] if found.crashes else []
    failed = [f"{found.faults} failure{'s' * (found.faults != 1)}"] if found.faults else []
    return [*found.assumed, seen, *died, *failed]


def _witness(best: Best, least: Found | None) -> dict[str, Any]:
    """How a witness came about, and of a constructed one how ordinary its durations are, and why it has more partners
    than are needed.
    """  # noqa: D205 - one sentence
    told = {"unseen_partners": best.unseen, "constructed": best.fitted is not None}
    if best.fitted is None:
        return told | {"told": "a world drawn from the priors"}
    how = "constructed, as no world drawn from the priors agreed, with "
    if best.fitted.excluded:
        how += f"all durations {best.fitted.factor:.1f} times those assumed, which the priors exclude; with those "
        how += f"assumed, these cannot all hold: {'; '.join(best.bites)}"
    else:
        how += f"every duration within the middle {math.ceil(100 * best.fitted.middle)} % of its prior"
    if least is not None and best.unseen > least.unseen:
        how += (
            f"; it has {partners_told(best.unseen)}, as no order of steps that was tried with {least.unseen} fits those"
        )
    figures = {"middle": best.fitted.middle, "factor": best.fitted.factor, "excluded": best.fitted.excluded}
    return told | figures | {"bites": list(best.bites), "told": how}


def _timeless(attempt: Attempt) -> dict[str, Any]:
    """That no run on the clock could be constructed, and why."""
    told = (
        "No run on the clock shows it; that it is possible rests on an order of steps for which only the longest run "
        f"counts, and no duration. None of the {attempt.orders} orders that were tried, with up to {UNSEEN} partners, "
        "fits the assumed durations, or all of them longer or shorter by a factor. In the first these cannot all hold: "
        f"{'; '.join(attempt.bites)}."
    )
    return {"orders": attempt.orders, "bites": list(attempt.bites), "told": told}


def _rule(judged: RuleJudged) -> dict[str, Any]:
    return {
        "says": judged.rule.says,
        "source": judged.rule.source,
        "experiment": judged.rule.experiment,
        "need_company": list(judged.company),
        "chances": dict(judged.chances),
        "factor": judged.factor,
        "judgement": list(judged.sentences),
    }
