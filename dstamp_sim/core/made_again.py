"""A factory is asked for its system again, with sets gone through the other way round: its parts must be the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any

from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.reach import ATOMS, NamedRoot, Snapshot, named_part, named_parts
from dstamp_sim.core.system import System
from dstamp_sim.core.turned import PASSED, turned
from dstamp_sim.core.value import text


def check_made_alike(factory: Callable[..., System], arguments: Mapping[str, Any], system: System) -> None:
    """Raises ModelError if `system`, which the factory made of these arguments, depends on the order of a set.

    A difference that the factory shows without that, too, and an exception in the other order, are not told.
    """
    reached = [each.item for each in Snapshot([("the factory", factory)]).reached.values()]
    PASSED.clear()
    try:
        with turned(reached):
            other = factory(**arguments)
        if not PASSED or not (found := _difference(system, other)) or _difference(system, factory(**arguments)):
            return
    except Exception:  # of the model's own, in an order that nobody may ever see
        return
    raise ModelError(
        f"{PASSED[0]}: the factory's system depends on the order of a set, which differs from run to run: {found}; "
        "write sorted(...)"
    )


def _difference(one: System, other: System) -> str:
    """Where two systems differ in what is in them, and how; empty if they do not."""
    waiting, seen = [("system", one, other)], set[tuple[int, int]]()
    while waiting:
        name, mine, its = waiting.pop()
        if mine is its or (id(mine), id(its)) in seen:
            continue
        seen.add((id(mine), id(its)))
        if _shown(mine) != _shown(its):
            return f"{name} is {text(mine)}, or {text(its)}"
        others = dict(_parts(its))
        waiting.extend((named_part(name, mine, key), part, others[key]) for key, part in _parts(mine) if key in others)
    return ""


def _shown(item: Any) -> Any:
    """What must be the same of something, beside its parts."""
    if isinstance(item, ATOMS):
        return type(item), repr(item)
    if isinstance(item, FunctionType):
        return item.__code__.co_filename, item.__code__.co_firstlineno, item.__code__.co_name
    if isinstance(item, set | frozenset):
        return frozenset(map(text, item))
    if isinstance(item, dict):
        return type(item), [text(key) for key in item]
    return type(item), len(item) if isinstance(item, tuple | list) else 0


def _parts(item: Any) -> Iterator[NamedRoot]:
    """What is in something, by name; nothing of a set, which is compared as a whole."""
    if isinstance(item, System):
        yield "processes", item.processes
        yield "objects", item.objects
        yield "properties", item.properties
        yield "sections", item.sections
        yield "crashes", item.crashes
    elif type(item).__module__.startswith("dstamp_sim.core."):
        yield from ((name, value) for name, value in vars(item).items() if not name.startswith("_"))
    elif not isinstance(item, set | frozenset):
        yield from named_parts(item)
