"""`dstamp real`."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer
from rich.text import Text

from dstamp_sim.cli import options
from dstamp_sim.cli.console import output, print_json, say


class Action(Enum):
    """The questions about the real parts."""

    DOCTOR = "doctor"


def real(
    action: Annotated[Action, typer.Argument(help="doctor: start a private Docker Engine, query it, stop it.")],
    use_docker_host: options.UseDockerHost = False,
    as_json: options.AsJson = False,
) -> None:
    """Say whether the real parts run on this machine: git, and a private Docker Engine that starts and stops."""
    assert action is Action.DOCTOR
    from dstamp_sim.conformance.doctor import examine  # noqa: PLC0415 - commands load what they need

    found = examine(use_docker_host=use_docker_host)
    if as_json:
        print_json(vars(found) | {"trouble": list(found.trouble)})
    else:
        console = output()
        say(console, Text(found.git))
        if found.engine:
            state = f"Docker Engine {found.engine}: up after {found.up_s:.1f} s, gone after {found.down_s:.1f} s"
            say(console, Text(state, style="green"))
        for reason in found.trouble:
            say(console, Text(f"no engine: {reason}", style="red"))
    raise typer.Exit(2 if found.trouble else 0)  # 1 is a verdict
