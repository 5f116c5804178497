"""What so many trials allow to say about a probability: exact intervals, and bounds on what was never seen."""

from __future__ import annotations

from math import exp, expm1, lgamma, log, log1p, sqrt
from typing import NamedTuple


class Interval(NamedTuple):
    """A probability's lower and upper confidence limit."""

    low: float
    high: float


def interval(hits: int, trials: int, level: float = 0.95) -> Interval:
    """The Clopper-Pearson (1934) interval of a probability of which `hits` in `trials` independent trials were seen.

    Contains the true probability at least as often as `level` says, whatever it is.
    """
    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else _quantile(tail, hits, trials - hits + 1)
    high = 1.0 if hits == trials else _quantile(1 - tail, hits + 1, trials - hits)
    return Interval(low, high)


def never_seen(trials: int, level: float = 0.95) -> float:
    """The upper limit of the probability of one given thing that none of `trials` independent trials showed.

    One-sided, exact: (1 - p)^trials = 1 - level; about 3/trials at 95 % (the rule of three).
    """
    return -expm1(log(1 - level) / trials)


def all_that_was_never_seen(once: int, trials: int, level: float = 0.95) -> float:
    """An upper limit of the probability that the next trial shows anything that `trials` trials have not shown.

    `once`: how many things were seen just once. Good and Turing's estimate with the bound of McAllester and Schapire
    (COLT 2000, theorem 9); 1 where there are too few trials to say anything.
    """
    slack = (2 * sqrt(2) + sqrt(3)) * sqrt(log(3 / (1 - level)) / trials)
    return min(1.0, once / trials + slack)


def _quantile(share: float, a: float, b: float) -> float:
    """Where the beta distribution of a, b has `share` of its mass below; bisection."""
    low, high = 0.0, 1.0
    for _ in range(80):
        middle = (low + high) / 2
        if _beta(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    return front * _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """1/(1 + d1/(1 + d2/(1 + …))), evaluated forwards (modified Lentz)."""
    value, c, d = 1.0, 1.0, 0.0
    for m in range(1, 10_000):
        half = m // 2
        if m % 2:
            term = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            term = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        d, c = 1 / (1 + term * d), 1 + term / c
        value *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return 1 / value
