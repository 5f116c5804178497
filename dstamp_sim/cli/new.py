"""`dstamp new`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from dstamp_sim.cli import options
from dstamp_sim.cli.console import output, print_json, say
from dstamp_sim.core.errors import UsageError, cut
from dstamp_sim.disk.writing import check_writable, write, write_held

NEW_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class Kind(StrEnum):
    """What can be begun."""

    INCIDENT = "incident"
    MODEL = "model"
    TEST = "test"


FILES: Mapping[Kind, Mapping[str, str]] = {
    Kind.INCIDENT: {f"{{}}/{name}": f"incident/{name}" for name in ("model.py", "evidence.toml", "scenario.toml")},
    Kind.MODEL: {"{}.py": "model.py"},
    Kind.TEST: {"test_{}.py": "test.py"},
}
"""By kind, the files that are made, and from which template each."""

NEXT_COMMAND = {
    Kind.INCIDENT: "dstamp replay {}/scenario.toml",
    Kind.MODEL: "dstamp explore {}.py",
    Kind.TEST: "pytest test_{}.py",
}
"""The command that runs what was made."""


def new(
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="incident, model or test.", show_default=False)],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name: a folder, or the file's without .py.")],
    as_json: options.AsJson = False,
) -> None:
    """Begin an incident, a model or a test: files that run at once, with every line to change marked CHANGE."""
    if not NEW_NAME.fullmatch(name):
        raise UsageError(f"{cut(name, 60)!r}: a name has letters, digits and _, and begins with a letter")
    files = {Path(path.format(name)): template for path, template in FILES[kind].items()}
    for path in (Path(name), *files) if kind is Kind.INCIDENT else files:
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path} is there already: choose another name, or move it")
    check_writable(Path(), name)
    for path, template in files.items():
        write(path, lambda template=template: _filled(template, name))  # type: ignore[misc] # made when it is written
    if as_json:
        print_json({"files": [str(path) for path in files], "run": NEXT_COMMAND[kind].format(name)})
        return
    if len(written := write_held()) == len(files):
        say(output(), Text(f"wrote {', '.join(map(str, written))}"))
        say(output(), Text(f"Run it: {NEXT_COMMAND[kind].format(name)}. Then change each line that is marked CHANGE."))


def _filled(template: str, name: str) -> str:
    """A template with the name in it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - slow to import

    loader = PackageLoader("dstamp_sim.cli")
    made = Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True)
    return made.get_template(f"{template}.jinja").render(name=name)
