"""What a property of each result looks at: the fields of a result, where that has fields."""

from __future__ import annotations

from collections.abc import Callable
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
"""Methods of a NamedTuple that look at more than one field."""


def fields_looked_at(prop: Property, result: Any) -> tuple[str, ...] | None:
    """The fields of a NamedTuple that the predicate looks at, also by the result's methods; None: any part of it."""
    kind: Any = type(result)
    if not (isinstance(result, tuple) and hasattr(kind, "_fields")):
        return None
    looked: dict[str, None] = {}
    as_a_whole: list[str] = []

    def attribute(self: Any, name: str) -> Any:
        if name in kind._fields:
            looked[name] = None
        return kind.__getattribute__(self, name)

    def noted(name: str) -> Callable[..., Any]:
        def method(self: Any, *args: Any, **options: Any) -> Any:
            as_a_whole.append(name)
            return getattr(kind, name)(self, *args, **options)

        return method

    methods = {name: noted(name) for name in _AS_A_WHOLE if hasattr(kind, name)}
    watched = type(kind.__name__, (kind,), {**methods, "__getattribute__": attribute})
    prop.predicate(watched(*tuple.__iter__(result)))
    return None if as_a_whole else tuple(looked)


def is_seen_otherwise(prop: Property, one: Any, other: Any) -> bool:
    """Whether two results differ in what the predicate looks at of the first."""
    looked = fields_looked_at(prop, one)
    if looked is None or type(one) is not type(other):
        return bool(one != other)
    return any(getattr(one, name) != getattr(other, name) for name in looked)
