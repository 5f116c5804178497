"""What must hold: always, of results, at the end, in time; what must be reachable; built in: no deadlock, an end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Any, SupportsIndex

from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.place import here
from dstamp_sim.core.shared_object import SharedObject
from dstamp_sim.core.typed import expect, is_name, items
from dstamp_sim.core.value import same, text


class PropertyKind(Enum):
    """The kinds of property; the value is the word that reports use."""

    ALWAYS = "always"
    EACH_RESULT = "each result"
    AT_END = "at end"
    SERIAL = "as in a serial order"
    REACHABLE = "reachable"
    EVENTUALLY = "eventually"
    LEADS_TO = "leads to"
    ALWAYS_EVENTUALLY = "always eventually"
    NOBODY_STARVES = "nobody starves"
    NO_LIVELOCK = "no livelock"
    NO_DEADLOCK = "no deadlock"
    END_POSSIBLE = "the end stays possible"


IN_TIME = frozenset(
    {
        PropertyKind.EVENTUALLY,
        PropertyKind.LEADS_TO,
        PropertyKind.ALWAYS_EVENTUALLY,
        PropertyKind.NOBODY_STARVES,
        PropertyKind.NO_LIVELOCK,
    }
)
"""The kinds that whole behaviours decide, under fairness: something must come, and may be put off for ever."""


@dataclass(frozen=True)
class Property:
    """A named predicate, the kind of moment at which it is asked, and the objects that it may look at.

    `of` restricts `EACH_RESULT` to processes declared under that name; None means all of them. `premise` is that of
    `LEADS_TO`: what must be followed by a state in which `predicate` is true. The predicate of `SERIAL` is none, but
    what of a result counts.
    """

    kind: PropertyKind
    name: str
    predicate: Callable[..., Any]
    reads: tuple[SharedObject, ...] = ()
    of: str | None = None
    premise: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        expect(is_name(self.name), f"{self.kind.value} property", "name", self.name, "a text that is not empty")
        who = f"property {self.name!r}"
        expect(callable(self.predicate), who, "predicate", self.predicate, "a function that returns True or False")
        if self.kind is PropertyKind.LEADS_TO:
            expect(callable(self.premise), who, "premise", self.premise, "a function that returns True or False")

    @property
    def title(self) -> str:
        """Its kind and its name, as reports and witnesses call it; each word once."""
        return self.name if self.name == self.kind.value else f"{self.kind.value}: {self.name}"

    @property
    def is_wish(self) -> bool:
        """Whether the predicate is wanted to be reached, not forbidden."""
        return self.kind is PropertyKind.REACHABLE

    @property
    def asks_ahead(self) -> bool:
        """Whether it asks what can still come after a state, which one run alone does not show."""
        return self.kind is PropertyKind.END_POSSIBLE or self.in_time

    @property
    def in_time(self) -> bool:
        """Whether whole behaviours decide it, under fairness: something must come, and may be put off for ever."""
        return self.kind in IN_TIME

    @property
    def owed_once(self) -> bool:
        """Whether what it waits for must come from the start, and once: not again."""
        return self.kind in (PropertyKind.EVENTUALLY, PropertyKind.NO_LIVELOCK)

    @property
    def goal(self) -> Property:
        """What a property in time waits for, to be asked of one state: a wish of results, or of states it reads.

        That of `NO_LIVELOCK` is itself, true where all who must end have ended or died. `NOBODY_STARVES` has none: a
        move is what it waits for.
        """
        if self.kind is PropertyKind.NO_LIVELOCK:
            return self
        return _of_one_state(f"{self.name}: goal", self.predicate, self.reads)

    @property
    def start(self) -> Property | None:
        """What `leads_to` begins with, as `goal`; None for what is owed in any case."""
        return None if self.premise is None else _of_one_state(f"{self.name}: premise", self.premise, self.reads)


def _of_one_state(name: str, predicate: Callable[..., Any], reads: tuple[SharedObject, ...]) -> Property:
    return Property(PropertyKind.ALWAYS if reads else PropertyKind.REACHABLE, name, predicate, reads)


NO_DEADLOCK = Property(PropertyKind.NO_DEADLOCK, "no deadlock", lambda: True)
"""In every reachable state some process can move, unless every process that must end has ended."""

END_POSSIBLE = Property(PropertyKind.END_POSSIBLE, "the end stays possible", lambda: True)
"""From every reachable state some continuation lets every process that must end, end (or die).

