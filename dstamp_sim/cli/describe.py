"""`dstamp describe`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from dstamp_sim.cli import options
from dstamp_sim.cli.console import output, print_json, reference_of, say

if TYPE_CHECKING:
    from dstamp_sim.pipeline.describe import Description


def describe(
    model: options.ModelArgument,
    settings: options.SettingsOption = None,
    mechanism: options.MechanismOption = None,
    placement: options.PlacementOption = None,
    as_json: options.AsJson = False,
) -> None:
    """List a model's parameters, processes, objects, sections, locks, placements, mechanisms, properties."""
    from dstamp_sim.pipeline.describe import describe_model  # noqa: PLC0415 - commands load what they need

    reference = reference_of(model, mechanism)
    found = describe_model(reference, settings=settings or [], placement=placement)
    if as_json:
        parts = {kind: [entry._asdict() for entry in entries] for kind, entries in found.parts.items()}
        print_json({"model": found.reference, "file": found.file, "story": found.story, **parts})
        return
    _print(found)


def _print(found: Description) -> None:
    console = output()
    say(console, Text(f"{found.reference} ({found.file})", style="bold"))
    say(console, Text(found.story))
    for kind, entries in found.parts.items():
        if not any(entry.says for entry in entries):
            say(console, Text.assemble((kind, "bold"), f"  {', '.join(entry.name for entry in entries)}"))
            continue
        say(console, Text(kind, style="bold"))
        width = max(len(entry.name) for entry in entries)
        for entry in entries:
            say(console, Text(f"  {entry.name.ljust(width)}  {entry.says}"))
