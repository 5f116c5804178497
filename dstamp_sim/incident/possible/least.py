"""The least numbers of unseen partners, of deaths and of failures with which all that was observed is possible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement, product

from dstamp_sim.core.system import System
from dstamp_sim.incident.possible.budget import OutOfTime
from dstamp_sim.incident.possible.case import Candidate, Case, EngineAnswer, Engines, LeastWitness, Possible
from dstamp_sim.incident.possible.identities import pattern
from dstamp_sim.incident.possible.overlap import IntervalOrder
from dstamp_sim.incident.possible.rations import failures, portions, rationed, unrationed
from dstamp_sim.incident.possible.turns import Role, alike, with_roles
from dstamp_sim.incident.possible.variant import Factory, Variant

FEW_OPEN, MOST_OPEN = 3, 40
"""After so many undetermined questions the others are only attempted, and after so many the search gives up."""

PARTNER = "unseen"
"""The name of partners that nobody saw."""


@dataclass(frozen=True)
class LeastSearch:
    """The search for the least numbers of one variant."""

    variant: Variant
    case: Case
    engines: Engines

    def found(
        self, orders: Sequence[IntervalOrder], most: int, otherwise: LeastWitness | None = None
    ) -> tuple[LeastWitness | None, bool]:
        """The least numbers with up to `most` partners, and whether every smaller number of them (or all) was refuted.

        With `otherwise`, which is known to be possible with `most` under tighter orders, the failures are not counted
        down to the least; it is returned, as no more than possible, if the time is over. Raises OutOfTime if it is over
        and nothing is known to be possible.
        """
        try:
            found, refuted = self._searched(orders, most, otherwise)
        except OutOfTime:
            if otherwise is None:
                raise
            return replace(otherwise, exact=False, exact_faults=False), False
        if found is None or otherwise is not None:
            return found and replace(found, exact_faults=found.faults == 0), refuted
        try:
            return self._fewest_faults(found, orders), refuted
        except OutOfTime:
            return replace(found, exact_faults=False), refuted

    def refuted(self, orders: Sequence[IntervalOrder], most: int) -> bool:
        """Whether every number of partners up to `most`, and of their deaths, is refuted."""
        found, refuted = self._searched(orders, most, None)
        return found is None and refuted

    def _searched(
        self, orders: Sequence[IntervalOrder], most: int, otherwise: LeastWitness | None
    ) -> tuple[LeastWitness | None, bool]:
        """Without deaths first; with them only if it is refuted without."""
        found, refuted = self._partners(orders, most, otherwise, crashes=0)
        for crashes in range(1, self.case.most_crashes + 1):
            if found is None and refuted:
                found, refuted = self._partners(orders, most, None, crashes)
        return found, refuted

    def _partners(
        self, orders: Sequence[IntervalOrder], most: int, otherwise: LeastWitness | None, crashes: int
    ) -> tuple[LeastWitness | None, bool]:
        left_open = 0
        for unseen in range(min(crashes, 1), most + (otherwise is None)):
            below = left_open == 0
            for candidate in self._candidates(orders, unseen):
                system = self.system(candidate, crashes)
                reached = (self.engines.reach if left_open < FEW_OPEN else self.engines.attempt)(system)
                if reached.trace is not None:
                    return self._shown(candidate, system, reached, crashes, exact=below), below
                left_open += reached.verdict is Possible.UNDETERMINED
                if left_open > MOST_OPEN:
                    return otherwise and replace(otherwise, exact=False), False
        return otherwise and replace(otherwise, exact=left_open == 0), left_open == 0

    def _shown(
        self, candidate: Candidate, system: System, reached: EngineAnswer, crashes: int, *, exact: bool
    ) -> LeastWitness:
        assert reached.trace is not None
        faults = failures(reached.trace, self.variant.hypotheses.faults).total()
        assumed = self._assumed(candidate)
        return LeastWitness(candidate, system, reached.trace, assumed, crashes, faults, exact, exact_faults=faults == 0)

    def _fewest_faults(self, found: LeastWitness, orders: Sequence[IntervalOrder]) -> LeastWitness:
        """The same numbers of partners and deaths with the fewest failures; at most those of the trace at hand.

        The failures that each failing object needs, whatever the others do, may already add up to as many; if not,
        exactly those are tried first, then every way to add one more.
        """
        failed = failures(found.trace, self.variant.hypotheses.faults)
        if not failed:
            return found
        candidates = list(self._candidates(orders, found.unseen))
        needs = [self._needed(candidate, found.crashes, failed) for candidate in candidates]
        least = min(need.total() for need in needs)
        left_open = 0
        for faults in range(least, found.faults):
            first = sorted(zip(needs, candidates, strict=True), key=lambda item: item[0].total() != faults)
            for need, candidate in first:
                system, reached = self._with_faults(candidate, found.crashes, need, faults)
                if reached.trace is not None:
                    trace = unrationed(system, reached.trace)
                    count = failures(trace, self.variant.hypotheses.faults).total()
                    return replace(
                        found, candidate=candidate, system=system, trace=trace, assumed=self._assumed(candidate),
                        faults=count, exact_faults=left_open == 0 and count == faults,
                    )  # fmt: skip
                left_open += reached.verdict is Possible.UNDETERMINED
        return replace(found, exact_faults=left_open == 0)

    def _needed(self, candidate: Candidate, crashes: int, failed: Mapping[str, int]) -> Counter[str]:
        """By object, the failures without which nothing is possible, even if the other objects fail at will."""
        mechanism, labels = self.variant.mechanism, self.variant.hypotheses.faults
        system = self._system(mechanism.within or mechanism.factory, candidate, crashes)
        needed: Counter[str] = Counter()
        for name in [item.name for item in system.objects if item.name in failed]:
            few = (n for n in range(failed[name]) if not self._refuted_with(rationed(system, labels, {name: n})))
            needed[name] = next(few, failed[name])
        return needed

    def _with_faults(
        self, candidate: Candidate, crashes: int, need: Counter[str], faults: int
    ) -> tuple[System, EngineAnswer]:
        """Whether all can come out as observed with just so many failures: the needed ones, the rest on any objects."""
        system = self.system(candidate, crashes)
        answer = EngineAnswer(Possible.IMPOSSIBLE, "however the failures fall")
        for rest in portions(system, faults - need.total(), in_each=faults) if faults >= need.total() else ():
            portion = {name: count + need[name] for name, count in rest.items()}
            reached = self.engines.reach(rationed(system, self.variant.hypotheses.faults, portion))
            if reached.trace is not None:
                return system, reached
            if reached.verdict is Possible.UNDETERMINED:
                answer = reached
        return system, answer

    def _refuted_with(self, system: System) -> bool:
        return self.engines.reach(system).verdict is Possible.IMPOSSIBLE

    def _candidates(self, orders: Sequence[IntervalOrder], unseen: int) -> Iterator[Candidate]:
        for order, identities in product(orders, self.variant.identities(self.case.runs)):
            known = list(dict.fromkeys(tuple(identity.items()) for identity in identities))
            choices = [dict(items) for items in known]
            places = list(product(range(len(order.unseen)), choices))
            for partners in combinations_with_replacement(places, unseen):
                yield Candidate(order, identities, partners)

    def system(self, candidate: Candidate, crashes: int) -> System:
        """The system of all observed runs and these partners, in this order of time."""
        return self._system(self.variant.mechanism.factory, candidate, crashes)

    def _system(self, factory: Factory, candidate: Candidate, crashes: int) -> System:
        runs, order = self.case.runs, candidate.order
        roles = [Role(item.name, item.fields, item.name) for item in runs]
        follows = {item.name: frozenset(a for a, b in order.pairs if b == item.name) for item in runs}
        for number, (place, _) in enumerate(candidate.partners):
            group = f"{PARTNER} {place + 1}"
            roles.append(Role(f"{PARTNER}-{number + 1}", None, group))
            before, after = order.unseen[place]
            follows[group] = before
            follows |= {name: follows[name] | {group} for name in after}
        roles, follows = alike(roles, follows)
        system = self.variant.system(factory, candidate.everyone, runs)
        return replace(with_roles(system, roles, follows, self.variant.hypotheses.evidence), crashes=crashes)

    def _assumed(self, candidate: Candidate) -> tuple[str, ...]:
        runs = self.case.runs
        assumed = [f"the times are {candidate.order.reading}s"] if candidate.order.reading else []
        for key in self.variant.quantified():
            if any(run.identity.get(key) is None for run in runs):
                values = [identity[key] for identity in candidate.identities]
                assumed.append(f"{key} of {', '.join(run.name for run in runs)}: {pattern(values)}")
        return tuple(assumed)
