"""Forbidden habits in a model's source, found by reading it: clocks, random numbers, addresses, the order of a set, and
generators that are made and never started.

Reading finds for certain what trying finds by luck: a coin that falls the same way twice, a set whose order is stable
within a process and different in the next one.
"""  # noqa: D205 - one sentence

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
import random
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from dstamp_sim.core.place import Place, is_model

_SOURCES = frozenset(
    [f"time.{name}{unit}" for name in ("time", "monotonic", "perf_counter", "process_time") for unit in ("", "_ns")]
    + ["time.localtime", "time.gmtime", "time.ctime", "time.asctime", "time.strftime", "time.clock_gettime"]
    + ["datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"]
    + ["uuid.uuid1", "uuid.uuid4", "posix.urandom", "nt.urandom", "posix.getpid", "nt.getpid", "random.SystemRandom"]
    + ["builtins.id", "builtins.hash", "builtins.input"]
)
_SOURCE_MODULES = ("random", "secrets", "numpy.random")

_ORDERLESS = frozenset({"sorted", "set", "frozenset", "len", "sum", "min", "max", "any", "all", "isinstance", "bool"})
"""Builtins whose value does not depend on the order of their arguments."""

_IN_ORDER = frozenset(
    {"list", "tuple", "iter", "next", "enumerate", "map", "filter", "zip", "str", "repr", "dict", "reversed"}
    | {"join", "extend", "from_iterable", "fromkeys", "chain", "islice", "permutations", "combinations", "product"}
    | {"reduce", "accumulate", "starmap", "deque", "format", "writelines"}
)
"""Functions and methods whose value may depend on that order."""

_MISSING = object()


def fault(function: FunctionType, instance: Any = None) -> str:
    """The forbidden habit of `function` (a method of `instance`, if known), with its line; empty if it has none."""
    tree = _tree_of(function.__code__)
    if tree is None:
        return ""
    reader = _FunctionReader(function, tree, instance)
    for node, why in reader.faults():
        return f"{Place(function.__code__.co_filename, _line(node))}: {why}"
    return ""


def _line(node: ast.AST) -> int:
    """The line where a node begins; the `for` of a comprehension has none of its own, but what it goes through has."""
    return _line(node.iter) if isinstance(node, ast.comprehension) else node.lineno  # type: ignore[attr-defined]


def line_changing(function: FunctionType, name: str) -> Place | None:
    """The first line of `function` that may change the thing called `name` (`self.seen`, `balance`)."""
    tree, last = _tree_of(function.__code__), name.partition("[")[0].rpartition(".")[2]
    parents = _parents(tree) if tree else {}
    lines = [
        node.lineno
        for node in parents
        if isinstance(node, ast.Name | ast.Attribute)
        and last == (node.id if isinstance(node, ast.Name) else node.attr)
        and _may_change(node, parents)
    ]
    return Place(function.__code__.co_filename, min(lines)) if lines else None


def _may_change(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> bool:
    """Whether code assigns to an expression, a part or a result of it, calls a method of it, or passes it to `next`."""
    if not isinstance(getattr(node, "ctx", None), ast.Load):
        return True
    match parents.get(node):
        case ast.Subscript(value=of) | ast.Attribute(value=of) as part if of is node:
            called = isinstance(part, ast.Attribute) and isinstance(parents.get(part), ast.Call)
            return called or _may_change(part, parents)
        case ast.Call(func=ast.Name(id="next"), args=given):
            return node in given
        case ast.Call(func=of) as result if of is node:
            return _may_change(result, parents)
    return False


@lru_cache(maxsize=1024)
def _parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    """Every node below `tree` with its parent, in the order of `ast.walk`."""
    found: dict[ast.AST, ast.AST] = {}
    waiting = [tree]
    for node in waiting:  # grows meanwhile
        for child in ast.iter_child_nodes(node):
            found[child] = node
            waiting.append(child)
    return found


def _tree_of(code: CodeType) -> ast.AST | None:
    """The syntax tree of a function; None if its source is missing or has changed since it was loaded."""
    linecache.checkcache(code.co_filename)
    return _functions("".join(linecache.getlines(code.co_filename))).get((code.co_name, code.co_firstlineno))


@lru_cache(maxsize=64)
def _functions(source: str) -> Mapping[tuple[str, int], ast.AST]:
    """The functions of a file, by name and first line (that of a decorator, if there is one)."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return {}
    found: dict[tuple[str, int], ast.AST] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name, min([node.lineno, *(item.lineno for item in node.decorator_list)])] = node
        elif isinstance(node, ast.Lambda):
            found["<lambda>", node.lineno] = node
    return found


@lru_cache(maxsize=64)
def _given_sets(source: str) -> frozenset[tuple[str, int | str | None]]:
    """The arguments that a call in a file makes a set, as its text shows: the function's name, and which argument."""
    found = set[tuple[str, int | str | None]]()
    for tree in _functions(source).values():
        assigned = _assigned(tree)
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            given = [*enumerate(call.args), *((keyword.arg, keyword.value) for keyword in call.keywords)]
            found |= {(name, which) for which, value in given if _is_written_set(value, assigned)}
    return frozenset(found)


@lru_cache(maxsize=1024)
def _inner(tree: ast.AST) -> Mapping[str, ast.FunctionDef]:
    """The functions that a function defines, by name."""
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node is not tree}


