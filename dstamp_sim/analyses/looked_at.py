"""What a property of each result looks at: the fields of a result, where that has fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from dstamp_sim.core.properties import Property

_AS_A_WHOLE = (
    *(
        "__eq__",
        "__ne__",
        "__lt__",
        "__le__",
        "__gt__",
        "__ge__",
        "__hash__",
        "__iter__",
        "__getitem__",
        "__contains__",
    ),
    *("__len__", "__repr__", "__str__", "__format__", "__add__", "__mul__", "__rmul__", "index", "count"),
    *("_asdict", "_replace", "__reduce_ex__"),
)
"""Methods of a NamedTuple or a dataclass that look at more than one field."""


def fields_looked_at(prop: Property, result: Any) -> tuple[str, ...] | None:
    """The fields of a NamedTuple or dataclass that the predicate looks at, also by the result's methods.

    None: any part of it, as of a result without fields.
    """
    kind: Any = type(result)
    names = _fields_of(result)
    if not names:
        return None
    looked: dict[str, None] = {}
    as_a_whole: list[str] = []

    def attribute(self: Any, name: str) -> Any:
        if name in names:
            looked[name] = None
        elif name == "__dict__":
            as_a_whole.append(name)
        return kind.__getattribute__(self, name)

    def noted(name: str) -> Callable[..., Any]:
        def method(self: Any, *args: Any, **options: Any) -> Any:
            as_a_whole.append(name)
            return getattr(kind, name)(self, *args, **options)

        return method

    methods = {name: noted(name) for name in _AS_A_WHOLE if hasattr(kind, name)}
    watched = type(kind.__name__, (kind,), {**methods, "__getattribute__": attribute})
    prop.predicate(_made_as(watched, result, names))
    return None if as_a_whole else tuple(looked)


def _fields_of(result: Any) -> tuple[str, ...]:
    """The fields of a NamedTuple; of a dataclass, with whatever else it keeps by name; empty for any other result."""
    if isinstance(result, tuple):
        return getattr(result, "_fields", ())
    if not is_dataclass(result):
        return ()
    return tuple(dict.fromkeys((*(field.name for field in fields(result)), *getattr(result, "__dict__", ()))))


def _made_as(kind: Any, result: Any, names: Sequence[str]) -> Any:
    """The result again, as one of `kind`."""
    if isinstance(result, tuple):
        return kind(*tuple.__iter__(result))
    made = object.__new__(kind)
    for name in names:
        object.__setattr__(made, name, getattr(result, name))
    return made


def is_seen_otherwise(prop: Property, one: Any, other: Any) -> bool:
    """Whether two results differ in what the predicate looks at of the first."""
    looked = fields_looked_at(prop, one)
    if looked is None or type(one) is not type(other):
        return bool(one != other)
    return any(getattr(one, name) != getattr(other, name) for name in looked)
