"""The fields of objects' states: by name in NamedTuples, by index in tuples that hold some, nested ones too.

Any other state is one field.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]

ABSENT = object()
"""The value of a missing field."""


def fields_of(state: Any) -> dict[Path, Any]:
    """The fields of a state by path; a field that has fields appears as its type's name, or as their number."""
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
    """Whether a value is described by its fields."""
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
    """The paths at which two states differ, including paths that only one of them has."""
    old, new = fields_of(before), fields_of(after)
    return (path for path in dict.fromkeys([*old, *new]) if old.get(path, ABSENT) != new.get(path, ABSENT))


def innermost(before: Any, after: Any) -> Iterator[tuple[Path, Any, Any]]:
    """Every innermost field that differs, with both values; where only one state has a part, the part around it."""
    if has_fields(before) and has_fields(after) and type(before) is type(after) and len(before) == len(after):
        for (key, old), (_, new) in zip(_parts(before) or (), _parts(after) or (), strict=True):
            yield from (((key, *path), one, other) for path, one, other in innermost(old, new))
    elif before != after:
        yield (), before, after


def path_text(path: Path, root: str = "") -> str:
    """A path as Python writes it, from `root` on: `txns[0].status`, `database.txns[0].status`."""
    written = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return root + written if root else written.removeprefix(".")
