"""A model's file as if it had another source: that is imported from memory, and written nowhere."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from dstamp_sim.core.place import MODELS
from dstamp_sim.core.turned import turned_code

_changed: dict[str, str] = {}
"""By file, its source while a block of `changed_source` lasts."""

_turning: list[bool] = []
"""Not empty while a block of `turned_at_import` lasts."""


@contextmanager
def changed_source(file: Path, source: str) -> Iterator[None]:
    """Inside, a model that is loaded has this source in this file; so has whoever reads its lines."""
    name = str(file.absolute())
    finder = _Finder()
    _changed[name] = source
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)  # None: not to be read again
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        linecache.cache.pop(name, None)
        del _changed[name]


@contextmanager
def turned_at_import() -> Iterator[None]:
    """Inside, a model that is loaded goes through sets the other way round, in all its files and for ever."""
    finder = _Finder()
    _turning.append(True)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _turning.pop()


class ModelLoader(SourceFileLoader):
    """Imports a model's file, with the source that it is to have now."""

    def get_code(self, fullname: str) -> CodeType | None:
        """The file's code."""
        source = _changed.get(self.path)
        if _turning:
            return turned_code(self.path, self.get_source(fullname) or "" if source is None else source)
        return super().get_code(fullname) if source is None else compile(source, self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    """Finds the parts of a model that is a folder, as Python does, but for their loader."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target)
        turned = _turning and fullname.startswith(MODELS) and isinstance(spec and spec.loader, SourceFileLoader)
        if spec is None or not (turned or str(spec.origin) in _changed):
            return None
        spec.loader = ModelLoader(fullname, str(spec.origin))
        return spec
