"""A model's functions, going through sets the other way round while they are asked again.

A hash seed is fixed for a process, so a set iterates alike as often as it is made. Here the functions are compiled
again: every place where a set could be gone through (a loop, a star, unpacking, a call of `list`, `join`, `pop`) is
handed its items in another order. What then comes out differently depends on the order of a set.
"""

from __future__ import annotations

import ast
import itertools
import linecache
import sys
import warnings
from array import array
from collections import Counter, OrderedDict, UserList, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import fields, is_dataclass
from functools import _lru_cache_wrapper, lru_cache, partial, reduce
from json import dumps
from pprint import pformat, saferepr
from threading import RLock
from types import (
    BuiltinMethodType,
    CodeType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    SimpleNamespace,
    WrapperDescriptorType,
)
from typing import Any

from dstamp_sim.core.place import PACKAGE, Place, is_model, is_python
from dstamp_sim.core.value import ORDER_OF_SETS, Backwards

PASSED: list[Place] = []
"""The lines at which sets were gone through since this was last cleared."""

_MORE_ORDERS = 200
"""How often questions are asked once more as a set's order showed in none of two; each step of a program counts."""

_ONE_COMPILER = RLock()
"""Functions are compiled anew for one thread at a time."""

_ITEM, _WHOLE, _CALLED = "turned item", "turned whole", "turned call"
"""Constants in the compiled code, in whose place the functions below are put."""

_MAKE_SETS = frozenset(
    {"set", "frozenset", "keys", "items", "union", "intersection", "difference", "symmetric_difference", "type"}
)


@contextmanager
def turned(items: Iterable[object]) -> Iterator[None]:
    """While this lasts, the model's functions among `items` go through sets the other way round.

    Nothing is done if neither they nor their sources have a set, or import what may. A function whose source is not
    known stays as it is.
    """
    ORDER_OF_SETS.left = _MORE_ORDERS
    things = list(items)
    functions = [each for each in things if isinstance(each, FunctionType) and is_model(each.__code__.co_filename)]
    sources = {each.__code__.co_filename: _source(each.__code__.co_filename) for each in functions}
    if not (any(isinstance(each, set | frozenset) for each in things) or any(map(may_order, sources.values()))):
        yield
        return
    with _ONE_COMPILER:
        before = [(each, each.__code__) for each in functions]
        _CACHES.clear()
        for function, code in before:
            function.__code__ = _compiled(code.co_filename, sources[code.co_filename]).get(code, code)
        try:
            yield
        finally:
            for function, code in before:
                function.__code__ = code


def _source(file: str) -> str:
    linecache.checkcache(file)
    return "".join(linecache.getlines(file))


@lru_cache(maxsize=64)
def may_order(source: str) -> bool:
    """Whether a source may make a set, ask of what type one is, or ask another file, which may do so."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        return False
    names = {getattr(node, "id", getattr(node, "attr", "")) for node in nodes}
    sets = not names.isdisjoint(_MAKE_SETS) or any(isinstance(node, ast.Set | ast.SetComp) for node in nodes)
    return sets or any(map(_imports_more, nodes))


def _imports_more(node: ast.AST) -> bool:
    """Whether a statement imports what is neither Python's own nor this package's."""
    names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
    names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
    files = [getattr(sys.modules.get(name), "__file__", None) or PACKAGE for name in names]
    return not all(is_python(file) or file.startswith(PACKAGE) for file in files)


@lru_cache(maxsize=64)
def turned_code(file: str, source: str) -> CodeType:
    """The code of a file that goes through sets the other way round, at import and in its functions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a text is called
        tree = ast.fix_missing_locations(_Turner().visit(ast.parse(source)))
        return _filled(compile(tree, file, "exec", dont_inherit=True))


