"""What a number of trials says about a probability: exact intervals, and bounds for unseen things."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, exp, expm1, floor, log, log10, sqrt
from statistics import fmean, stdev
from typing import NamedTuple


class Interval(NamedTuple):
    """A probability's lower and upper confidence limit."""

    low: float
    high: float


def interval(hits: int, trials: int, level: float = 0.95) -> Interval:
    """The Clopper-Pearson (1934) interval of a probability of which `hits` in `trials` independent trials were seen.

    It contains the true probability with at least the probability `level`, whatever it is.
    """
    from scipy.special import betaincinv  # noqa: PLC0415 - slow to import

    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else float(betaincinv(hits, trials - hits + 1, tail))
    high = 1.0 if hits == trials else float(betaincinv(hits + 1, trials - hits, 1 - tail))
    return Interval(low, high)


def mean_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float, float]:
    """The mean of at least two independent values between Student's (1908) confidence limits: low, mean, high."""
    from scipy.special import stdtrit  # noqa: PLC0415 - slow to import

    mean = fmean(values)
    half = float(stdtrit(len(values) - 1, (1 + level) / 2)) * stdev(values) / sqrt(len(values))
    return mean - half, mean, mean + half


def positive_mean_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """Confidence limits of the mean of at least two independent values, none negative and not all 0: a chance's.

    Student's limits of the mean's logarithm (by the delta method), so that neither is below 0.
    """
    low, mean, high = mean_interval(values, level)
    return Interval(mean * exp((low - mean) / mean), min(1.0, mean * exp((high - mean) / mean)))


def never_seen(trials: int, level: float = 0.95) -> float:
    """The upper limit of the probability of one given thing that none of `trials` independent trials showed.

    One-sided, exact: (1 - p)^trials = 1 - level; about 3/trials at 95 % (the rule of three).
    """
    return -expm1(log(1 - level) / trials)


def limits_of(hits: int, trials: int) -> Interval:
    """The 95 % limits of a probability: `interval`, and below `never_seen` where there was no hit."""
    return interval(hits, trials) if hits else Interval(0.0, never_seen(trials))


def all_that_was_never_seen(once: int, trials: int, level: float = 0.95) -> float:
    """An upper limit of the probability that the next trial shows something that `trials` trials have not shown.

    `once`: how many things were seen just once. Good and Turing's estimate with the bound of McAllester and Schapire
    (COLT 2000, theorem 9); 1 where there are too few trials to say anything.
    """
    slack = (2 * sqrt(2) + sqrt(3)) * sqrt(log(3 / (1 - level)) / trials)
    return min(1.0, once / trials + slack)


def share(probability: float) -> str:
    """A share in whole percent; a tiny share is not written as zero, nor a large one as certain."""
    written = f"{probability:.0%}"
    return {"0%": "below 1%", "100%": "above 99%"}.get(written, written)


def below(limit: float) -> str:
    """An upper limit in words, rounded up: tenths of a percent, or a power of ten if it is smaller."""
    if limit <= 0:
        return "0"
    if limit >= 1:
        return "up to 100%"
    if limit >= 0.001:
        return f"below {min(100.0, ceil(limit * 1000 - 1e-9) / 10):g}%"
    return f"below 1e{floor(log10(limit)) + 1}"
