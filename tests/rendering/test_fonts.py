"""Names in any script: pictures are drawn without a warning, and nothing in a name is taken for mathematics."""

import warnings

import pytest

from dstamp_sim.incident.report.posterior import draw_posterior
from dstamp_sim.lock_review.compare import AfterDeath, Standing
from dstamp_sim.lock_review.placement_map import MapCell, Panel, draw_map
from dstamp_sim.rendering.fonts import drawable
from dstamp_sim.rendering.plots import Curve, Level, PlacementPoint, draw_front, draw_waiting
from dstamp_sim.rendering.timeline.layout import lay_out
from dstamp_sim.rendering.timeline.png import draw_timeline
from tests.rendering import sample_traces as samples

NAME = "配布 デプロイ 🔥 $x_1$ $"


def test_a_character_without_a_glyph_becomes_a_hollow_square():
    assert drawable("run 配布\n✗ é") == "run □□\n✗ é"


CELL = MapCell(0, 0, Standing.BROKEN, AfterDeath.NOT_ASKED, 3)
PICTURES = {
    "map": lambda path: draw_map([Panel(NAME, (NAME,), (NAME,), (CELL,), NAME, NAME)], NAME, path, NAME),
    "front": lambda path: draw_front([PlacementPoint(1.0, 0.5, 2.0, Level.SAFE, 4, NAME, True)], NAME, path),
    "waiting": lambda path: draw_waiting([Curve(NAME, (1.0, 2.0), ((0, 1, 2), (1, 2, 3)))], 1.5, NAME, path),
    "posterior": lambda path: draw_posterior({NAME: 0.5, "b": 0.0}, {"b": NAME}, {}, path),
    "timeline": lambda path: draw_timeline(lay_out(samples.lost_update(), title=NAME, subtitle=NAME), path),
}


@pytest.mark.parametrize("name", PICTURES)
def test_names_in_any_script_are_drawn_without_a_warning(name, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PICTURES[name](tmp_path / "picture.png")
