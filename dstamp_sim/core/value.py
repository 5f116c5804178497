"""Values that travel between programs and objects: hashable, told apart by type and content, written alike in all runs.

Python calls values equal that a program can tell apart: 1, True and Decimal(1); a NamedTuple and its tuple; 0.0 and
-0.0; values of a class with its own `__eq__`. Tables are keyed by equality, so two such values in one place would be
taken for one. `key` says what a value really is, and `Distinct` refuses the second of two that Python confuses.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from enum import Enum
from functools import cached_property
from itertools import chain
from math import isnan
from operator import is_
from typing import Any

from dstamp_sim.core.errors import without_addresses

# Scalars that are written by repr(); all others are taken apart first.
_PLAIN = (str, int, float, bool, type(None))

# Types of which `==` between two values of just this type means the same content.
_EXACT = frozenset({str, int, bool, type(None), bytes})


def text(value: Any) -> str:
    """One line for a value, the same in every process (sets are sorted, since their order depends on hash seeds)."""
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, frozenset):
        return "{" + ", ".join(sorted(text(item) for item in value)) + "}"
    if isinstance(value, tuple):
        return _tuple_text(value)
    return getattr(value, "__qualname__", None) or without_addresses(str(value))


def _tuple_text(value: tuple[Any, ...]) -> str:
    fields = getattr(value, "_fields", None)
    if fields:
        inside = ", ".join(f"{name}={text(item)}" for name, item in zip(fields, value, strict=True))
        return f"{type(value).__name__}({inside})"
    comma = "," if len(value) == 1 else ""
    return "(" + ", ".join(text(item) for item in value) + comma + ")"


class _Order:
    """How many items the `largest` set had that was gone through backwards, and which of them comes `first`.

    0: as in `Backwards`; further ones, up to the number of items: each of them once. `left` is how many times more
    a question may be asked for the sake of these.
    """

    first, largest, left = 0, 0, 0


ORDER_OF_SETS = _Order()


class Backwards(frozenset[Any]):
    """The set `turned`, but for its order: it iterates the other way round, and no item keeps its place.

    While `ORDER_OF_SETS.first` says so, it begins with another item.
    """

    def __init__(self, turned: frozenset[Any] | set[Any]) -> None:
        self.turned = turned

    @property  # type: ignore[misc]  # nobody assigns it
    def __class__(self) -> Any:
        """The type of the set, for who asks so."""
        return type(self.turned)

    def __iter__(self) -> Iterator[Any]:
        items = list(self.turned)[::-1]
        ORDER_OF_SETS.largest = max(ORDER_OF_SETS.largest, len(items))
        if ORDER_OF_SETS.first and items:
            first = ORDER_OF_SETS.first % len(items)
            return iter(items[first:] + items[:first])
        if len(items) % 2 and len(items) > 1:
            middle = len(items) // 2
            items[0], items[middle] = items[middle], items[0]
        return iter(items)


class NoKey(ValueError):
    """Nothing decides whether this value is the same as another one; the text has the reason and the remedy."""


def key(value: Any) -> Hashable:
    """What a value is, by type and content: two values have one key only if no program can tell them apart.

    Numbers, texts, tuples, NamedTuples and frozensets (their order aside) by what they are made of; what is only ever
    equal to itself (enum members, functions, classes without an `__eq__`) is itself; anything else is its type with
    what pickling it would keep, cached properties aside. Raises NoKey for NaN, and where pickling fails.
    """
    try:
        return _key(value)
    except RecursionError:
        raise NoKey(f"which refers to itself: {_REMEDY}") from None


_UNEQUAL = "which is not equal to itself: use None, or a text"
_REMEDY = "use tuples, NamedTuples, frozensets or frozen dataclasses of plain values"


class Itself:
    """The key of a value that is the same as nothing but itself; keeps it alive, so that its identity stays unique."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Itself) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def _key(value: Any) -> Hashable:
    kind = type(value)
    if kind in _EXACT:
        return kind, value
    if kind is float:
        return kind, _exactly(value)
    if kind is frozenset or kind is Backwards:
        members = frozenset(map(type, value))
        plain = len(members) < 2 and members <= _EXACT
        return (frozenset, members, value) if plain else (frozenset, frozenset(map(_key, value)))
    if is_plain_tuple(kind):
        return kind, *_parts(value)
    if isinstance(value, Enum) or _is_itself(kind):
        return Itself(value)
    return kind, *_pickled(value, kind)


