"""Numbers of things in words."""

import pytest

from dstamp_sim.core.numbers import many


@pytest.mark.parametrize(
    ("count", "what", "told"),
    [(1, "state", "1 state"), (12_000, "state", "12,000 states"), (0, "crash", "0 crashes"), (1, "switch", "1 switch"),
     (2, "switch", "2 switches"), (2, "process", "2 processes")],
)  # fmt: skip
def test_a_count_agrees_with_its_noun(count, what, told):
    assert many(count, what) == told
