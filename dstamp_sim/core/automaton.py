"""A program, compiled lazily into an automaton: node = history of results, edge = next answer.

Generators cannot be copied, but a deterministic program's local state is a function of the results it has received.
Nodes are never merged by what a frame looks like: a `for` loop's iterator is in no local variable. Only nodes that
have no future are merged, by the result they ended with.
"""

from __future__ import annotations

import dis
import linecache
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple
from weakref import finalize

from dstamp_sim.core.errors import ModelError, UnboundedProgram, blamed
from dstamp_sim.core.op import ENTER, Mark, Op, Program
from dstamp_sim.core.placement import Bound, Refused, lay_over
from dstamp_sim.core.shared_object import Outcome, SharedObject
from dstamp_sim.core.value import Distinct

REPETITION = "Express repetition with daemon=True, or waiting with an op that blocks"

MOST_DROPPED = 1_000
"""Ops that the `finally` clauses of a dropped program may yield before they are cut off."""

_PACKAGE = str(Path(__file__).parent.parent)


class Place(NamedTuple):
    """A line of a model's source."""

    file: str
    line: int

    @property
    def source(self) -> str:
        """The line's text, stripped; empty when the file cannot be read."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Hold(NamedTuple):
    """Something that a process holds: a lock, a descriptor."""

    target: SharedObject
    token: Hashable


class Answer(NamedTuple):
    """What an op gave back to the program: its result, and what the process now holds or no longer does."""

    result: Hashable
    takes: Hashable = None
    drops: Hashable = None


@dataclass(slots=True)
class Node:
    """Where a program stands: the op that it is about to perform, or the result that it ended with.

    `frames` are the model's lines at which it is suspended, `passed` those that it passed to come here without an op.
    """

    op: Op | None
    result: Any
    sections: tuple[str, ...]
    holds: tuple[Hold, ...]
    place: Place
    depth: int
    parent: int
    answer: Answer | None
    returned: bool
    frames: tuple[tuple[CodeType, int], ...]
    passed: tuple[tuple[CodeType, int], ...]
    edges: dict[Answer, int] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether the program has returned and released what ending releases."""
        return self.op is None


