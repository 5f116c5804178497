"""What an exploration can be asked for; it loads no engine, so a command line can name it at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

DEFAULT_LIMIT = 200_000_000
"""How many states an exploration keeps before it gives up."""

DEFAULT_MEMORY_MB = 8192
"""Memory in MB for states, parents and visited set before it gives up."""

HISTORY_LIMIT = 20_000
"""Ops of one process on the way to a state that is new, before an exploration gives up: maybe it has no end."""

ExploreProgress = Callable[[int, int, int], None]
"""Called now and then with states, transitions and depth."""


@dataclass(frozen=True)
class Reductions:
    """Which reductions an exploration may use; verdicts do not depend on them, counts do.

    `merge`: local steps cost no states, and local states with the same future are one. `por`: partial-order reduction
    by stubborn sets. `symmetry`: states that differ by a permutation of copies are one. `by_value`: histories that
    bring a program to the same suspended state are one local state; only a comparison with histories turns it off.
    """

    merge: bool = True
    por: bool = True
    symmetry: bool = True
    by_value: bool = True


ALL_REDUCTIONS = Reductions()
NO_REDUCTION = Reductions(merge=False, por=False, symmetry=False)
