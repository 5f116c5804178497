"""The random systems of the gates; they live in the package, as `dstamp_sim.testing.small_systems` draws them too."""

from functools import cache

from dstamp_sim.random_systems import described, interpret, random_system
from tests.oracle import Findings, search

__all__ = ["described", "findings", "interpret", "random_system"]


@cache
def findings(seed: int) -> Findings:
    """What the oracle finds in the system of this seed; gates and twins share it, as it costs most of their time.

    It is honest if it is asked for before a twin changes an object; a twin of an engine does not reach the oracle.
    """
    return search(random_system(seed))
