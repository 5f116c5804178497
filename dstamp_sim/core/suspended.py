"""A suspended program, by value: two that have one value go on alike, whatever results brought them there.

What a generator will do depends on its code, the instruction at which it is suspended, and all that its frame holds:
local variables, cells, and the evaluation stack, where the iterator of a `for` loop and the sub-generator of a `yield
from` are. CPython shows the stack to its garbage collector, and so to `gc.get_referents`; iterators say where they
stand by `__reduce__`. What can change is numbered as it is met and named by its number afterwards, so two locals that
are one list are not two equal lists. What was there before the program began is itself, and nothing else is.

What is not known to be told apart by what is seen of it is refused: then its history stands for the program.
"""

from __future__ import annotations

import gc
import itertools
import sys
import types
import warnings
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Collection, Generator, Hashable, Iterator, Sequence
from dataclasses import is_dataclass
from enum import Enum
from functools import cache, partial
from types import CodeType, FunctionType, GeneratorType, MethodType
from typing import Any, Generic, Protocol

from dstamp_sim.core.op import Op
from dstamp_sim.core.place import PACKAGE, is_model
from dstamp_sim.core.reach import Snapshot, names_in, slots
from dstamp_sim.core.value import Itself, NoKey, key, text

MOST_TOKENS = 2_000
"""Parts of a suspended program after which it is too large to be compared (a list that grows, say)."""

_SCALARS = (int, str, bool, bytes, type(None), type(...))

_ROWS = (list, deque, bytearray)
_MAPPINGS = (dict, OrderedDict, defaultdict, Counter)

_SEQUENCES: tuple[Any, ...] = ([], (), "", "\u00e9", b"", bytearray(), range(0), range(2**70))
_EMPTY: dict[Any, Any] = {}
_ITERATORS: tuple[type, ...] = (
    zip,
    enumerate,
    map,
    filter,
    reversed,
    itertools.chain,
    itertools.count,
    itertools.cycle,
    itertools.islice,
    itertools.product,
    itertools.repeat,
    *(type(iter(made)) for made in (*_SEQUENCES, _EMPTY, _EMPTY.values(), _EMPTY.items())),
    type(reversed([])),
    type(reversed(range(1))),
)
"""Iterators whose `__reduce__` says all that they will do; of a set nothing says in which order it goes on."""

_VIEWS: tuple[type, ...] = (type(_EMPTY.keys()), type(_EMPTY.values()), type(_EMPTY.items()))

_EXCEPTIONS = (
    BaseException,
    Exception,
    ArithmeticError,
    AssertionError,
    GeneratorExit,
    IndexError,
    KeyError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    StopIteration,
    TypeError,
    ValueError,
    ZeroDivisionError,
)
"""Built-in exceptions that are their arguments, their cause and their context; tracebacks aside."""

_FRAME_WORDS = ("_getframe", "currentframe", "gi_frame", "f_locals", "getgeneratorlocals", "tb_frame", "__traceback__")
_SEES_MORE = frozenset(
    ("locals", "vars", "dir", "eval", "exec", "exc_info", "getrefcount", "__annotations__", *_FRAME_WORDS)
)
"""Names by which a program may see more of itself, or keep more, than is compared."""


class NotByValue(Exception):  # no error: then a history says where a program stands
    """A suspended program holds something that cannot be compared by value; the text names it."""


def tokens_of(roots: Sequence[object], noted: Collection[int], lasts: Callable[[object], bool]) -> tuple[Hashable, ...]:
    """The value of what `roots` hold, a suspended program among them. Raises NotByValue, naming what has none.

    `noted` are the ids of ops and generators that must still be yielded: a program is not the same without that. What
    `lasts` was there before the program, does not change, and is compared by identity.
    """
    writer = _Writer(noted, lasts)
    try:
        for root in roots:
            writer.write(root)
    except RecursionError:
        raise NotByValue("something nested too deeply") from None
    if writer.noted:
        raise NotByValue("an op or section out of sight that is not yet yielded")
    return tuple(writer.tokens)


