"""`dstamp review`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dstamp_sim.cli import options
from dstamp_sim.cli.console import notice, output, print_files, print_json, reference_of
from dstamp_sim.cli.options import whole
from dstamp_sim.cli.progress import bar
from dstamp_sim.core.system import Also

if TYPE_CHECKING:
    from dstamp_sim.lock_review.review import Review


def review(
    model: Annotated[str, typer.Argument(help="path.py[:factory], a folder, or the short name of a model with locks.")],
    settings: options.OpenSettingsOption = None,
    mechanism: options.MechanismOption = None,
    locks: Annotated[
        list[str] | None, typer.Option("--locks", metavar="NAME", help="A lock to place; repeatable (default: all).")
    ] = None,
    spans: Annotated[
        int, typer.Option(parser=whole(1, 2), help="1: single spans only; 2: also pairs (of the first lock).")
    ] = 2,
    scenario: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Arrivals and delays for the price (default: fleet.toml beside the model)."),
    ] = None,
    within: options.WithinOption = None,
    serial: options.Serial = False,
    live: options.LiveReview = False,
    full: Annotated[bool, typer.Option("--full", help="Print the whole review, not its first screen.")] = False,
    on: options.OnOption = None,
    out: options.Out = Path("out"),
    force: options.Force = False,  # noqa: ARG001 - its callback has done all
    as_json: options.AsJson = False,
) -> None:
    """Review every placement of a model's locks: safe or not for any number of copies, its price, and the best ones."""
    from dstamp_sim.lock_review.answer import answer  # noqa: PLC0415 - commands load what they need
    from dstamp_sim.lock_review.brief import brief  # noqa: PLC0415 - as above
    from dstamp_sim.lock_review.review import review_model  # noqa: PLC0415 - as above
    from dstamp_sim.lock_review.review_files import REVIEW_PAGE, write_review  # noqa: PLC0415 - as above
    from dstamp_sim.pipeline.where import Where  # noqa: PLC0415 - as above
    from dstamp_sim.rendering.as_console import print_document  # noqa: PLC0415 - as above

    reference = reference_of(model, mechanism)
    where = Where.parse(on, notice)
    with bar("placements judged") as tell:
        found = review_model(
            reference,
            settings=settings or [],
            locks=locks or [],
            spans=spans,
            scenario=scenario,
            within=within,
            also=Also(serial, live),
            out=out,
            where=where,
            progress=tell,
        )
    written = write_review(found, out)
    if as_json:
        print_json(_json(found) | {"answer": answer(found), "files": [str(file) for file in written.files]})
        return
    console = output()
    if full:
        print_document(console, written.page)
        print_files(console, written.files)
    else:
        print_document(console, brief(found, out / REVIEW_PAGE))


def _json(found: Review) -> dict[str, Any]:
    """The review as plain data."""
    from dstamp_sim.lock_review.compare import Standing  # noqa: PLC0415 - commands load what they need

    placements = []
    for one in found.judged:
        plain = asdict(one)
        for name in ("verdict", "deadlock", "after_death"):
            plain[name] = getattr(one, name).value
        plain["wait"] = asdict(one.wait) | {"patience": one.wait.patience.value}
        del plain["placement"]
        placements.append({"placement": one.shape, "standing": one.standing.value, "safe": one.safe} | plain)
    return {
        "model": found.reference,
        "properties": list(found.properties),
        "present": found.present,
        "counts": {kind.value: sum(one.standing is kind for one in found.judged) for kind in Standing},
        "recommended": [one.shape for one in found.recommended],
        "dominated": found.dominated,
        "no_cure": found.no_cure,
        "within": asdict(found.within) if found.within else None,
        "joined": asdict(found.joined) if found.joined else None,
        "flips": asdict(found.flips) if found.flips else None,
        "orders": [asdict(one) | {"wait": one.wait.patience.value} for one in found.orders],
        "left_out": list(found.left_out),
        "placements": placements,
    }
