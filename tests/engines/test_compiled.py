"""Compiled functions: where nothing can be kept on disk, and where what is kept is of former code."""

from typing import NamedTuple

import pytest
from numba.core.caching import FunctionCache

from dstamp_sim.engines.tables.compiled import compiled, compiled_with_arrays


@pytest.mark.parametrize("compiler", [compiled, compiled_with_arrays])
def test_without_a_folder_to_keep_it_in_it_compiles_anew_and_says_what_to_do(compiler, monkeypatch):
    monkeypatch.setattr(FunctionCache._impl_class, "_locator_classes", [])
    with pytest.warns(RuntimeWarning, match="set NUMBA_CACHE_DIR to a writable folder"):
        doubled = compiler(lambda value: 2 * value)
    assert doubled(21) == 42


def test_what_is_kept_is_compiled_anew_when_another_file_of_the_engines_changes(monkeypatch, tmp_path):
    """The caller's own file is unchanged, but what it calls elsewhere may have been compiled into it."""
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path))
    hits = []
    for edition in ("one", "one", "another"):
        monkeypatch.setattr("dstamp_sim.engines.tables.compiled.EDITION", edition)
        kept = compiled(doubled)
        assert kept(21) == 42
        hits.append(sum(kept.stats.cache_hits.values()))
    assert hits == [0, 1, 0]


class Pair(NamedTuple):
    first: int
    second: int


def test_what_is_kept_of_a_class_that_is_gone_is_compiled_anew(monkeypatch, tmp_path):
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path))
    assert compiled(summed)(Pair(2, 3)) == 5
    monkeypatch.delattr(f"{__name__}.Pair")
    again = compiled(summed)
    assert again((2, 3)) == 5
    assert sum(again.stats.cache_hits.values()) == 0


def summed(pair):
    return pair[0] + pair[1]


def doubled(value):
    return 2 * value
