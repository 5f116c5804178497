"""What a container holds, as a model's source writes it or as it is before anything runs."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from contextlib import suppress
from typing import Any


def is_known_set(found: Any) -> bool:
    """Whether a value that is there before the function runs is a set whose order may differ."""
    return isinstance(found, set) or (isinstance(found, frozenset) and len(found) > 1)


def written_items(container: ast.AST, key: ast.AST) -> Iterable[ast.AST]:
    """The expressions that a written container holds under `key`; all of them, if that is not written out."""
    match container, key:
        case ast.ListComp(elt=item) | ast.DictComp(value=item), _:
            return [item]
        case ast.Dict(keys=keys, values=values), ast.Constant(value=asked):
            return [v for k, v in zip(keys, values, strict=True) if not isinstance(k, ast.Constant) or k.value == asked]
        case ast.Dict(values=values), _:
            return values
        case ((ast.List(elts=items) | ast.Tuple(elts=items)), ast.Constant(value=int(at))) if at < len(items):
            return [items[at]]
        case ((ast.List(elts=items) | ast.Tuple(elts=items)), _):
            return items
    return ()


def known_items(found: Any, key: ast.AST) -> Iterable[Any]:
    """As `written_items`, of a container that is there before the function runs."""
    if not isinstance(found, dict | list | tuple):
        return ()
    container: Any = found
    if isinstance(key, ast.Constant):
        with suppress(LookupError, TypeError):
            return (container[key.value],)
    items: Iterable[Any] = container.values() if isinstance(found, dict) else container
    return items
