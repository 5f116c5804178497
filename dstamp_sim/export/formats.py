"""Formats for other tools: a file per format, all listed here by the name that `--to` knows."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dstamp_sim.core.trace import Trace
from dstamp_sim.export.graphs import dot, graphml, space_graph, trace_graph
from dstamp_sim.export.itf import itf
from dstamp_sim.export.machine import Machine
from dstamp_sim.export.mermaid import mermaid
from dstamp_sim.export.perfetto import perfetto
from dstamp_sim.export.promela import promela
from dstamp_sim.export.shiviz import shiviz
from dstamp_sim.rendering.space_page import Scene
from dstamp_sim.rendering.timeline.annotations import Annotations


class Format(NamedTuple):
    """How a format of a model is made, the suffix of its files, and its purpose."""

    write: Callable[[Machine], str]
    suffix: str
    about: str


class TraceFormat(NamedTuple):
    """How a format of a trace is made: from the trace and the annotations of its explanation."""

    write: Callable[[Trace, Annotations], str]
    suffix: str
    about: str


class SpaceFormat(NamedTuple):
    """How a format of a space is made: from the names of the processes, the states, and which properties are wishes."""

    write: Callable[[Sequence[str], Sequence[Scene], frozenset[int]], str]
    suffix: str
    about: str


OF_MODELS = {
    "promela": Format(promela, ".pml", "SPIN's language, with the properties as assertions"),
}
"""The formats of a model."""

OF_SPACES = {
    "graphml": SpaceFormat(
        lambda *space: graphml(space_graph(*space)), ".graphml", "states and moves, for Gephi and yEd"
    ),
    "dot": SpaceFormat(lambda *space: dot(space_graph(*space)), ".dot", "states and moves, for Graphviz"),
}
"""The formats of a model's whole space, if it is small."""

OF_TRACES = {
    "perfetto": TraceFormat(perfetto, ".trace.json", "Chrome's trace events, for ui.perfetto.dev"),
    "itf": TraceFormat(itf, ".itf.json", "the trace format of Apalache, TLA+ tools and Quint"),
    "shiviz": TraceFormat(shiviz, ".shiviz.log", "vector clocks, for ShiViz"),
    "mermaid": TraceFormat(mermaid, ".mmd", "a sequence diagram, for pull requests"),
    "graphml": TraceFormat(
        lambda trace, annotations: graphml(trace_graph(trace, annotations)), ".graphml", "steps and dependencies"
    ),
    "dot": TraceFormat(
        lambda trace, annotations: dot(trace_graph(trace, annotations)), ".dot", "steps and dependencies"
    ),
}
"""The formats of a witness."""
