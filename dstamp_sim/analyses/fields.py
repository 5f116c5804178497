"""Fields of objects and their values, as sentences name them."""

from __future__ import annotations

from typing import Any, NamedTuple

from dstamp_sim.core.state_fields import Path, path_text
from dstamp_sim.core.value import text

_LONGEST_VALUE = 60
"""How many letters of a value a sentence quotes at most."""


class Location(NamedTuple):
    """One field of one object, as traces name objects (`name@process` for a private one)."""

    target: str
    path: Path

    def __str__(self) -> str:
        return path_text(self.path, self.target)


def noun(place: Location) -> str:
    """A field in a sentence: `the stamp`, `txns[0].status`, or the object itself."""
    if not place.path:
        return place.target
    first = next((n for n, key in enumerate(place.path) if isinstance(key, int)), None)
    if first is None:
        return f"the {place.path[-1]}"
    return path_text(place.path[max(0, first - 1) :], "" if first else place.target)


def value_text(value: Any) -> str:
    """A field's value in a sentence, shortened in the middle if it is very long."""
    words = "nothing" if value is None else text(value)
    return words if len(words) <= _LONGEST_VALUE else f"{words[: _LONGEST_VALUE // 2]}…{words[-_LONGEST_VALUE // 2 :]}"


def with_value(place: Location, value: Any) -> str:
    """A field with its value: `balance 100`, `the head 'ab'`, `ready = 1`, `no inode`, `that on was True`."""
    if isinstance(value, bool):
        return f"that {noun(place).removeprefix('the ')} was {value}"
    if value is None:
        return f"no {noun(place).removeprefix('the ')}" if place.path else f"nothing in {place.target}"
    if place.path and not isinstance(value, str):
        return f"{noun(place).removeprefix('the ')} = {value_text(value)}"
    return f"{noun(place)} {value_text(value)}"


def set_to(place: Location, value: Any) -> str:
    """What was written there, after `had` or a name: `set owner to 0`, `set visible to True`."""
    return f"set {noun(place).removeprefix('the ')} to {value_text(value)}"