@lru_cache(maxsize=64)
def _compiled(file: str, source: str) -> dict[CodeType, CodeType]:
    """The functions of a file: their code, and the code that goes through sets the other way round."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = compile(source, file, "exec", dont_inherit=True)
    return dict(_pairs(plain, turned_code(file, source)))


def _pairs(one: CodeType, other: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    nested = [[const for const in code.co_consts if isinstance(const, CodeType)] for code in (one, other)]
    for pair in zip(*nested, strict=True):
        yield pair
        yield from _pairs(*pair)


def _filled(code: CodeType) -> CodeType:
    """Code in which functions stand in the place of the constants that name them."""
    consts = (_filled(each) if isinstance(each, CodeType) else _FUNCTIONS.get(each, each) if isinstance(each, str)
              else each for each in code.co_consts)  # fmt: skip
    return code.replace(co_consts=tuple(consts))


def _asked(name: str, value: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Call(ast.copy_location(ast.Constant(name), value), [value], []), value)


class _Turner(ast.NodeTransformer):
    """Hands what may be a set to a function above, wherever its order could show."""

    def visit(self, node: ast.AST) -> Any:
        self.generic_visit(node)
        match node:
            case ast.For() | ast.comprehension():
                node.iter = _asked(_ITEM, node.iter)
            case ast.YieldFrom() | ast.Starred(ctx=ast.Load()) | ast.AugAssign():
                node.value = _asked(_ITEM, node.value)
            case ast.Assign() if any(map(_unpacks, node.targets)):
                node.value = _asked(_ITEM, node.value)
            case ast.FormattedValue():
                node.value = _asked(_WHOLE, node.value)
            case ast.BinOp(op=ast.Mod()):
                node.right = _asked(_WHOLE, node.right)
            case ast.Call():
                node.func = _asked(_CALLED, node.func)
        return node


def _unpacks(target: ast.expr) -> bool:
    """Whether an assignment to a target goes through the value."""
    sliced = isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Slice)
    return sliced or isinstance(target, ast.Tuple | ast.List)


def _item(value: Any) -> Any:
    """A set's items in another order; anything else is returned as it is."""
    if not isinstance(value, set | frozenset) or len(value) < 2 or isinstance(value, Backwards):
        return value
    frame = sys._getframe(1)
    while not is_model(frame.f_code.co_filename) and frame.f_back:
        frame = frame.f_back
    PASSED.append(Place(frame.f_code.co_filename, frame.f_lineno))
    return Backwards(value)


def _whole(value: Any) -> Any:
    """As `_item`, with the sets inside of containers too."""
    if isinstance(value, set | frozenset):
        return _item(value)
    if type(value) is dict:
        return _parts(value, list(value.values()), lambda parts: dict(zip(value, parts, strict=True)))
    if type(value) in (list, tuple, deque) or hasattr(value, "_make"):
        return _parts(value, list(value), getattr(type(value), "_make", type(value)))
    if is_dataclass(value) and not isinstance(value, type):
        names = [each.name for each in fields(value)]
        return _parts(value, [getattr(value, name) for name in names], lambda parts: _with(value, names, parts))
    return value


def _parts(value: Any, parts: list[Any], made: Callable[[list[Any]], Any]) -> Any:
    """`value`, or if some set in its parts can be turned, one `made` of the turned parts."""
    new = [_whole(part) for part in parts]
    return made(new) if any(one is not other for one, other in zip(new, parts, strict=True)) else value


def _with(value: Any, names: list[str], parts: list[Any]) -> Any:
    new = copy(value)
    for name, part in zip(names, parts, strict=True):
        object.__setattr__(new, name, part)
    return new


_CACHES: dict[int, Any] = {}
"""Caches of `functools`, by the identity of those that the functions have: what those keep was made before."""


def _called(function: Any) -> Any:
    """What is called instead of a function, so that it goes through its arguments the other way round."""
    if instead := _INSTEAD.get(id(function)):
        return instead
    kind = type(function)
    if kind is FunctionType:
        return _called_python(function)
    if kind is type:
        return partial(_made, function) if _is_made_by_init(function) else function
    if kind is MethodType:
        inner = _called(function.__func__)
        return function if inner is function.__func__ else partial(inner, function.__self__)
    if isinstance(function, partial):
        return partial(_called(function.func), *function.args, **function.keywords)
    if isinstance(function, _lru_cache_wrapper):
        if id(function) not in _CACHES:
            _CACHES[id(function)] = lru_cache(**function.cache_parameters())(function.__wrapped__)
        return _CACHES[id(function)]
    if kind is BuiltinMethodType or kind is MethodWrapperType:
        return _called_bound(function, function.__self__, function.__name__)
    return _called_unbound(function) if kind in (MethodDescriptorType, WrapperDescriptorType) else function


def _called_bound(function: Any, owner: Any, name: str) -> Any:
    """As `_called`, for a function of C, or one that is bound to a value of one of Python's own types."""
    if isinstance(owner, set | frozenset):
        if name == "pop" and len(owner) > 1:
            return partial(_pop, owner)
        return getattr(_item(owner), name) if name in _SHOW_ORDER else function
    if change := _METHODS.get(name):
        return partial(_handed, change, function)
    return function if name in _KEEP else partial(_given, function)


def _called_unbound(function: Any) -> Any:
    """As `_called`, for a method of one of Python's own types that is handed its owner: `str.join`, `set.pop`."""
    if function.__objclass__ in (set, frozenset):
        return lambda owner, *args: _called_bound(partial(function, owner), owner, function.__name__)(*args)
    return _called_bound(function, None, function.__name__)


