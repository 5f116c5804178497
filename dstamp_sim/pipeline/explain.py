"""The sentence of a trace, with the moments written as its pictures write them."""

from __future__ import annotations

from datetime import datetime, timedelta

from dstamp_sim.analyses.explain import Explanation, explain, step_number
from dstamp_sim.core.properties import Property
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace


def explained(
    system: System,
    trace: Trace,
    *,
    about: Property | None = None,
    process: str | None = None,
    origin: datetime | None = None,
) -> Explanation:
    """Why `trace` came out as it did; moments on the wall clock where it is timed and `origin` is its second 0.

    Raises ScheduleError when the trace is not one of the system.
    """

    def clock(number: int) -> str:
        at = trace.steps[number].time_s or 0.0
        return f"at {origin + timedelta(seconds=at):%m-%d %H:%M:%S}" if origin else f"at {at:g} s"

    return explain(system, trace, about=about, process=process, when=clock if trace.timed else step_number)


def property_of(system: System, about: str) -> Property | None:
    """The property that a witness says it is about (`kind: name`); None where it says something else."""
    return next((prop for prop in system.checked_properties if about == f"{prop.kind.value}: {prop.name}"), None)
