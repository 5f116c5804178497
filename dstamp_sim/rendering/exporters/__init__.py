"""What can be written of a model in another tool's language: a file per format, all listed in `OF_MODELS`."""

from collections.abc import Callable
from typing import NamedTuple

from dstamp_sim.core.machine import Machine
from dstamp_sim.rendering.exporters.promela import promela


class Format(NamedTuple):
    """How a format is made, the suffix of its files, and whose it is."""

    write: Callable[[Machine], str]
    suffix: str
    about: str


OF_MODELS = {
    "promela": Format(promela, ".pml", "SPIN's language, with the properties as assertions"),
}
"""The formats of a model, by the name that `--to` knows."""
