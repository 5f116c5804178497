"""A program, compiled lazily into an automaton: node = where it stands, edge = next answer.

Generators cannot be copied, but a deterministic program's local state is a function of the results it has received, so
a node is brought back by its history. With `by_value`, histories that bring the program to the same suspended state
(`core.suspended`) are one node; without, and where that state has no value, each history with a future is its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from inspect import iscoroutine
from itertools import islice, pairwise
from types import CodeType, GeneratorType
from typing import Any, NamedTuple

from dstamp_sim.core.answers import closing_op
from dstamp_sim.core.errors import ModelError, UnboundedProgram, blamed, unknown
from dstamp_sim.core.live_run import LiveRun
from dstamp_sim.core.made import RUNNING, Made
from dstamp_sim.core.op import ENTER, Op, Program, SectionMark
from dstamp_sim.core.place import Place, defined, frames, going_through_a_set, raised_at, standing
from dstamp_sim.core.placement import BoundSpan, lay_over
from dstamp_sim.core.repeated import in_other_orders, is_same, shaken
from dstamp_sim.core.shared_object import Outcome, SharedObject
from dstamp_sim.core.suspended import NotByValue, received, tokens_of, variables
from dstamp_sim.core.turned import PASSED
from dstamp_sim.core.value import Distinct, text

DEPENDS = (
    "a model depends on nothing but arguments and results (no clock, no random numbers, no order of a set, nothing "
    "that another run left)"
)
"""The rule, for the message about a model that is not deterministic."""

REPETITION = "Let it come back to where it was, with the values that it had then: daemon=True, or an op that blocks"

SHOWN = 3
"""Values of a variable that are shown, of its first, where it never comes back to one."""

_NOTHING = Outcome(None)
"""What a delay does."""


def _as_it_is(value: Any) -> Any:
    return value


_ORDER_OF_A_SET = (
    "this loop goes through a set, whose order differs from run to run of Python, and a program may not depend on it: "
    "write sorted(...)"
)


class Hold(NamedTuple):
    """Something that a process holds: a lock, a descriptor."""

    target: SharedObject
    token: Hashable


Lines = tuple[tuple[CodeType, int], ...]
"""Lines of a model, each with the function that it is in."""


class Answer(NamedTuple):
    """What an op returned to the program: its result, and what the process now holds or no longer holds."""

    result: Hashable
    takes: Hashable = None
    drops: Hashable = None


@dataclass(slots=True)
class Node:
    """Where a program stands: the op that it is about to perform, or the result with which it ended.

    `frames` are the model's lines at which it is suspended, `passed` those that it passes on an edge without an op.
    `depth`, `parent` and `answer` are of the history that came here first.
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
    frames: Lines
    edges: dict[Answer, int] = field(default_factory=dict)
    passed: dict[Answer, Lines] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether the program has returned and released what ending releases."""
        return self.op is None

    def passed_after(self, outcome: Outcome) -> Lines:
        """The lines that the program passes when its op gives `outcome`, up to its next op."""
        return self.passed.get(_answer(outcome), ())


class Automaton:
    """The automaton of one program with its arguments and the locks laid over it; node 0 is its start.

    Grows as engines ask for it; the same answers lead to the same nodes. Not safe for use by several threads. `own`
    returns the program for one run, with the state that this run may keep; `sections` are the sections that it may name
    (empty: any). `by_value` says of an object whether it was there before the program began; without it, nodes are
    histories. `check_kept` is called when a program that is run again stands at a line for the first time.
    `passed_first` are the lines passed before the first op, `not_by_value` what has no value, and where.
    Raises ModelError (with the model's file and line) when the program yields something other than an op, touches an
    object that the system does not declare, returns an unhashable value, raises, or is not deterministic; and
    UnboundedProgram when the way to a new node takes more than `history_limit` ops.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - a program, what it may do, and how far
        self,
        program: Callable[..., Program[Any]],
        args: tuple[Any, ...],
        bound: Sequence[BoundSpan],
        declared: Sequence[SharedObject],
        values: Distinct | None = None,
        history_limit: int | None = None,
        sections: Sequence[str] = (),
        own: Callable[[], Callable[..., Program[Any]]] | None = None,
        by_value: Callable[[object], bool] | None = None,
        check_kept: Callable[[], None] = lambda: None,
    ) -> None:
        self._program, self._args, self._bound = program, args, bound
        self._check_kept = check_kept
        self._looked_at: set[Lines] = set()
        self._by_value = by_value
        self._received: dict[int, object] = {}
        self.not_by_value: dict[str, Place] = {}
        self._own = own or (lambda: program)
        self._sections = sections
        self._lined = any(item.beside for item in declared)
        self._declared = {id(item) for item in declared}
        self._declared_names = [item.name for item in declared]
        self._values = values or Distinct()
        self._history_limit = history_limit
        self.nodes: list[Node] = []
        self._numbers: dict[Hashable, int] = {}
        self._live: dict[int, LiveRun] = {}
        self._unrepeated: list[tuple[int, Answer | None, int]] = [(-1, None, 0)]
        live = self._start()
        op = self._run(live, None)
        self.passed_first, live.passed = tuple(live.passed), []
        self._add(live, op, parent=-1, answer=None, holds=())

    def advance(self, node: int, outcome: Outcome) -> int:
        """Returns the node that `node` leads to when its op returns `outcome`."""
        answer = _answer(outcome)
        known = self.nodes[node].edges.get(answer)
        return self._grow(node, answer) if known is None else known

    def _grow(self, node: int, answer: Answer) -> int:
        origin = self.nodes[node]
        if self._history_limit is not None and origin.depth >= self._history_limit:
            raise UnboundedProgram(self._unbounded(node))
        live = self._live.pop(node, None) or self._replayed(node)
        self._receive(answer)
        holds = self._holds_after(origin, answer)
        op = self._run(live, answer.result)
        if live.passed:
            origin.passed[answer], live.passed = tuple(live.passed), []
        origin.edges[answer] = child = self._add(live, op, node, answer, holds)
        self._unrepeated.append((node, answer, child))
        return child

    def at_beginning(self, node: int) -> bool:
        """Whether a program stands where it begins, as another round of an endless one does, and holds nothing.

        It begins at its first op that is no delay, at the delays before it, and at what it is if it has none. Depends
        on nothing but the place: neither on rounds that went before nor on the values of variables.
        """
        return not self.nodes[node].holds and _spot(self.nodes[node]) in self._beginnings

    @cached_property
    def _beginnings(self) -> frozenset[Hashable]:
        node, found = 0, {_spot(self.nodes[0])}
        while (op := self.nodes[node].op) is not None and op.is_delay:
            node = self.advance(node, _NOTHING)
            if (spot := _spot(self.nodes[node])) in found:
                break
            found.add(spot)
        return frozenset(found)

    def repeat(self) -> None:
        """Runs every path that was added since the last call again, the last one first, each from the program's start.

        Raises ModelError if the program does something else than before.
        """
        repeated = set[int]()
        while self._unrepeated:
            origin, answer, child = self._unrepeated.pop()
            first = self.nodes[child].parent == origin and self.nodes[child].answer == answer
            if first and child in repeated:
                continue
            in_other_orders(partial(self._repeat, origin, answer, child), cost=self.nodes[child].depth + 1)
            if answer is None:
                continue
            if first and not self.nodes[child].ended:
                repeated.add(child)
            while origin >= 0:
                repeated.add(origin)
                origin = self.nodes[origin].parent

    def _repeat(self, origin: int, answer: Answer | None, child: int) -> None:
        """Runs one path again, through sets in another order."""
        PASSED.clear()
        live = self._replayed(origin, shaken) if answer else self._start(shaken)
        self._check_same(self.nodes[child], self._repeated(live, shaken(answer.result) if answer else None), live)

    def _add(self, live: LiveRun, op: Op | None, parent: int, answer: Answer | None, holds: tuple[Hold, ...]) -> int:
        if op is None and (op := closing_op(holds)) is not None:
            self._check_op(op, live)
        depth = self.nodes[parent].depth + 1 if parent >= 0 else 0
        node = Node(
            op,
            live.value,
            live.sections,
            holds,
            standing(live.body),
            depth,
            parent,
            answer,
            live.returned,
            tuple(frames(live.body)),
        )
        key, new = self._key(node, live), len(self.nodes)
        number = new if key is None else self._numbers.setdefault(key, new)
        if number == new:
            if live.returned and not node.ended:
                node.place = self.nodes[parent].place
            self.nodes.append(node)
        if not node.ended:
            self._live.setdefault(number, live)
        return number

    def _key(self, node: Node, live: LiveRun) -> Hashable:
        """What a node is the same as others by; None where it is the same as no other."""
        if node.ended:
            return "ended", live.value, node.holds
        if self._by_value is None:
            return None
        if live.returned:
            return "releases", live.value, node.holds
        roots = (node.op, live.driver, live.inside, live.cut_off)
        try:
            return node.holds, tokens_of(roots, live.made.awaited(), self._lasts)
        except NotByValue as why:
            self.not_by_value.setdefault(str(why), node.place)
            return None

    def _lasts(self, item: object) -> bool:
        """Whether something does not come of one run of the program: it was there before, or was received."""
        assert self._by_value is not None
        return id(item) in self._received or self._by_value(item)

    def _receive(self, answer: Answer) -> None:
        """Note what comes into the program by an answer and is itself."""
        if self._by_value is not None:
            self._received.update((id(item), item) for item in received(answer))

    def _start(self, given: Callable[[Any], Any] = _as_it_is) -> LiveRun:
        made, program = Made(), self._own()
        refusing = tuple(bound.lock for bound in self._bound if bound.lock is not None and not bound.span.waits)
        before, RUNNING.made = RUNNING.made, made
        try:
            body = program(*map(given, self._args))
        except BaseException as error:
            raise blamed(error, defined(self._program), "starting the program") from error
        finally:
            RUNNING.made = before
        if iscoroutine(body):
            body.close()
            raise ModelError(f"{defined(self._program)}: a program is written with `def` and `yield`, not `async def`")
        if not hasattr(body, "send"):
            raise ModelError(f"{defined(self._program)}: a program is a generator function; this one returned {body!r}")
        return LiveRun(
            body, lay_over(body, self._bound) if self._bound or self._lined else body, refusing, made, given is shaken
        )

    def _run(self, live: LiveRun, answer: Any) -> Op | None:
        """Run on to the next op that touches something or takes time, passing section marks; None when it returned."""
        if live.returned:
            return None
        while True:
            place = standing(live.body)
            try:
                item = live.send(answer)
            except StopIteration as stop:
                self._check_end(live, stop.value, place)
                live.end(stop.value)
                return None
            except BaseException as error:
                fault, unused = blamed(error, raised_at(error, place), "the program"), live.made.left()
                raise ModelError(f"{fault} ({unused})" if unused else str(fault)) from error
            self._check_op(item, live)
            if (loop := going_through_a_set(live.body)) is not None:
                raise ModelError(f"{loop}: {_ORDER_OF_A_SET}")
            if not isinstance(item, SectionMark):
                op: Op = item
                return op
            self._check_section(item, live)
            live.passed.extend(frames(live.body))
            live.mark(item)
            answer = None

    def _check_end(self, live: LiveRun, value: Any, place: Place) -> None:
        if not live.cut_off and (unused := live.made.left()):
            raise ModelError(unused)
        if wrong := _no_value(value) or self._values.wrong(id(self), value):
            raise ModelError(f"{place}: returned {wrong}")

    def _check_op(self, item: object, live: LiveRun) -> None:
        if not isinstance(item, Op):
            raise ModelError(f"{standing(live.body)}: yielded {item!r}: a process yields an Op{_remedy(item)}")
        if item.target is not None and id(item.target) not in self._declared:
            raise ModelError(
                f"{standing(live.body)}: {item} touches {item.target.name!r}, which System(objects=[...]) does not "
                f"declare (declared: {', '.join(self._declared_names)})"
            )
        wrong = next(filter(None, map(_no_value, item.args)), "")
        if wrong := wrong or self._values.wrong((id(item.target), item.verb), item.args):
            raise ModelError(f"{standing(live.body)}: {item.verb} was given {wrong}")
        if not live.cut_off and (unused := live.made.lost()):
            raise ModelError(unused)

    def _check_section(self, item: Op, live: LiveRun) -> None:
        if self._sections and item.verb == ENTER and item.args[0] not in self._sections:
            raise ModelError(
                f"{standing(live.body)}: {unknown('section', str(item.args[0]), self._sections)}: "
                "list it in System(sections=[...]), or in drawn=[...] if no placement may name it"
            )

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

    def _replayed(self, node: int, given: Callable[[Any], Any] = _as_it_is) -> LiveRun:
        """A fresh generator brought to `node` by its history; checks that the program repeats itself."""
        PASSED.clear()
        path = [self.nodes[number] for number in self._path(node)]
        live = self._start(given)
        op = self._repeated(live, None)
        for here, there in pairwise(path):
            self._check_same(here, op, live)
            assert there.answer is not None
            op = self._repeated(live, given(there.answer.result))
        self._check_same(path[-1], op, live)
        return live

    def _path(self, node: int) -> list[int]:
        """The nodes of the history that first came to `node`, from the start on."""
        path = []
        while node >= 0:
            path.append(node)
            node = self.nodes[node].parent
        return path[::-1]

    def _repeated(self, live: LiveRun, answer: Any) -> Any:
        """As `_run`, for a path that ran before: what was checked then is not checked again."""
        if live.returned:
            return None
        try:
            item = live.send(answer)
            while isinstance(item, SectionMark):
                live.mark(item)
                item = live.send(None)
        except StopIteration as stop:
            live.end(stop.value)
            return None
        except BaseException as error:
            fault = blamed(error, raised_at(error, defined(self._program)), "the program")
            raise ModelError(f"{fault}, which it did not before: {DEPENDS}") from error
        return item

    def _check_same(self, node: Node, op: Any, live: LiveRun) -> None:
        if live.returned:
            same = node.returned and is_same(live.value, node.result) and _is_same_op(closing_op(node.holds), node.op)
        else:
            same = not node.returned and _is_same_op(op, node.op) and live.sections == node.sections
        if not same:
            raise ModelError(
                f"{node.place}: not deterministic: given the same results it "
                f"{_did(node.returned, node.op, node.result)} once and {_did(live.returned, op, live.value)} later: "
                f"{DEPENDS}{_through_a_set()}"
            )
        if live.repeats and not live.returned and node.frames not in self._looked_at:
            self._looked_at.add(node.frames)
            self._check_kept()

    def _unbounded(self, node: int) -> str:
        place, count = self._most_passed(node)
        return (
            f"{place}: this line was passed {count:,} times by one process{self._never_the_same(node, place)}: "
            f"no end to it within {self._history_limit:,} ops (--ops allows more). {REPETITION}"
        )

    def _never_the_same(self, node: int, place: Place) -> str:
        """What keeps a program from coming back to where it was at a line: a variable, or what has no value."""
        if self._by_value is None:
            return ""
        path = self._path(node)
        passes = [at for at, number in enumerate(path) if self.nodes[number].place == place]
        looks = {*passes[:SHOWN], *passes[-SHOWN:]}
        seen: list[dict[str, str]] = []
        live = self._start()
        for at, number in enumerate(path):
            answer = self.nodes[number].answer
            self._repeated(live, answer and answer.result)
            if at in looks:
                seen.append(dict(variables(live.body)))
        for name in seen[0] if seen else ():
            values = list(dict.fromkeys(values.get(name, "") for values in seen))
            if len(values) == len(seen):
                return f", and {name} was new each time ({', '.join(values[:SHOWN])}, ...)"
        return "".join(f", where it held {what}, which has no value" for what in islice(self.not_by_value, 1))

    def most_passed(self) -> tuple[Place, int]:
        """The line that the longest history passed most often, and how often."""
        return self._most_passed(max(range(len(self.nodes)), key=lambda number: self.nodes[number].depth))

    def _most_passed(self, node: int) -> tuple[Place, int]:
        return Counter(self.nodes[number].place for number in self._path(node)).most_common(1)[0]


