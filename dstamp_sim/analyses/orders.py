"""Other orders of a trace's steps, as schedules to be performed: nothing here says whether they are possible."""

from __future__ import annotations

from collections.abc import Collection

from dstamp_sim.analyses.held import Window
from dstamp_sim.core.schedule import Choice
from dstamp_sim.core.trace import Trace


def write_after(trace: Trace, window: Window) -> list[Choice]:
    """The schedule where the writer does nothing from its write on until the window has closed."""
    steps = trace.steps
    writer = steps[window.write].process
    inside = [s.choice for s in steps[window.write : window.closes + 1] if s.process != writer]
    return [s.choice for s in steps[: window.write]] + inside


def write_before(trace: Trace, window: Window) -> list[Choice]:
    """The schedule where the writer does all up to its write before the window opens."""
    steps = trace.steps
    writer = steps[window.write].process
    pulled = [s.choice for s in steps[window.opens : window.write + 1] if s.process == writer]
    rest = [s.choice for s in steps[window.opens : window.closes + 1] if s.process != writer]
    return [s.choice for s in steps[: window.opens]] + pulled + rest


def readings_after(trace: Trace, readings: Collection[int], write: int, last: int) -> list[Choice]:
    """The schedule up to step `last` where `readings`, and all that their processes do then, wait for step `write`."""
    steps, since = trace.steps, {trace.steps[n].process: n for n in readings}
    others = [n for n, step in enumerate(steps[: last + 1]) if n < since.get(step.process, len(steps))]
    numbers = [*(n for n in others if n <= write), *sorted(readings), *(n for n in others if n > write)]
    return [steps[n].choice for n in numbers]
