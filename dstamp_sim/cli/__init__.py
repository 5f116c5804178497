"""The `dstamp` command: options in, pipeline, tables and files out. A module per command, all listed in `COMMANDS`.

Exit codes: see `ending`.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from typing import Annotated

import typer

from dstamp_sim import __version__
from dstamp_sim.cli.conform import conform
from dstamp_sim.cli.console import output
from dstamp_sim.cli.describe import describe
from dstamp_sim.cli.ending import CtrlC, ending, exit_code, leave, open_streams
from dstamp_sim.cli.explore import explore
from dstamp_sim.cli.export import export
from dstamp_sim.cli.hunt import hunt
from dstamp_sim.cli.ingest import ingest
from dstamp_sim.cli.margin import margin
from dstamp_sim.cli.mutate import mutate
from dstamp_sim.cli.new import new
from dstamp_sim.cli.prove import prove
from dstamp_sim.cli.real import real
from dstamp_sim.cli.replay import replay
from dstamp_sim.cli.review import review
from dstamp_sim.cli.sample import sample
from dstamp_sim.cli.show import show
from dstamp_sim.cli.update import update
from dstamp_sim.disk.writing import held_back

_MODEL = "Your own model: which orders of steps break it"
_INCIDENT = "An incident: what could have caused it"
_LOCKS = "A lock: where it belongs"
_PROGRAMS = "Your own programs: which order of their system calls breaks them"

COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    (_MODEL, new, "Examples: dstamp new model seats   |   dstamp new test seats   |   dstamp new incident outage"),
    (_MODEL, describe, "Examples: dstamp describe classic/bank   |   dstamp describe my_model.py --json"),
    (
        _MODEL,
        explore,
        "Examples: dstamp explore classic/bank --set customers=3   |   dstamp explore my_model.py:my_factory   |   "
        "dstamp explore my_model.py --set runs=3 --placement lock:first_section..last_section   |   "
        "dstamp explore my_model.py --set runs=1..8 --placement all   |   "
        "dstamp explore my_model.py --within my_scenario.toml",
    ),
    (_MODEL, margin, "Example: dstamp margin my_model.py --within my_scenario.toml --property 'no job is lost'"),
    (
        _MODEL,
        prove,
        "Examples: dstamp prove my_model.py --placement lock:first_section..last_section   |   "
        "dstamp prove classic/bank --property 'never overdrawn'",
    ),
    (
        _MODEL,
        sample,
        "Examples: dstamp sample classic/bank --strategy pct:depth=2 --budget 1000   |   "
        "dstamp sample classic/philosophers --strategy uniform --seed 7",
    ),
    (
        _MODEL,
        mutate,
        "Examples: dstamp mutate classic/bank   |   dstamp mutate my_model.py --set runs=3",
    ),
    (_MODEL, show, "Example: dstamp show out/bank-one-withdrawal-at-most.witness.json"),
    (
        _MODEL,
        export,
        "Examples: dstamp export classic/bank --to promela --set customers=3   |   "
        "dstamp export out/bank-one-withdrawal-at-most.witness.json --to mermaid",
    ),
    (
        _INCIDENT,
        replay,
        "Examples: dstamp replay   |   dstamp replay my_scenario.toml --full   |   "
        "dstamp replay --mechanism NAME --seed 7 --out out/again",
    ),
    (_INCIDENT, ingest, "Example: dstamp ingest runs --model my_model.py --into evidence.toml"),
    (_INCIDENT, update, "Example: dstamp update evidence.toml --scenario scenario.toml --observe 'experiment=outcome'"),
    (
        _INCIDENT,
        conform,
        "Examples: dstamp conform out/lock_file-one-inside-at-most.witness.json   |   "
        "dstamp conform --trials 20 --model my_model.py --placement NAME   |   dstamp conform --measure",
    ),
    (_INCIDENT, real, "Example: dstamp real doctor"),
    (
        _LOCKS,
        review,
        "Examples: dstamp review my_model.py --out out/review   |   dstamp review my_model.py --set runs=3 --spans 1",
    ),
    (
        _PROGRAMS,
        hunt,
        "Examples: dstamp hunt --setup 'echo 5 > f' --run 'a=n=$(cat f); echo $((n+1)) > f' "
        "--run 'b=n=$(cat f); echo $((n+1)) > f' --check '[ $(cat f) = 7 ]'   |   "
        "dstamp hunt --from . --run 'a=./deploy.sh v1' --run 'b=./deploy.sh v2' --check ./check.sh   |   "
        "dstamp show out/hunt.hunt.json",
    ),
)
"""Every command: which question it answers and the examples that end its help, in the order of the help."""


app = typer.Typer(
    no_args_is_help=True,
    help="A concurrency race simulator: replay an incident, explore every interleaving, show what was found.",
    epilog="Exit codes: 0 HOLDS or done, 1 VIOLATED, 2 usage or bad input, 3 UNDETERMINED, 70 a fault of dstamp, "
    "74 a file could not be written (the verdict is printed), 130 interrupted (Ctrl-C). A signal that ends a command: "
    "129 SIGHUP, 137 SIGKILL, 139 SIGSEGV, 143 SIGTERM, as a shell reports them.",
)
MODELS_ARE_CODE = "A model is Python code, and this command runs it: use only files that you trust."
"""What the help of every command says that runs a model."""

RUN_NO_MODEL = {new: "", real: "", hunt: "Its commands are run, with your rights: use only scripts that you trust."}
"""What the others say instead."""

for _panel, _command, _examples in COMMANDS:
    _told = f"{_examples}\n\n{RUN_NO_MODEL.get(_command, MODELS_ARE_CODE)}".rstrip()
    app.command(epilog=_told, rich_help_panel=_panel)(ending(_command))


def _print_version(asked: bool) -> None:
    if asked:
        output().print(f"dstamp {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """A concurrency race simulator: replay an incident, explore every interleaving, show what was found."""


def main() -> None:
    """The entry point: runs the command and exits with its code, or with one message and the code of a failure."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a job in the background ignores it
        signal.signal(signal.SIGINT, CtrlC())
    code = exit_code(_run)
    raise SystemExit(exit_code(sys.stdout.flush) or code)  # not sys.exit, which a model may have replaced


