"""Checks the arguments of the package's words: each fault is one sentence with the model's line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.place import here


def expect(right: object, who: str, what: str, value: Any, wanted: str) -> None:
    """Raises ModelError, with the line that called into the package, if `value` is not `right`."""
    if not right:
        raise ModelError(f"{here()}{who}: {what}={_shown(value)}, but it must be {wanted}")


def items(who: str, what: str, values: Any, kinds: type | tuple[type, ...], wanted: str) -> tuple[Any, ...]:
    """`values` as a tuple. Raises ModelError if they are not a list, or if one of them is not of these kinds."""
    listed = isinstance(values, Iterable) and not isinstance(values, str | bytes)
    expect(listed, who, what, values, f"a list of {wanted}")
    made = tuple(values)
    for value in made:
        if not isinstance(value, kinds):
            raise ModelError(f"{here()}{who}: {what}=[...] has {_shown(value)}, but it must be a list of {wanted}")
    return made


def texts(who: str, what: str, values: Any) -> tuple[str, ...]:
    """`values` as a tuple of texts. Raises ModelError for one text alone, whose letters would be taken for names."""
    return items(who, what, values, str, "texts")


def is_number(value: object) -> bool:
    """Whether this is a whole number and not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_name(value: object) -> bool:
    """Whether this is a text that is not empty."""
    return isinstance(value, str) and bool(value)


def _shown(value: Any) -> str:
    return getattr(value, "__qualname__", None) or repr(value)
