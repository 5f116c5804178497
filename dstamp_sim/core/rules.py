"""The rule that a model depends on nothing but arguments, results and states: checked before and after it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from types import FunctionType, MethodType
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from dstamp_sim.core.caches import altered, may_keep
from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.habits import fault, line_changing
from dstamp_sim.core.place import Place, defined
from dstamp_sim.core.reach import NamedRoot, Snapshot, own_copies
from dstamp_sim.core.shared_object import SharedObject
from dstamp_sim.core.system import Process, System
from dstamp_sim.core.turned import turned

INSTEAD = "keep it in a local variable of the program, or in a shared object's state"


_PREDICATES: WeakKeyDictionary[System, Snapshot] = WeakKeyDictionary()
"""The predicates of the systems whose source was read and is fine: one exploration makes several semantics of one."""


_FAULTLESS: WeakSet[FunctionType] = WeakSet()
"""The functions without a known instance that were read and are fine: systems of one model share them."""


class Rules:
    """What one system's programs, objects and predicates reach besides their arguments, as it was before they ran.

    Raises ModelError if their source has a clock, random numbers, addresses, the order of a set, or a generator that
    never starts.
    """

    def __init__(self, system: System, objects: Sequence[SharedObject]) -> None:
        self._system, self._objects = system, objects
        self._kept = Snapshot(self._roots())
        self._caches = [reached.item for reached in self._kept.reached.values() if may_keep(reached.item)]
        if system not in _PREDICATES:
            predicates = Snapshot(_predicates(system))
            for function, instance in (self._kept.functions | predicates.functions).values():
                if (instance is not None or function not in _FAULTLESS) and (wrong := fault(function, instance)):
                    raise ModelError(wrong)
                if instance is None:
                    _FAULTLESS.add(function)
            _PREDICATES[system] = predicates
        self._predicates = _PREDICATES[system]

    def _roots(self, but: Process | None = None) -> Iterator[NamedRoot]:
        """The roots that runs start from, by name; without the instance whose method is the program of `but`."""
        for process in self._system.processes:
            program = process.program.__func__ if process is but else process.program  # type: ignore[attr-defined]
            yield process.name, program
            yield from ((f"args[{index}]", value) for index, value in enumerate(process.args))
        yield from ((item.name, item) for item in self._objects)

    def own(self, process: Process) -> Callable[[], Callable[..., Any]]:
        """A function that returns the program for one run, with a copy of its `self`, which it alone may change.

        An instance whose methods several processes or a restarting daemon run is shared, and not copied: a change to it
        is an error.
        """
        program = process.program
        sole = process.copies == 1 and not process.daemon and isinstance(program, MethodType)
        if not sole or sum(_self(other) is _self(process) for other in self._system.processes) > 1:
            return lambda: program
        others = Snapshot(self._roots(but=process)).reached
        return own_copies(program, {key: reached.item for key, reached in others.items()})

    def lasts(self, item: object) -> bool:
        """Whether something was there before any program ran, so that all runs have it and none may change it."""
        return id(item) in self._kept.reached

    def turned(self) -> AbstractContextManager[None]:
        """While this lasts, the model's functions go through sets the other way round."""
        return turned(reached.item for reached in (self._kept.reached | self._predicates.reached).values())

    def check_kept(self) -> None:
        """Raises ModelError if something that programs or objects reach has changed since it was noted."""
        if name := self._kept.changed():
            raise ModelError(f"{self._changing(name)}: {name} changed while the model ran: {self._why(name)}")
        for item in self._caches:
            if name := altered(item, self.lasts):
                raise ModelError(
                    f"{self._changing(name)}: what {name} keeps in its cache changed while the model ran, and every "
                    "run is handed the same: let it return what cannot change, such as a tuple"
                )

    def _changing(self, name: str) -> Place:
        """The model's line that may change what is called so; any of its functions if none shows it."""
        functions = [each for each, _ in self._kept.functions.values() if each.__name__ != "__init__"]
        found = next(filter(None, (line_changing(function, name) for function in functions)), None)
        return found or next(iter(map(defined, functions)), Place("?", 0))

    def _why(self, name: str) -> str:
        if any(name.startswith(f"{item.name}.") for item in self._objects):
            return "an object remembers nothing but its state: put it into the next state of an Outcome"
        if name.startswith("self."):
            return (
                "several processes, copies of one or a daemon's restarts share this instance: "
                f"give each process its own (Process('a', Job().run)), or {INSTEAD}"
            )
        return f"a program keeps nothing outside of itself; {INSTEAD}"


def _predicates(system: System) -> Iterator[NamedRoot]:
    """The predicates of a system. What they keep is their own: they answer the same question twice."""
    for prop in system.properties:
        yield prop.name, prop.predicate
        yield prop.name, prop.premise


def _self(process: Process) -> object:
    return getattr(process.program, "__self__", process)
