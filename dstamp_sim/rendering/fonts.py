"""The one type face of all pictures that matplotlib draws, and the characters that it can draw."""

from __future__ import annotations

from functools import cache

from dstamp_sim.core.errors import cut
from dstamp_sim.core.escaping import harmless

FACE = "DejaVu Sans"
"""It comes with matplotlib, so a picture is the same everywhere."""


def drawable(text: str) -> str:
    """`text`, harmless, with a hollow square for every character that the face lacks: no warning, and no gap."""
    known = _known_characters()
    return "".join(char if ord(char) in known or char == "\n" else "□" for char in harmless(text))


LONGEST_LABEL = 60


def label(name: str) -> str:
    """A name as a label of a plot: on one line, without its middle if it is long, and nothing in it steers the rest."""
    return drawable(cut(" ".join(name.split()), LONGEST_LABEL))


@cache
def _known_characters() -> frozenset[int]:
    """The code points that both the regular and the bold face can draw."""
    from matplotlib.font_manager import FontProperties, findfont, get_font  # noqa: PLC0415 - slow to import

    faces = [findfont(FontProperties(family=FACE, weight=weight)) for weight in ("normal", "bold")]
    return frozenset.intersection(*(frozenset(get_font(face).get_charmap()) for face in faces))
