"""What all commands share: how to print."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from rich.console import Console
from rich.text import Text

from dstamp_sim.core.contained import Meanings
from dstamp_sim.core.escaping import harmless, harmless_json
from dstamp_sim.disk.writing import write_held

if TYPE_CHECKING:
    from dstamp_sim.analyses.explain import Explanation
    from dstamp_sim.pipeline.explained import Shown


class _Aside(io.TextIOBase):
    """Standard output while a command runs: a model's prints go to standard error."""

    def write(self, written: str) -> int:
        """Prints `written` on standard error."""
        return sys.stderr.write(written)

    def close(self) -> None:
        """Does nothing: a model must not close this stream."""


class _Streams(NamedTuple):
    """Where results and errors go while a command runs, whatever a model puts in place of Python's own."""

    results: TextIO
    errors: TextIO
    meanings: Meanings


_streams: ContextVar[_Streams | None] = ContextVar("streams", default=None)


@contextmanager
def set_aside() -> Iterator[Meanings]:
    """While it lasts, a model's prints go to standard error: standard output is for results."""
    meanings = Meanings()
    token = _streams.set(_Streams(sys.stdout, sys.stderr, meanings))
    try:
        with redirect_stdout(_Aside()), redirect_stderr(sys.stderr):
            yield meanings
    finally:
        _streams.reset(token)


def reference_of(model: str, mechanism: str | None) -> str:
    """The model with the mechanism that was asked for, as `load_model` takes it."""
    return f"{model}:{mechanism}" if mechanism else model


def results() -> TextIO:
    """The stream for results: the real standard output, free of models' prints.

    Raises ModelError if a model took Python apart: nothing that was found would be true.
    """
    streams = _streams.get()
    if streams is None:
        return sys.stdout
    streams.meanings.check()
    return streams.results


class Harmless(Console):
    """A console on which no text steers the terminal: control characters in it are written as escapes."""

    def print(self, *objects: Any, **options: Any) -> None:
        """As of any console."""
        super().print(*map(_harmless, objects), **options)


def _harmless(shown: Any) -> Any:
    if not isinstance(shown, Text) or harmless(shown.plain) == shown.plain:
        return shown
    return Text(harmless(shown.plain), style=shown.style)


def output() -> Console:
    """The console for results: as wide as the terminal, or 160 columns when piped."""
    console = Harmless(file=results(), soft_wrap=False, highlight=False)
    return console if console.is_terminal else Harmless(file=results(), width=160, highlight=False)


def errors() -> Console:
    """The console for errors and progress."""
    streams = _streams.get()
    return Harmless(file=streams and streams.errors, stderr=True, highlight=False, soft_wrap=True)


def notice(line: str) -> None:
    """Prints a line beside the results, while the command goes on."""
    errors().print(Text(line))


def say(console: Console, text: Text) -> None:
    """Print without breaking lines: other programs read a pipe, and terminals wrap by themselves."""
    console.print(text, soft_wrap=True)


def print_json(document: dict[str, Any]) -> None:
    """Print one JSON document."""
    stream = results()
    stream.write(harmless_json(json.dumps(document, indent=1, ensure_ascii=False)) + "\n")


def print_files(console: Console, files: Iterable[Path]) -> None:
    """Writes the files, now that the verdict is printed, and says which were; `ending` says which were not."""
    results().flush()
    written = write_held()
    for file in files:
        if file in written:
            say(console, Text(f"wrote {file}"))


def print_explanation(console: Console, why: Explanation) -> None:
    """Print why a trace came out as it did, and the cycle that proves it."""
    for line in (why.sentence, why.proof):
        if line:
            say(console, Text(line))


def print_properties(console: Console, properties: Sequence[Shown]) -> None:
    """Print what a trace shows of each property, and why it fails where it does."""
    wide = max(len(shown.words) for shown in properties)
    for shown in properties:
        say(console, Text(f"  {shown.words:<{wide}}  {shown.judgement.prop.title}"))
    for shown in properties:
        if shown.why is not None:
            print_explanation(console, shown.why)


def properties_json(properties: Sequence[Shown]) -> list[dict[str, Any]]:
    """The same for other programs; `step` counts from 1, 0 is the initial state."""
    return [
        {
            "property": shown.judgement.prop.name,
            "kind": shown.judgement.prop.kind.value,
            "in_this_trace": shown.words,
            "asked": shown.judgement.asked,
            "step": None if shown.judgement.step is None else shown.judgement.step + 1,
            "explanation": shown.why and shown.why.sentence,
        }
        for shown in properties
    ]


def say_what_runs(file: Path, *, trust: bool, scenario: bool = False) -> None:
    """Says which file a witness, or a scenario, is about to run. Raises UsageError for a model that lies elsewhere."""
    from dstamp_sim.pipeline.trust import (  # noqa: PLC0415 - commands load what they need
        model_run_by_scenario,
        model_run_by_witness,
    )

    model = (model_run_by_scenario if scenario else model_run_by_witness)(file, trust=trust)
    notice(f"running {model}")
