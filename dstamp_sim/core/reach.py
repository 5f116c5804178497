"""What a model can keep outside the states of its objects: everything that its code reaches and can change.

Programs and `outcomes` are asked in an order that engines choose, once per question. So whatever they keep elsewhere (a
variable of the module, `self`, a default argument, a `nonlocal`, an attribute of an object) would be shared by
behaviours that have nothing to do with each other. It is noted before the first question and compared afterwards.
"""

from __future__ import annotations

import copy
import sys
import warnings
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextvars import ContextVar
from functools import _lru_cache_wrapper, cached_property, partial
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FunctionType,
    GeneratorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
)
from typing import Any, NamedTuple

from dstamp_sim.core.place import is_model
from dstamp_sim.core.shared_object import SharedObject

_CONTAINERS = (list, tuple, deque, bytearray, array, dict, set, frozenset)
_ATOMS = (str, bytes, int, float, complex, bool, type(None), type(...))

_INSTALLED = (*_CONTAINERS, MutableMapping)
"""What is looked at of an installed module that code names: `os.environ`."""

_REACH_ANYTHING = frozenset(
    {"globals", "vars", "exec", "eval", "modules", "import_module", "__import__", "__globals__"}
)
"""Names by which code reaches variables of its module that it does not name."""

_HOLDS_CODE = (FunctionType, MethodType, ModuleType, type)

_KEEP_NOTHING = frozenset({"dstamp_sim", "logging", "typing"})
"""Packages whose instances keep nothing that a program could find again (ops, loggers, hints)."""

NamedRoot = tuple[str, Any]
"""Something reached, with its name there: `[0]`, `.side`, `balance`."""


class Reached(NamedTuple):
    """Something that can change, how it is reached (`self.side`), and what it held when it was noted."""

    name: str
    item: Any
    held: dict[str, Any]


class Snapshot:
    """What some roots reach: everything that can change, as it was when this was made, and the model's functions.

    Installed functions are assumed to keep nothing but what they wrap, and their instances that are equal by value to
    be values. What a cache of `functools` keeps is not noted: `core.caches` compares it with what the function returns.
    """

    def __init__(self, roots: Iterable[NamedRoot]) -> None:
        self.reached: dict[int, Reached] = {}
        self.functions: dict[CodeType, tuple[FunctionType, Any]] = {}
        waiting = list(roots)
        while waiting:
            name, item = waiting.pop()
            if isinstance(item, _ATOMS) or id(item) in self.reached:
                continue
            parts = dict(_parts(item))
            self.reached[id(item)] = Reached(name, item, {key: _token(value) for key, value in parts.items()})
            self._add_functions(item)
            waiting.extend((_named(name, item, key), value) for key, value in parts.items())

    def _add_functions(self, item: Any) -> None:
        """Adds the model's functions behind something, each with the instance whose method it is, if that is known."""
        if isinstance(item, MethodType):
            self._add_function(item.__func__, item.__self__)
        elif isinstance(item, SharedObject):
            for name in ("outcomes", "on_death", "at_exit"):
                self._add_function(getattr(type(item), name), item)
        else:
            self._add_function(item, None)

    def _add_function(self, item: Any, instance: Any) -> None:
        known = isinstance(item, FunctionType) and is_model(item.__code__.co_filename)
        if known and (instance is not None or item.__code__ not in self.functions):
            self.functions[item.__code__] = item, instance

    def changed(self) -> str:
        """The name of something whose value has changed since it was noted; empty if nothing has."""
        for name, item, held in self.reached.values():
            now = {key: _token(value) for key, value in _parts(item)}
            for key in (*now, *held):
                if now.get(key, _UNBOUND) != held.get(key, _UNBOUND):
                    return _named(name, item, key)
        return ""


_UNBOUND = object()

_CLASS = "__class__ "
"""The prefix of the name of an instance's class among its parts."""


