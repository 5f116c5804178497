"""GraphML and DOT: the steps of a trace with their dependencies, and the states of a small space."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

import networkx as nx

from dstamp_sim.core.escaping import on_one_line
from dstamp_sim.core.trace import Trace
from dstamp_sim.core.value import text
from dstamp_sim.rendering.space_page import Scene
from dstamp_sim.rendering.timeline.annotations import Annotations

StateGraph: TypeAlias = "nx.MultiDiGraph[str]"
"""Nodes have `label`, `group` and `bad`; edges `label`, `kind` and `bad`."""


def trace_graph(trace: Trace, annotations: Annotations) -> StateGraph:
    """A node per step; edges for program order (`po`) and for dependencies (`ww`, `wr`, `rw`), the cycle's marked."""
    graph: StateGraph = nx.MultiDiGraph(name=on_one_line(annotations.sentence))
    for number, step in enumerate(trace.steps):
        label = on_one_line(f"{number + 1} {step.process}: {step.does()}")
        graph.add_node(
            f"s{number + 1}",
            label=label,
            group=on_one_line(step.process),
            bad=number in (annotations.write, annotations.reads),
        )
    for process in trace.processes:
        own = [n for n, step in enumerate(trace.steps, start=1) if step.process == process]
        for a, b in pairwise(own):
            graph.add_edge(f"s{a}", f"s{b}", label="", kind="po", bad=False)
    cycle = {(link.source, link.target, link.kind) for link in annotations.cycle}
    for link in annotations.links:
        bad = (link.source, link.target, link.kind) in cycle
        ends = f"s{link.source + 1}", f"s{link.target + 1}"
        graph.add_edge(*ends, label=on_one_line(link.says), kind=link.kind, bad=bad)
    return graph


def space_graph(processes: Sequence[str], scenes: Sequence[Scene], wishes: frozenset[int]) -> StateGraph:
    """A node per state, an edge per move; states that decide a property other than a wish are bad."""
    graph: StateGraph = nx.MultiDiGraph(name="states")
    for number, scene in enumerate(scenes):
        states = "; ".join(f"{name} = {text(value)}" for name, value in scene.objects.items())
        bad = any(index not in wishes for index in scene.decides)
        graph.add_node(f"q{number}", label=on_one_line(states), group="", bad=bad)
    for number, scene in enumerate(scenes):
        for process, standing in zip(processes, scene.standings, strict=True):
            for way in standing.ways:
                if way.target is not None:
                    label = on_one_line(f"{process}: {'dies' if way.kills else way.does}")
                    graph.add_edge(f"q{number}", f"q{way.target}", label=label, kind="move", bad=False)
    return graph


def graphml(graph: StateGraph) -> str:
    """The graph as GraphML, by networkx."""
    written = io.BytesIO()
    nx.write_graphml(graph, written)
    return written.getvalue().decode("utf-8") + "\n"


def dot(graph: StateGraph) -> str:
    """The graph in Graphviz's language: a node or edge a line, the bad ones in red and bold."""
    lines = ["digraph dstamp {", f"  graph [label={_quoted(graph.graph['name'])}, rankdir=LR];", "  node [shape=box];"]
    for node, about in graph.nodes(data=True):
        lines.append(f"  {node} [{_attributes({'label': about['label']}, bad=about['bad'])}];")
    for source, target, about in graph.edges(data=True):
        style = {"style": "dotted"} if about["kind"] == "po" else {"label": _short(about)}
        lines.append(f"  {source} -> {target} [{_attributes(style, bad=about['bad'])}];")
    return "\n".join([*lines, "}"]) + "\n"


def _short(about: Mapping[str, str]) -> str:
    """An edge's name in a picture: a dependency's kind, a move's words; the sentence is in the GraphML."""
    return about["label"] if about["kind"] == "move" else about["kind"]


def _attributes(given: Mapping[str, str], *, bad: bool) -> str:
    marked = {**given, "color": "#a40000", "penwidth": "2"} if bad else given
    return ", ".join(f"{name}={_quoted(value)}" for name, value in marked.items())


def _quoted(words: str) -> str:
    r"""A quoted string; a backslash is doubled, since Graphviz reads `\n`, `\N` and others in labels."""
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'
