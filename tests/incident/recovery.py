"""Synthetic evidence from each mechanism in turn, and the judgement of it.

The evidence is a small laboratory, observed over and over: a run alone, and a day later three of the same ref, the
second one minute and the third four minutes after the first. How the harness deploys is taken as known (the readings
below); the rates of failures, the durations and the unseen partners are drawn from the incident's priors, once per
trial.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.core.scenario import Priors
from dstamp_sim.incident.likely.cluster import Cluster
from dstamp_sim.incident.likely.identifiability import Profile
from dstamp_sim.incident.likely.profiles import ProfileSize
from dstamp_sim.incident.loaded import load_incident
from dstamp_sim.incident.possible.case import Case, Observation
from dstamp_sim.incident.possible.variant import readings
from dstamp_sim.inputs.model_file import bundled
from dstamp_sim.inputs.scenario_file import read_scenario
from models.cc_ci import HYPOTHESES, MECHANISMS

SCENARIO = read_scenario(bundled("experiments/incident/scenario.toml"))

DAY_S = 86400.0
STARTS_S = {"alone": 0.0, "first": DAY_S, "second": DAY_S + 60, "third": DAY_S + 240}

RESULTS = ("stamp", "level", "upgrade")
EVERYTHING = (*RESULTS, "computed", "previous_stamp", "update_status")
"""What is read of a run: its result alone, or also its console and its fingerprints."""

KNOWN = {
    "base": "chaos, with overlay",
    "base, a stack each": "chaos, with overlay",
    "wait": "replicas run",
    "failure action": "rollback",
}
"""The reading of each question; of those that are not named, every reading."""


@dataclass(frozen=True)
class Elsewhere:
    """The laboratory of another incident: one run alone, and a day later others that start so many seconds apart."""

    scenario: str
    after_s: tuple[float, ...]
    identity: Mapping[str, str] = field(default_factory=dict)

    def cluster(self) -> Cluster:
        """It, under every mechanism, with all that a run can show."""
        known = load_incident(bundled(f"experiments/{self.scenario}/scenario.toml"))
        hypotheses = known.model.hypotheses
        seen = tuple((one.name, None) for one in hypotheses.evidence.fields if one.compared)
        starts = {"alone": 0.0} | {f"run {n + 1}": DAY_S + at for n, at in enumerate(self.after_s)}
        runs = [Observation(name, seen, self.identity) for name in starts]
        timing = replace(known.scenario.timing, starts_s=starts, seed=1)
        case = Case(runs, (), (), (), alone=frozenset({"alone"}))
        return Cluster(hypotheses, case, timing, known.model.mechanisms)

    @property
    def priors(self) -> Priors:
        """What is believed before anything is observed."""
        return read_scenario(bundled(f"experiments/{self.scenario}/scenario.toml")).priors


ELSEWHERE = {
    "the DNS automation": Elsewhere("dns_automation", (0.0, 20.0, 60.0)),
    "the index migrations": Elsewhere("index_migrations", (0.0, 1.0), {"service": "hexpm"}),
}


def laboratory(fields: Sequence[str], names: Sequence[str] = tuple(MECHANISMS), seed: int = 1) -> Cluster:
    """The laboratory under these mechanisms, of whose runs these fields are read."""
    runs = [Observation(name, tuple((field, None) for field in fields), {"pr": 1}) for name in STARTS_S]
    timing = replace(SCENARIO.timing, starts_s=STARTS_S, seed=seed)
    mechanisms = {name: MECHANISMS[name] for name in names}
    impossible = {
        name: [
            settings
            for reading, settings in readings(mechanism, HYPOTHESES, frozenset())
            if any(KNOWN.get(question, answer) != answer for question, answer in reading.items())
        ]
        for name, mechanism in mechanisms.items()
    }
    return Cluster(HYPOTHESES, Case(runs, (), (), (), alone=frozenset({"alone"})), timing, mechanisms, impossible)


def trials(
    cluster: Cluster, number: int, observations: int, seed: int, priors: Priors = SCENARIO.priors
) -> dict[str, Profile]:
    """`number` trials of evidence from each mechanism, each the laboratory observed so many times."""
    drawn = replace(cluster, timing=replace(cluster.timing, seed=seed))
    return drawn.profiles(priors, ProfileSize(number, observations))


def log_likelihoods(profile: Profile, seen: Profile) -> NDArray[np.float64]:
    """For every setting of `seen`, the logarithm of how likely `profile` makes all its repetitions together.

    The settings of `profile` are equally likely and hold for all repetitions. Outcomes that it never had count as half
    a repetition, so that a sample does not refute rare ones.
    """
    together = np.zeros((len(seen.episodes[0]), len(profile.episodes[0])))
    for episode in range(len(profile.episodes)):
        outcomes = np.union1d(seen.episodes[episode], profile.episodes[episode])
        given = profile.counts(episode, outcomes) + 0.5
        together += seen.counts(episode, outcomes) @ np.log(given / given.sum(axis=1, keepdims=True)).T
    most = together.max(axis=1, keepdims=True)
    return np.asarray(np.log(np.exp(together - most).mean(axis=1)) + most[:, 0])


def winners(profiles: dict[str, Profile], seen: Profile) -> list[str]:
    """The mechanism that makes each trial's evidence likeliest."""
    names = list(profiles)
    table = np.array([log_likelihoods(profiles[name], seen) for name in names])
    return [names[index] for index in table.argmax(axis=0)]
