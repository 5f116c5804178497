"""What a property of each result looks at: the fields of a result, where that has fields."""

from __future__ import annotations

from typing import Any

from dstamp_sim.core.properties import Property


def fields_looked_at(prop: Property, result: Any) -> tuple[str, ...] | None:
    """The fields of a NamedTuple that the predicate looks at, also by the result's methods; None: any part of it."""
    kind = type(result)
    if not (isinstance(result, tuple) and hasattr(kind, "_fields")):
        return None
    looked: dict[str, None] = {}
    whole = []

    class Watched(kind):  # type: ignore[misc, valid-type]  # a class of the model's
        def __getattribute__(self, name: str) -> Any:
            if name in kind._fields:
                looked[name] = None
            elif name in ("_asdict", "_replace", "_fields", "__dict__"):
                whole.append(name)
            return super().__getattribute__(name)

        def __getitem__(self, index: Any) -> Any:
            whole.append(index)
            return super().__getitem__(index)

        def __iter__(self) -> Any:
            whole.append("all")
            return super().__iter__()

        def __eq__(self, other: object) -> bool:
            whole.append("all")
            return bool(super().__eq__(other))

        __hash__ = kind.__hash__

    prop.predicate(Watched(*tuple.__iter__(result)))
    return None if whole else tuple(looked)


def is_seen_otherwise(prop: Property, one: Any, other: Any) -> bool:
    """Whether two results differ in what the predicate looks at of the first."""
    looked = fields_looked_at(prop, one)
    if looked is None or type(one) is not type(other):
        return bool(one != other)
    return any(getattr(one, name) != getattr(other, name) for name in looked)
