"""A judgement as plain values: what `--json` prints, and what pictures and the report are made of."""

from __future__ import annotations

from typing import Any

from dstamp_sim.analyses.identifiability import REPETITIONS
from dstamp_sim.pipeline.experiments import RuleJudged
from dstamp_sim.pipeline.judge import Judged


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
        "witnesses": {
            name: {"unseen_partners": best.unseen, "searched": best.searched} for name, best in judged.witnesses.items()
        },
        "conflict": list(judged.conflict),
        "longest_run_s": judged.longest_run_s,
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