A state without such a continuation is a trap. A deadlock is one; so is a state in which a daemon goes on for ever while
somebody waits for what nobody does any more. It asks for no fairness: that the end is possible, not that it comes.
"""

BUILT_IN = (NO_DEADLOCK, END_POSSIBLE)
"""The properties that every system has."""

NOBODY_STARVES = Property(PropertyKind.NOBODY_STARVES, "nobody starves", lambda: True)
"""On every fair behaviour, whoever is blocked by a lock gets on in the end, or dies."""

NO_LIVELOCK = Property(PropertyKind.NO_LIVELOCK, "no livelock", lambda: True)
"""On every fair behaviour some run ends as long as one must: so in the end all who must end have ended or died.

A deadlock and a trap break it, too.
"""

LIVE = (NOBODY_STARVES, NO_LIVELOCK)
"""What every system may be asked to keep in time: they are judged where a model lists them, or `--live` is given."""

OF_WAITING = frozenset(prop.name for prop in BUILT_IN)
"""The names of those that fail where somebody never comes to the end."""


def _objects(name: str, reads: Iterable[SharedObject]) -> tuple[SharedObject, ...]:
    return items(f"property {name!r}", "reads", reads, SharedObject, "shared objects: reads=[account]")


def always(name: str, predicate: Callable[[StateView], Any], *, reads: Sequence[SharedObject]) -> Property:
    """`predicate(state)` is true in every reachable state; `state[obj]` is the state of an object named in `reads`."""
    return Property(PropertyKind.ALWAYS, name, predicate, _objects(name, reads))


def each_result(name: str, predicate: Callable[[Any], Any], *, of: str | None = None) -> Property:
    """`predicate(result)` is true of the result of every process that ends (of those declared as `of`, if given)."""
    return Property(PropertyKind.EACH_RESULT, name, predicate, of=of)


def at_end(name: str, predicate: Callable[..., Any], *, reads: Sequence[SharedObject] = ()) -> Property:
    """`predicate(results)` is true whenever every process has ended; with `reads`, `predicate(results, state)`.

    `results` is a `Results`: process names to results; a process that died has none. Daemons need not have ended.
    """
    return Property(PropertyKind.AT_END, name, predicate, _objects(name, reads))


def serial(
    name: str = PropertyKind.SERIAL.value,
    counts: Callable[[Any], Any] = lambda result: result,
    *,
    reads: Sequence[SharedObject] = (),
) -> Property:
    """What all return, and leave of `reads`, comes out of some order in which one runs to its end before the next.

    `counts(result)` is what of a result counts: a time may be left out. `core.serial` says what a serial order is.
    """
    return Property(PropertyKind.SERIAL, name, counts, _objects(name, reads))


def reachable(name: str, predicate: Callable[..., Any], *, reads: Sequence[SharedObject] = ()) -> Property:
    """Some reachable state makes `predicate(results)` true; with `reads`, `predicate(results, state)`.

    `results` holds the processes that have ended so far.
    """
    return Property(PropertyKind.REACHABLE, name, predicate, _objects(name, reads))


def eventually(name: str, predicate: Callable[..., Any], *, reads: Sequence[SharedObject] = ()) -> Property:
    """On every fair behaviour `predicate(results)` is true at some moment; with `reads`, `predicate(state)`.

    `results` holds the processes that have ended so far. What is fair, processes say (`Process(fair=...)`).
    """
    return Property(PropertyKind.EVENTUALLY, name, predicate, _objects(name, reads))


def leads_to(
    name: str, premise: Callable[..., Any], predicate: Callable[..., Any], *, reads: Sequence[SharedObject] = ()
) -> Property:
    """On every fair behaviour, whenever `premise` is true, `predicate` is true then or later; asked as `eventually`."""
    return Property(PropertyKind.LEADS_TO, name, predicate, _objects(name, reads), premise=premise)


def always_eventually(name: str, predicate: Callable[..., Any], *, reads: Sequence[SharedObject] = ()) -> Property:
    """On every fair behaviour `predicate` is true again and again, or for ever in the end; asked as `eventually`."""
    return Property(PropertyKind.ALWAYS_EVENTUALLY, name, predicate, _objects(name, reads))


class LooksAtAll(Exception):  # not a fault: the answer then depends on how many processes there are
    """A predicate looked at the results of all processes, where only some are known."""


@dataclass(slots=True)
class Looks:
    """What a predicate looked at: who has which result (`names`), and unknown results.

    A record, since a predicate may catch LooksAtAll.
    """

    names: bool = False
    unknown: bool = False


_TELLS_NOBODY = frozenset({"values", "__class__"})
"""The attributes of results that do not reveal names."""


class Results(Mapping[str, Any]):
    """The results of the processes that have ended, by name, as properties see them.

    `values()` come in an order that does not depend on who has which, so a predicate that uses `values()` and `len()`
    only cannot tell copies apart. Any other use (ask for a name, iterate, compare, write it as text, copy it, read an
    attribute) is noted in `looks`. With `only`, the results of these processes alone are known: a look at another one,
    or at all of them, is noted too and raises LooksAtAll.
    """

    __slots__ = ("_by_name", "_looks", "_only")

    def __init__(self, by_name: Mapping[str, Any], looks: Looks, only: frozenset[str] | None = None) -> None:
        self._by_name, self._looks, self._only = by_name, looks, only

    def __getattribute__(self, name: str) -> Any:
        if name not in _TELLS_NOBODY:
            _part(self, "_looks").names = True
        return object.__getattribute__(self, name)

    def __getitem__(self, name: str) -> Any:
        _part(self, "_looks").names = True
        only = _part(self, "_only")
        return (_all_of(self) if only is not None and name not in only else _part(self, "_by_name"))[name]

    def __iter__(self) -> Iterator[str]:
        _part(self, "_looks").names = True
        return iter(_all_of(self))

    def __len__(self) -> int:
        return len(_all_of(self))

    def values(self) -> list[Any]:  # type: ignore[override]  # a list in a fixed order, not a view
        """The results, ordered by their text; ties are ordered by name, and noted."""
        written = sorted(((text(value), value) for value in _all_of(self).values()), key=lambda pair: pair[0])
        if any(one == other and not same(a, b) for (one, a), (other, b) in pairwise(written)):
            _part(self, "_looks").names = True
        return [value for _, value in written]

    def __repr__(self) -> str:
        _part(self, "_looks").names = True
        return f"Results({dict(_all_of(self))!r})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        _part(self, "_looks").names = True
        return dict, (dict(_all_of(self)),)


_part = object.__getattribute__


def _all_of(results: Results) -> Mapping[str, Any]:
    """All results. Notes the look, and raises LooksAtAll, where some are not known."""
    if _part(results, "_only") is not None:
        _part(results, "_looks").unknown = True
        raise LooksAtAll
    by_name: Mapping[str, Any] = _part(results, "_by_name")
    return by_name


class StateView(Mapping[SharedObject, Any]):
    """The states of the objects that a property reads, by object; asking for another object is the model's error."""

    def __init__(self, objects: Sequence[SharedObject], states: Sequence[Any]) -> None:
        self._objects = objects
        self._states = states

    def __getitem__(self, wanted: SharedObject) -> Any:
        for known, state in zip(self._objects, self._states, strict=True):
            if known is wanted:
                return state
        if isinstance(wanted, str):
            raise ModelError(
                f"{here()}state[{wanted!r}] looks by a name: write state[obj], with the object {wanted!r} itself"
            )
        name = getattr(wanted, "name", wanted)
        reads = ", ".join(item.name for item in self._objects) or "none"
        raise ModelError(
            f"{here()}a property looks at {name!r}, which its reads=[...] does not name (they are: {reads}): "
            "name it there, too"
        )

    def __iter__(self) -> Iterator[SharedObject]:
        return iter(self._objects)

    def __len__(self) -> int:
        return len(self._objects)

    def __repr__(self) -> str:
        pairs = zip(self._objects, self._states, strict=True)
        return "{" + ", ".join(f"{item.name}: {text(state)}" for item, state in pairs) + "}"
