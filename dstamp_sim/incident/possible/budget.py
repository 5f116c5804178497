"""How much processor time the rows of a judgement may take: a row that needs more is undetermined, and says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from time import process_time
from typing import Any

from dstamp_sim.incident.possible.case import Engines

ROW_S = 60.0
"""Seconds of processor time that one row may take, if nobody says otherwise."""

ROWS = 4
"""How many such rows a process may spend in all; after that, its rows are not begun."""


class OutOfTime(Exception):
    """A row has used up its time; the message says so."""


@dataclass(frozen=True)
class Budget:
    """The seconds of processor time that a row may take. Asked before each question, which takes a few seconds.

    The time of the whole process counts from when this was made.
    """

    row_s: float = ROW_S
    begun_s: float = field(default_factory=process_time)

    def timed(self, engines: Engines) -> Engines:
        """These engines, until the time of one row or of the whole process is over: then they raise OutOfTime."""
        until = min(process_time(), self.begun_s + (ROWS - 1) * self.row_s) + self.row_s
        return Engines(**{one.name: self._asked(getattr(engines, one.name), until) for one in fields(engines)})

    def _asked(self, engine: Callable[..., Any], until: float) -> Callable[..., Any]:
        def ask(*question: Any) -> Any:
            if process_time() >= until:
                raise OutOfTime(f"out of time ({self.row_s:g} s of processor a row, {ROWS * self.row_s:g} s in all)")
            return engine(*question)

        return ask
