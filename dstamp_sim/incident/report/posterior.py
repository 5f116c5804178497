"""The posterior of a judgement as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dstamp_sim.disk.writing import write


def draw_posterior(
    posterior: Mapping[str, float],
    without_share: Mapping[str, str],
    others: Mapping[str, Mapping[str, float]],
    path: Path,
) -> None:
    """Bars of the posterior, the largest on top, with the range over other priors; an impossible mechanism has none.

    `without_share` says what is known of the others without a bar.
    """
    write(path, lambda: _picture(posterior, without_share, others, path.suffix))


def _picture(
    posterior: Mapping[str, float],
    without_share: Mapping[str, str],
    others: Mapping[str, Mapping[str, float]],
    kind: str,
) -> bytes:
    import matplotlib as mpl  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    from dstamp_sim.rendering.fonts import drawable, label  # noqa: PLC0415 - with matplotlib
    from dstamp_sim.rendering.plots import SETTINGS, figure_bytes, without_frame  # noqa: PLC0415 - with matplotlib

    names = sorted((n for n in posterior if posterior[n] > 0 or n in without_share), key=lambda name: posterior[name])
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(10.0, 0.42 * len(names) + 1.8), dpi=120, facecolor="white", layout="constrained")
        axes = figure.add_subplot()
        axes.barh([label(name) for name in names], [posterior[name] for name in names], color="#9dbbd8", height=0.62)
        for row, name in enumerate(names):
            span = [other[name] for other in others.values()] or [posterior[name]]
            axes.plot([min(span), max(span)], [row, row], color="#1c2733", lw=1.2, marker="|", ms=8)
            share = without_share.get(name, f"{posterior[name]:.1%}")
            axes.text(max(*span, posterior[name]) + 0.012, row, drawable(share), va="center", fontsize=9)
        axes.set_title("How likely each mechanism is, given the evidence", loc="left", fontsize=11)
        axes.set_xlim(0, 1.12)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "25 %", "50 %", "75 %", "100 %"])
        axes.set_xlabel("posterior under the scenario's own priors; line: range over the others that were tried")
        axes.tick_params(labelsize=10)
        without_frame(axes)
        return figure_bytes(figure, kind)
