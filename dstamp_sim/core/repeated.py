"""Asking again: the same question with sets in another order, and whether two answers are the same."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from operator import is_
from typing import Any

from dstamp_sim.core.value import same

_PLAIN = frozenset({int, str, bool, type(None)})


class _Backwards(frozenset[Any]):
    """An equal set that iterates the other way round."""

    def __iter__(self) -> Iterator[Any]:
        return iter(list(super().__iter__())[::-1])


def shaken(value: Any) -> Any:
    """An equal value whose sets iterate the other way round (in tuples too); `value` itself where it has none."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is frozenset:
        return _Backwards(value) if len(value) > 1 else value
    if isinstance(value, tuple):
        if set(map(type, value)) <= _PLAIN:
            return value
        parts = [shaken(part) for part in value]
        if any(new is not old for new, old in zip(parts, value, strict=True)):
            return getattr(kind, "_make", tuple)(parts)
    return value


def is_same(one: Any, other: Any) -> bool:
    """Whether two answers are the same: of the same type in every part, and equal (or both NaN)."""
    if one is other:
        return True
    kind = type(one)
    if kind in _PLAIN:
        return kind is type(other) and bool(one == other)
    if isinstance(one, frozenset):
        return isinstance(other, frozenset) and one == other and _same_types(one, other)
    if kind is not type(other):
        return False
    if isinstance(one, tuple):
        return len(one) == len(other) and (all(map(is_, one, other)) or all(map(is_same, one, other)))
    if isinstance(one, float):
        return one == other or (isnan(one) and isnan(other))
    return same(one, other)


def _same_types(one: frozenset[Any], other: frozenset[Any]) -> bool:
    """Whether equal members of two equal sets have the same types."""
    kinds = set(map(type, frozenset.__iter__(one)))
    if kinds != set(map(type, frozenset.__iter__(other))):
        return False
    return len(kinds) < 2 or {(type(item), item) for item in one} == {(type(item), item) for item in other}
