"""`dstamp conform`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from dstamp_sim.cli import options
from dstamp_sim.cli.console import errors, output, print_files, print_json, say, say_what_runs
from dstamp_sim.cli.options import whole
from dstamp_sim.core.errors import Disagreement, UsageError
from dstamp_sim.core.numbers import many

if TYPE_CHECKING:
    from dstamp_sim.conformance.conform import Announce, Played, Trials


def conform(
    witness: Annotated[Path | None, typer.Argument(help="A witness file to play on the real parts.")] = None,
    trials: Annotated[
        int,
        typer.Option(
            metavar="N", parser=whole(0), help="Instead of a witness: run a model N times, freely and concurrently."
        ),
    ] = 0,
    model: Annotated[str | None, typer.Option(metavar="MODEL", help="The model of the trials.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="K=V", help="A parameter of its factory; repeatable.")
    ] = None,
    placement: options.PlacementOption = None,
    seed: Annotated[int, typer.Option(help="Seed of the trials' delays.")] = 0,
    measure: Annotated[
        bool, typer.Option("--measure", help="Instead of a witness: measure real ops, as delays for a scenario.")
    ] = False,
    use_docker_host: options.UseDockerHost = False,
    out: options.Out = Path("out"),
    trust: options.Trust = False,
    force: options.Force = False,  # noqa: ARG001 - its callback has done all
    as_json: options.AsJson = False,
) -> None:
    """Play a witness on real git, real flock and a real Docker Swarm, and compare every op."""
    if sum((witness is not None, trials > 0, measure)) != 1:
        raise UsageError("conform: name a WITNESS, or use --trials N or --measure")
    of_trials = {"--model": model is not None, "--set": settings, "--placement": placement is not None, "--seed": seed}
    if not trials and (ignored := [option for option, given in of_trials.items() if given]):
        raise UsageError(
            f"conform: {', '.join(ignored)} would be ignored: only --trials N takes a model, placement or seed"
        )
    if trials and model is None:
        raise UsageError("conform: --trials N needs --model MODEL, the model to run")
    try:
        if witness is not None:
            say_what_runs(witness, trust=trust)
            _play(witness, out, use_docker_host=use_docker_host, as_json=as_json)
        elif model is not None:
            from dstamp_sim.conformance.conform import run_trials  # noqa: PLC0415 - commands load what they need

            with _telling() as tell:
                found = run_trials(
                    model,
                    settings=settings or [],
                    placement=placement,
                    trials=trials,
                    seed=seed,
                    use_docker_host=use_docker_host,
                    tell=tell,
                )
            _print_trials(model, found, as_json=as_json)
        else:
            _measure(out, use_docker_host=use_docker_host, as_json=as_json)
    except Disagreement as error:
        errors().print(Text(f"dstamp: model and reality disagree: {error}"))
        raise typer.Exit(1) from error


def _play(witness: Path, out: Path, *, use_docker_host: bool, as_json: bool) -> None:
    from dstamp_sim.conformance.conform import play_witness  # noqa: PLC0415 - as above

    found = play_witness(witness, out, use_docker_host=use_docker_host)
    if as_json:
        print_json(
            {
                "about": found.witness.about,
                "steps": len(found.trace.steps),
                "disagreements": 0,
                "results": {name: str(result) for name, result in found.trace.results.items()},
                "labels": found.labels,
                "files": [str(file) for file in found.files],
            }
        )
        return
    console = output()
    for line in _story(found):
        say(console, Text(line))
    print_files(console, found.files)


def _story(found: Played) -> Iterator[str]:
    """The steps that were played, with real times; each was compared with the model's."""
    wide = max(len(step.process) for step in found.trace.steps) if found.trace.steps else 0
    yield f"{found.witness.origin.model}: {found.witness.about}, played on real parts"
    for step in found.trace.steps:
        yield f"{step.time_s or 0:8.3f} s  {step.process:<{wide}}  {step.does()}"
    yield f"{many(len(found.trace.steps), 'step')} played, 0 disagreements; results as in the witness:"
    for name, result in found.trace.results.items():
        yield f"  {name}: {result}"
    for name, labels in found.labels.items():
        for key, value in labels.items():
            yield f"  the real label of {name}: {key}={value}"


def _print_trials(model: str, found: Trials, *, as_json: bool) -> None:
    if as_json:
        print_json(vars(found))
    else:
        console = output()
        say(
            console,
            Text(f"{model}, lock placement {found.placement}: {found.trials} trials on real parts", style="bold"),
        )
        for result, count in found.results.items():
            say(console, Text(f"{count:6} x  {result}"))
        for prop, count in found.broken.items():
            say(console, Text(f"broken {count} times: {prop}", style="red"))
        if not found.broken:
            say(console, Text("no property was broken (which proves nothing beyond these trials)"))
    raise typer.Exit(1 if found.broken else 0)


def _measure(out: Path, *, use_docker_host: bool, as_json: bool) -> None:
    from dstamp_sim.conformance.timings import ABOUT, measure_ops  # noqa: PLC0415 - as above

    measured, file = measure_ops(out, use_docker_host=use_docker_host)
    if as_json:
        print_json({"about": ABOUT, "delays": [vars(item) for item in measured], "files": [str(file)]})
        return
    console = output()
    say(console, Text(f"Measured with {ABOUT}.", style="bold"))
    for item in measured:
        say(
            console,
            Text(f"{item.delay:14} median {item.median_s * 1000:8.1f} ms, sigma {item.sigma:.2f}  ({item.what})"),
        )
    print_files(console, [file])


@contextmanager
def _telling() -> Iterator[Announce | None]:
    """Prints a line of progress on a terminal."""
    console: Any = errors()
    if not console.is_terminal:
        yield None
        return
    with console.status("") as status:
        yield status.update
