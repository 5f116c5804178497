"""GraphML and DOT of a space whose names are hostile: read back by networkx and by Graphviz, whole or escaped."""

import io
import json
import subprocess

import networkx as nx
import pytest

from dstamp_sim.core.escaping import on_one_line
from dstamp_sim.engines.explore.atlas import chart
from dstamp_sim.export.formats import OF_SPACES
from dstamp_sim.pipeline.trace_page import scenes_of
from tests.rendering.sample_traces import hostile_system


@pytest.fixture(scope="module")
def atlas():
    return chart(hostile_system(2))


def written(atlas, name):
    return OF_SPACES[name].write(atlas.semantics.names, scenes_of(atlas), frozenset())


def moves(atlas):
    return sum(road.target is not None for roads in atlas.roads for road in roads)


def test_graphml_of_a_hostile_space_is_read_back_with_every_state_move_and_name(atlas):
    read = io.BytesIO(written(atlas, "graphml").encode("utf-8"))
    graph = nx.read_graphml(read, force_multigraph=True)
    assert (len(graph), graph.size()) == (len(atlas.states), moves(atlas)) != (0, 0)
    movers = {label.partition(": ")[0] for _, _, label in graph.edges(data="label")}
    assert movers == {on_one_line(name).partition(": ")[0] for name in atlas.semantics.names}


@pytest.mark.needs("dot")
def test_graphviz_reads_a_hostile_space_with_every_state_move_and_name(atlas):
    read = subprocess.run(
        ["dot", "-Tdot_json"], input=written(atlas, "dot"), capture_output=True, text=True, check=True
    )
    assert read.stderr == ""
    graph = json.loads(read.stdout)
    assert (len(graph["objects"]), len(graph["edges"])) == (len(atlas.states), moves(atlas))
    for name in atlas.semantics.names:
        assert any(edge["label"].startswith(on_one_line(name).replace("\\", "\\\\")) for edge in graph["edges"])