class _Writer:
    """Writes objects down as a row of tokens, from which they could be read again: equal rows, equal objects."""

    def __init__(self, noted: Collection[int], lasts: Callable[[object], bool]) -> None:
        self.tokens: list[Hashable] = []
        self.noted = set(noted)
        self._lasts = lasts
        self._numbers: dict[int, int] = {}
        self._alive: list[object] = []

    def write(self, item: Any) -> None:
        """Write `item`, if it has a value."""
        kind: Any = type(item)
        if _is_ours(kind) and not (_is_found_by_name(kind) or self._lasts(kind)):
            raise NotByValue(f"a {kind.__qualname__}, whose class the program made")
        if kind in _SCALARS:
            self.tokens += [kind, item]
        elif kind is float or kind is complex or kind is frozenset or isinstance(item, Enum):
            self._write_key(item)
        elif kind is tuple or (isinstance(item, tuple) and hasattr(kind, "_fields") and not kind.__dictoffset__):
            self._write_parts(kind, item)
        elif kind is range:
            self._write_parts(kind, (item.start, item.stop, item.step))
        elif isinstance(item, Op):
            self._write_op(item)
        elif _is_a_value(kind):
            self._write_attributes(item)
        elif isinstance(item, CodeType) or self._lasts(item) or _is_found_by_name(item):
            self.tokens += ("itself", Itself(item))
        elif self._is_new(item):
            self._write_changeable(item, kind)
        if len(self.tokens) > MOST_TOKENS:
            raise NotByValue(f"more than {MOST_TOKENS:,} values")

    def _is_new(self, item: object) -> bool:
        """Whether something that can change is met for the first time; if not, its number is written."""
        known = self._numbers.setdefault(id(item), len(self._numbers))
        if known < len(self._alive):
            self.tokens += ("again", known)
            return False
        self._alive.append(item)
        return True

    def _write_changeable(self, item: Any, kind: type) -> None:
        if kind is GeneratorType:
            self._write_generator(item)
        elif kind in _ROWS:
            self._write_parts(kind, item)
            if isinstance(item, deque):
                self.write(item.maxlen)
        elif kind in _MAPPINGS:
            self._write_parts(kind, [part for pair in item.items() for part in pair])
            if isinstance(item, defaultdict):
                self.write(item.default_factory)
            elif kind is not dict:
                self._write_attributes(item)
        elif kind is set:
            self._write_key(frozenset(item), kind)
        elif kind is FunctionType:
            self._write_function(item)
        elif kind in _ITERATORS:
            self._write_iterator(item)
        elif (parts := _parts(item, kind)) is not None:
            self._write_parts(kind, parts)
        elif _is_written_in_python(kind):
            self._write_attributes(item)
        else:
            raise NotByValue(f"a {kind.__module__}.{kind.__qualname__}".replace("builtins.", ""))

    def _write_parts(self, kind: type, parts: Collection[Any]) -> None:
        self.tokens += (kind, len(parts))
        for part in parts:
            self.write(part)

    def _write_key(self, item: Any, kind: type | None = None) -> None:
        if isinstance(item, frozenset) and not all(map(_is_plain, item)):
            raise NotByValue("a set of what can change")
        try:
            self.tokens += ("key", kind, key(item))
        except NoKey as why:
            raise NotByValue(f"{item!r}, {why}") from None

    def _write_op(self, item: Op) -> None:
        fields = [getattr(item, name) for name in ("target", "verb", "args", "patience", "stay") if hasattr(item, name)]
        self._write_noted(item)
        self._write_parts(type(item), fields)

    def _write_noted(self, item: object) -> None:
        """Whether an op or a generator must still be yielded."""
        self.tokens.append(id(item) in self.noted)
        self.noted.discard(id(item))

    def _write_generator(self, item: GeneratorType[Any, Any, Any]) -> None:
        self._write_noted(item)
        if item.gi_frame is None:
            self.tokens.append("over")
            return
        if words := sorted(_SEES_MORE & names_in(item.gi_code)):
            raise NotByValue(f"the frame of {item.gi_code.co_qualname}, which names {words[0]}")
        bound, held = _held(item)
        self.tokens += (Itself(item.gi_code), item.gi_frame.f_lasti, bound)
        self._write_parts(GeneratorType, held)

    def _write_function(self, item: FunctionType) -> None:
        parts = (item.__closure__, item.__defaults__, item.__kwdefaults__, item.__dict__)
        self.write(item.__doc__)
        self.tokens += (Itself(item.__code__), Itself(item.__globals__), item.__name__, item.__qualname__)
        self._write_parts(FunctionType, parts if any(parts) else ())

    def _write_iterator(self, item: Any) -> None:
        how: object = type(item).__reduce__
        if how is object.__reduce__:
            raise NotByValue(f"a {type(item).__qualname__}, which does not say where it stands")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                made = item.__reduce__()
            except Exception as why:
                raise NotByValue(f"a {type(item).__qualname__} ({why})") from None
        # What a reduction copies (the keys of a dict to come) is also seen as it is, so that aliases are kept.
        seen = gc.get_referents(item)
        self._write_parts(type(item), [*made[1:], *(part for part in seen if type(part) in _MAPPINGS)])

    def _write_attributes(self, item: Any) -> None:
        self._write_parts(type(item), [part for pair in _attributes(item) for part in pair])


