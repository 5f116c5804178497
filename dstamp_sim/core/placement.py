"""Locks laid over a system: which lock, from which section to which, waiting or refusing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from dstamp_sim.core.errors import ModelError, PlacementError, unknown
from dstamp_sim.core.op import EXIT, Op, Program, SectionMark
from dstamp_sim.core.shared_object import SharedObject
from dstamp_sim.core.typed import items
from dstamp_sim.core.value import same

PROCESS_EXIT = "exit"
"""As a span's last section: the lock is kept until the process ends (the kernel then releases it)."""

REJECTED = "rejected"
"""The result of a process whose span does not wait and whose lock was taken."""


@runtime_checkable
class Scope(Protocol):
    """A lock of a model's vocabulary: its name, and the lock object that a process takes, depending on its arguments.

    The same key returns the same object every time (`objects.locks.LockScope` is the usual one).
    """

    @property
    def name(self) -> str:
        """Its name in placements."""

    def lock(self, args: tuple[Any, ...]) -> SharedObject | None:
        """The lock of a process with these arguments (verbs acquire, try_acquire, release); None if it takes none."""


@dataclass(frozen=True)
class Span:
    """One lock held from the entry of section `first` to the exit of section `last`.

    The process asks for the lock each time it enters `first`: if it enters again while it still holds the lock, it
    blocks itself, as a second open of a flock does. `waits=False` asks without blocking, and ends the process with
    `REJECTED` when the lock is taken. `last=PROCESS_EXIT` leaves the release to the end of the process.
    """

    lock: str
    first: str
    last: str
    waits: bool = True

    def __str__(self) -> str:
        stretch = self.first if self.first == self.last else f"{self.first}..{self.last}"
        return f"{self.lock}{'' if self.waits else '?'}:{stretch}"


@dataclass(frozen=True)
class Placement:
    """Spans of locks over sections, plus factory parameters for designs without a lock (`sets`).

    Its text form is `lock:first..last`, several separated by commas; `lock?:…` for a span that refuses instead of
    waiting.
    """

    name: str
    spans: tuple[Span, ...] = ()
    sets: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Checks the spans."""
        object.__setattr__(self, "spans", items(f"Placement {self.name!r}", "spans", self.spans, Span, "Spans"))

    @staticmethod
    def parse(written: str) -> Placement:
        """The placement written as `lock:first..last,lock:first`; raises PlacementError with the bad part."""
        return Placement(written, tuple(_parse_span(part.strip()) for part in written.split(",")))

    def joined(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """`settings` with this placement's own. Raises PlacementError if both set one parameter differently."""
        for name, value in self.sets.items():
            if name in settings and not same(settings[name], value):
                raise PlacementError(
                    f"placement {self.name!r} sets {name}={value}, and {name}={settings[name]} is set beside it: "
                    "leave out one of the two"
                )
        return {**settings, **self.sets}

    def checked(self, scopes: Sequence[Scope], sections: Sequence[str]) -> Placement:
        """This placement, if its locks and sections exist and no two spans of one lock overlap.

        `sections` is in program order. Raises PlacementError with the value, the rule and the nearest valid name.
        """
        known = [scope.name for scope in scopes]
        for span in self.spans:
            if span.lock not in known:
                raise PlacementError(f"placement {self.name!r}: {unknown('lock', span.lock, known)}")
            self._check_sections(span, sections)
        self._check_overlaps(sections)
        return self

    def _check_sections(self, span: Span, sections: Sequence[str]) -> None:
        for name in (span.first, *([] if span.last == PROCESS_EXIT else [span.last])):
            if name not in sections:
                raise PlacementError(f"placement {self.name!r}: {unknown('section', name, [*sections, PROCESS_EXIT])}")
        begin, end = _interval(span, sections)
        if end < begin:
            raise PlacementError(
                f"placement {self.name!r}: span {span} ends before it begins; the order is {', '.join(sections)}"
            )

    def _check_overlaps(self, sections: Sequence[str]) -> None:
        for index, span in enumerate(self.spans):
            for other in self.spans[:index]:
                (a, b), (c, d) = _interval(span, sections), _interval(other, sections)
                if span.lock == other.lock and a <= d and c <= b:
                    raise PlacementError(
                        f"placement {self.name!r}: {other} and {span} overlap; "
                        "a process would block itself: merge them into one span or make them disjoint"
                    )