@lru_cache(maxsize=1024)
def _assigned(tree: ast.AST) -> Mapping[str, list[ast.expr]]:
    """The values that are assigned to each name in a function; of a loop's name, some item of what it goes through."""
    found = dict[str, list[ast.expr]]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr | ast.AugAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Name):
            found.setdefault(node.target.id, []).append(ast.Subscript(node.iter, ast.Name("?"), ast.Load()))
    return found


def _is_written_set(node: ast.AST, assigned: Mapping[str, list[ast.expr]]) -> bool:
    """Whether an expression, or what is assigned to a name, is written as a set."""
    match node:
        case ast.Set(elts=items):
            return len(items) > 1
        case ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return bool(node.args)
        case ast.Name(id=name):
            return any(_is_written_set(value, {}) or _empty(value) for value in assigned.get(name, ()))
    return False


def _is_named_set(annotation: ast.AST | None) -> bool:
    """Whether an annotation is that of a set that no op and no process can be given: `set[str]`, `MutableSet`."""
    named = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return isinstance(named, ast.Name) and named.id in ("set", "MutableSet")


class _FunctionReader:
    """Reads one function; names are looked up where the function would look them up."""

    def __init__(self, function: FunctionType, tree: ast.AST, instance: Any) -> None:
        self.function, self.tree = function, tree
        self.parents = _parents(tree)
        self.nodes = (tree, *self.parents)
        self.inner = _inner(tree)
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        self.known = {name: cell.cell_contents for name, cell in cells if _is_bound(cell)}
        self.known |= dict(self._imported())
        if instance is not None and function.__code__.co_varnames:
            self.known[function.__code__.co_varnames[0]] = instance
        self.assigned = _assigned(tree)
        self.sets_given = frozenset(self._sets_given()) - self.assigned.keys()

    def faults(self) -> Iterator[tuple[ast.AST, str]]:
        """Every fault, with its place."""
        for node in self.nodes:
            if why := self._source(node) or self._never_begun(node) or self._order(node):
                yield node, why

    # --- names

    def _imported(self) -> Iterator[tuple[str, Any]]:
        """The loaded modules that the function itself imports."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    name = alias.name if alias.asname else alias.name.partition(".")[0]
                    yield alias.asname or name, sys.modules.get(name, _MISSING)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                module = sys.modules.get(node.module or "")
                for alias in node.names:
                    yield alias.asname or alias.name, getattr(module, alias.name, _MISSING)

    def value(self, node: ast.AST) -> Any:
        """The value of a name, or of an attribute of one; `_MISSING` where it is not known before the function runs."""
        if isinstance(node, ast.Name):
            if node.id in self.known:
                return self.known[node.id]
            if node.id in self.function.__code__.co_varnames or node.id in self.function.__code__.co_cellvars:
                return _MISSING
            return self.function.__globals__.get(node.id, getattr(builtins, node.id, _MISSING))
        if isinstance(node, ast.Attribute):
            base = self.value(node.value)
            if base is _MISSING:
                return _MISSING
            if isinstance(base, ModuleType | type):
                return getattr(base, node.attr, _MISSING)
            found = inspect.getattr_static(base, node.attr, _MISSING)
            bound = isinstance(found, FunctionType) and node.attr not in getattr(base, "__dict__", {})
            return MethodType(found, base) if bound else getattr(base, node.attr, _MISSING) if _c_made(base) else found
        return _MISSING

    # --- clocks, random numbers, addresses

    def _source(self, node: ast.AST) -> str:
        if not isinstance(node, ast.Name | ast.Attribute) or not isinstance(node.ctx, ast.Load):
            return ""
        found = self.value(node)
        if found is _MISSING or not callable(found):
            return ""
        name = _qualified(found)
        if name == "random.Random":
            call = self.parents.get(node)
            seeded = not isinstance(call, ast.Call) or call.func is not node or call.args or call.keywords
            return "" if seeded else _no_source("random.Random()")
        if name == "builtins.hash" and self.function.__name__ == "__hash__":
            return ""
        if name in _SOURCES or (name.startswith(tuple(f"{module}." for module in _SOURCE_MODULES))):
            return _no_source(ast.unparse(node))
        return ""

    # --- generators that are never started

    def _never_begun(self, node: ast.AST) -> str:
        if not isinstance(node, ast.Call) or not self._makes_generator(node):
            return ""
        parent = self.parents.get(node)
        if _begins_nothing(parent, node):
            return _not_begun(node)
        if isinstance(parent, ast.Assign) and len(parent.targets) == 1 and isinstance(parent.targets[0], ast.Name):
            name = parent.targets[0].id
            loads = [
                other
                for other in self.nodes
                if isinstance(other, ast.Name) and other.id == name and isinstance(other.ctx, ast.Load)
            ]
            if all(_begins_nothing(self.parents.get(load), load) for load in loads):
                return _not_begun(node)
        return ""

    def _makes_generator(self, call: ast.Call) -> bool:
        """Whether a call returns a generator that has not begun."""
        if isinstance(call.func, ast.Name) and call.func.id in self.inner:
            return _has_yield(self.inner[call.func.id])
        found = self.value(call.func)
        return inspect.isgeneratorfunction(found)

    # --- the order of a set

    def _sets_given(self) -> Iterator[str]:
        """The parameters that are sets: by their annotation, or by what a call in the same file passes."""
        given = _given_sets("".join(linecache.getlines(self.function.__code__.co_filename)))
        for tree in (self.tree, *self.inner.values()):
            if isinstance(tree, ast.FunctionDef):
                named = [*tree.args.posonlyargs, *tree.args.args]
                first = -1 if named and named[0].arg in ("self", "cls") else 0
                places = {parameter.arg: place for place, parameter in enumerate(named, start=first)}
                for parameter in (*named, *tree.args.kwonlyargs):
                    which = {(tree.name, places.get(parameter.arg)), (tree.name, parameter.arg)}
                    if which & given or _is_named_set(parameter.annotation):
                        yield parameter.arg

    def _returns_set(self, call: ast.AST, depth: int) -> bool:
        """Whether a call of the model's own function returns a set; of a generator function, its `yield from`."""
        if not isinstance(call, ast.Call):
            return False
        if isinstance(call.func, ast.Name) and call.func.id in self.inner:
            return self._ends_with_set(self.inner[call.func.id], depth)
        found = self.value(call.func)
        function, instance = (found.__func__, found.__self__) if isinstance(found, MethodType) else (found, None)
        if not isinstance(function, FunctionType) or not is_model(function.__code__.co_filename):
            return False
        tree = _tree_of(function.__code__)
        return tree is not None and _FunctionReader(function, tree, instance)._ends_with_set(tree, depth)

    def _ends_with_set(self, tree: ast.AST, depth: int) -> bool:
        """Whether some `return` of a function is of a set."""
        returned = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value is not None]
        returned += [tree.body] if isinstance(tree, ast.Lambda) else []
        return any(self._is_set(value, depth - 1) for value in returned)

    def _order(self, node: ast.AST) -> str:
        looked_at = next((item for item in _in_order(node) if self._is_set(item)), None)
        if looked_at is None or self._order_is_lost(node):
            return ""
        return (
            f"the order of the set {ast.unparse(looked_at)!r} differs from run to run of Python, so a program may not "
            "depend on it: write sorted(...)"
        )

    def _order_is_lost(self, node: ast.AST) -> bool:
        """Whether a result in the order of a set goes at once to a place where order does not matter."""
        if isinstance(node, ast.comprehension):
            whole = self.parents[node]
            if isinstance(whole, ast.SetComp):
                return True
            return isinstance(whole, ast.GeneratorExp | ast.ListComp) and self._goes_to_orderless(whole)
        return isinstance(node, ast.Call) and self._goes_to_orderless(node)

    def _goes_to_orderless(self, node: ast.AST) -> bool:
        call = self.parents.get(node)
        return (
            isinstance(call, ast.Call)
            and call.func is not node
            and isinstance(call.func, ast.Name)
            and call.func.id in _ORDERLESS
        )

    def _is_set(self, node: ast.AST, depth: int = 8) -> bool:
        """Whether an expression is a set whose order may differ from run to run."""
        if depth == 0:
            return False
        match node:
            case ast.Set() | ast.SetComp() | ast.Call(func=ast.Name(id="set" | "frozenset")):
                return _is_written_set(node, {})
            case ast.Call(func=ast.Attribute(value=of, attr=name)) if name in _SET_METHODS:
                return self._is_set(of, depth - 1) or self._returns_set(node, depth)
            case ast.Call():
                if self._makes_generator(node):
                    return False
                return self._returns_set(node, depth)
            case ast.YieldFrom(value=of):
                return self._returns_set(of, depth)
            case ast.BinOp(left=left, right=right, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor()):
                return self._is_set(left, depth - 1) or self._is_set(right, depth - 1)
            case ast.IfExp(body=body, orelse=other):
                return self._is_set(body, depth - 1) or self._is_set(other, depth - 1)
            case ast.NamedExpr(value=value):
                return self._is_set(value, depth - 1)
            case ast.Name() if node.id in self.sets_given:
                return True
            case ast.Name() if node.id in self.assigned:
                return any(self._is_set(value, depth - 1) or _empty(value) for value in self.assigned[node.id])
            case ast.Name() | ast.Attribute():
                found = self.value(node)
                return isinstance(found, set) or (isinstance(found, frozenset) and len(found) > 1)
        return False