def _parts(item: Any, kind: type) -> Sequence[Any] | None:
    """What some simple things that can change hold, in order; None where this does not know."""
    if kind is types.CellType:
        return _content(item)
    if kind is MethodType:
        return item.__func__, item.__self__
    if kind is types.BuiltinFunctionType:
        return item.__name__, item.__self__
    if kind in _VIEWS:
        return gc.get_referents(item)
    if kind is partial:
        return item.func, item.args, item.keywords, vars(item)
    if kind is types.SimpleNamespace:
        return (vars(item),)
    if isinstance(item, BaseException) and all(base in _EXCEPTIONS or _is_ours(base) for base in kind.__mro__[:-1]):
        return item.args, item.__cause__, item.__context__, *(part for pair in _attributes(item) for part in pair)
    return None


def _content(cell: types.CellType) -> Sequence[Any]:
    """What a cell holds; nothing where its variable is not bound."""
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def _is_plain(item: Any) -> bool:
    """Whether a member of a set is what it says, all through."""
    if isinstance(item, tuple | frozenset):
        return type(item) in (tuple, frozenset) and all(map(_is_plain, item))
    return type(item) in (*_SCALARS, float) or isinstance(item, Enum)


@cache
def _is_written_in_python(kind: type) -> bool:
    """Whether instances have nothing but attributes: classes of models and of this package, all the way up."""
    return all(base in (object, Generic, Protocol) or _is_ours(base) for base in kind.__mro__)


@cache
def _is_a_value(kind: type) -> bool:
    """Whether instances are what their fields are, and nothing can change them."""
    equality: object = kind.__eq__
    frozen = is_dataclass(kind) and kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    return frozen and equality is not object.__eq__ and _is_written_in_python(kind)


@cache
def _is_ours(kind: type) -> bool:
    """Whether a class is a model's or this package's."""
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__module__ == "__main__"
    file = getattr(sys.modules.get(kind.__module__), "__file__", None) or "<frozen"
    return file.startswith(PACKAGE) or is_model(file)


def _attributes(item: Any) -> Iterator[tuple[str, Any]]:
    """The attributes of an instance with their names, also those that a subclass hides."""
    yield from getattr(item, "__dict__", {}).items()
    for base in type(item).__mro__:
        yield from slots(item, base)


@cache
def _is_found(kind: type) -> bool:
    """Whether a class is what its module has under its name."""
    found: object = sys.modules.get(kind.__module__)
    for name in kind.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is kind


def _is_found_by_name(item: object) -> bool:
    """Whether a class or a module is no program's: others find it by its name, and what a model's has is kept."""
    if isinstance(item, types.ModuleType):
        return sys.modules.get(item.__name__) is item and not is_model(getattr(item, "__file__", None) or "<frozen")
    return isinstance(item, type) and _is_found(item)


