"""Names that programs draw, by the clock say, so that they differ in every trial: which one it is must not matter.

A name that is folded without need is one object with others of its kind: more calls are then steps, no order is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

_KNOWN = re.compile(r"((?:tmp|temp|pack|idx)[^/]*[._]|(?:^|(?<=/))(?:sed|XX))[A-Za-z0-9]{6,10}(?=/|$)")
"""What git, sed, perl and mktemp draw: tmp_obj_7sGx1a, sedB4xYz1, XXAbCdEf, tmp.AbCdEfGhIj."""
_WORD = re.compile(r"[A-Za-z0-9_]+")


NameShape = tuple[str, str, str]
"""A folder, the pattern of names in it, and what all of them are called."""


@dataclass(frozen=True)
class Folding:
    """Drawn names: those of the shapes that are not `stable`."""

    shapes: frozenset[NameShape] = frozenset()
    stable: frozenset[str] = frozenset()

    def fold(self, path: str) -> str:
        """The object's name for a path: drawn parts of it are `*`."""
        path = _KNOWN.sub(r"\1*", path)
        if path in self.stable:
            return path
        for pattern, short in self._patterns:
            path = pattern.sub(short, path)
        return path

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        return [
            (re.compile(f"^{re.escape(folder)}{shape}(?=/|$)"), (folder + label).replace("\\", r"\\"))
            for folder, shape, label in sorted(self.shapes)
        ]


NOT_FOLDED = Folding()


def drawn(one: Iterable[str], two: Iterable[str], stable: Iterable[str]) -> Folding:
    """The folding of names that differ in two trials which did the same; the names of both, and `stable`, are not."""
    first, second = set(one), set(two)
    shapes = {shape for path in first - second for other in second - first if (shape := _shape(path, other))}
    return Folding(frozenset(shapes), frozenset({*(first & second), *stable}))


def _shape(path: str, other: str) -> NameShape | None:
    """The shape that two paths share where one word of one part of them differs, and is as long."""
    parts, others = path.split("/"), other.split("/")
    if len(parts) != len(others):
        return None
    differ = [n for n, (a, b) in enumerate(zip(parts, others, strict=True)) if a != b]
    if len(differ) != 1:
        return None
    at = differ[0]
    words, rest = _WORD.findall(parts[at]), _WORD.split(parts[at])
    if rest != _WORD.split(others[at]):
        return None
    pairs = list(zip(words, _WORD.findall(others[at]), strict=True))
    if any(len(a) != len(b) or (a != b and len(a) < 4) for a, b in pairs):
        return None
    shape = label = ""
    for gap, (a, b) in zip(rest, [*pairs, ("", "")], strict=True):
        shape += re.escape(gap) + (re.escape(a) if a == b else f"[A-Za-z0-9_]{{{len(a)}}}")
        label += gap + (a if a == b else "*")
    return "".join(f"{part}/" for part in parts[:at]), shape, label