_SET_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference", "copy"})


def _empty(node: ast.AST) -> bool:
    """Whether this is `set()`, which is filled later."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("set", "frozenset")


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    """The expressions that `node` iterates over in order."""
    match node:
        case ast.For(iter=item) | ast.comprehension(iter=item) | ast.YieldFrom(value=item) | ast.Starred(value=item):
            yield item
        case ast.FormattedValue(value=item):
            yield item
        case ast.Assign(targets=[ast.Tuple() | ast.List()], value=item):
            yield item
        case ast.Call(func=ast.Attribute(value=item, attr="pop"), args=[]):
            yield item
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=given) if name in _IN_ORDER:
            yield from given


def _begins_nothing(parent: ast.AST | None, node: ast.AST) -> bool:
    """Whether a generator in this place never starts: in a bare statement, a test, a comparison, a sum."""
    return isinstance(
        parent, ast.Expr | ast.Compare | ast.BoolOp | ast.BinOp | ast.UnaryOp | ast.FormattedValue | ast.Assert
    ) or (isinstance(parent, ast.If | ast.While | ast.IfExp) and parent.test is node)


def _has_yield(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))


def _not_begun(call: ast.Call) -> str:
    name = ast.unparse(call)
    return f"{name} makes a generator that never begins, so it does nothing: write `yield from {name}`"


def _no_source(name: str) -> str:
    return (
        f"{name}: a model depends on nothing but arguments and results: no clock, no random numbers, no addresses; "
        "what may come out in several ways is a Chance, and time is a delay"
    )


def _qualified(found: Any) -> str:
    """`module.name` of a function or class, for a method, of the class or generator that it belongs to."""
    owner = getattr(found, "__self__", None)
    if isinstance(owner, random.Random):
        return f"random.{found.__name__}"
    name = getattr(found, "__name__", "")
    if isinstance(owner, type):
        return f"{owner.__module__}.{owner.__qualname__}.{name}"
    if type(owner).__module__.startswith("numpy.random"):
        return f"numpy.random.{name}"
    return f"{getattr(found, '__module__', '') or ''}.{name}"


def _is_bound(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - whether it raises
    except ValueError:
        return False
    return True


def _c_made(base: Any) -> bool:
    """Whether an instance has the attributes of a C type, which reading does not change."""
    return isinstance(base, random.Random) or type(base).__module__.startswith("numpy.random")
