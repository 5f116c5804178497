"""Who the observed runs can have been where that is not known: every way, up to renaming."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import count
from typing import Any


def another(used: Collection[Any], kind: type) -> Any:
    """An identity of this kind that is none of those used: the least number from 1 on, or a text that says so."""
    made = (f"another {number}" if kind is str else number for number in count(1))
    return next(value for value in made if value not in used)


def assignments(values: Sequence[Any], kind: type = int) -> list[tuple[Any, ...]]:
    """`values` with each None replaced: by a value that is known or given to another, or by `another` of this kind.

    All ways up to renaming of values that are made up; fewest different ones first, then most, then the rest.
    """
    found: list[tuple[Any, ...]] = [()]
    for value in values:
        found = [(*begun, choice) for begun in found for choice in _choices(value, begun, values, kind)]
    ranked = sorted(found, key=lambda given: len(set(given)))
    return ranked[:1] + ranked[-1:] + ranked[1:-1] if len(ranked) > 1 else ranked


def _choices(value: Any, begun: Sequence[Any], values: Sequence[Any], kind: type) -> list[Any]:
    if value is not None:
        return [value]
    known = [other for other in values if other is not None]
    used = list(dict.fromkeys([*known, *begun]))
    return [*used, another(used, kind)]


def stranger(to: Mapping[str, Any]) -> dict[str, Any]:
    """An identity that differs from this one in every part."""
    return {key: another((value,), type(value)) for key, value in to.items()}


def pattern(values: Sequence[Any]) -> str:
    """Which of some values are the same, in words."""
    if len(set(values)) == 1:
        return "all the same"
    return "all different" if len(set(values)) == len(values) else ", ".join(map(str, values))
