"""The drawing: files that are the same in every process, whatever the names."""

import os
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from dstamp_sim.rendering.timeline.layout import lay_out
from dstamp_sim.rendering.timeline.png import _LABELS, draw_timeline
from dstamp_sim.rendering.timeline.shapes import measure
from dstamp_sim.rendering.timeline.svg import standalone_svg
from tests.rendering import sample_traces as samples

_DRAW = """
import hashlib, sys
from pathlib import Path
from dstamp_sim.rendering.timeline.layout import lay_out
from dstamp_sim.rendering.timeline.svg import standalone_svg
from dstamp_sim.rendering.timeline.png import draw_timeline
from tests.rendering import sample_traces as samples
draw_timeline(lay_out(*samples.incident(), origin=samples.ORIGIN), Path(sys.argv[1]))
"""


def test_the_same_input_gives_the_same_picture_whatever_the_hash_seed(tmp_path: Path) -> None:
    drawn = []
    for seed in ("1", "2"):
        path = tmp_path / f"{seed}.png"
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        root = Path(__file__).parents[2]
        subprocess.run([sys.executable, "-c", _DRAW, str(path)], check=True, env=environment, cwd=root)
        drawn.append(path.read_bytes())
    draw_timeline(lay_out(*samples.incident(), origin=samples.ORIGIN), tmp_path / "here.png")
    assert drawn[0] == drawn[1] == (tmp_path / "here.png").read_bytes()


def test_hostile_names_are_drawn_as_they_are(tmp_path: Path) -> None:
    layout = lay_out(samples.hostile(), title=" ".join(samples.HOSTILE), subtitle="🔥" * 200)
    draw_timeline(layout, tmp_path / "hostile.png")
    assert "\x07" not in standalone_svg(layout, "\x07")


def test_every_kind_of_shape_can_be_drawn(tmp_path: Path) -> None:
    traces = [samples.lost_update(), samples.deadlock(1), samples.long(600), samples.orchestrated()[0]]
    for number, trace in enumerate(traces):
        draw_timeline(lay_out(trace), tmp_path / f"{number}.png")
        assert (tmp_path / f"{number}.png").stat().st_size > 3000


def test_a_png_is_1600_pixels_wide(tmp_path: Path) -> None:
    layout = lay_out(samples.lost_update())
    draw_timeline(layout, tmp_path / "bank.png")
    header = (tmp_path / "bank.png").read_bytes()[16:24]
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")
    assert (width, height) == (1600, pytest.approx(layout.height, abs=1))


def test_matplotlibs_settings_are_neither_used_nor_changed(tmp_path: Path) -> None:
    layout = lay_out(*samples.two_runs())
    draw_timeline(layout, tmp_path / "plain.png")
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "text.color": "red", "savefig.dpi": 30}):
        before = dict(mpl.rcParams)
        draw_timeline(layout, tmp_path / "odd.png")
        assert dict(mpl.rcParams) == before
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "odd.png").read_bytes()


@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_no_text_is_wider_than_the_layout_believes(weight: str) -> None:
    font = FontProperties(family="DejaVu Sans", weight=weight)
    for words in ("wait_converged", "MWMW@@%%", "✗ fail · eb96de94+U", "AVATAR To", "app-domain lock", "… — → ✓ é ü □"):
        drawn = TextPath((0, 0), words, size=100, prop=font, usetex=False).get_extents().width
        assert drawn <= measure(words, 100, bold=weight == "bold") + 1


def test_what_was_left_out_is_said_in_grey():
    """A label without room is no fault: red is for what went wrong."""
    css = (Path(samples.__file__).parents[2] / "dstamp_sim/rendering/assets/page.css").read_text(encoding="utf-8")
    assert _LABELS["omission"] == _LABELS["quiet"] != _LABELS["missing"]
    assert ".label.omission { fill: var(--quiet); }" in css