def _spot(node: Node) -> Hashable:
    """The place of a node in its program: the lines at which it is suspended, and what it does there to what."""
    return node.frames, node.op and (node.op.target, node.op.verb)


def _answer(outcome: Outcome) -> Answer:
    return Answer(outcome.result, outcome.takes, outcome.drops)


def _is_same_op(one: object, other: Op | None) -> bool:
    if not isinstance(one, Op) or other is None:
        return one is other
    alike = one.target is other.target and (one.verb, one.patience) == (other.verb, other.patience)
    return alike and is_same(one.args, other.args)


def _through_a_set() -> str:
    """Where a set was gone through the other way round, for the message about what then came out differently."""
    return f"; {PASSED[-1]} goes through a set: write sorted(...)" if PASSED else ""


def _did(returned: bool, op: object, value: Any) -> str:
    return f"returned {text(value)}" if returned else f"yielded {op}"


def _no_value(item: object) -> str:
    """What is wrong with an op or a generator in the place of a value; empty for a value."""
    if isinstance(item, Op):
        return f"the op {item}, which was not performed: its result is `yield {item}`"
    if isinstance(item, GeneratorType):
        return f"{item.__name__}(), a generator that was not run: its result is `yield from {item.__name__}(...)`"
    return ""


def _remedy(item: object) -> str:
    if isinstance(item, str):
        return f"; did you mean an object's method, such as flock.{item}()?"
    if hasattr(item, "gi_frame"):
        return "; did you mean `yield from`?"
    target = getattr(item, "__self__", None)
    if isinstance(target, SharedObject):
        return f"; did you mean to call it: `yield {target.name}.{getattr(item, '__name__', '')}(...)`?"
    return ""
