"""Caches of `functools`: a result that a cache keeps must still be what the function returns.

A cache is filled as the model runs, so it may differ from what it was before. But every run is handed one and the same
result, and one that can change (a list) would carry what one run did to it into the others.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Hashable, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import _lru_cache_wrapper, cache, cached_property, partial
from typing import Any

from dstamp_sim.core.reach import is_of_model, is_value
from dstamp_sim.core.suspended import NotByValue, tokens_of

_UNCHANGING = (str, bytes, int, float, complex, bool, type(None), type(...), Enum, type)


def may_keep(item: Any) -> bool:
    """Whether something is a cached function or an instance that can have cached properties."""
    kind: Any = type(item)
    return isinstance(item, _lru_cache_wrapper) or _has_cached_properties(kind)


@cache
def _has_cached_properties(kind: type) -> bool:
    return any(isinstance(value, cached_property) for base in kind.__mro__ for value in vars(base).values())


def altered(item: Any, lasts: Callable[[object], bool]) -> str:
    """The name of a cache of `item` that keeps something else than its function returns now; empty if none does.

    `item` is a cached function or an instance with cached properties. What `lasts` is the same as nothing but itself.
    """
    for name, kept, returned in _results(item):
        if not _is_fixed(kept) and _value(kept, lasts) != _value(returned(), lasts):
            return name
    return ""


def _results(item: Any) -> Iterator[tuple[str, Any, Callable[[], Any]]]:
    """What the caches of something keep: the cache's name, a result, and how the function is asked for it anew."""
    if isinstance(item, _lru_cache_wrapper):
        if not is_of_model(item.__wrapped__):
            return
        for args, named in _calls(item):
            yield item.__name__, item(*args, **named), partial(item.__wrapped__, *args, **named)
        return
    for name, kept in list(getattr(item, "__dict__", {}).items()):
        found = getattr(type(item), name, None)
        if isinstance(found, cached_property):
            yield name, kept, partial(found.func, item)


def _calls(cache: _lru_cache_wrapper[Any]) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The arguments with which a cache was asked for what it keeps, read off its keys (as `lru_cache` makes them)."""
    *_, kept = (each for each in gc.get_referents(cache) if isinstance(each, dict) and each is not vars(cache))
    typed = cache.cache_parameters()["typed"]
    for key in list(kept):
        parts = key if type(key) is tuple else (key,)
        mark = next((place for place, part in enumerate(parts) if type(part) is object), None)
        if mark is None:
            yield parts[: len(parts) // 2] if typed else parts, {}
        else:
            named = parts[mark + 1 :]
            named = named[: (len(named) - mark) * 2 // 3] if typed else named
            yield parts[:mark], dict(zip(named[::2], named[1::2], strict=True))


def _is_fixed(value: Any) -> bool:
    """Whether nothing can change a value."""
    kind: Any = type(value)
    if isinstance(value, tuple | frozenset) and not kind.__dictoffset__:
        return all(map(_is_fixed, value))
    if isinstance(value, _UNCHANGING) or (is_value(kind) and not is_of_model(value)):
        return True
    frozen = is_dataclass(value) and kind.__dataclass_params__.frozen
    return frozen and all(_is_fixed(getattr(value, each.name)) for each in fields(value))


def _value(item: Any, lasts: Callable[[object], bool]) -> Hashable:
    """What something is by value; what has no value is itself."""
    try:
        return tokens_of([item], (), lasts)
    except NotByValue:
        return id(item)
