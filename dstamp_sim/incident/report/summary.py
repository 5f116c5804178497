"""The findings of a judgement, as plain typed values: `--json` prints them, every text and table is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dstamp_sim.incident.likely.plan import Plan
from dstamp_sim.incident.possible.case import Possible
from dstamp_sim.incident.replay_scenario import ReplayedRun

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
    why it has no share although it is left. `split` is the number of estimates by splitting (0: worlds were counted).
    """

    estimate: float
    interval: tuple[float, float]
    worlds: int
    split: int
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
    rare: bool

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
