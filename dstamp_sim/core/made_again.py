"""A model is run again, from its import on, with sets gone through the other way round: its system must be the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.reach import ATOMS, NamedRoot, named_part, named_parts
from dstamp_sim.core.repeated import in_other_orders
from dstamp_sim.core.system import System
from dstamp_sim.core.turned import PASSED
from dstamp_sim.core.value import ORDER_OF_SETS, text

_MORE_IMPORTS = 8
"""How often the system is made once more because the order of a set showed in none of two."""


def check_made_alike(system: System, again: Callable[[bool], System]) -> None:
    """Raises ModelError if `system` depends on the order of a set.

    `again` makes it again, from the import of the model on: given True, with sets the other way round. A difference
    that shows without that, too, and an exception in the other order, are not told.
    """
    found, ORDER_OF_SETS.left = dict[str, str](), _MORE_IMPORTS
    PASSED.clear()
    try:
        in_other_orders(lambda: found.update(differences(system, again(True))))
        if found:
            passed, usual = PASSED[0], dict(differences(system, again(False)))
            found = {name: how for name, how in found.items() if name not in usual}
    except Exception:  # of the model's own, in an order that nobody may ever see
        return
    for name, how in found.items():
        raise ModelError(
            f"{passed}: the factory's system depends on the order of a set, which differs from run to run: {name} is "
            f"{how}; write sorted(...)"
        )


def differences(one: System, other: System) -> Iterator[tuple[str, str]]:
    """Where two systems differ in what is in them, and how."""
    waiting, seen = [("system", one, other)], dict[tuple[int, int], tuple[Any, Any]]()
    while waiting:
        name, mine, its = waiting.pop()
        if mine is its or (id(mine), id(its)) in seen:
            continue
        seen[id(mine), id(its)] = mine, its
        if _shown(mine) != _shown(its):
            yield name, f"{text(mine)}, or {text(its)}"
            continue
        others = dict(_parts(its))
        waiting.extend((named_part(name, mine, key), part, others[key]) for key, part in _parts(mine) if key in others)


def _shown(item: Any) -> Any:
    """What must be the same of something, beside its parts."""
    kind = type(item).__module__, type(item).__qualname__  # a class of the model is another one at each import
    if isinstance(item, ATOMS):
        return kind, repr(item)
    if isinstance(item, FunctionType):
        return item.__code__.co_filename, item.__code__.co_firstlineno, item.__code__.co_name
    if isinstance(item, set | frozenset):
        return frozenset(map(text, item))
    if isinstance(item, dict):
        return kind, [text(key) for key in item]
    return kind, len(item) if isinstance(item, tuple | list) else 0


def _parts(item: Any) -> Iterator[NamedRoot]:
    """What is in something, by name; nothing of a set, which is compared as a whole."""
    if isinstance(item, System):
        yield "processes", item.processes
        yield "objects", item.objects
        yield "properties", item.properties
        yield "sections", item.sections
        yield "locks", item.locks
        yield "placement", item.placement
        yield "crashes", item.crashes
    elif type(item).__module__.startswith("dstamp_sim.core."):
        yield from ((name, value) for name, value in vars(item).items() if not name.startswith("_"))
    elif not isinstance(item, set | frozenset):
        yield from named_parts(item)