def _parts(value: tuple[Any, ...]) -> tuple[Hashable, ...]:
    """The keys of a tuple's parts; of plain values, and of rows of them, the types and the values."""
    kinds = tuple(map(type, value))
    if set(kinds) <= _EXACT:
        return kinds, tuple(value)
    if set(kinds) == {tuple}:  # such as a flock's inodes with their counts: a hundred pairs in each of many states
        inner = tuple(map(type, chain.from_iterable(value)))
        if set(inner) <= _EXACT:
            return inner, tuple(map(len, value)), tuple(value)
    return tuple(map(_key, value))


def _is_itself(kind: type) -> bool:
    """Whether values of a type are equal to nothing but themselves."""
    equality: Any = kind.__eq__
    return equality is object.__eq__


def _exactly(value: float) -> str:
    if isnan(value):
        raise NoKey(_UNEQUAL)
    return value.hex()


def is_plain_tuple(kind: type) -> bool:
    """Whether a type is `tuple`, or a NamedTuple that has only its fields."""
    return kind is tuple or (issubclass(kind, tuple) and hasattr(kind, "_fields") and not kind.__dictoffset__)


def _pickled(value: Any, kind: type) -> tuple[Hashable, ...]:
    """What pickling would keep of a value."""
    if not (value == value):  # noqa: PLR0124 - NaN is not
        raise NoKey(_UNEQUAL)
    try:
        parts = value.__reduce_ex__(4)
    except RecursionError:
        raise
    except Exception:
        raise NoKey(f"which cannot be told from a value that Python calls equal to it: {_REMEDY}") from None
    if isinstance(parts, str):
        return (Itself(value),)
    made, arguments, state, *items = parts if len(parts) > 2 else (*parts, None)
    return _key(made), _part(arguments, kind), _part(state, kind), *(_part(list(item or ()), kind) for item in items)


def _part(value: Any, kind: type) -> Hashable:
    """As `_key`, also of the lists, sets and dicts in which an object of `kind` keeps its content."""
    if isinstance(value, dict):
        kept = ((name, part) for name, part in value.items() if not _is_cached(kind, name))
        return dict, frozenset((_part(name, kind), _part(part, kind)) for name, part in kept)
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value), *(_part(item, kind) for item in value)
    if isinstance(value, set):
        return set, frozenset(map(_key, value))
    return _key(value)


def _is_cached(kind: type, name: object) -> bool:
    return isinstance(name, str) and isinstance(getattr(kind, name, None), cached_property)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same by type and content. Raises NoKey as `key` does."""
    return plainly_same(one, other) or key(one) == key(other)


def plainly_same(one: Any, other: Any) -> bool:
    """Whether two values are the same at a glance: they consist of the same parts. False decides nothing."""
    if one is other:
        return True
    kind = type(one)
    if kind is not type(other):
        return False
    if kind in _EXACT:
        return bool(one == other)
    if kind is frozenset:
        return len(one) == len(other) and all(map(is_, one, other))
    if not is_plain_tuple(kind) or len(one) != len(other):
        return False
    return all(map(is_, one, other)) or all(map(plainly_same, one, other))


_NONE_KNOWN: tuple[Hashable, Any] = (None, None)


class Distinct:
    """Remembers values by place, and finds wrong ones: not hashable, or equal to another value and not the same.

    Tables are keyed by equality, so such a value would be taken for the other and a wrong verdict could come of it.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Hashable, Hashable], tuple[Hashable, Any]] = {}

    def wrong(self, where: Hashable, value: Any) -> str:
        """The value and what is wrong with it in this place; empty when nothing is."""
        try:
            before, other = self._known.get((where, value), _NONE_KNOWN)
        except TypeError:
            return f"{value!r}, which is not hashable: use tuples and frozensets"
        if before is not None and plainly_same(value, other):
            return ""
        try:
            now = key(value)
        except NoKey as why:
            return f"{value!r}, {why}"
        if before is None:
            self._known[where, value] = now, value
        if before in (None, now):
            return ""
        shown, used = _told_apart(value, other)
        return (
            f"{shown}, which Python calls equal to {used}, used before: they would be taken for one value; "
            "keep to one of them"
        )


def _told_apart(value: Any, other: Any) -> tuple[str, str]:
    """Two values in words that differ, as far as there are any."""
    shown, used = text(value), text(other)
    if shown != used:
        return shown, used
    kinds = tuple(f"{type(one).__module__}.{type(one).__qualname__}" for one in (value, other))
    if kinds[0] != kinds[1]:
        return f"{shown} (of type {kinds[0]})", f"{used} (of type {kinds[1]})"
    return f"{shown} (of type {kinds[0]})", "another such value that differs in what `==` passes over"
