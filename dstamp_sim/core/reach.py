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
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextvars import ContextVar
from functools import _lru_cache_wrapper, cache, cached_property, partial
from operator import is_
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

from dstamp_sim.core.place import GENERATED, is_model
from dstamp_sim.core.shared_object import SharedObject

_CONTAINERS = (list, tuple, deque, bytearray, array, dict, set, frozenset)
ATOMS = (str, bytes, int, float, complex, bool, type(None), type(...))

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


_FINAL = (property, staticmethod, classmethod, BuiltinFunctionType, MethodWrapperType, type(Reached.item))
"""Classes whose instances refer for ever to what they refer to; the last is that of the fields of named tuples."""


class Snapshot:
    """What some roots reach: everything that can change, as it was when this was made, and the model's functions.

    Installed functions are assumed to keep nothing but what they wrap, and their instances that are equal by value to
    be values. What a cache of `functools` keeps is not noted: `core.caches` compares it with what the function returns.
    """

    def __init__(self, roots: Iterable[NamedRoot]) -> None:
        self.reached: dict[int, Reached] = {}
        self.functions: dict[CodeType, tuple[FunctionType, Any]] = {}
        self._looked_at: list[tuple[Reached, _Glance]] = []
        waiting = list(roots)
        while waiting:
            name, item = waiting.pop()
            if isinstance(item, ATOMS) or id(item) in self.reached:
                continue
            parts = dict(named_parts(item))
            self.reached[id(item)] = Reached(name, item, {key: _token(value) for key, value in parts.items()})
            self._add_functions(item)
            if not _is_final(item):
                self._looked_at.append((self.reached[id(item)], _Glance(item)))
            waiting.extend((named_part(name, item, key), value) for key, value in parts.items())

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
        """The name of something whose value has changed since it was noted; empty if nothing has.

        What is still the very same at a glance is not looked at part by part again.
        """
        for reached, glance in self._looked_at:
            if glance.same():
                continue
            if what := _changed(reached):
                return what
            glance.take()
        return ""


def _changed(reached: Reached) -> str:
    name, item, held = reached
    now = {key: _token(value) for key, value in named_parts(item)}
    for key in (*now, *held):
        if now.get(key, _UNBOUND) != held.get(key, _UNBOUND):
            return named_part(name, item, key)
    return ""


class _Glance:
    """Whatever can be replaced behind the parts of something, as it was when this was taken.

    Without names, so that it costs little to look again. It may see more than the parts, never less. A function that
    goes through sets the other way round for a while has another code with the same names.
    """

    def __init__(self, item: Any) -> None:
        self._item = item
        self._look: Callable[[], list[Any]] | None = None
        self._seen: list[Any] = []
        self._codes: list[CodeType] = []
        self._names: tuple[str, ...] = ()
        self._spaces: list[Mapping[str, Any]] = []

    def take(self) -> None:
        """What is there now is what `same` compares with."""
        if isinstance(self._item, FunctionType):
            self._codes.append(self._item.__code__)
            if is_model(self._item.__code__.co_filename):
                self._names = tuple(names_in(self._item.__code__))
                self._spaces = _spaces(self._item.__globals__, self._names)
        self._look = self._way()
        self._seen = self._look() if self._look else []

    def _way(self) -> Callable[[], list[Any]] | None:
        """How this is looked at; None if there is no quick way."""
        item, kind = self._item, type(self._item)
        if kind is dict:
            return lambda: [*_pairs(item)]
        if kind is list:
            return lambda: [*item]
        if kind is MethodType:
            return lambda: [item.__self__, item.__func__, item.__func__.__name__]
        if kind is partial:
            return lambda: [
                item.func,
                *item.args,
                *item.keywords,
                *item.keywords.values(),
                *vars(item),
                *vars(item).values(),
            ]
        if kind is FunctionType:
            return self._function if _REACH_ANYTHING.isdisjoint(self._names) else None
        return self._namespace if isinstance(item, type) or _has_a_dict_only(item) else None

    def same(self) -> bool:
        """Whether all of it still is the very same; False also where no glance tells."""
        if self._look is None or (self._codes and not any(code is self._item.__code__ for code in self._codes)):
            return False
        now = self._look()
        return len(now) == len(self._seen) and all(map(is_, now, self._seen))

    def _namespace(self) -> list[Any]:
        item = self._item
        return [type(item), getattr(item, "__mro__", type(item).__mro__), *_pairs(vars(item))]

    def _function(self) -> list[Any]:
        item = self._item
        parts = [item.__defaults__, *map(_content, item.__closure__ or ())]
        for kept in (vars(item), item.__kwdefaults__ or {}):
            parts += _pairs(kept)
        for space in self._spaces:
            parts += map(space.get, self._names)
        return parts


def _pairs(kept: Mapping[Any, Any]) -> tuple[Any, ...]:
    return (*kept, *kept.values())


def _spaces(namespace: Mapping[str, Any], names: Iterable[str]) -> list[Mapping[str, Any]]:
    """The namespaces in which a function's names are looked up: its module's, and those of all modules so called."""
    spaces: list[Mapping[str, Any]] = [namespace, sys.modules]
    for space in spaces:
        modules = [value for value in map(space.get, names) if isinstance(value, ModuleType)]
        spaces += [vars(one) for one in modules if not any(vars(one) is known for known in spaces)]
    return spaces


def _is_final(item: Any) -> bool:
    """Whether something refers for ever to what it refers to, or to nothing."""
    if isinstance(item, ModuleType):
        return not is_of_model(item)
    if isinstance(item, tuple):
        return not hasattr(item, "__dict__")
    return isinstance(item, _FINAL) or type(item) is frozenset


def _has_a_dict_only(item: Any) -> bool:
    """Whether the parts of something are the attributes in its dictionary, and its classes."""
    if isinstance(item, (*_CONTAINERS, Iterator, FunctionType)) or not hasattr(item, "__dict__"):
        return False
    kind: Any = type(item)
    return (isinstance(item, SharedObject) or is_of_model(item)) and not _has_slots(kind)


@cache
def _has_slots(kind: type) -> bool:
    return any(isinstance(slot, MemberDescriptorType) for base in kind.__mro__ for slot in vars(base).values())


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


def named_part(name: str, item: Any, key: str) -> str:
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
    return (type(value), repr(value)) if isinstance(value, ATOMS) else id(value)


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


def named_parts(item: Any) -> Iterator[NamedRoot]:
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
    named = names_in(function.__code__)
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


@cache
def names_in(code: CodeType) -> frozenset[str]:
    """The names of globals and attributes in a function and in the functions that it defines."""
    inner = (names_in(constant) for constant in code.co_consts if isinstance(constant, CodeType))
    return frozenset(code.co_names).union(*inner)


def _namespace(item: type) -> Iterator[NamedRoot]:
    """What a class has, and of what Python calls by itself (`__iter__`) the functions that its source has."""
    for name, value in list(vars(item).items()):
        if not name.startswith("__") or (isinstance(value, FunctionType) and value.__code__.co_filename != GENERATED):
            yield name, value


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
