"""The `dstamp` command: options in, pipeline, tables and files out. A module per command, all listed in `COMMANDS`.

Exit codes: 0 HOLDS (or done), 1 VIOLATED, 2 usage or bad input, 3 UNDETERMINED.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Annotated

import typer
from rich.text import Text

from dstamp_sim import __version__
from dstamp_sim.cli.conform import conform
from dstamp_sim.cli.console import errors, output
from dstamp_sim.cli.describe import describe
from dstamp_sim.cli.explore import explore
from dstamp_sim.cli.export import export
from dstamp_sim.cli.ingest import ingest
from dstamp_sim.cli.prove import prove
from dstamp_sim.cli.real import real
from dstamp_sim.cli.replay import replay
from dstamp_sim.cli.review import review
from dstamp_sim.cli.sample import sample
from dstamp_sim.cli.show import show
from dstamp_sim.cli.update import update
from dstamp_sim.core.errors import DstampError

_MODEL = "Your own model: which orders of steps break it"
_INCIDENT = "An incident: what could have caused it"
_LOCKS = "A lock: where it belongs"

COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    (_MODEL, describe, "Examples: dstamp describe classic/bank   |   dstamp describe cc_ci --json"),
    (
        _MODEL,
        explore,
        "Examples: dstamp explore classic/bank --set customers=3   |   dstamp explore cc_ci:swarm_rollback   |   "
        "dstamp explore cc_ci --set runs=3 --placement app-domain:deploy_app..check_hc1",
    ),
    (
        _MODEL,
        prove,
        "Examples: dstamp prove cc_ci --placement deploy_app_to_check   |   "
        "dstamp prove classic/bank --property 'never overdrawn'",
    ),
    (
        _MODEL,
        sample,
        "Examples: dstamp sample classic/bank --strategy pct --depth 2 --budget 1000   |   "
        "dstamp sample cc_ci --set runs=3 --strategy uniform --seed 7",
    ),
    (_MODEL, show, "Example: dstamp show out/bank-one-withdrawal-at-most.witness.json"),
    (
        _MODEL,
        export,
        "Examples: dstamp export cc_ci --to promela --set runs=3 --placement deploy_app_to_check   |   "
        "dstamp export out/bank-one-withdrawal-at-most.witness.json --to mermaid",
    ),
    (_INCIDENT, replay, "Example: dstamp replay --mechanism swarm-rollback --seed 7 --out out/rollback"),
    (_INCIDENT, ingest, "Example: dstamp ingest /srv/ci/runs --into evidence.toml"),
    (_INCIDENT, update, "Example: dstamp update evidence.toml --observe 'isolated run=green' --into evidence-2.toml"),
    (
        _INCIDENT,
        conform,
        "Examples: dstamp conform out/cc_ci-hc1-reads-no-wrong-commit.witness.json   |   "
        "dstamp conform --trials 20 --placement deploy_app_to_check   |   dstamp conform --measure",
    ),
    (_INCIDENT, real, "Example: dstamp real doctor"),
    (
        _LOCKS,
        review,
        "Examples: dstamp review cc_ci --out out/review   |   dstamp review cc_ci:checkout_race --set pr=1,2 --spans 1",
    ),
)
"""Every command: whose question it answers, and the examples that its help ends with, in the order of the help."""

app = typer.Typer(
    no_args_is_help=True,
    help="A concurrency race simulator: replay an incident, explore every interleaving, show what was found.",
    epilog="Exit codes: 0 HOLDS or done, 1 VIOLATED, 2 usage or bad input, 3 UNDETERMINED.",
)
for _panel, _command, _examples in COMMANDS:
    app.command(epilog=_examples, rich_help_panel=_panel)(_command)


def _print_version(asked: bool) -> None:
    if asked:
        output().print(f"dstamp {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """A concurrency race simulator: replay an incident, explore every interleaving, show what was found."""


def main() -> None:
    """The entry point: runs the command, and turns a user's mistake into one clear message and exit code 2."""
    gc.freeze()  # a fifth of a short command's time was spent looking for garbage among what it had just loaded
    gc.set_threshold(100_000, 20, 100)
    try:
        app()
    except DstampError as error:
        errors().print(Text(f"dstamp: {error}"))
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