def _held(item: GeneratorType[Any, Any, Any]) -> tuple[tuple[str, ...], list[Any]]:
    """The names of a suspended generator's local variables that are bound, and all that its frame holds, in order."""
    frame: Any = item.gi_frame
    variables: Any = frame.f_locals
    bound = tuple(variables)
    if isinstance(variables, dict):  # before 3.13 a copy that the frame keeps: without it nothing lives longer
        variables.clear()
    parts = [part for part in gc.get_referents(item) if part is not frame and part is not variables]
    # The last is the exception that it handles. Where there is none that is nothing, or None once a function that it
    # called has handled one. At one instruction the stack has one height, so no other None can be taken for it.
    while parts and parts[-1] is None:
        parts.pop()
    return bound, parts


def received(value: Any) -> Iterator[object]:
    """What a value that comes into a program holds and is the same as nothing but itself."""
    if isinstance(value, tuple | frozenset):
        for part in value:
            yield from received(part)
    elif not _is_plain(value):
        yield from (reached.item for reached in Snapshot([("", value)]).reached.values())


def variables(body: Any) -> Iterator[tuple[str, str]]:
    """The model's local variables in a suspended generator and those that it yields from, with their values' texts."""
    while isinstance(body, GeneratorType) and body.gi_frame is not None:
        if is_model(body.gi_code.co_filename):
            seen: Any = body.gi_frame.f_locals
            yield from ((name, _shown(value)) for name, value in list(seen.items()))
            if isinstance(seen, dict):
                seen.clear()
        body = body.gi_yieldfrom


def _shown(value: Any) -> str:
    try:
        return text(value) if isinstance(value, Hashable) else repr(value)
    except Exception:
        return ""


# --- whether this Python shows what it must


@cache
def shows_suspended() -> bool:
    """Whether this Python shows all of a suspended generator: pairs that differ in one thing have two values."""
    try:
        return all(_value(one()) != _value(other()) and _value(one()) == _value(one()) for one, other in _PAIRS)
    except Exception:
        return False


def _value(body: Generator[Any, Any, Any]) -> tuple[Hashable, ...]:
    return tokens_of([body], (), lambda _: False)


def _begun(body: Generator[Any, Any, Any], steps: int = 1) -> Generator[Any, Any, Any]:
    for _ in range(steps):
        next(body)
    return body


def _loops(values: Any) -> Generator[Any, Any, Any]:
    for _ in values:
        _ = None
        yield


def _adds(number: int) -> Generator[Any, Any, Any]:
    return number + (yield)


def _unbound(first: bool) -> Generator[Any, Any, Any]:
    if first:
        one = 1  # noqa: F841 - seen by who looks
    else:
        other = 1  # noqa: F841 - as above
    yield


def _lists(alias: bool) -> Generator[Any, Any, Any]:
    one: list[int] = []
    other = one if alias else []
    yield
    one += other


def _closes_over(number: int) -> Generator[Any, Any, Any]:
    def add() -> int:
        nonlocal number
        number += 1
        return number

    yield
    yield add()


def _delegates(steps: int) -> Generator[Any, Any, Any]:
    yield from _begun(_loops([0, 0, 0]), steps)


def _handles(error: type[Exception]) -> Generator[Any, Any, Any]:
    try:
        raise error  # noqa: TRY301 - it is what the stack holds
    except Exception:
        yield


_Made = Callable[[], Generator[Any, Any, Any]]

_PAIRS: tuple[tuple[_Made, _Made], ...] = (
    *(
        (lambda made=made: _begun(_loops(made()), 1), lambda made=made: _begun(_loops(made()), 2))
        for made in (
            lambda: [0, 0, 0],
            lambda: (0, 0, 0),
            lambda: range(3),
            lambda: "aaa",
            {1: 0, 2: 0, 3: 0}.values,
            lambda: zip((0, 0, 0), (0, 0, 0), strict=False),
            lambda: enumerate((0, 0, 0)),
            lambda: _loops([0, 0, 0]),
        )
    ),
    (lambda: _begun(_adds(1)), lambda: _begun(_adds(2))),
    (lambda: _begun(_unbound(True)), lambda: _begun(_unbound(False))),
    (lambda: _begun(_lists(True)), lambda: _begun(_lists(False))),
    (lambda: _begun(_closes_over(1)), lambda: _begun(_closes_over(2))),
    (lambda: _begun(_delegates(0)), lambda: _begun(_delegates(1))),
    (lambda: _begun(_handles(ValueError)), lambda: _begun(_handles(KeyError))),
)
