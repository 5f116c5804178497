"""A system: shared objects, processes, properties, and the locks a placement may lay over it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

from dstamp_sim.core.errors import ModelError, PlacementError, ScheduleError, UsageError, blamed, unknown
from dstamp_sim.core.op import DELAYS, Op, Program
from dstamp_sim.core.place import here
from dstamp_sim.core.placement import BoundSpan, Placement, Scope
from dstamp_sim.core.properties import BUILT_IN, LIVE, Property, PropertyKind, serial
from dstamp_sim.core.shared_object import SharedObject
from dstamp_sim.core.typed import expect, is_name, is_number, items, texts
from dstamp_sim.core.value import Distinct, text


class AnyNumber(StrEnum):
    """The type of `ANY`; command lines and witness files write it `any`."""

    ANY = "any"


ANY = AnyNumber.ANY
"""As `copies`: any number of identical processes. Engines that need a number refuse it; `prove` asks for it."""

Copies = int | AnyNumber
"""A number of copies, or `ANY`: how a factory annotates a parameter that may be any number."""


class Fairness(StrEnum):
    """Which moves of a process cannot be put off for ever, where a property in time is asked.

    `WEAK`: one that stays possible is made in the end. `STRONG`: so is one that is possible again and again. `NONE`:
    the process may stand still at any time.
    """

    WEAK = "weak"
    STRONG = "strong"
    NONE = "none"


OTHERS = "*"
"""In `Process(fair={...})`: all ops that are not named."""

MOST_COPIES = 10_000
"""More processes of one kind, or deaths, than this are a slip of the pen: no engine would come to an end."""


@dataclass(frozen=True, init=False)
class Process:
    """A named program with its arguments: `copies` identical ones, called name#1, name#2, … when there are several.

    `daemon=True` restarts whenever it ends, and need not end. `killable` processes may die between two ops where the
    system allows crashes; by default all but daemons. `fair` says which of its moves cannot be put off for ever:
    "weak", "strong" or "none" (`Fairness`), or by op: `{"lock.acquire": "strong", "*": "none"}`, where "*" are all
    others (weak unless said). `fair_ops` are those that are named.
    """

    name: str
    program: Callable[..., Program[Any]]
    args: tuple[Any, ...]
    copies: Copies
    daemon: bool
    killable: bool
    fair: Fairness
    fair_ops: tuple[tuple[str, Fairness], ...]

    def __init__(
        self,
        name: str,
        program: Callable[..., Program[Any]],
        *args: Any,
        copies: Copies = 1,
        daemon: bool = False,
        killable: bool | None = None,
        fair: Fairness | str | Mapping[str, Fairness | str] = Fairness.WEAK,
    ) -> None:
        expect(is_name(name), "Process", "name", name, "a text that is not empty: schedules are written in names")
        who = f"process {name!r}"
        callable_once = callable(program) and not isinstance(program, type)
        expect(callable_once, who, "program", program, "a generator function, not called: its arguments come after it")
        number = copies is ANY or (is_number(copies) and 0 <= int(copies) <= MOST_COPIES)
        expect(number, who, "copies", copies, f"a number of processes, 0 to {MOST_COPIES:,}, or ANY")
        expect(isinstance(daemon, bool), who, "daemon", daemon, "True or False")
        expect(killable in (None, True, False), who, "killable", killable, "True, False, or None if daemon says it")
        by_op = dict(fair) if isinstance(fair, Mapping) else {OTHERS: fair}
        expect(
            all(isinstance(op, str) and how in list(Fairness) for op, how in by_op.items()), who, "fair", fair,
            '"weak", "strong" or "none", or one of them by op: {"lock.acquire": "strong"}',
        )  # fmt: skip
        if wrong := Distinct().wrong(name, args):
            raise ModelError(f"{here()}process {name!r}: it is given {wrong}")
        values = {"name": name, "program": program, "args": args, "copies": copies, "daemon": daemon}
        for key, value in values.items():
            object.__setattr__(self, key, value)
        object.__setattr__(self, "killable", not daemon if killable is None else killable)
        object.__setattr__(self, "fair", Fairness(by_op.pop(OTHERS, Fairness.WEAK)))
        object.__setattr__(self, "fair_ops", tuple((op, Fairness(how)) for op, how in by_op.items()))

    def fairness(self, op: Op) -> Fairness:
        """Which moves by this op cannot be put off for ever."""
        return next((how for name, how in self.fair_ops if name == op.name), self.fair)

    def with_copies(self, copies: Copies) -> Process:
        """This process with another number of copies."""
        return Process(
            self.name,
            self.program,
            *self.args,
            copies=copies,
            daemon=self.daemon,
            killable=self.killable,
            fair={**dict(self.fair_ops), OTHERS: self.fair},
        )

    def instances(self) -> list[str]:
        """The names of its copies. Raises UsageError for `ANY`."""
        if isinstance(self.copies, AnyNumber):
            raise UsageError(
                f"process {self.name!r} has copies=ANY: this engine needs a number of copies; `prove` does not"
            )
        if self.copies == 1:
            return [self.name]
        return [f"{self.name}#{i + 1}" for i in range(self.copies)]


@dataclass(frozen=True)
class Lane:
    """How a timeline draws one object: the value it writes, and which values are wrong (None: not judged)."""

    target: SharedObject
    show: Callable[[Any], str | None] = text
    wrong: Callable[[Any], bool] | None = None


@dataclass(frozen=True)
class Instance:
    """One running process: its name, its declaration, and the spans bound to the locks that it takes."""

    name: str
    process: Process
    bound: tuple[BoundSpan, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class System:
    """One model, ready for any engine. Immutable; the `with_…` methods return changed copies.

    `sections` are the ones that placements may name, in program order; if there are any, `drawn` are the others that
    programs enter. `locks` is the vocabulary of locks; `crashes` is the largest number of processes that may die;
    `lanes` says what timelines show of the objects. Where objects have several initial states, `start` says in which
    ones all behaviours begin, by name and number (None: in any). Raises ModelError when two objects, processes or
    properties share a name or a property reads what it may not.
    """

    objects: Sequence[SharedObject]
    processes: Sequence[Process]
    properties: Sequence[Property] = ()
    sections: Sequence[str] = ()
    drawn: Sequence[str] = ()
    locks: Sequence[Scope] = ()
    crashes: int = 0
    lanes: Sequence[Lane] = ()
    placement: Placement = Placement("none")  # noqa: RUF009 - immutable
    start: Mapping[str, int] | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (kinds, wanted) in _PARTS.items():
            object.__setattr__(self, name, items("System", name, getattr(self, name), kinds, wanted))
        for lock in self.locks:
            expect(not isinstance(lock, SharedObject), "System", "locks", lock, f"a list of {_PARTS['locks'][1]}")
        _unique("process", [process.name for process in self.processes])
        _unique("property", [prop.name for prop in self.checked_properties])
        expect(is_number(self.crashes), "System", "crashes", self.crashes, "a number of processes that may die")
        if not 0 <= self.crashes <= MOST_COPIES:
            raise UsageError(f"crashes={self.crashes}, but a number of crashes is 0 or more, {MOST_COPIES:,} at most")
        _unique("lock", [scope.name for scope in self.locks])
        self.placement.checked(self.locks, self.sections)
        _unique("object", [item.name for item in self.all_objects])
        self._check_start()
        for prop in self.properties:
            self._check_property(prop)
        for process in self.processes:
            self._check_fair(process)

    def _check_start(self) -> None:
        several = self.several
        for name, number in (self.start or {}).items():
            if name not in several:
                raise ScheduleError(f"{name}:={number}: {unknown('object with several initial states', name, several)}")
            if not 0 <= number < len(several[name].initials):
                raise ScheduleError(
                    f"{name}:={number}: it has {len(several[name].initials):,} initial states, from 0 on"
                )

    def _check_fair(self, process: Process) -> None:
        """Raises ModelError where fairness names an op of no object; `explore` knows which ops there are."""
        known = [item.name for item in self.all_objects]
        for op, _ in process.fair_ops:
            if not op.startswith((*DELAYS, *(f"{name}." for name in known))):
                wrong = unknown("object", op.rpartition(".")[0], known)
                raise ModelError(f"{here()}process {process.name!r}: fair= names {op!r}: {wrong}")

    def _check_property(self, prop: Property) -> None:
        for item in prop.reads:
            if not any(item is known for known in self.objects):
                raise ModelError(f"{here()}property {prop.name!r} reads {item.name!r}, which is not among the objects")
            if item.private:
                raise ModelError(
                    f"{here()}property {prop.name!r} reads {item.name!r}, which is private to each process"
                )
        names = [process.name for process in self.processes]
        if prop.of is not None and prop.of not in names:
            raise ModelError(f"{here()}property {prop.name!r}: {unknown('process', prop.of, names)}")

    @property
    def checked_properties(self) -> tuple[Property, ...]:
        """The declared properties and the built-in ones."""
        return (*self.properties, *BUILT_IN)

    def properties_named(self, names: Iterable[str]) -> tuple[Property, ...]:
        """The properties called `names`; all of them when `names` is empty. Raises UsageError for an unknown name."""
        names = dict.fromkeys(texts("System", "properties", names))
        known = {prop.name: prop for prop in self.checked_properties}
        for name in names:
            if name not in known:
                raise UsageError(unknown("property", name, known))
        return tuple(known[name] for name in names) or self.checked_properties

    def with_locks(self, placement: Placement) -> System:
        """This system under `placement` instead of its present one. Raises PlacementError when it does not fit."""
        return replace(self, placement=placement)

    def with_names(self, names: Mapping[str, str]) -> System:
        """This system with instances renamed (`{"run#1": "ann"}`)."""
        return replace(self, renamed=names)

    def with_crashes(self, crashes: int) -> System:
        """This system where at most `crashes` processes may die."""
        return replace(self, crashes=crashes)

    def with_serial(self) -> System:
        """This system, where all results and shared objects must come out of a serial order, unless it asks for one."""
        if any(prop.kind is PropertyKind.SERIAL for prop in self.properties):
            return self
        left = [item for item in self.objects if not item.private]
        return replace(self, properties=(*self.properties, serial(reads=left)))

    def with_live(self) -> System:
        """This system, where nobody may starve or go on for ever without an end (`LIVE`)."""
        return replace(self, properties=(*self.properties, *(prop for prop in LIVE if prop not in self.properties)))

    @property
    def several(self) -> dict[str, SharedObject]:
        """The objects that have several initial states, by name."""
        return {item.name: item for item in self.objects if len(item.initials) > 1}

    def with_start(self, start: Mapping[str, int]) -> System:
        """This system begun in one initial state: what `start` names, else what was chosen before, else the first.

        Raises ScheduleError for an object that has one initial state, or not so many.
        """
        chosen = dict.fromkeys(self.several, 0) | dict(self.start or {}) | dict(start)
        return replace(self, start=chosen) if chosen else self

    def with_copies(self, copies: Mapping[str, int]) -> System:
        """This system with numbers instead of `ANY`, by process. Raises UsageError for a name without `ANY`."""
        for name in copies:
            if name not in self.any_number:
                raise UsageError(unknown("process with copies=ANY", name, self.any_number))
        processes = (p.with_copies(copies[p.name]) if p.name in copies else p for p in self.processes)
        return replace(self, processes=tuple(processes))

    @property
    def any_number(self) -> tuple[str, ...]:
        """The names of the processes with `copies=ANY`, in declared order."""
        return tuple(process.name for process in self.processes if process.copies is ANY)

    def instances(self) -> list[Instance]:
        """Every running process in declared order, with the locks that it takes.

        Raises UsageError for `copies=ANY` and for renaming a process that does not exist.
        """
        plain = [(name, process) for process in self.processes for name in process.instances()]
        for name in self.renamed:
            if name not in [known for known, _ in plain]:
                raise UsageError(unknown("process", name, [known for known, _ in plain]))
        _unique("process", [self.renamed.get(name, name) for name, _ in plain])
        return [Instance(self.renamed.get(name, name), process, tuple(self._bound(process))) for name, process in plain]

    @property
    def must_end(self) -> tuple[str, ...]:
        """The names of the running processes that are no daemons, in declared order. Raises as `instances` does."""
        return tuple(instance.name for instance in self.instances() if not instance.process.daemon)

    @property
    def all_objects(self) -> tuple[SharedObject, ...]:
        """The declared objects, the locks that the placement adds, and what comes beside them."""
        own = (*self.objects, *self._locks())
        lines = {id(item): item for lock in own for item in lock.beside}
        return (*own, *(item for item in lines.values() if not any(item is known for known in own)))

    @property
    def lock_objects(self) -> dict[str, SharedObject]:
        """The lock objects that the placement adds, by name, in order of first use."""
        return {lock.name: lock for lock in self._locks()}

    def _locks(self) -> list[SharedObject]:
        bound = [bound.lock for process in self.processes for bound in self._bound(process)]
        return list({id(lock): lock for lock in bound if lock is not None}.values())

    def _bound(self, process: Process) -> Iterator[BoundSpan]:
        """Its spans; a daemon's spans need no key as long as it does not enter their first sections."""
        for span in self.placement.spans:
            try:
                lock, why_not = self._lock(span.lock, process), ""
            except PlacementError as error:
                if not process.daemon:
                    raise
                lock, why_not = None, str(error)
            if lock is not None or why_not:
                yield BoundSpan(span, lock, why_not)

    def _lock(self, scope_name: str, process: Process) -> SharedObject | None:
        scope = next(scope for scope in self.locks if scope.name == scope_name)
        try:
            return scope.lock(process.args)
        except Exception as error:
            raise PlacementError(
                f"lock {scope_name!r}: its key fails for process {process.name!r}{process.args}: {error}"
            ) from error
        except BaseException as error:
            raise blamed(error, f"lock {scope_name!r}", "its key") from error