def own_copies(program: Callable[..., Any], shared: dict[int, Any]) -> Callable[[], Callable[..., Any]]:
    """A function that returns `program` with a fresh copy of the instance whose method it is, as it is now.

    Objects in `shared` (by id) and every SharedObject are not copied. Where the instance cannot be copied, or
    `program` is no method of a model's instance, the function returns `program` as it is.
    """
    if not isinstance(program, MethodType) or not is_of_model(program.__self__):
        return lambda: program
    method = program.__func__
    try:
        pristine = copy.deepcopy(program.__self__, dict(shared))
        copy.deepcopy(pristine, dict(shared))
    except Exception:
        return lambda: program
    return lambda: MethodType(method, copy.deepcopy(pristine, dict(shared)))


def _named(name: str, item: Any, key: str) -> str:
    """The name of a part of something."""
    if isinstance(item, FunctionType | MethodType | partial):
        return key
    if not key:
        return name
    if key.startswith(_CLASS):
        return key.removeprefix(_CLASS)
    if key.startswith("["):
        return f"{name}{key}" if isinstance(item, dict) else name
    return f"{name}.{key}"


def _token(value: Any) -> Any:
    """A token that distinguishes a value from its replacement; for a value that can change, its identity."""
    return (type(value), repr(value)) if isinstance(value, _ATOMS) else id(value)


def _inside(item: Any) -> str:
    """What shows of something that keeps its parts to itself: where an iterator stands, whether a lock is taken."""
    if isinstance(item, GeneratorType):
        return str(item.gi_frame and item.gi_frame.f_lasti)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return repr(item.__reduce_ex__(2)[1:])
        except Exception:
            return repr(item)


def _parts(item: Any) -> Iterator[NamedRoot]:
    """The things that something refers to, by name; under no name, what shows of what is inside of it."""
    if isinstance(item, FunctionType):
        yield from _function_parts(item)
    elif isinstance(item, MethodType):
        yield from (("self", item.__self__), (item.__func__.__name__, item.__func__))
    elif isinstance(item, partial):
        yield from (("func", item.func), *((f"args[{i}]", arg) for i, arg in enumerate(item.args)))
        yield from (*item.keywords.items(), *vars(item).items())
    elif isinstance(item, type):
        yield from (*_namespace(item), (_CLASS + type(item).__qualname__, type(item))) if is_of_model(item) else ()
    elif isinstance(item, _CONTAINERS):
        yield from (*_members(item), *_instance_parts(item))
    elif isinstance(item, SharedObject) or is_of_model(item):
        yield from _instance_parts(item)
        if isinstance(item, Iterator):
            yield "", _inside(item)
    else:
        yield from _installed_parts(item)


def _installed_parts(item: Any) -> Iterator[NamedRoot]:
    """What an instance of a class of Python or of an installed package refers to, if it may keep something."""
    if isinstance(item, property):
        yield "fget", item.fget
    elif isinstance(item, staticmethod | classmethod | _lru_cache_wrapper):
        yield item.__name__, item.__wrapped__
    elif isinstance(item, BuiltinFunctionType | MethodWrapperType):
        yield "", item.__self__
    elif isinstance(item, MappingProxyType):
        yield from _members(item)
    elif isinstance(item, ContextVar):
        yield "", item.get(None)
    elif isinstance(item, memoryview):
        yield "", item.obj
    elif not (isinstance(item, ModuleType | CodeType) or _keeps_nothing(type(item))):
        slotted = [base for base in type(item).__mro__ if "__slots__" in vars(base)]
        seen = [*_instance_parts(item), *(part for base in slotted for part in slots(item, base))]
        yield from seen or [("", _inside(item))]


def _keeps_nothing(kind: type) -> bool:
    return is_value(kind) or kind.__module__.partition(".")[0] in _KEEP_NOTHING


