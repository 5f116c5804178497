"""Who moves next: choices, and lists of them with a compact text form that replays exactly.

    m2p*3 ab m2p:1 ab!      m2p moves three times, ab once, m2p once (second outcome), then ab dies
    m2p ( ab m2p )*         m2p moves once, then ab and m2p take turns for ever
    volume:=2 ab            the object volume begins in the third of its initial states, then ab moves

Names are percent-encoded where they hold a space or one of `*:!%`, so every name survives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple, overload
from urllib.parse import quote, unquote

from dstamp_sim.core.errors import ScheduleError, cut

CRASH = -1
"""The outcome of a death: the process dies instead of performing its op."""

MOST_CHOICES = 1_000_000
"""A longer schedule was not written by dstamp."""

_TOKEN = re.compile(r"(?P<name>[^\s*:!]+)(?:(?P<crash>!)|(?::(?P<outcome>\d{1,9}))?(?:\*(?P<count>[1-9]\d{0,8}))?)")
_OPEN, _CLOSE = "(", ")*"
_START = re.compile(r"(?P<name>[^\s*:!]+):=(?P<number>\d{1,9})")
_SAFE = "#@-_.()[]{},;=+<>/|&$?~'\"\\^`"


class Choice(NamedTuple):
    """One process moves: which outcome of its op (0 is the first), or `CRASH`."""

    process: str
    outcome: int = 0

    def __str__(self) -> str:
        return _token(self, 1)


@dataclass(frozen=True)
class Schedule(Sequence[Choice]):
    """A list of choices. `str()` is the compact text form, `Schedule.parse` reads it back; `repr()` is that call.

    With `loop`, the choices from that number on are made again and again for ever (none: nobody moves any more).
    """

    choices: tuple[Choice, ...] = ()
    loop: int | None = None
    start: tuple[tuple[str, int], ...] = ()
    """By name of an object that has several initial states: which one it begins in (0 is the first)."""

    @staticmethod
    def parse(written: str) -> Schedule:
        """The schedule written in the compact text form.

        Raises ScheduleError naming the bad token, or if there are more than `MOST_CHOICES`.
        """
        choices: list[Choice] = []
        tokens, loop = written.split(), None
        closed = tokens[-1:] == [_CLOSE]
        start: list[tuple[str, int]] = []
        for token in tokens[:-1] if closed else tokens:
            if token == _OPEN and closed and loop is None:
                loop = len(choices)
                continue
            if begins := _START.fullmatch(token):
                start.append((unquote(begins["name"], errors="surrogatepass"), int(begins["number"])))
                continue
            choice, count = _parse_token(token)
            if len(choices) + count > MOST_CHOICES:
                raise ScheduleError(f"{cut(token)!r} makes the schedule longer than {MOST_CHOICES:,} choices")
            choices += [choice] * count
        if closed and loop is None:
            raise ScheduleError(f"{_CLOSE!r} closes no cycle: write STEM {_OPEN} CYCLE {_CLOSE}")
        return Schedule(tuple(choices), loop, tuple(start))

    def __str__(self) -> str:
        begins = " ".join(f"{_quoted(name)}:={number}" for name, number in self.start)
        if self.loop is None:
            return " ".join(part for part in (begins, _written(self.choices)) if part)
        stem, cycle = self.choices[: self.loop], self.choices[self.loop :]
        return " ".join(part for part in (begins, _written(stem), _OPEN, _written(cycle), _CLOSE) if part)

    def __repr__(self) -> str:
        return f"Schedule.parse({str(self)!r})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """How notebooks and Hypothesis print it: ready to be pasted into an `@example`."""
        printer.text(repr(self))

    def __len__(self) -> int:
        return len(self.choices)

    @overload
    def __getitem__(self, index: int) -> Choice: ...
    @overload
    def __getitem__(self, index: slice) -> Schedule: ...
    def __getitem__(self, index: int | slice) -> Choice | Schedule:
        return Schedule(self.choices[index], start=self.start) if isinstance(index, slice) else self.choices[index]

    def __iter__(self) -> Iterator[Choice]:
        return iter(self.choices)

    @property
    def switches(self) -> int:
        """How many context switches it has: moves of another process than the one before."""
        return count_switches(choice.process for choice in self.choices)


def count_switches(processes: Iterable[str]) -> int:
    """How often the process changes along a sequence of moves."""
    return max(0, sum(1 for _ in groupby(processes)) - 1)


def _written(choices: Iterable[Choice]) -> str:
    return " ".join(_token(choice, len(list(same))) for choice, same in groupby(choices))


def _quoted(name: str) -> str:
    return quote(name, safe="" if name == _OPEN else _SAFE, errors="surrogatepass")


def _token(choice: Choice, count: int) -> str:
    name = _quoted(choice.process)
    if choice.outcome == CRASH:
        return " ".join([f"{name}!"] * count)
    outcome = f":{choice.outcome}" if choice.outcome else ""
    return f"{name}{outcome}" + (f"*{count}" if count > 1 else "")


def _parse_token(token: str) -> tuple[Choice, int]:
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise ScheduleError(
            f"{cut(token)!r} is not a choice: write NAME, NAME*3, NAME:1 (second outcome) or NAME! (dies); "
            "OBJECT:=1 begins in its second initial state"
        )
    outcome = CRASH if match["crash"] else int(match["outcome"] or 0)
    return Choice(unquote(match["name"], errors="surrogatepass"), outcome), int(match["count"] or 1)
