"""Which mechanisms the outcomes at hand cannot tell apart, however often they are observed again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.engines.timed.sweep import Floats

REPETITIONS = 50
"""Two mechanisms count as distinguished if this many repetitions of all observations distinguish them."""

WRONG = 0.05
"""From this share of wrong guesses on, two mechanisms are not distinguished."""

CLOSE = (1 - (1 - 2 * WRONG) ** 2) ** (1 / (2 * REPETITIONS))
"""Above this affinity, any rule that guesses between two settings from the repetitions errs that often."""


@dataclass(frozen=True)
class Profile:
    """What the observed runs do under one mechanism, for many settings of what is unknown about it.

    `episodes[k][s, r]` is the number of the joint outcome of the runs of episode k (runs that cannot overlap those of
    another), in repetition r under setting s. Outcomes are numbered alike in profiles that are compared.
    """

    episodes: tuple[NDArray[np.int64], ...]

    def counts(self, episode: int, outcomes: NDArray[np.int64]) -> Floats:
        """How often each of these outcomes (ascending) of an episode came: a row per setting."""
        codes = self.episodes[episode]
        counted = np.zeros((len(codes), len(outcomes)))
        np.add.at(counted, (np.arange(len(codes))[:, None], np.searchsorted(outcomes, codes)), 1.0)
        return counted


def giving(profile: Profile, outcomes: Sequence[int]) -> Profile:
    """The profile with only the settings under which each episode came out so in some repetition."""
    kept = np.ones(len(profile.episodes[0]), bool)
    for codes, outcome in zip(profile.episodes, outcomes, strict=True):
        kept &= (codes == outcome).any(axis=1)
    return Profile(tuple(codes[kept] for codes in profile.episodes))


def affinity(one: Profile, other: Profile) -> Floats:
    """For every setting of `one` (rows) and of `other` (columns), how alike the outcomes are: 1 where the same.

    The product over the episodes of Bhattacharyya's coefficient, the sum of sqrt(p q): n repetitions have its n-th
    power, and a guess from them between the two errs with at least (1 - sqrt(1 - affinity^2n)) / 2.
    """
    alike = np.ones((len(one.episodes[0]), len(other.episodes[0])))
    for episode in range(len(one.episodes)):
        p, q = (_shares(counted) for counted in _counted(one, other, episode))
        alike *= np.sqrt(p) @ np.sqrt(q).T
    return alike


def twin_share(one: Profile, other: Profile) -> float:
    """The share of the settings of `one` for which `other` has a setting that these outcomes do not tell from it."""
    return float((affinity(one, other).max(axis=1) > CLOSE).mean())


def twins(
    profiles: Mapping[str, Profile], observed: Sequence[int] | None = None, least: float = WRONG
) -> dict[str, dict[str, float]]:
    """By mechanism, those that can do what it does, with the share of its settings for which they can.

    With `observed`, the outcomes of the episodes, only settings that produced these count, and mechanisms without any
    are left out. A mechanism without a twin is identifiable: with enough repetitions no other explains them as well.
    """
    asked = profiles if observed is None else {name: giving(profile, observed) for name, profile in profiles.items()}
    shares = {
        name: {other: twin_share(profile, profiles[other]) for other in profiles if other != name}
        for name, profile in asked.items()
        if len(profile.episodes[0])
    }
    return {name: {o: share for o, share in of.items() if share >= least} for name, of in shares.items()}


def either(*found: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """The twins under one belief or another, with the largest of their shares."""
    names = dict.fromkeys(name for one in found for name in one)
    joined = {name: dict.fromkeys(other for one in found for other in one.get(name, ())) for name in names}
    return {
        name: {other: max(one.get(name, {}).get(other, 0.0) for one in found) for other in others}
        for name, others in joined.items()
    }


def _counted(one: Profile, other: Profile, episode: int) -> tuple[Floats, Floats]:
    outcomes = np.union1d(one.episodes[episode], other.episodes[episode])
    return one.counts(episode, outcomes), other.counts(episode, outcomes)


def _shares(counted: Floats) -> Any:
    return counted / counted.sum(axis=1, keepdims=True)
