"""Who the observed runs can have been where that is not known: every way, up to renaming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def assignments(values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """`values` with each None replaced: by a value that is known or used already, or by a fresh one.

    All ways up to renaming of fresh values; fewest different ones first, then most, then the rest.
    """
    found: list[tuple[Any, ...]] = [()]
    for value in values:
        found = [(*begun, choice) for begun in found for choice in _choices(value, begun, values)]
    ranked = sorted(found, key=lambda given: len(set(given)))
    return ranked[:1] + ranked[-1:] + ranked[1:-1] if len(ranked) > 1 else ranked


def _choices(value: Any, begun: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    if value is not None:
        return [value]
    known = [other for other in values if other is not None]
    used = list(dict.fromkeys([*known, *begun]))
    return [*used, next(number for number in range(1, len(used) + 2) if number not in used)]


def fresh(identities: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """An identity that differs from all of these in every part that is a number."""
    first = dict(identities[0])
    return {
        key: 1 + max(other[key] for other in identities) if isinstance(value, int) else value
        for key, value in first.items()
    }


def pattern(values: Sequence[Any]) -> str:
    """Which of some values are the same, in words."""
    if len(set(values)) == 1:
        return "all the same"
    return "all different" if len(set(values)) == len(values) else ", ".join(map(str, values))
