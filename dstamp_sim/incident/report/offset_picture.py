"""The picture of a probability against the offset between two starts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dstamp_sim.disk.writing import write
from dstamp_sim.incident.likely.offset_curve import OffsetCurve


def draw_offsets(curves: Sequence[OffsetCurve], title: str, of: str, path: Path) -> None:
    """A line for each curve with its 95 % band; `of` says what a curve is of, in a word or two."""
    write(path, lambda: _picture(curves, title, of, path.suffix))


def _picture(curves: Sequence[OffsetCurve], title: str, of: str, kind: str) -> bytes:
    import matplotlib as mpl  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    from dstamp_sim.rendering.fonts import drawable, label  # noqa: PLC0415 - with matplotlib
    from dstamp_sim.rendering.plots import (  # noqa: PLC0415 - with matplotlib
        COLOURS,
        INK,
        SETTINGS,
        figure_bytes,
        without_frame,
    )

    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(12, 5.6), dpi=110, facecolor="white", layout="constrained")
        axes = figure.add_subplot()
        dashes = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)))
        for number, curve in enumerate(curves):
            low, share, high = zip(*curve.shares, strict=True)
            minutes = [offset / 60 for offset in curve.offsets_s]
            colour = COLOURS[number % len(COLOURS)]
            axes.plot(minutes, share, color=colour, lw=2, ls=dashes[number % len(dashes)], label=label(curve.name))
            axes.fill_between(minutes, low, high, color=colour, alpha=0.2, lw=0)
        axes.set_xlim(0, curves[0].offsets_s[-1] / 60)
        axes.set_yscale("symlog", linthresh=0.01, linscale=0.6)
        axes.set_ylim(-0.0005, 1.0)
        axes.set_yticks([0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0],
                        ["0 %", "0.5 %", "1 %", "2 %", "5 %", "10 %", "20 %", "50 %", "100 %"])  # fmt: skip
        axes.set_xlabel("minutes between the two starts", fontsize=12)
        axes.set_ylabel("one of the two comes out wrong (bands: 95 %)", fontsize=12)
        axes.set_title(drawable(title), loc="left", fontsize=13, fontweight="bold", color=INK)
        figure.legend(frameon=False, fontsize=11, title=drawable(of), alignment="left", loc="outside right center")
        axes.grid(color="#e4e8ec")
        without_frame(axes)
        return figure_bytes(figure, kind)