def leave_threads(code: object) -> None:
    """Ends the process at once: Python would wait for a model's threads, and leave its `atexit` the last word."""
    leave(code if isinstance(code, int) else 0)


def _run() -> None:
    gc.freeze()  # a short command spent a fifth of its time looking for garbage in the modules that it had just loaded
    gc.set_threshold(100_000, 20, 100)
    open_streams()
    _tame_matplotlib()
    try:
        with held_back():
            app()
    except SystemExit as ended:  # how typer ends
        if ended.__context__ is not None and isinstance(ended.__context__.__cause__, KeyboardInterrupt):
            raise ended.__context__.__cause__ from None  # Ctrl-C while typer read the options: typer exits in silence
        raise typer.Exit(ended.code if isinstance(ended.code, int) else 0) from None


def _tame_matplotlib() -> None:
    """Pictures are files, whatever is set for windows; and where no list of fonts can be kept, none is.

    Matplotlib would make a temporary folder for it, which stays when a command ends: it waits for no `atexit`.
    """
    os.environ["MPLBACKEND"] = "agg"
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    tempfile.mkdtemp = _mkdtemp  # type: ignore[assignment]  # the same, but for its overloads


_real_mkdtemp = tempfile.mkdtemp


def _mkdtemp(suffix: str | None = None, prefix: str | None = None, dir: str | None = None) -> str:  # noqa: A002 - its name
    """A new temporary folder; for matplotlib's fonts the name of none that can ever be there."""
    return f"{os.devnull}/{prefix}" if prefix == "matplotlib-" else _real_mkdtemp(suffix, prefix, dir)


_run.__code__ = _run.__code__.replace(co_stacksize=33_000)
"""A frame that takes half a megabyte of stack at once, and leaves half of it to all that it calls.

CPython maps the stack of its frames in pieces of 16 KB, and unmaps a piece when its last frame returns: a loop at the
edge of one asks the system for memory at each call. That was up to a fifth of a short exploration's time.
"""
