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


DAMAGES = {
    "flipped": lambda whole: whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:],
    "cut off": lambda whole: whole[: len(whole) // 2],
    "empty": lambda whole: whole[:0],
    "of another function": lambda whole: whole,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_kept_and_damaged_is_compiled_anew(monkeypatch, tmp_path, damage):
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path))
    assert compiled(doubled)(21) == 42
    assert compiled(tripled)(21) == 63
    files = {kind: next(tmp_path.rglob(f"*{kind}*.kept")) for kind in ("doubled", "tripled")}
    read = files["tripled" if damage == "of another function" else "doubled"]
    files["doubled"].write_bytes(DAMAGES[damage](read.read_bytes()))
    again = compiled(doubled)
    assert again(21) == 42
    assert sum(again.stats.cache_hits.values()) == 0
    assert sum(compiled_and_called(doubled).stats.cache_hits.values()) == 1, "it is kept anew"


def compiled_and_called(function):
    made = compiled(function)
    made(21)
    return made


def test_where_nothing_can_be_written_any_more_it_compiles_and_keeps_nothing(monkeypatch, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("dstamp_sim.engines.tables.compiled.Path.write_bytes", full)
    assert compiled(doubled)(21) == 42
    assert not [*tmp_path.rglob("*.kept"), *tmp_path.rglob("*.part")]


def tripled(value):
    return 3 * value


def summed(pair):
    return pair[0] + pair[1]


def doubled(value):
    return 2 * value