@dataclass(slots=True, weakref_slot=True, eq=False)
class _Live:
    """A running generator, suspended at a node; when it is no longer needed, it ends without a word."""

    body: Program[Any]
    driver: Program[Any]
    returned: bool = False
    value: Any = None
    inside: tuple[Mark, ...] = ()
    passed: list[tuple[CodeType, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        finalize(self, _drop, self.driver, self.body)

    @property
    def sections(self) -> tuple[str, ...]:
        """The sections in which it is, outermost first."""
        return tuple(str(mark.args[0]) for mark in self.inside if not mark.stay.closed)

    def mark(self, item: Mark) -> None:
        """It passed a mark: the entry into a section, or the exit from one."""
        left = tuple(mark for mark in self.inside if mark.stay is not item.stay)
        self.inside = (*left, item) if item.verb == ENTER else left

    def end(self, value: Any) -> None:
        """It returned."""
        self.returned, self.value, self.inside = True, value, ()


def _drop(*generators: Program[Any]) -> None:
    """End a program that is dropped half-way: its `finally` clauses run, but what they yield is not performed."""
    for generator in generators:
        with suppress(BaseException):
            generator.throw(Refused())
            for _ in range(MOST_DROPPED):
                generator.send(None)


class Automaton:
    """The automaton of one program with its arguments and the locks laid over it; node 0 is its start.

    Grows as engines ask for it; the same answers give the same nodes. Not safe for use by several threads.
    Raises ModelError (with the model's file and line) when the program yields something that is no op, touches an
    object that the system does not declare, returns an unhashable value, raises, or is not deterministic; and
    UnboundedProgram when one history grows longer than `history_limit` ops.
    """

    def __init__(
        self,
        program: Callable[..., Program[Any]],
        args: tuple[Any, ...],
        bound: Sequence[Bound],
        declared: Sequence[SharedObject],
        values: Distinct | None = None,
        history_limit: int | None = None,
    ) -> None:
        self._program, self._args, self._bound = program, args, bound
        self._declared = {id(item) for item in declared}
        self._declared_names = [item.name for item in declared]
        self._values = values or Distinct()
        self._history_limit = history_limit
        self.nodes: list[Node] = []
        self._ends: dict[tuple[Any, ...], int] = {}
        self._live: dict[int, _Live] = {}
        live = self._start()
        self._add(live, self._run(live, None), parent=-1, answer=None, holds=())

    def advance(self, node: int, outcome: Outcome) -> int:
        """The node reached from `node` when its op gives `outcome`."""
        answer = Answer(outcome.result, outcome.takes, outcome.drops)
        known = self.nodes[node].edges.get(answer)
        return self._grow(node, answer) if known is None else known

    def _grow(self, node: int, answer: Answer) -> int:
        origin = self.nodes[node]
        if self._history_limit is not None and origin.depth >= self._history_limit:
            raise UnboundedProgram(self._unbounded(node))
        live = self._live.pop(node, None) or self._replayed(node)
        holds = self._holds_after(origin, answer)
        op = self._run(live, answer.result)
        origin.edges[answer] = child = self._add(live, op, node, answer, holds)
        return child

    def _add(self, live: _Live, op: Op | None, parent: int, answer: Answer | None, holds: tuple[Hold, ...]) -> int:
        if op is None:
            op = next((op for hold in reversed(holds) if (op := _released(hold))), None)
        depth = self.nodes[parent].depth + 1 if parent >= 0 else 0
        frames, passed, live.passed = tuple(_frames(live.body)), tuple(live.passed), []
        node = Node(
            op,
            live.value,
            live.sections,
            holds,
            _place(live.body),
            depth,
            parent,
            answer,
            live.returned,
            frames,
            passed,
        )
        if node.ended:
            key = (live.value, holds)
            if key in self._ends:
                return self._ends[key]
            self._ends[key] = len(self.nodes)
        else:
            if live.returned:
                node.place = self.nodes[parent].place
            self._live[len(self.nodes)] = live
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _start(self) -> _Live:
        try:
            body = self._program(*self._args)
        except BaseException as error:
            raise blamed(error, _where(self._program), "starting the program") from error
        if not hasattr(body, "send"):
            raise ModelError(f"{_where(self._program)}: a program is a generator function; this one returned {body!r}")
        return _Live(body, lay_over(body, self._bound) if self._bound else body)

    def _run(self, live: _Live, answer: Any) -> Op | None:
        """Run on to the next op that touches something or takes time, passing section marks; None when it returned."""
        if live.returned:
            return None
        while True:
            place = _place(live.body)
            try:
                item = live.driver.send(answer)
            except StopIteration as stop:
                live.end(stop.value)
                if wrong := self._values.wrong(id(self), stop.value):
                    raise ModelError(f"{place}: returned {wrong}") from None
                return None
            except BaseException as error:
                raise blamed(error, _raised_at(error, place), "the program") from error
            self._check_op(item, live)
            if not isinstance(item, Mark):
                return item
            live.passed.extend(_frames(live.body))
            live.mark(item)
            answer = None

    def _check_op(self, item: object, live: _Live) -> None:
        if not isinstance(item, Op):
            raise ModelError(f"{_place(live.body)}: yielded {item!r}: a process yields an Op{_remedy(item)}")
        if item.target is not None and id(item.target) not in self._declared:
            raise ModelError(
                f"{_place(live.body)}: {item} touches {item.target.name!r}, which System(objects=[...]) does not "
                f"declare (declared: {', '.join(self._declared_names)})"
            )
        if wrong := self._values.wrong((id(item.target), item.verb), item.args):
            raise ModelError(f"{_place(live.body)}: {item.verb} was given {wrong}")

    def _holds_after(self, origin: Node, answer: Answer) -> tuple[Hold, ...]:
        holds = origin.holds
        target = origin.op.target if origin.op else None
        if answer.drops is not None and target is not None:
            gone = Hold(target, answer.drops)
            if gone not in holds:
                raise ModelError(f"{origin.place}: {origin.op} releases what this process does not hold")
            index = holds.index(gone)
            holds = holds[:index] + holds[index + 1 :]
        if answer.takes is not None and target is not None:
            holds = (*holds, Hold(target, answer.takes))
        return holds

    def _replayed(self, node: int) -> _Live:
        """A fresh generator brought to `node` by its history; checks that the program repeats itself."""
        path: list[Node] = []
        at = node
        while at >= 0:
            path.append(self.nodes[at])
            at = self.nodes[at].parent
        path.reverse()
        live = self._start()
        op = self._repeated(live, None)
        for here, there in pairwise(path):
            self._check_same(here, op, live)
            assert there.answer is not None
            op = self._repeated(live, there.answer.result)
        self._check_same(path[-1], op, live)
        return live

    def _repeated(self, live: _Live, answer: Any) -> Op | None:
        """As `_run`, where it was run before: what was checked then is not checked again."""
        if live.returned:
            return None
        try:
            item = live.driver.send(answer)
            while isinstance(item, Mark):
                live.mark(item)
                item = live.driver.send(None)
        except StopIteration as stop:
            live.end(stop.value)
            return None
        except BaseException as error:
            raise blamed(error, _raised_at(error, _where(self._program)), "the program") from error
        return item

    def _check_same(self, node: Node, op: Op | None, live: _Live) -> None:
        if live.returned != node.returned or (not live.returned and node.op != op):
            raise ModelError(
                f"{node.place}: not deterministic: given the same results it "
                f"{_did(node.returned, node.op)} once and {_did(live.returned, op)} later"
            )

    def _unbounded(self, node: int) -> str:
        place, count = self._most_passed(node)
        return f"{place}: this line was passed {count:,} times by one process: a loop without bound. {REPETITION}"

    def most_passed(self) -> tuple[Place, int]:
        """The line that the longest history passed most often, and how often."""
        return self._most_passed(max(range(len(self.nodes)), key=lambda number: self.nodes[number].depth))

    def _most_passed(self, node: int) -> tuple[Place, int]:
        passed: dict[Place, int] = {}
        while node >= 0:
            place = self.nodes[node].place
            passed[place] = passed.get(place, 0) + 1
            node = self.nodes[node].parent
        return max(passed.items(), key=lambda item: item[1])


def _released(hold: Hold) -> Op | None:
    """The op that a process performs by ending while it holds something. Raises ModelError with the model's line."""
    try:
        return hold.target.at_exit(hold.token)
    except BaseException as error:
        raise blamed(error, _raised_at(error, _where(hold.target.at_exit)), f"{hold.target!r}.at_exit") from error


def left_by_death(target: SharedObject, state: Hashable, token: Hashable) -> Hashable:
    """What the death of a process that held `token` makes of `state`. Raises ModelError with the model's line."""
    try:
        left: Hashable = target.on_death(state, token)
    except BaseException as error:
        raise blamed(error, _raised_at(error, _where(target.on_death)), f"{target!r}.on_death") from error
    return left


def _frames(body: Any) -> Iterator[tuple[CodeType, int]]:
    """The model's suspended frames of a generator, outermost first; frames inside this package are left out."""
    while body is not None and hasattr(body, "gi_frame"):
        frame = body.gi_frame
        if frame is not None and not frame.f_code.co_filename.startswith(_PACKAGE):
            yield frame.f_code, frame.f_lineno
        body = body.gi_yieldfrom


def _place(body: Any) -> Place:
    """The innermost line of the model at which a generator stands."""
    last = Place(body.gi_code.co_filename, body.gi_code.co_firstlineno) if hasattr(body, "gi_code") else Place("?", 0)
    for code, line in _frames(body):
        last = Place(code.co_filename, line)
    return last


def _raised_at(error: BaseException, place: Place) -> Place:
    """The innermost line of a model that `error` passed through; `place` when there is none."""
    trace = error.__traceback__
    found = place
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if not name.startswith(_PACKAGE):
            found = Place(name, trace.tb_lineno)
        trace = trace.tb_next
    return found


def _where(program: Callable[..., Any]) -> Place:
    code = getattr(program, "__code__", None)
    return Place(code.co_filename, code.co_firstlineno) if code else Place(repr(program), 0)


def _did(returned: bool, op: Op | None) -> str:
    return "returned" if returned else f"yielded {op}"


def _remedy(item: object) -> str:
    if isinstance(item, str):
        return f"; did you mean an object's method, such as flock.{item}()?"
    if hasattr(item, "gi_frame"):
        return "; did you mean `yield from`?"
    return ""


@cache
def yield_places(code: CodeType) -> tuple[Place, ...]:
    """The lines of a function that hold a yield."""
    lines: dict[int, None] = {}
    for instruction in dis.get_instructions(code):
        position = instruction.positions
        if instruction.opname == "YIELD_VALUE" and position is not None and position.lineno is not None:
            lines[position.lineno] = None
    return tuple(Place(code.co_filename, line) for line in lines)
