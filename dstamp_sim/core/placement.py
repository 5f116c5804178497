"""Locks laid over a system: which lock, from which section to which, waiting or refusing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from dstamp_sim.core.errors import PlacementError, unknown
from dstamp_sim.core.op import ENTER, EXIT, Op, Program
from dstamp_sim.core.shared_object import SharedObject

PROCESS_EXIT = "exit"
"""As a span's last section: the lock is kept until the process ends (the kernel then releases it)."""

REJECTED = "rejected"
"""The result of a process whose span refuses to wait and found its lock taken."""


class Scope(Protocol):
    """A lock of a model's vocabulary: its name, and the lock object that a process with given arguments would take.

    The same key gives the same object every time (`objects.locks.LockScope` is the usual one).
    """

    @property
    def name(self) -> str:
        """What placements call it."""

    def lock(self, args: tuple[Any, ...]) -> SharedObject | None:
        """The lock of a process with these arguments (verbs acquire, try_acquire, release); None if it takes none."""


@dataclass(frozen=True)
class Span:
    """One lock held from the entry of section `first` to the exit of section `last`.

    The process asks for the lock each time it enters `first`: entering it again while it still holds the lock blocks
    itself, as a second open of a flock does. `waits=False` asks without blocking, and ends the process with `REJECTED`
    when the lock is taken. `last=PROCESS_EXIT` leaves the release to the end of the process.
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
    """Spans of locks over sections, plus factory parameters for designs that are no lock (`sets`).

    Its text form is `lock:first..last`, several separated by commas; `lock?:…` for one that refuses instead of waiting.
    """

    name: str
    spans: tuple[Span, ...] = ()
    sets: Mapping[str, Any] = field(default_factory=dict)

    @staticmethod
    def parse(written: str) -> Placement:
        """The placement written as `lock:first..last,lock:first`; raises PlacementError naming the bad part."""
        return Placement(written, tuple(_parse_span(part.strip()) for part in written.split(",")))

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
        raise PlacementError(f"{part!r} is not a span: write lock:first..last, for example app-domain:deploy_app..exit")
    first, dots, last = stretch.partition("..")
    return Span(lock.rstrip("?"), first, last if dots else first, waits=not lock.endswith("?"))


class Bound(NamedTuple):
    """A span bound to the very lock object that one process takes."""

    span: Span
    lock: SharedObject


def lay_over(body: Program[Any], bound: Sequence[Bound]) -> Program[Any]:
    """`body` with the acquire and release ops of the bound spans laid over its sections."""
    held: dict[int, Any] = {}
    answer: Any = None
    while True:
        try:
            op = body.send(answer)
        except StopIteration as stop:
            return stop.value
        if _closes(op):
            for index, (span, lock) in enumerate(bound):
                if span.last == op.args[0] and index in held:
                    yield lock.op("release", held.pop(index))
        answer = yield op
        if _opens(op):
            for index, (span, lock) in enumerate(bound):
                if span.first == op.args[0]:
                    taken = yield lock.op("acquire" if span.waits else "try_acquire")
                    if taken is None:
                        body.close()
                        return REJECTED
                    held[index] = taken


def _opens(op: object) -> bool:
    return isinstance(op, Op) and op.target is None and op.verb == ENTER


def _closes(op: object) -> bool:
    return isinstance(op, Op) and op.target is None and op.verb == EXIT
