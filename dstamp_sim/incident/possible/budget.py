"""How much processor time the rows of a judgement may take: a row that needs more is undetermined, and says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from time import process_time
from typing import Any

from dstamp_sim.incident.possible.case import Engines

ROW_S = 120.0
"""Seconds of processor time that one row may take, if nobody says otherwise.

Five times what the slowest row of the incident takes: whether a row is decided must not hang on the machine.
"""

ROWS, SCANT = 3, 0.1
"""How many such rows a process may spend; after that each of its rows has a tenth, for most are refuted at once."""


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
        """These engines, until the time of one row is over: then they raise OutOfTime."""
        now = process_time()
        given_s = self.row_s if now < self.begun_s + ROWS * self.row_s else self.row_s * SCANT
        return Engines(
            **{one.name: _until(now + given_s, given_s, getattr(engines, one.name)) for one in fields(engines)}
        )


def _until(end_s: float, given_s: float, engine: Callable[..., Any]) -> Callable[..., Any]:
    def ask(*question: Any) -> Any:
        if process_time() >= end_s:
            raise OutOfTime(f"out of time ({given_s:g} s of processor)")
        return engine(*question)

    return ask
