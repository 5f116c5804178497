"""The wording of a judgement: each phrase once, for the first screen and for the report."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from dstamp_sim.analyses.confidence import below, share
from dstamp_sim.analyses.speech import listed
from dstamp_sim.core.numbers import many
from dstamp_sim.incident.likely.plan import Plan
from dstamp_sim.incident.report.summary import ExperimentRow, MechanismRow, Summary, Weight

MOST_FITTING = 4
"""How many mechanisms are named that an outcome fits."""


def estimate(value: float, at_most: float) -> str:
    """A share that was counted, in tenths of a percent; where nothing was counted, or next to nothing, its limit."""
    written = f"{value:.1%}"
    return below(value or at_most) if written == "0.0%" else written


def chance(value: float, at_most: float) -> str:
    """A chance that was counted; where nothing was counted, its upper limit."""
    return f"{value:.2g}" if value else below(at_most)


def likely(weight: Weight) -> str:
    """The range of a mechanism's share over the stated priors, or why it has none."""
    return weight.instead if weight.instead and weight.most == 1 else span(weight.span, weight.most)


def rarities(summary: Summary) -> str:
    """P(evidence) with its interval for each mechanism whose worlds were split; empty if there is none."""
    split = {name: weight for name, weight in summary.weights.items() if weight.split}
    return "; ".join(
        f"{w.estimate:.1g} ({' to '.join(f'{e:.1g}' for e in w.interval)}) for {n}" for n, w in split.items()
    )


def rarely(summary: Summary) -> Iterator[str]:
    """Sentences on what hardly any drawn world agrees with: how it was estimated, or the command that does it."""
    split = [name for name, weight in summary.weights.items() if weight.split]
    none = [name for name in summary.weighed if not summary.weights[name].estimate]
    if split:
        yield (
            f"Hardly any drawn world agreed under {listed(split)}. There P(evidence) was estimated by splitting: "
            "worlds come nearer to the evidence level by level, and the shares that reach the next level are "
            f"multiplied. Each figure is the mean of {summary.weights[split[0]].split} independent estimates, its "
            "interval that of their spread. The range over other priors still has the upper limits of drawn worlds."
        )
    if none and summary.rare:
        yield f"Of {listed(none)} splitting found no world either: what stands is the upper limit of the drawn worlds."
    elif none:
        how = "`dstamp replay --rare` estimates how rare that is (minutes)"
        yield f"No drawn world agreed under {listed(none)}. {how}."


def span(ends: tuple[float, float], most: float) -> str:
    """A range of shares; where no drawn world agreed under some priors, up to the limit (95 %) of the share there."""
    if ends[1] == 0:
        return below(most)
    low, high = share(ends[0]), share(max(ends[1], most))
    return low if low == high else f"{low} to {high}"


def partners(row: MechanismRow) -> str:
    """The least number of unseen partners in time, with the number for runs of any length where it differs."""
    least, without = row.least, row.least_without_timing
    if least is None:
        return ""
    number = _number(least.partners, exact=least.exact)
    if not least.partners or without is None or without.partners == least.partners:
        return number
    return f"{number} ({_number(without.partners, exact=without.exact)})"


def _number(count: int, *, exact: bool) -> str:
    return str(count) if exact or not count else f"at most {count}"


def cannot_give(summary: Summary, names: Collection[str]) -> str:
    """Observations that cannot be produced, in a few words: all runs, and all probes, as such."""
    runs, probes = [run.id for run in summary.evidence.runs], [probe.id for probe in summary.evidence.probes]
    found: list[str] = []
    for of, kind in ((runs, "any of the runs"), (probes, "any of the probes")):
        hit = [name for name in of if name in names]
        found += [kind] if len(hit) == len(of) > 1 else hit
    found += [name for name in _outcomes(summary) if name in names]
    return listed(found, "or")


def _outcomes(summary: Summary) -> list[str]:
    return [f"{made['experiment']}={made['outcome']}" for made in summary.evidence.outcomes]


