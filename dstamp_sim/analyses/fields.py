"""The fields of objects' states: by name in NamedTuples, by index in tuples that hold some, nested ones too.

Any other state is one field.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from dstamp_sim.core.value import text

Path = tuple[str | int, ...]

ABSENT = object()
"""What is in a field that is not there."""

_LONGEST = 60
"""How many letters of a value a sentence quotes at most."""


class Location(NamedTuple):
    """One field of one object, as traces name objects (`name@process` for a private one)."""

    target: str
    path: Path

    def __str__(self) -> str:
        return f"{self.target}{_path_text(self.path)}"


def fields_of(state: Any) -> dict[Path, Any]:
    """The fields of a state by path; one that has fields itself is there as its type's name, or by how many it has."""
    return dict(_fields(state, ()))


def _fields(state: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    parts = _parts(state)
    if parts is None:
        yield path, state
        return
    if path:
        yield path, type(state).__name__ if hasattr(state, "_fields") else len(state)
    for key, part in parts:
        yield from _fields(part, (*path, key))


def _parts(state: Any) -> list[tuple[str | int, Any]] | None:
    if (names := getattr(state, "_fields", None)) is not None:
        return list(zip(names, state, strict=True))
    if type(state) is tuple and any(has_fields(item) for item in state):
        return list(enumerate(state))
    return None


def has_fields(state: Any) -> bool:
    """Whether a value is told by its fields."""
    return _parts(state) is not None


def get(state: Any, path: Path) -> Any:
    """The value at a path that exists."""
    for key in path:
        state = state[key] if isinstance(key, int) else getattr(state, key)
    return state


def put(state: Any, path: Path, value: Any) -> Any:
    """The state with another value at a path that exists."""
    if not path:
        return value
    key, inner = path[0], put(get(state, path[:1]), path[1:], value)
    if isinstance(key, int):
        return (*state[:key], inner, *state[key + 1 :])
    return state._replace(**{key: inner})


def changed(before: Any, after: Any) -> Iterator[Path]:
    """The paths at which two states differ, those included that only one of them has."""
    old, new = fields_of(before), fields_of(after)
    return (path for path in dict.fromkeys([*old, *new]) if old.get(path, ABSENT) != new.get(path, ABSENT))


def noun(place: Location) -> str:
    """A field in a sentence: `the stamp`, `txns[0].status`, or the object itself."""
    if not place.path:
        return place.target
    first = next((n for n, key in enumerate(place.path) if isinstance(key, int)), None)
    if first is None:
        return f"the {place.path[-1]}"
    return f"{'' if first else place.target}{_path_text(place.path[max(0, first - 1) :])}".lstrip(".")


def value_text(value: Any) -> str:
    """A field's value in a sentence, in its middle cut short where it is very long."""
    words = "nothing" if value is None else text(value)
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST // 2]}…{words[-_LONGEST // 2 :]}"


def with_value(place: Location, value: Any) -> str:
    """What was found in a field: `balance 100`, `the inode 1`, `no inode`, `that listed was True`."""
    if isinstance(value, bool):
        return f"that {noun(place).removeprefix('the ')} was {value}"
    if value is None:
        return f"no {noun(place).removeprefix('the ')}" if place.path else f"nothing in {place.target}"
    return f"{noun(place)} {value_text(value)}"


def _path_text(path: Path) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
