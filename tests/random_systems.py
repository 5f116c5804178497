"""The random systems of the gates; they live in the package, as `dstamp_sim.testing.small_systems` draws them too."""

from dstamp_sim.random_systems import described, interpret, random_system

__all__ = ["described", "interpret", "random_system"]