@lru_cache(maxsize=1024)
def _called_python(function: FunctionType) -> Callable[..., Any]:
    """As `_called`, for a function in Python: a model's and a library's go through their own sets that way, too."""
    file = function.__code__.co_filename
    if file.startswith(PACKAGE) or function.__module__ in _KEEPING:
        return function
    twin = function if is_python(file) else _twin(function)
    return twin if is_model(file) else partial(_given, twin)


def _twin(function: FunctionType) -> FunctionType:
    """A function that goes through sets the other way round; itself if it does so, or if its source is not known."""
    file = function.__code__.co_filename
    source = _source(file)
    code = _compiled(file, source).get(function.__code__) if may_order(source) else None
    if code is None:
        return function
    twin = FunctionType(code, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    twin.__kwdefaults__ = function.__kwdefaults__
    return twin


@lru_cache(maxsize=1024)
def _is_made_by_init(kind: Any) -> bool:
    """Whether instances of a class are what an `__init__` of a model or a library, written in Python, makes of them."""
    begins = kind.__init__
    plain = kind.__new__ is object.__new__ and isinstance(begins, FunctionType)
    return plain and not is_python(begins.__code__.co_filename) and not begins.__code__.co_filename.startswith(PACKAGE)


def _made(kind: Any, /, *args: Any, **named: Any) -> Any:
    made = object.__new__(kind)
    _called(kind.__init__)(made, *args, **named)
    return made


class _Unfrozen(set[Any]):
    """A set that iterates in the order of `items`, until it is changed."""

    def __init__(self, items: frozenset[Any]) -> None:
        super().__init__(items)
        self._items = items

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items) if super().__eq__(self._items) else super().__iter__()


def _copied(value: Any) -> Any:
    """As `_item`, for those who may look at the type too, or change it."""
    turned = _item(value)
    return turned if turned is value or isinstance(value, frozenset) else _Unfrozen(turned)


def _given(function: Any, /, *args: Any, **named: Any) -> Any:
    return function(*map(_copied, args), **{key: _copied(each) for key, each in named.items()})


def _handed(change: Callable[[Any], Any], function: Any, /, *args: Any, **named: Any) -> Any:
    if len(args) == 1 and not named:  # most calls
        return function(_called(args[0]) if callable(args[0]) else change(args[0]))
    return function(
        *(_called(each) if callable(each) else change(each) for each in args),
        **{key: _called(each) if callable(each) else change(each) for key, each in named.items()},
    )


def _pop(items: Any) -> Any:
    """Takes out the item that would come last."""
    last = next(iter(_item(items)))
    items.remove(last)
    return last


def _type(*args: Any) -> Any:
    """`type`, which knows no `Backwards`."""
    return type(*(each.turned if isinstance(each, Backwards) else each for each in args))


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {_ITEM: _item, _WHOLE: _whole, _CALLED: _called}

_FLAT: tuple[Any, ...] = (list, tuple, dict, iter, enumerate, zip, filter, sorted, min, max, sum, bytes, bytearray)
_OF_MODULES: tuple[Any, ...] = (array, deque, Counter, OrderedDict, UserList)
_DEEP: tuple[Any, ...] = (str, repr, format, ascii, map, reduce, dumps, pformat, saferepr, SimpleNamespace)
_ITERTOOLS = filter(callable, vars(itertools).values())
_ASK_NO_ORDER = (len, isinstance, issubclass, callable, any, all, getattr, setattr, hasattr, vars)

_INSTEAD: dict[int, Any] = (
    {id(each): partial(_handed, _item, each) for each in (*_FLAT, *_OF_MODULES)}
    | {id(each): partial(_handed, _whole, each) for each in (*_DEEP, *_ITERTOOLS)}
    | {id(each): each for each in _ASK_NO_ORDER}
    | {id(type): _type}
)
"""What is called instead of functions of Python's own, by their identity."""

_METHODS = dict.fromkeys(("extend", "extendleft", "fromkeys", "sort", "__iadd__"), _item) | dict.fromkeys(
    ("join", "format", "writelines", "from_iterable"), _whole
)
"""What is done to the arguments of methods that go through them, by name."""

_SHOW_ORDER = frozenset({"__iter__", "__repr__", "__str__", "__format__", "__reduce__", "__reduce_ex__"})
"""Methods of a set of which the value depends on its order."""

_KEEP = frozenset(
    {"append", "appendleft", "insert", "setdefault", "__setitem__", "__setattr__", "get", "set", "put", "send"}
    | {"__contains__", "index", "count", "remove", "pop"}
)
"""Methods that keep, return or compare what they are handed, and do not go through it."""

_KEEPING = frozenset({"collections", "contextlib", "copy", "dataclasses", "types", "typing"})
"""Modules whose functions do so."""
