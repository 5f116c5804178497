"""The words of an abduction: the observations, the engines' answers, and a row of the judgement."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace
from dstamp_sim.incident.evidence import ExperimentOutcome
from dstamp_sim.incident.possible.overlap import IntervalOrder


class Possible(Enum):
    """Whether a mechanism can have produced everything observed; the value is the word for it."""

    POSSIBLE = "possible"
    IMPOSSIBLE = "impossible"
    UNDETERMINED = "undetermined"


class Bearing(Enum):
    """What a mechanism has to do with one observation."""

    EXPLAINS = "explains"
    CONTRADICTS = "contradicts"
    SILENT = "is silent on"
    OPEN = "undetermined"


@dataclass(frozen=True)
class Observation:
    """One observed run or probe: its name, what was read of it, and which run it was (None: not known which)."""

    name: str
    fields: tuple[tuple[str, Any], ...]
    identity: Mapping[str, Any] = field(default_factory=dict)
    probe: bool = False


@dataclass(frozen=True)
class EngineAnswer:
    """An engine's answer: whether all can come out as observed (shown by `trace`), and why."""

    verdict: Possible
    reason: str
    trace: Trace | None = None


@dataclass(frozen=True)
class Engines:
    """How systems are judged: one system, and one with any number of some processes.

    `attempt` is `reach`, and `excluded` tells whether `reach_any` refutes, as far as is known at little cost.
    `comes_out` asks whether the runs of an experiment can end as the system's property denies.
    """

    reach: Callable[[System], EngineAnswer]
    attempt: Callable[[System], EngineAnswer]
    reach_any: Callable[[System, Sequence[str]], EngineAnswer]
    excluded: Callable[[System, Sequence[str]], bool]
    comes_out: Callable[[System], EngineAnswer]


Partners = Sequence[tuple[int, Mapping[str, Any]]]
"""By partner: its place in the order, and its identity."""


@dataclass(frozen=True)
class Candidate:
    """One possible past: an order in time, the identities of the runs, and the partners."""

    order: IntervalOrder
    identities: Sequence[Mapping[str, Any]]
    partners: Partners

    @property
    def everyone(self) -> list[Mapping[str, Any]]:
        """Who the observed runs and then the partners are."""
        return [*self.identities, *(identity for _, identity in self.partners)]


@dataclass(frozen=True)
class LeastWitness:
    """The least numbers with which everything is possible, and the behaviour that shows it.

    Least are first the deaths of unseen partners (`crashes`), then the partners, then what failed (`faults`: outcomes
    that the hypotheses count as failures). `exact` is whether every smaller number of partners was refuted,
    `exact_faults` the same of the failures, with these partners. `candidate` says when and who the runs and partners
    were, as far as that was not known: the system is that of it and of the deaths.
    """

    candidate: Candidate
    system: System
    trace: Trace
    assumed: tuple[str, ...]
    crashes: int
    faults: int
    exact: bool
    exact_faults: bool

    @property
    def unseen(self) -> int:
        """The number of unseen partners."""
        return len(self.candidate.partners)

    def words(self) -> str:
        """The number of partners in words."""
        return f"{'exactly' if self.exact else 'at most'} {partners_text(self.unseen)}"


@dataclass(frozen=True)
class MechanismFinding:
    """A mechanism under one reading: the verdict and its reasons, what it must assume, and how it bears on each item.

    `timed` respects who can have overlapped, `untimed` ignores how long runs last; None if none was found.
    `refuted` is whether every number of partners that was tried was refuted in time.
    """

    mechanism: str
    reading: Mapping[str, str]
    settings: Mapping[str, Any]
    verdict: Possible
    reasons: tuple[str, ...]
    timed: LeastWitness | None = None
    untimed: LeastWitness | None = None
    bearings: Mapping[str, Bearing] = field(default_factory=dict)
    refuted: bool = False

    @property
    def why(self) -> str:
        """The reasons in one text."""
        return "; ".join(self.reasons)

    @property
    def against(self) -> frozenset[str]:
        """The observations that it contradicts."""
        return frozenset(name for name, bearing in self.bearings.items() if bearing is Bearing.CONTRADICTS)


@dataclass(frozen=True)
class Case:
    """The observations to explain: the observed runs, the probes, the orders in time, and the parts that never changed.

    `timed` are the orders under the longest duration of a run, `untimed` those without. `most_unseen` partners are
    tried at most, and the deaths of `most_crashes` of them. `alone` are the runs known to have overlapped none.
    `outcomes` are those of experiments that were made since; each is asked of the experiment's own runs.
    """

    runs: Sequence[Observation]
    probes: Sequence[Observation]
    timed: Sequence[IntervalOrder]
    untimed: Sequence[IntervalOrder]
    constants: frozenset[str] = frozenset()
    most_unseen: int = 3
    most_crashes: int = 1
    alone: frozenset[str] = frozenset()
    outcomes: Sequence[ExperimentOutcome] = ()

    @property
    def names(self) -> list[str]:
        """The observations by name, runs first, outcomes of experiments last."""
        return [*(item.name for item in (*self.runs, *self.probes)), *(outcome.name for outcome in self.outcomes)]

    def only(self, names: Collection[str]) -> Case:
        """The same case with only these observations."""
        return replace(
            self,
            runs=[run for run in self.runs if run.name in names],
            probes=[probe for probe in self.probes if probe.name in names],
            outcomes=[outcome for outcome in self.outcomes if outcome.name in names],
            timed=[order.only(names) for order in self.timed],
            untimed=[order.only(names) for order in self.untimed],
        )


def partners_text(count: int) -> str:
    """A number of unseen partners in words."""
    return f"{count} unseen partner" + "s" * (count != 1)
