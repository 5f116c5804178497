"""The axes of a matrix: the parameters, and the placements, that are given several values in one command."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product

from dstamp_sim.core.errors import UsageError, cut
from dstamp_sim.core.numbers import many
from dstamp_sim.core.system import System
from dstamp_sim.inputs.model_file import NO_LOCKS, Model, load_model, read_settings

PLACEMENT = "placement"
"""The name of the axis of placements; no parameter has it."""

EVERY = "all"
"""What is written for every placement that the model names, and none."""

MOST_CELLS = 10_000
"""A matrix has no more cells."""

_LISTED = re.compile(r"=.*(?:,|\.\.)", re.DOTALL)
"""A setting that may be a list of values."""

_RANGE = re.compile(r"(-?[0-9]{1,18})\.\.(-?[0-9]{1,18})")


@dataclass(frozen=True)
class MatrixAxis:
    """A parameter, or `PLACEMENT`, and its values as they are written, in their order."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class MatrixSetting:
    """What the cells of a matrix share: the `fixed` settings, and a placement if that is no axis."""

    fixed: tuple[str, ...]
    placement: str | None
    axes: tuple[MatrixAxis, ...]

    def cells(self) -> Iterator[tuple[str, ...]]:
        """The values of each cell, one of each axis; the last axis changes first."""
        return product(*(axis.values for axis in self.axes))

    def place(self, name: str) -> int:
        """Which of the axes has this name."""
        return next(at for at, axis in enumerate(self.axes) if axis.name == name)

    def one_less(self, values: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """By axis of numbers: the cell before this one along it, if it has the smaller number."""
        smaller = dict[str, tuple[str, ...]]()
        for at, (axis, value) in enumerate(zip(self.axes, values, strict=True)):
            before = axis.values[axis.values.index(value) - 1 : axis.values.index(value)]
            if axis.name != PLACEMENT and before and _is_less(before[0], value):
                smaller[axis.name] = (*values[:at], *before, *values[at + 1 :])
        return smaller

    def of(self, values: Sequence[str]) -> tuple[list[str], str | None]:
        """The settings and the placement of the cell with these values, as a command's options have them."""
        named = {axis.name: value for axis, value in zip(self.axes, values, strict=True)}
        placement = named.pop(PLACEMENT, self.placement)
        return [*self.fixed, *(f"{name}={value}" for name, value in named.items())], placement


def _is_less(one: str, other: str) -> bool:
    try:
        return int(one) < int(other)
    except ValueError:
        return False


def read_axes(reference: str, settings: Sequence[str], placement: str | None) -> MatrixSetting | None:
    """The axes that a command's options ask for, None if each has one value: then nothing else is checked.

    `customers=1..6` and `capacity=1,2,4` are axes, and so is a placement `lock:*` or `all`. A text that is a value of
    its parameter is that value; any other with `..` or commas is a list of values. Raises UsageError for an empty
    range, a value given twice, a pattern that no placement matches, and too many cells.
    """
    if not (any(_LISTED.search(item) for item in settings) or _looks_like_pattern(placement)):
        return None
    model = load_model(reference)
    if not (any(_several(model, item) for item in settings) or _is_pattern(model, placement)):
        return None
    axes, fixed = list[MatrixAxis](), list[str]()
    for item in settings:
        if _several(model, item):
            name, _, written = item.partition("=")
            axes.append(MatrixAxis(name, _values(item, written)))
        else:
            fixed.append(item)
    for setting in (*fixed, *(f"{axis.name}={value}" for axis in axes for value in axis.values)):
        read_settings(model.factory, [setting])
    names = [item.partition("=")[0] for item in settings]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"--set {twice} is given twice: write its values as one list, {twice}=1,2 or {twice}=1..6")
    if _is_pattern(model, placement):
        assert placement is not None
        axes.append(
            MatrixAxis(PLACEMENT, _placements(model, placement, MatrixSetting(tuple(fixed), None, tuple(axes))))
        )
        placement = None
    asked = MatrixSetting(tuple(fixed), placement, tuple(axes))
    cells = 1
    for axis in axes:
        cells *= len(axis.values)
    if cells > MOST_CELLS:
        raise UsageError(f"{cells:,} cells, but a matrix has at most {MOST_CELLS:,}: shorten a range")
    return asked


def _several(model: Model, item: str) -> bool:
    """Whether a setting is a list of values: it looks like one, and it is no value of its parameter."""
    if not _LISTED.search(item):
        return False
    try:
        read_settings(model.factory, [item])
    except UsageError:
        return True
    return False


def _values(item: str, written: str) -> tuple[str, ...]:
    values: list[str] = []
    for part in written.split(","):
        ends = _RANGE.fullmatch(part.strip())
        if ends is None and (".." in part or not part.strip()):
            raise UsageError(f"--set {cut(item)}: write a range as 1..6, and a list as 1,2,4")
        if ends is None:
            values.append(part.strip())
            continue
        first, last = map(int, ends.groups())
        if first > last:
            raise UsageError(f"--set {cut(item)}: the range {part.strip()} is empty; the smaller end comes first")
        if last - first >= MOST_CELLS:
            raise UsageError(f"--set {cut(item)}: {many(last - first + 1, 'value')}, but at most {MOST_CELLS:,}")
        values += map(str, range(first, last + 1))
    if twice := next((value for value in values if values.count(value) > 1), None):
        raise UsageError(f"--set {cut(item)}: {twice!r} is given twice; leave one out")
    return tuple(values)


def _is_pattern(model: Model, placement: str | None) -> bool:
    return _looks_like_pattern(placement) and placement not in model.placements


def _looks_like_pattern(placement: str | None) -> bool:
    return placement is not None and (placement == EVERY or "*" in placement)


def _placements(model: Model, pattern: str, asked: MatrixSetting) -> tuple[str, ...]:
    """The placements that a pattern means: those that the model names, none, and every single span of a lock."""
    named = [*dict.fromkeys([*model.placements, NO_LOCKS.name])]
    if pattern == EVERY:
        return tuple(named)
    settings, _ = asked.of([axis.values[0] for axis in asked.axes])
    system = model.build(read_settings(model.factory, settings))
    matching = [name for name in dict.fromkeys([*named, *_spans(system)]) if fnmatchcase(name, pattern)]
    if not matching:
        locks = [f"'{scope.name}:*'" for scope in system.locks] or ["none: the model has no locks"]
        raise UsageError(
            f"--placement {cut(pattern)!r} matches no placement; the names are {cut(', '.join(named), 400)}, and the "
            f"spans of locks are {', '.join(locks)}"
        )
    return tuple(matching)


def _spans(system: System) -> list[str]:
    """Every single span of a lock over sections, as a placement is written."""
    sections = system.sections
    return [
        f"{scope.name}:{first}" + ("" if first == last else f"..{last}")
        for scope in system.locks
        for at, first in enumerate(sections)
        for last in sections[at:]
    ]
