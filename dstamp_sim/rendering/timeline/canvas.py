"""The state that the parts of a picture share during layout."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from dstamp_sim.core.trace import Trace
from dstamp_sim.rendering.timeline.annotations import Annotations
from dstamp_sim.rendering.timeline.axis import Axis
from dstamp_sim.rendering.timeline.facts import Check, Facts
from dstamp_sim.rendering.timeline.names import Legend
from dstamp_sim.rendering.timeline.routes import LaneBand, Routes
from dstamp_sim.rendering.timeline.shapes import Mark, Sheet, clean

LEFT, RIGHT = 206.0, 1352.0
"""The pixels between which time runs: lane names stand to the left, verdicts to the right."""
MARGIN = 18.0
"""The picture's margin, in pixels."""
MOST_LANES = 40
"""How many processes, and how many objects, are drawn at most."""
ROW = 17.0
"""The height of the rows of flags, brackets, step texts and holds, in pixels."""


class Badge(NamedTuple):
    """A process's verdict: its text, and whether it is good (None: neither)."""

    text: str
    good: bool | None = None


@dataclass(frozen=True, slots=True)
class DrawnCheck:
    """A check as it is drawn: `kind` as of an `Arrow`, its letter (if not harmless), the writer of what it saw."""

    check: Check
    kind: str
    letter: str
    writer: str | None


@dataclass
class Canvas:
    """One picture in the making; `bars` are the top and bottom of each hold that is drawn, by process and name."""

    trace: Trace
    facts: Facts
    axis: Axis
    drawn_checks: tuple[DrawnCheck, ...]
    annotations: Annotations = field(default_factory=Annotations)
    sheet: Sheet = field(default_factory=Sheet)
    key: Legend = field(default_factory=Legend)
    places: dict[str, LaneBand] = field(default_factory=dict)
    routes: Routes = field(default_factory=Routes)
    bars: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    def x(self, moment: float) -> float:
        """The pixel of a moment."""
        return self.axis.x(moment)

    def mark(self, kind: str, moment: float, y: float, owner: str) -> None:
        """Puts a sign at a moment, unless it is before what is drawn."""
        if moment >= self.facts.begin:
            self.sheet.marks.append(Mark(kind, self.x(moment), y, owner))

    def upright(self, process: str) -> list[float]:
        """Where other lines than arrows cross a process's lane: the edges of the window, and sight lines."""
        order = self.trace.processes.index
        looks = [s.check for s in self.drawn_checks if s.letter and order(s.check.process) <= order(process)]
        window = self.annotations.window
        edges = window[1:] if window is not None and window[0] == process else ()
        return [self.x(check.at) for check in looks] + [self.x(self.facts.moments[n].at) for n in edges]

    def writes_of(self, process: str) -> list[float]:
        """The moments of a process's writes that a check saw."""
        seen = [(s.writer, s.check.writer) for s in self.drawn_checks]
        numbers = sorted({n for writer, n in seen if writer == process and n is not None})
        return [self.facts.moments[n].at for n in numbers]


def drawn_checks_of(trace: Trace, facts: Facts, annotations: Annotations | None = None) -> tuple[DrawnCheck, ...]:
    """Every check with its wording; the races get letters in order of time.

    If an explanation points at one window, processes without a result have nothing to check.
    """
    found: list[DrawnCheck] = []
    window = annotations.window if annotations else None
    checks = [c for c in facts.checks if window is None or c.process == window[0] or c.process in trace.results]
    for check in sorted(checks, key=lambda c: c.step):
        number = check.writer
        writer = None if number is None else trace.steps[number].process
        other = writer is not None and writer != check.process
        kind = "wrong" if check.seen.wrong else "other" if other else "own"
        letters = sum(drawn.letter != "" for drawn in found)
        letter = "" if kind == "own" else chr(65 + letters) if letters < 26 else str(letters)
        found.append(DrawnCheck(check, kind, letter, writer))
    return tuple(found)


def one_line(name: str) -> str:
    """A name on one line, never empty."""
    return clean(name) or "?"