def refuted(summary: Summary) -> list[str]:
    """A sentence for the impossible mechanisms that cannot produce the same observations, for the same reason."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name in summary.best:
        rows = [row for row in summary.mechanisms if row.mechanism == name]
        if all(row.verdict == "impossible" for row in rows):
            common = [item for item in rows[0].against if all(item in row.against for row in rows)]
            each = cannot_give(summary, common) if common else "all of this in any one reading"
            groups.setdefault((each, summary.never.get(name, "")), []).append(name)
    return [
        f"{listed(names)} cannot produce {each}" + (f": no order of the steps ends in {values}" if values else "")
        for (each, values), names in groups.items()
    ]


def reasons(summary: Summary, rows: Sequence[MechanismRow]) -> str:
    """The reasons of some rows, each once; of the contradicted observations, first those of all rows."""
    if not any(row.against for row in rows):
        return "; ".join(dict.fromkeys(reason for row in rows for reason in row.reasons))
    common = [name for name in rows[0].against if all(name in row.against for row in rows)]
    others = list(dict.fromkeys(name for row in rows for name in row.against if name not in common))
    if not common:
        return _unreachable(summary, others, ", in one reading or another")
    some = f"; in some readings also {', '.join(others)}" if others else ""
    return f"{_unreachable(summary, common)}{some}"


def _unreachable(summary: Summary, names: Sequence[str], under: str = "") -> str:
    made = [name for name in names if name in _outcomes(summary)]
    runs = [name for name in names if name not in made]
    parts = [f"unreachable with any number of partners{under}: {', '.join(runs)}"] if runs else []
    parts += [f"unreachable in the experiment itself{under}: {', '.join(made)}"] if made else []
    return "; ".join(parts)


def flips(summary: Summary) -> str:
    """Which of the stated priors moves a share most, and under which another mechanism comes first."""
    return " ".join((*_moves_most(summary), _flips(summary)))


def _moves_most(summary: Summary) -> Iterator[str]:
    moves = {name: move for name in summary.left if (move := most_moved(summary, name)) is not None}
    if moves:
        name = max(moves, key=lambda name: abs(moves[name][1] - summary.weights[name].posterior))
        yield f'The assumption that moves most is "{moves[name][0]}": {name} {moved(summary, name)}.'


def most_moved(summary: Summary, name: str) -> tuple[str, float] | None:
    """The variation of the priors that moves a mechanism's share most, and that share; None if none moves it."""
    own = summary.weights[name].posterior
    shares = {prior: of[name].posterior for prior, of in summary.other_priors.items() if of[name].posterior != own}
    return max(shares.items(), key=lambda item: abs(item[1] - own), default=None)


def moved(summary: Summary, name: str) -> str:
    """By how much that is."""
    most = most_moved(summary, name)
    return f"{share(summary.weights[name].posterior)} -> {share(most[1])}" if most else ""


def _flips(summary: Summary) -> str:
    if not summary.flips:
        return "No other prior that was tried changes which comes first."
    return f"Another comes first if the assumption is instead: {'; '.join(summary.flips)}."


def plan(found: Plan, of: int) -> str:
    """A plan in words: what to make together, its cost, and what it tells at least."""
    together = listed(found.names)
    return f"{together} ({many(found.runs, 'run')}): {found.bits:.2f} bits at least, at worst {found.stay} of {of} left"


def fitting(experiment: ExperimentRow, outcome: str) -> list[str]:
    """The mechanisms of which some drawn worlds have an outcome, but for those of which nothing is known."""
    return [name for name, of in experiment.predicted.items() if outcome in of and name not in experiment.unknown]


def fits(summary: Summary, experiment: ExperimentRow, outcome: str) -> str:
    """The mechanisms that an outcome would fit, the likeliest first."""
    giving = fitting(experiment, outcome)
    if len(giving) == len(experiment.predicted) > 1:
        ends = [pick(giving, key=lambda name: experiment.predicted[name][outcome]) for pick in (min, max)]
        least, most = (share(experiment.predicted[name][outcome]) for name in ends)
        apart = f" ({least} under {ends[0]}, {most} under {ends[1]})" if least != most else ""
        return f"fits every one that is left{apart}"
    giving.sort(key=lambda name: -summary.weights[name].posterior * experiment.predicted[name][outcome])
    others = [f"{len(giving) - MOST_FITTING} others"] if len(giving) > MOST_FITTING + 1 else []
    return f"fits {listed([*giving[: MOST_FITTING if others else None], *others], 'or')}"


def likely_outcomes(summary: Summary, experiment: ExperimentRow) -> list[str]:
    """The outcomes of an experiment, the most expected first."""

    def chance(outcome: str) -> float:
        shares = experiment.predicted.items()
        return sum(summary.weights[name].posterior * of.get(outcome, 0.0) for name, of in shares)

    return sorted(experiment.means, key=chance, reverse=True)
