"""Draws in [0, 1) that any engine can repeat: the i-th of a stream depends on seed, stream and i alone."""

from __future__ import annotations

GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


class Draws:
    """A stream of draws, each call the next one: SplitMix64 (Steele, Lea and Flood 2014) from `seed` and `stream`."""

    def __init__(self, seed: int, stream: int = 0) -> None:
        self._state = _mixed(_mixed(seed & _MASK) + GOLDEN * stream & _MASK)

    def __call__(self) -> float:
        """The next draw."""
        self._state = self._state + GOLDEN & _MASK
        return (_mixed(self._state) >> 11) * 2.0**-53


def _mixed(value: int) -> int:
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & _MASK
    return value ^ value >> 31
