"""What a judgement finds: what stands after so many outcomes of experiments, and all that is said of the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dstamp_sim.analyses.confidence import below
from dstamp_sim.incident.likely.experiments import Rated, RuleJudged, Survivors
from dstamp_sim.incident.likely.likelihood import Weighed
from dstamp_sim.incident.likely.plan import Plan
from dstamp_sim.incident.possible.case import MechanismFinding, Possible
from dstamp_sim.incident.possible.company import Company
from dstamp_sim.incident.possible.conflicting import Conflict
from dstamp_sim.incident.possible.never import Never
from dstamp_sim.incident.possible.pairing import Pairs
from dstamp_sim.incident.witness.construct import Construction
from dstamp_sim.incident.witness.drawn import Best


@dataclass(frozen=True)
class Shares:
    """The shares of the mechanisms under one set of priors.

    `posterior` is computed from the worlds that were drawn; `limits` are its limits by their number (95 %).
    """

    posterior: Mapping[str, float]
    limits: Mapping[str, tuple[float, float]]

    @classmethod
    def of(cls, survivors: Survivors, factors: Mapping[str, float], names: Sequence[str]) -> Shares:
        """The shares of these mechanisms; `factors` are their odds before, times how likely each made the outcomes.

        A limit has one mechanism at one end of its interval, all others at the other end of theirs.
        """
        weighed = {name: item.likelihood for name, item in survivors.weighed.items()}
        now = {name: item.estimate * factors[name] for name, item in weighed.items()}
        low = {name: item.interval.low * factors[name] for name, item in weighed.items()}
        high = {name: item.interval.high * factors[name] for name, item in weighed.items()}
        limits = {name: (_share(name, low, high), _share(name, high, low)) for name in names}
        return cls({name: _share(name, now, now) for name in names}, limits)

    def most(self, name: str) -> float:
        """The share of a mechanism; its upper limit if no drawn world agreed."""
        return self.posterior[name] or self.limits[name][1]

    @property
    def first(self) -> str:
        """The mechanism with the largest share."""
        return max(self.posterior, key=lambda name: self.posterior[name])


def _share(name: str, own: Mapping[str, float], others: Mapping[str, float]) -> float:
    total = own.get(name, 0.0) + sum(others.values()) - others.get(name, 0.0)
    return own.get(name, 0.0) / total if total else 0.0


@dataclass(frozen=True)
class WhatStands:
    """What stands after some outcomes of experiments: the rows, how likely each mechanism is, and what to do next.

    `shares` are those under the scenario's own priors, `varied` those under the others that it states.
    """

    rows: tuple[MechanismFinding, ...]
    weighed: Mapping[str, Weighed]
    shares: Shares
    varied: Mapping[str, Shares]
    next: tuple[Rated, ...]

    @property
    def posterior(self) -> Mapping[str, float]:
        """The shares under the scenario's own priors."""
        return self.shares.posterior

    @property
    def flips(self) -> tuple[str, ...]:
        """The variations of the priors under which another mechanism comes first."""
        return tuple(name for name, other in self.varied.items() if other.first != self.shares.first)

    def span(self, name: str) -> tuple[float, float]:
        """The least and the largest share of a mechanism over all priors."""
        shares = [one.posterior[name] for one in (self.shares, *self.varied.values())]
        return min(shares), max(shares)

    def most(self, name: str) -> float:
        """The largest share over all priors; where no drawn world agreed, its upper limit counts.

        A mechanism that needs a death can have any share, as worlds are drawn without deaths.
        """
        return 1.0 if self._needs_death(name) else max(one.most(name) for one in (self.shares, *self.varied.values()))

    def best(self, mechanism: str) -> MechanismFinding:
        """The row of a mechanism that assumes least."""
        return best_row(self.rows, mechanism)

    @property
    def left(self) -> list[str]:
        """The mechanisms that are not impossible."""
        return [name for name in self.posterior if self.verdict(name) is not Possible.IMPOSSIBLE]

    @property
    def without_share(self) -> dict[str, str]:
        """Mechanisms that are left and have no share of the posterior, with the reason and what is known instead."""
        reasons: dict[str, str] = {}
        for name in self.left:
            if self._needs_death(name):
                reasons[name] = "not weighed: it needs a death, and worlds have none"
            elif not self.posterior[name]:
                reasons[name] = f"no world agreed; {below(self.shares.limits[name][1])}"
        return reasons

    def _needs_death(self, name: str) -> bool:
        found = self.best(name).timed
        return found is not None and found.crashes > 0

    def verdict(self, mechanism: str) -> Possible:
        """Possible if it is possible under some reading, impossible if impossible under all."""
        return self.best(mechanism).verdict


@dataclass(frozen=True)
class IncidentFindings:
    """All findings about an incident.

    `standing` is what stands after all outcomes, `plans` are experiments to make together. `never` has, by mechanism
    that is impossible, observed values that no run of it can have; `company`, by mechanism that needs runs which nobody
    saw, when they were under way. `twins` has, by mechanism, the others that the
    outcomes cannot distinguish from it, with the share of its settings. `witnesses` are runs of the cluster in which
    everything comes out as observed, `timeless` the failed attempts for the other possible mechanisms. `pairs` are two
    mechanisms at once, judged where no single one is possible; `conflict` are the fewest observations that no single
    one can produce together. `since` is the instant from which the times of witnesses count.
    """

    standing: WhatStands
    plans: tuple[Plan, ...]
    never: Mapping[str, Never]
    company: Mapping[str, tuple[Company, ...]]
    twins: Mapping[str, Mapping[str, float]]
    rule: RuleJudged | None
    witnesses: Mapping[str, Best]
    timeless: Mapping[str, Construction]
    pairs: Pairs
    conflict: Conflict | None
    longest_run_s: float
    since: datetime | None = None


def best_row(rows: Sequence[MechanismFinding], name: str) -> MechanismFinding:
    """The row of a mechanism that assumes least."""
    return min((row for row in rows if row.mechanism == name), key=_effort)


def _effort(row: MechanismFinding) -> tuple[int, int]:
    order = (Possible.POSSIBLE, Possible.UNDETERMINED, Possible.IMPOSSIBLE)
    return order.index(row.verdict), row.timed.unseen if row.timed else 99