def _interval(span: Span, sections: Sequence[str]) -> tuple[int, int]:
    last = len(sections) if span.last == PROCESS_EXIT else sections.index(span.last)
    return sections.index(span.first), last


def _parse_span(part: str) -> Span:
    lock, colon, stretch = part.partition(":")
    if not colon or not lock or not stretch:
        raise PlacementError(f"{part!r} is not a span: write lock:first..last, for example account:check..debit")
    first, dots, last = stretch.partition("..")
    return Span(lock.rstrip("?"), first, last if dots else first, waits=not lock.endswith("?"))


class BoundSpan(NamedTuple):
    """A span bound to the lock object that one process takes; None, with the reason, where that is not known."""

    span: Span
    lock: SharedObject | None
    why_not: str = ""


class LockTaken(BaseException):  # not an Exception: `except Exception` must not catch it
    """A span that does not wait found its lock taken. Raised in the program, so that its `finally` clauses run."""


def lay_over(body: Program[Any], bound: Sequence[BoundSpan]) -> Program[Any]:
    """`body` with the acquire and release ops of the bound spans laid over its sections; who asks a line, lines up.

    A section that an exception leaves counts as left. Where a generator was closed inside a section, the release
    follows as soon as the program goes on. Raises PlacementError at the entry of a section whose lock is not known.
    """
    laid, refused = _Laid(bound), False
    answer: Any = None
    refusal: LockTaken | None = None
    while True:
        try:
            op = body.send(answer) if refusal is None else body.throw(refusal)
        except (StopIteration, LockTaken) as end:
            yield from laid.leave_closed()
            return REJECTED if refused else getattr(end, "value", None)
        refusal = answer = None  # what was answered is no part of where the program stands
        if laid.has_closed():
            yield from laid.leave_closed()
        if not isinstance(op, SectionMark):
            answer = (yield op) if _is_at_once(op) else (yield from _in_turn(op))
        elif op.verb == EXIT:
            yield from laid.leave(op)
            answer = yield op
        else:
            answer = yield op
            if not (yield from laid.enter(op)):
                refusal, refused = LockTaken(), True


def _is_at_once(item: object) -> bool:
    """Whether what a program yielded is performed as it is; what is no op is refused by who runs it."""
    return not isinstance(item, Op) or not isinstance(item.target, SharedObject) or not item.target.beside


def _in_turn(op: Op) -> Program[Any]:
    """Performs an op, after what its object has a process do first; returns its result."""
    turn = None if op.target is None else op.target.turn(op)
    if turn is not None and op.patience:
        raise ModelError(f"{op}: who waits in the line before it does not give up: leave out fifo=True, or within")
    return (yield op) if turn is None else (yield from turn)


class _Laid:
    """The spans laid over one run of a program: what it holds by them, and the sections that it is in."""

    def __init__(self, bound: Sequence[BoundSpan]) -> None:
        self._bound = bound
        self._held: dict[int, Any] = {}
        self._inside: list[SectionMark] = []

    def enter(self, mark: SectionMark) -> Program[bool]:
        """Takes the locks of a section's entry; returns whether none was refused."""
        self._inside.append(mark)
        for index, (span, lock, why_not) in enumerate(self._bound):
            if span.first == mark.args[0]:
                if lock is None:
                    raise PlacementError(why_not)
                taken = yield from _in_turn(lock.op("acquire" if span.waits else "try_acquire"))
                if taken is None:
                    return False
                self._held[index] = taken
        return True

    def leave(self, mark: SectionMark) -> Program[None]:
        """Releases the locks of a section's exit."""
        self._inside = [other for other in self._inside if other.stay is not mark.stay]
        for index, (span, lock, _) in enumerate(self._bound):
            if span.last == mark.args[0] and index in self._held and lock is not None:
                yield lock.op("release", self._held.pop(index))

    def has_closed(self) -> bool:
        """Whether the generator of a current section was closed."""
        for mark in self._inside:  # noqa: SIM110 - asked at each op, and any() takes twice as long
            if mark.stay.closed:
                return True
        return False

    def leave_closed(self) -> Program[None]:
        """Leaves the sections whose generators were closed, the innermost first."""
        for mark in [mark for mark in reversed(self._inside) if mark.stay.closed]:
            yield from self.leave(mark)
