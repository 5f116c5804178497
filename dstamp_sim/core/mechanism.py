"""A mechanism: a named variant of a model that might explain what was observed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Step


@dataclass(frozen=True)
class Window:
    """Where in a run the wrong write has to fall, so that its absence can be named.

    It opens with the process's last step of section `opens` that changed something, and closes with its last step of
    section `closes`. `writer` says in words who writes, `wrote` recognises the write; `by_others` asks for another
    process than the one whose window it is. `opening` and `closing` are the ends in words.
    """

    writer: str
    wrote: Callable[[Step], bool]
    opens: str
    closes: str
    opening: str
    closing: str
    by_others: bool = True


@dataclass(frozen=True)
class Mechanism:
    """One candidate: who writes the wrong stamp and when (`story`), the factory of its variant, and its window."""

    story: str
    factory: Callable[..., System]
    window: Window