class Also(NamedTuple):
    """What a system is asked besides its own properties: for a serial order of its runs; what must come in time."""

    serial: bool = False
    live: bool = False

    def of(self, system: System) -> System:
        """The system, asked so."""
        system = system.with_serial() if self.serial else system
        return system.with_live() if self.live else system

    def names(self, system: System) -> tuple[str, ...]:
        """The names of what is asked besides, in the system that is asked so."""
        kinds = {PropertyKind.SERIAL} if self.serial else set()
        kinds |= {prop.kind for prop in LIVE} if self.live else set()
        return tuple(prop.name for prop in system.properties if prop.kind in kinds)


NOTHING_MORE = Also()

_PARTS: dict[str, tuple[type, str]] = {
    "objects": (SharedObject, "shared objects, such as Register('r', 0)"),
    "processes": (Process, "processes: Process('name', program)"),
    "properties": (Property, "properties, such as always('name', predicate, reads=[...])"),
    "sections": (str, "names"),
    "drawn": (str, "names"),
    "locks": (Scope, "scopes of locks, such as LockScope('name'): placements make the locks of them"),
    "lanes": (Lane, "lanes: Lane(object)"),
}
"""The types of a system's fields, and their names in messages."""


def _unique(kind: str, names: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise ModelError(f"{here()}{count} of the {kind} names are {name!r}: names must be unique")
