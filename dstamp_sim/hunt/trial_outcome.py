"""What came of a trial: its steps, what was seen of the objects that they touch, how it ended, what it left."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from dstamp_sim.core.schedule import Choice
from dstamp_sim.disk.reading import Unreadable, opened
from dstamp_sim.hunt.touches import Call, Uses
from dstamp_sim.hunt.tree import Tree, brief_content, lines_of_text

LARGEST_SEEN = 16 << 20
"""So many bytes of one file are looked at while a trial goes on."""


class End(Enum):
    """How a trial ended. STUCK is a deadlock; UNDECIDED is one that nothing can be said of, DIVERGED did not fit."""

    GOOD = "good"
    BAD = "bad"
    STUCK = "stuck"
    UNDECIDED = "undecided"
    DIVERGED = "diverged"


class Sight(NamedTuple):
    """What an object was when looked at: in a few characters, empty for what is no file; and a short text's lines."""

    brief: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class HeldStep:
    """One held call that was let go, or the death of a run at it. `enabled` could move then.

    Of a trial that is watched, `command` made the call, and `values` are what it touches, before and after;
    `goes_on`: it reads where an earlier call of it began to; `locks` are then held, by run.
    """

    choice: Choice
    call: Call
    enabled: tuple[str, ...]
    command: str = ""
    values: Mapping[str, tuple[Sight, Sight]] = field(default_factory=dict)
    blocks: bool = False
    goes_on: bool = False
    locks: frozenset[tuple[str, str]] = frozenset()

    @property
    def before(self) -> str:
        """What its object was, where the trial was watched."""
        return self.values.get(self.call.object, (Sight(), Sight()))[0].brief

    @property
    def after(self) -> str:
        """What its object was afterwards."""
        return self.values.get(self.call.object, (Sight(), Sight()))[1].brief

    @property
    def run(self) -> str:
        """Whose call it was."""
        return self.choice.process


@dataclass
class TrialOutcome:
    """What came of a trial. `tree` is the scratch folder after all runs had ended.

    `outside` and `unseen` say which run wrote a path outside, or used what no trial orders; the runs `inside` had
    several held calls at once, of which always the eldest process's went first. `programs` are the files outside that
    were executed.
    """

    steps: list[HeldStep] = field(default_factory=list)
    exits: dict[str, int] = field(default_factory=dict)
    end: End = End.GOOD
    why: str = ""
    tree: Tree = field(default_factory=lambda: Tree({}))
    uses: Uses = field(default_factory=dict)
    outside: dict[str, str] = field(default_factory=dict)
    unseen: dict[str, str] = field(default_factory=dict)
    inside: set[str] = field(default_factory=set)
    seconds: float = 0.0
    reported: int = 0
    programs: set[str] = field(default_factory=set)

    @property
    def fails(self) -> bool:
        """Whether it shows something wrong."""
        return self.end in (End.BAD, End.STUCK)


def sight_of(path: Path) -> Sight:
    """What lies at a path now; nothing that may block is opened."""
    if path.is_symlink():
        return Sight(f"-> {path.readlink()}")
    if path.is_dir():
        return Sight("a folder")
    if not path.is_file():
        return Sight("a pipe or device" if path.exists() else "absent")
    with contextlib.suppress(OSError, Unreadable), opened(path) as file:
        content = file.read(LARGEST_SEEN + 1)
        if len(content) > LARGEST_SEEN:
            return Sight(f"more than {LARGEST_SEEN >> 20} MB")
        return Sight(brief_content(content), lines_of_text(content))
    return Sight("absent")
