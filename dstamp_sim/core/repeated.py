"""Asking again: the same question with sets in another order, and whether two answers are the same."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan
from operator import is_
from typing import Any

from dstamp_sim.core.value import ORDER_OF_SETS, Backwards, is_plain_tuple, same

_NEVER_SHAKEN = frozenset({int, str, bool, type(None)})


def shaken(value: Any) -> Any:
    """An equal value whose sets iterate the other way round (in tuples too); `value` itself if it has none."""
    kind = type(value)
    if kind in _NEVER_SHAKEN:
        return value
    if kind is frozenset:
        return Backwards(value) if len(value) > 1 else value
    if isinstance(value, tuple):
        if set(map(type, value)) <= _NEVER_SHAKEN:
            return value
        parts = [shaken(part) for part in value]
        if any(new is not old for new, old in zip(parts, value, strict=True)):
            return getattr(kind, "_make", tuple)(parts)
    return value


def in_other_orders(ask: Callable[[], None], cost: int = 1) -> None:
    """Asks with sets the other way round, and `in_further_orders`."""
    ORDER_OF_SETS.largest = 0
    ask()
    if ORDER_OF_SETS.largest > 1:
        in_further_orders(ask, cost)


def in_further_orders(ask: Callable[[], None], cost: int = 1) -> None:
    """Asks once more for each item of the largest set that was gone through: that item comes first.

    So yes or no that comes of a set's first or last item, and is alike for two orders, is not alike for all. It ends
    when nothing is left of what may be asked for this (`ORDER_OF_SETS.left`).
    """
    try:
        for first in range(1, min(ORDER_OF_SETS.largest, ORDER_OF_SETS.left // cost) + 1):
            ORDER_OF_SETS.first, ORDER_OF_SETS.left = first, ORDER_OF_SETS.left - cost
            ask()
    finally:
        ORDER_OF_SETS.first = 0


def is_same(one: Any, other: Any) -> bool:
    """Whether two answers are the same: of the same type in every part, and equal (or both NaN)."""
    if one is other:
        return True
    kind = type(one)
    if kind is Backwards:
        return is_same(one.turned, other)
    if kind is not type(other):
        return False
    if kind is str or kind is int or kind is frozenset:  # most of what is asked about
        return same(one, other)
    if is_plain_tuple(kind):
        return len(one) == len(other) and (all(map(is_, one, other)) or all(map(is_same, one, other)))
    if kind is float and isnan(one):
        return isnan(other)
    return same(one, other)
