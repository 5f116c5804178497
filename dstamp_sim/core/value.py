"""Values that travel between programs and objects: hashable, and written the same way in every run."""

from collections.abc import Hashable
from typing import Any

# Scalars that are written by repr(); everything else is taken apart first.
_PLAIN = (str, int, float, bool, type(None))


def text(value: Any) -> str:
    """One line for a value, the same in every process (sets are sorted, since their order depends on hash seeds)."""
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, frozenset):
        return "{" + ", ".join(sorted(text(item) for item in value)) + "}"
    if isinstance(value, tuple):
        return _tuple_text(value)
    return getattr(value, "__qualname__", None) or str(value)


def _tuple_text(value: tuple[Any, ...]) -> str:
    fields = getattr(value, "_fields", None)
    if fields:
        inside = ", ".join(f"{name}={text(item)}" for name, item in zip(fields, value, strict=True))
        return f"{type(value).__name__}({inside})"
    comma = "," if len(value) == 1 else ""
    return "(" + ", ".join(text(item) for item in value) + comma + ")"


class Distinct:
    """Remembers values, and finds those that Python calls equal though they are written differently (1, True, 1.0).

    Tables are keyed by equality, so two such values would be taken for one and a wrong verdict could come of it.
    """

    def __init__(self) -> None:
        self._written: dict[tuple[Hashable, Hashable], str] = {}

    def wrong(self, where: Hashable, value: Any) -> str:
        """The value and what is wrong with it: not hashable, or written differently before in the same place."""
        if not is_hashable(value):
            return f"{value!r}, which is not hashable: use tuples and frozensets"
        now = text(value)
        before = self._written.setdefault((where, value), now)
        if before == now:
            return ""
        return (
            f"{now}, which Python calls equal to {before}, used before: they would be taken for one value; "
            "keep to one of them"
        )


def is_hashable(value: object) -> bool:
    """Whether `value` can be a result, an argument or an object's state (a tuple holding a list cannot)."""
    if not isinstance(value, Hashable):
        return False
    try:
        hash(value)
    except TypeError:
        return False
    return True
