"""One replay as a document: each run beside its observations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dstamp_sim.incident.replay_scenario import Replay, ReplayedRun
from dstamp_sim.rendering.document import Block, Document, Paragraph, Table, Text, strong

ANSWERS = {True: "yes", False: "NO", None: "not observed"}


def replay_document(replay: Replay) -> Document:
    """The results of one replay, run by run."""
    about = f"mechanism {replay.mechanism}: {replay.story}" if replay.mechanism else "the model's own behaviour"
    seed = replay.scenario.timing.seed
    blocks: list[Block] = [
        Paragraph(about),
        Paragraph(f"lock placement {replay.placement}, seed {seed}"),
        replay_table(replay.rows),
    ]
    if replay.reproduced:
        blocks.append(Paragraph((strong(f"{replay.reproduced} reproduced."),)))
    return Document(replay.scenario.title, tuple(blocks))


def assumed(replay: Replay) -> Iterator[Block]:
    """What the model and the scenario assume."""
    if replay.assumptions:
        yield Paragraph("Assumed: " + "; ".join(f"{text} ({source})" for text, source in replay.assumptions) + ".")
    delays = replay.scenario.timing.delays
    durations = [name for name, delay in delays.items() if delay.source.startswith("assumed")]
    if durations:
        yield Paragraph(f"Assumed durations: {', '.join(durations)}.")


def replay_table(runs: Sequence[ReplayedRun]) -> Table:
    """A row per run: what was observed and what came out, in the fields that were observed of any run.

    If nothing was observed: what came out field by field, and why, if the model says so.
    """
    observed = list(dict.fromkeys(field for run in runs for field in run.observed))
    if not observed:
        return _simulated(runs)
    rows: list[tuple[Text, ...]] = [
        (run.run, _values(run.observed, observed), _values(run.simulated, observed), ANSWERS[run.reproduced], run.why)
        for run in runs
    ]
    return Table(("run", "observed", "simulated", "reproduced", "why"), tuple(rows))


def _simulated(runs: Sequence[ReplayedRun]) -> Table:
    fields = list(dict.fromkeys(field for run in runs for field in run.simulated))
    why = any(run.why for run in runs)
    rows = [(run.run, *(_value(run.simulated.get(field)) for field in fields), *[run.why] * why) for run in runs]
    return Table(("run", *fields, *["why"] * why), tuple(rows))


def _value(value: Any) -> str:
    return "" if value is None else str(value)


def _values(values: Mapping[str, Any], fields: Sequence[str]) -> str:
    return ", ".join(f"{field} {values[field]}" for field in fields if values.get(field) is not None)
