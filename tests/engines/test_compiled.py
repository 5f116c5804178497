"""Compiled functions where nothing can be kept on disk."""

import pytest
from numba.core.caching import FunctionCache

from dstamp_sim.engines.tables.compiled import compiled, compiled_with_arrays


@pytest.mark.parametrize("compiler", [compiled, compiled_with_arrays])
def test_without_a_folder_to_keep_it_in_it_compiles_anew_and_says_what_to_do(compiler, monkeypatch):
    monkeypatch.setattr(FunctionCache._impl_class, "_locator_classes", [])
    with pytest.warns(RuntimeWarning, match="set NUMBA_CACHE_DIR to a folder"):
        doubled = compiler(lambda value: 2 * value)
    assert doubled(21) == 42
