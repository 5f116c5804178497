"""Conform: a witness played on real parts, free-running trials of a placement, and measured durations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from dstamp_sim.analyses.judged_trace import judged_trace
from dstamp_sim.conformance.free_run import run_freely
from dstamp_sim.conformance.keeper import Engine, scratch_folder, some_engine
from dstamp_sim.conformance.parts import bench, needs_engine
from dstamp_sim.conformance.play import Tally, follow, play
from dstamp_sim.conformance.workers import Forker, forker
from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace
from dstamp_sim.disk.writing import check_writable
from dstamp_sim.engines.replay import replay
from dstamp_sim.inputs.model_file import load_model, read_settings
from dstamp_sim.inputs.witness_file import Witness, read_witness
from dstamp_sim.pipeline.explained import explained, property_of
from dstamp_sim.pipeline.files import result_text, save_with_timeline

JOBS = 4
"""How many trials run at once: most of a trial is waiting."""

Announce = Callable[[str], None]


@dataclass(frozen=True)
class Played:
    """A witness as the real parts played it: the trace with real times, and the final labels of the services."""

    witness: Witness
    trace: Trace
    tally: Tally
    labels: Mapping[str, Mapping[str, str]]
    files: tuple[Path, ...]


def play_witness(path: Path, out: Path, *, use_docker_host: bool = False) -> Played:
    """Plays a witness on real parts, op by op at a barrier, and writes the timed trace as a witness and a timeline.

    Raises WitnessError if the witness does not fit its model, NoEngine if it needs an engine and none can start,
    Disagreement at the first step where reality differs.
    """
    witness, system = read_witness(path, replay)
    check_writable(out)
    tally = Tally()
    with ExitStack() as stack:
        engine = stack.enter_context(some_engine(use_docker_host=use_docker_host)) if needs_engine(system) else None
        folder, source = stack.enter_context(scratch_folder()), stack.enter_context(forker())
        parts = stack.enter_context(bench(system, source, folder / "parts", engine))
        trace = play(system, parts, follow(witness.trace.schedule), tally=tally, strict=True)
        labels = {name: dict(part.labels) for name, part in parts.parts.items() if hasattr(part, "labels")}
    badges = {name: (result_text(result), None) for name, result in trace.results.items()}
    played = replace(witness, trace=trace, since=None)
    stem = f"{path.name.removesuffix('.witness.json')}-real"
    why = explained(system, trace, about=property_of(system, witness.about))
    files = save_with_timeline(out, stem, played, system, f"{witness.about}, on real parts", badges, why)
    return Played(witness, trace, tally, labels, files)


@dataclass(frozen=True)
class Trials:
    """The results of free-running trials: how often each set of results came, and each property was broken."""

    placement: str
    trials: int
    results: Mapping[str, int]
    broken: Mapping[str, int]


def run_trials(
    reference: str,
    *,
    settings: Sequence[str] = (),
    placement: str | None = None,
    trials: int,
    seed: int = 0,
    delay_s: float = 0.02,
    use_docker_host: bool = False,
    tell: Announce | None = None,
) -> Trials:
    """Runs a model on real parts `trials` times, with real concurrency and random delays up to `delay_s` seconds.

    Every trace is explained by the model and replays. The machine decides what happens: seeds fix the delays only.
    Raises Disagreement if the model does not explain a run, NoEngine if it needs an engine and none starts.
    """
    model = load_model(reference)
    parameters = read_settings(model.factory, settings)
    system = model.build(parameters, placement)
    _refuse_versions(system)
    results, broken = Counter[str](), Counter[str]()
    with ExitStack() as stack:
        engine = stack.enter_context(some_engine(use_docker_host=use_docker_host)) if needs_engine(system) else None
        folder, source = stack.enter_context(scratch_folder()), stack.enter_context(forker())
        pool = stack.enter_context(ThreadPoolExecutor(JOBS))

        def trial(number: int) -> Trace:
            own = model.build(parameters, placement)
            return one_trial(own, source, folder / str(number), engine, number=number, seed=seed, delay_s=delay_s)

        for done, trace in enumerate(pool.map(trial, range(trials)), start=1):
            results[" | ".join(sorted(result_text(result) for result in trace.results.values()))] += 1
            broken.update(broken_by(system, trace))
            if tell:
                tell(f"{done} of {trials} trials")
    return Trials(system.placement.name, trials, dict(results.most_common()), dict(broken))


def _refuse_versions(system: System) -> None:
    for item in system.objects:
        if getattr(item, "versioned", False):
            raise UsageError(
                f"trials: {item.name!r} has versions, and swarm's own writes of "
                "UpdateStatus take versions too, at instants that no process sees: a free run cannot be compared. "
                "Leave versions out (versioned=False), or play a witness: dstamp conform WITNESS"
            )


def one_trial(
    system: System, source: Forker, folder: Path, engine: Engine | None, *, number: int, seed: int, delay_s: float
) -> Trace:
    """The trace of one free run, with separate parts."""
    with bench(system, source, folder, engine, tag=f"-{number}") as parts:
        return run_freely(system, parts, seed=seed * 1_000_003 + number, delay_s=delay_s)


def broken_by(system: System, trace: Trace) -> set[str]:
    """The names of the properties that a trace violates, as the model judges it."""
    return {judged.prop.name for judged in judged_trace(system, trace) if judged.fails}
