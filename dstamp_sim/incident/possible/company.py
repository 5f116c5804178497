"""When runs that nobody saw must have been under way, and what they left: what can be looked up on the host."""

from __future__ import annotations

from dataclasses import dataclass

from dstamp_sim.core.trace import Step
from dstamp_sim.incident.possible.case import Case, Engines, MechanismFinding
from dstamp_sim.incident.possible.least import PARTNER, LeastSearch
from dstamp_sim.incident.possible.variant import Variant


@dataclass(frozen=True)
class Company:
    """Observed runs that a mechanism cannot produce without one that nobody saw, which did something in an interval.

    In seconds, as the evidence's times are. `reading` says what the times then mean (empty: it makes no difference).
    """

    runs: tuple[str, ...]
    begins_s: float
    ends_s: float
    reading: str


def company(variant: Variant, case: Case, engines: Engines) -> tuple[Company, ...]:
    """Where some run that nobody saw must have been, or must have left something before: refuted without, for each.

    Runs are taken together if one can have overlapped another; only then can an observed run be the partner.
    """
    found = []
    for order in case.timed:
        for group in order.together():
            alone, own = case.only(group), order.only(group)
            if LeastSearch(variant, alone, engines).refuted([own], most=0):
                names = tuple(run.name for run in alone.runs)
                begins, ends = min(low for _, low, _ in own.windows), max(high for _, _, high in own.windows)
                found.append(Company(names, begins, ends, order.reading))
    return tuple(found)


def left_behind(row: MechanismFinding) -> list[Step]:
    """What the unseen partners changed, in the order of steps that was found; each step of the same kind once."""
    kinds: dict[tuple[str, str], Step] = {}
    for step in row.timed.trace.steps if row.timed else ():
        if step.process.startswith(PARTNER) and step.op is not None and step.changes and step.touched is not None:
            kinds.setdefault((str(step.touched), step.op.verb), step)
    return list(kinds.values())