def is_value(kind: type) -> bool:
    """Whether instances of a class say that they are equal by what they hold, and so that it never changes."""
    equality: object = kind.__eq__
    return kind.__hash__ is not None and equality is not object.__eq__


def _members(item: Any) -> Iterator[NamedRoot]:
    """The members of a container, by key or place."""
    if isinstance(item, dict):
        return ((f"[{key!r}]", value) for key, value in list(item.items()))
    if isinstance(item, set | frozenset):
        return ((f"[{value!r}]", value) for value in list(item))
    return ((f"[{index}]", value) for index, value in enumerate(item))


def _function_parts(function: FunctionType) -> Iterator[NamedRoot]:
    """Its closure and its attributes; of a model's function, its defaults and the globals that it names too."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if (content := _content(cell)) is not _UNBOUND:
            yield name, content
    yield from ((f"{function.__name__}.{name}", value) for name, value in vars(function).items())
    if not is_model(function.__code__.co_filename):
        return
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    defaults = function.__defaults__ or ()
    yield from zip(names[len(names) - len(defaults) :], defaults, strict=True)
    yield from (function.__kwdefaults__ or {}).items()
    named = frozenset(mentioned(function.__code__))
    yield from (*_mentioned(function.__globals__, named), *_installed(named))


def _mentioned(namespace: dict[str, Any], names: frozenset[str], prefix: str = "") -> Iterator[NamedRoot]:
    """The values that a namespace has under these names; for the model's own modules among them, their values too.

    If one of the names is one by which code reaches anything, also what else it has that is no code.
    """
    if not names.isdisjoint(_REACH_ANYTHING):
        names |= {name for name, value in namespace.items() if not isinstance(value, _HOLDS_CODE) and name[:2] != "__"}
    for name in sorted(names & namespace.keys()):
        value = namespace[name]
        if not isinstance(value, ModuleType):
            yield prefix + name, value
        elif is_of_model(value) and not prefix.endswith(f"{name}."):
            yield from _mentioned(vars(value), names, f"{prefix}{name}.")


def _installed(names: frozenset[str]) -> Iterator[NamedRoot]:
    """The containers that code names of the installed modules that it names, wherever it imports them."""
    for name in sorted(names & sys.modules.keys()):
        kept = vars(sys.modules[name])
        for key in sorted((names & kept.keys()) - {"modules"}):
            if isinstance(kept[key], _INSTALLED):
                yield f"{name}.{key}", kept[key]


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return _UNBOUND


def mentioned(code: CodeType) -> Iterator[str]:
    """The names of globals and attributes in a function and in the functions that it defines."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from mentioned(constant)


def _namespace(item: type) -> Iterator[NamedRoot]:
    return ((name, value) for name, value in list(vars(item).items()) if not name.startswith("__"))


def _instance_parts(item: Any) -> Iterator[NamedRoot]:
    kind = type(item)
    for name, value in list(getattr(item, "__dict__", {}).items()):
        if not isinstance(getattr(kind, name, None), cached_property):
            yield name, value
    for base in kind.__mro__:
        if is_of_model(base):
            yield _CLASS + base.__qualname__, base
            yield from slots(item, base)


def slots(item: Any, base: type) -> Iterator[NamedRoot]:
    """What an instance has in the slots of one of its classes, those that are set."""
    for name, slot in vars(base).items():
        if isinstance(slot, MemberDescriptorType):
            try:
                yield name, slot.__get__(item)
            except AttributeError:  # not set yet
                continue


def is_of_model(item: Any) -> bool:
    """Whether a function, a module, a class or an instance is a model's own."""
    if isinstance(item, FunctionType):
        return is_model(item.__code__.co_filename)
    if isinstance(item, ModuleType):
        return is_model(getattr(item, "__file__", None) or "<frozen")
    kind = item if isinstance(item, type) else type(item)
    module = sys.modules.get(kind.__module__)
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__module__ == "__main__"
    return is_model(getattr(module, "__file__", None) or "<frozen")
