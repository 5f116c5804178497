"""The changes of one file: in each generator function, one at a time, as source text.

A changed loop still performs an op in each round, so that no program goes round without a yield.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

Statements = list[ast.stmt]


class Edit(NamedTuple):
    """One change: the line, what was changed in a few words, and the whole text of the file with it."""

    line: int
    change: str
    source: str


def edits_of(source: str) -> Iterator[Edit]:
    """Every change of a file: ops dropped, neighbours swapped, guards negated, runs that end before a line.

    A lock's span is shortened where its acquire or release is swapped with a neighbour.
    """
    tree = ast.parse(source)
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and _ops(function):
            for line, change in _changed(function):
                yield Edit(line, change, ast.unparse(tree))


def _changed(function: ast.FunctionDef) -> Iterator[tuple[int, str]]:
    """Makes one change after the other, each undone before the next; its line, and words for it."""
    for block in _blocks(function):
        for index, statement in enumerate(block):
            if not _ops(statement):
                continue
            for change, instead in _instead(block, index):
                with _put(block, instead):
                    if not _spins(function):
                        yield statement.lineno, change
    for node in _own(function):
        if isinstance(node, ast.If | ast.While):
            guard, node.test = node.test, ast.UnaryOp(ast.Not(), node.test)
            if not _spins(function):
                yield node.lineno, f"negated: {_told(guard)}"
            node.test = guard


def _instead(block: Statements, index: int) -> Iterator[tuple[str, Statements]]:
    """What a block may be instead, by its statement at `index`, which performs ops."""
    before, statement, after = block[:index], block[index], block[index + 1 :]
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Yield) and not _is_delay(statement):
        yield f"dropped: {_told(statement)}", [*before, *_nothing(), *after]
    if after and _may_swap(statement, after[0]):
        yield f"swapped: {_told(statement)} and {_told(after[0])}", [*before, after[0], statement, *after[1:]]
    if not _is_delay(statement):
        yield f"ends before: {_told(statement)}", [*before, *_nothing(), ast.Return(None)]


def _may_swap(one: ast.stmt, other: ast.stmt) -> bool:
    """Whether both perform ops, neither needs a variable that the other sets, and they are not alike."""
    if not _ops(other) or _is_delay(one) or _is_delay(other):
        return False
    if isinstance(one, ast.Return) or isinstance(other, ast.Return) or _told(one) == _told(other):
        return False
    return not (_names(one, ast.Store) & _names(other) or _names(other, ast.Store) & _names(one))


def _nothing() -> Statements:
    """What performs no op, and leaves a generator one."""
    return [ast.Expr(ast.YieldFrom(ast.Tuple([], ast.Load())))]


def _spins(function: ast.FunctionDef) -> bool:
    """Whether some loop of a function may go round without an op, and so for ever: no change is made there."""
    return any(
        isinstance(node, ast.While) and not _ops(node.test) and not _always_acts(node.body) for node in _own(function)
    )


def _always_acts(body: Statements) -> bool:
    """Whether a statement that is under no condition performs ops."""
    return any(_ops(part) for part in body if not isinstance(part, ast.If | ast.For | ast.While | ast.Try | ast.Match))


def _ops(node: ast.AST) -> list[ast.AST]:
    """The yields in a statement or function, but for those of functions inside of it, and of nothing."""
    nothing = ast.dump(_nothing()[0].value)  # type: ignore[attr-defined]  # it is an expression
    found = (item for item in _own(node) if isinstance(item, ast.Yield | ast.YieldFrom))
    return [item for item in found if ast.dump(item) != nothing]


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, but for functions and classes inside of it."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from _own(child)


def _blocks(function: ast.FunctionDef) -> Iterator[Statements]:
    for node in _own(function):
        for name in ("body", "orelse", "finalbody"):
            block: Any = getattr(node, name, None)
            if isinstance(block, list):
                yield block


def _names(node: ast.AST, kind: type[ast.expr_context] = ast.expr_context) -> set[str]:
    return {item.id for item in ast.walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, kind)}


def _is_delay(statement: ast.stmt) -> bool:
    """Whether only time passes, which no exploration sees."""
    return _told(statement).startswith(("yield delay(", "yield sleep("))


def _told(node: ast.AST) -> str:
    """The first line of a node's source."""
    first, *more = ast.unparse(node).splitlines()
    inner = node.value if isinstance(node, ast.Expr) else None
    return (
        first[1:-1]
        if isinstance(inner, ast.Yield | ast.YieldFrom) and first.startswith("(")
        else first + " ..." * bool(more)
    )


@contextmanager
def _put(block: Statements, instead: Statements) -> Iterator[None]:
    before, block[:] = list(block), instead
    try:
        yield
    finally:
        block[:] = before
