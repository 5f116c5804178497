"""Plans: up to three experiments made together, by the information to be expected and by the worst case."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from dstamp_sim.incident.likely.experiments import Rated, entropy

MOST_TOGETHER = 3
"""How many experiments a plan has at most."""

SAME_BITS = 0.01
"""Plans that differ by less information than this tell the same: then fewer experiments, and fewer runs, are better."""


@dataclass(frozen=True)
class Plan:
    """Experiments to make together, the cheapest first.

    `bits` is the information on the mechanism to be expected at least, under the scenario's own priors. `stay` is how
    many mechanisms can be left at worst, whatever the priors, of the outcomes that some drawn world has. `runs` is what
    they cost.
    """

    names: tuple[str, ...]
    bits: float
    stay: int
    runs: int


def plans(posterior: Mapping[str, float], rated: Sequence[Rated]) -> tuple[Plan, ...]:
    """The plan that tells most, and another if it leaves fewer mechanisms at worst. None if there is no experiment.

    Of plans that do so equally well, the one with fewest experiments, then with fewest runs.
    """
    known = list(all_plans(posterior, rated))
    if not known:
        return ()
    most = max(plan.bits for plan in known)
    telling = min((p for p in known if p.bits >= most - SAME_BITS), key=lambda p: (len(p.names), p.runs, -p.bits))
    surest = min(known, key=lambda plan: (plan.stay, len(plan.names), plan.runs, -plan.bits))
    return (telling, surest) if surest.stay < telling.stay else (telling,)


def all_plans(posterior: Mapping[str, float], rated: Sequence[Rated]) -> Iterator[Plan]:
    """Every plan; each tells at least what its parts do, though fewer worlds are left for each joint outcome."""
    cheap = sorted(rated, key=lambda item: len(item.experiment.starts_s))
    bits: dict[tuple[str, ...], float] = {(): 0.0}
    for count in range(1, MOST_TOGETHER + 1):
        for chosen in combinations(cheap, count):
            runs = sum(len(item.experiment.starts_s) for item in chosen)
            names = tuple(item.name for item in chosen)
            bits[names] = max(joint_bits(posterior, chosen), *(bits[part] for part in combinations(names, count - 1)))
            yield Plan(names, bits[names], worst_case(chosen), runs)


def joint_bits(posterior: Mapping[str, float], chosen: Sequence[Rated]) -> float:
    """The information on the mechanism that these experiments together can be expected to give, in bits.

    The outcomes of a world belong together, as they have its unknown rates in common. In half of the worlds it is
    learned which mechanism each joint outcome points at, in the other half that is put to the test, and the other way
    round: what few worlds suggest by chance earns nothing, so the figure is rather too low than too high.
    """
    names = [name for name in posterior if posterior[name] > 0 and all(item.predicted[name].worlds for item in chosen)]
    joint = {name: list(zip(*(item.predicted[name].in_turn for item in chosen), strict=True)) for name in names}
    prior = {name: posterior[name] / sum(posterior[n] for n in names) for name in names}
    halves = [{name: rows[start::2] for name, rows in joint.items()} for start in (0, 1)]
    gained = [_learned(prior, learned, tested) for learned, tested in (halves, halves[::-1])]
    return max(0.0, sum(gained) / 2)


def _learned(
    prior: Mapping[str, float],
    learned: Mapping[str, Sequence[tuple[str, ...]]],
    tested: Mapping[str, Sequence[tuple[str, ...]]],
) -> float:
    """By how many bits the right mechanism gains on average in the tested worlds, by what was learned."""
    counts = {name: Counter(rows) for name, rows in learned.items()}
    kinds = len({outcome for of in counts.values() for outcome in of}) + 1
    gain = entropy(list(prior.values()))
    for name, rows in tested.items():
        for outcome, times in Counter(rows).items():
            chances = {n: prior[n] * (of[outcome] + 0.5) / (of.total() + 0.5 * kinds) for n, of in counts.items()}
            gain += prior[name] * times / len(rows) * math.log2(chances[name] / sum(chances.values()))
    return gain


def worst_case(chosen: Iterable[Rated]) -> int:
    """How many mechanisms can be left at worst: those that can give each outcome of some combination of outcomes.

    An outcome that a mechanism had in no drawn world counts as one that it cannot give.
    """
    points_at = [{frozenset(_giving(one, outcome)) for outcome in one.means} for one in chosen]
    return max((len(frozenset.intersection(*sets)) for sets in product(*points_at)), default=0)


def _giving(one: Rated, outcome: str) -> Iterator[str]:
    """The mechanisms with which an outcome agrees; any does where nothing is known."""
    unknown = one.unknown()
    return (name for name, item in one.predicted.items() if outcome in item.shares or name in unknown)
