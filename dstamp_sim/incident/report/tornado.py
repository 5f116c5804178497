"""Which assumption moves the likelihoods, and by how much: a tornado for each mechanism."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dstamp_sim.analyses.confidence import share
from dstamp_sim.disk.writing import write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_MECHANISMS = 4
"""So many mechanisms are drawn at most, those with the largest shares."""

LEAST_WRITTEN = 0.01
"""A share that an assumption moves by less is not written beside its bar."""

LOWERED, RAISED = "#c9836f", "#5f8fbd"


def draw_tornado(own: Mapping[str, float], others: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """A column per mechanism, a row per other assumption: a bar from its `own` share to that under the assumption.

    The assumption that moves any share most is on top. Raises ValueError if there is none.
    """
    names = sorted(own, key=lambda name: -max(own[name], *(of[name] for of in others.values())))[:MOST_MECHANISMS]
    rows = tornado_rows({name: own[name] for name in names}, others)
    write(path, lambda: _picture({name: own[name] for name in names}, {row: others[row] for row in rows}, path.suffix))


def tornado_rows(own: Mapping[str, float], others: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The assumptions, the one that moves any of these shares most first."""
    return sorted(others, key=lambda prior: -max(abs(others[prior][name] - own[name]) for name in own))


def _picture(own: Mapping[str, float], others: Mapping[str, Mapping[str, float]], kind: str) -> bytes:
    import matplotlib as mpl  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    from dstamp_sim.rendering.fonts import label  # noqa: PLC0415 - with matplotlib
    from dstamp_sim.rendering.plots import SETTINGS, figure_bytes, without_frame  # noqa: PLC0415 - with matplotlib

    rows = list(range(len(others)))
    with mpl.rc_context(SETTINGS):
        size = 2.6 + 2.3 * len(own), 0.34 * len(rows) + 1.4
        figure = Figure(figsize=size, dpi=120, facecolor="white", layout="constrained")
        columns = figure.subplots(1, len(own), sharey=True, squeeze=False)[0]
        for axes, name in zip(columns, own, strict=True):
            _column(axes, label(name), own[name], [other[name] for other in others.values()])
            without_frame(axes)
        columns[0].set_yticks(rows, [label(prior) for prior in others], fontsize=9)
        columns[0].invert_yaxis()
        figure.suptitle("What another assumption makes of each mechanism's share", fontsize=11)
        figure.supxlabel("share of the posterior; the line is the scenario's own priors", fontsize=9)
        return figure_bytes(figure, kind)


def _column(axes: Axes, name: str, own: float, others: Sequence[float]) -> None:
    """One mechanism: its own share as a line, and a bar from there to each other share."""
    from dstamp_sim.rendering.plots import INK  # noqa: PLC0415 - with matplotlib

    for row, other in enumerate(others):
        more = other > own
        axes.barh(row, other - own, left=own, color=RAISED if more else LOWERED, height=0.62)
        if abs(other - own) >= LEAST_WRITTEN:
            axes.text(other, row, f" {share(other)} ", va="center", ha="left" if more else "right", fontsize=8)
    axes.axvline(own, color=INK, lw=1.2)
    axes.set_title(f"{name}: {share(own)}", fontsize=10)
    axes.set_xlim(-0.45, 1.2)  # room for "below 1%" left of a bar that ends at 0
    axes.set_xticks([0, 0.5, 1.0], ["0", "50 %", "100 %"])
