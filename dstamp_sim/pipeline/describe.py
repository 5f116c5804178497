"""What a model has that a command line can name: parameters, processes, objects, sections, locks, and so on."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dstamp_sim.core.experiment import Experiment
from dstamp_sim.core.observable import Field
from dstamp_sim.core.placement import Placement
from dstamp_sim.core.properties import BUILT_IN, LIVE, Property
from dstamp_sim.core.shared_object import SharedObject
from dstamp_sim.core.system import Copies, Process, System
from dstamp_sim.core.value import text
from dstamp_sim.inputs.model_file import Model
from dstamp_sim.pipeline.subject import load_subject

_LONGEST_ENTRY = 80
"""How many characters of arguments and states are shown."""


class Entry(NamedTuple):
    """One thing that a model names, with a line about it."""

    name: str
    says: str


@dataclass(frozen=True)
class Description:
    """A model as a command line sees it: its file, its story, and by kind the things that it names (no empty kinds)."""

    reference: str
    file: str
    story: str
    parts: Mapping[str, tuple[Entry, ...]]


def describe_model(reference: str, *, settings: Sequence[str] = (), placement: str | None = None) -> Description:
    """Describes the model at `reference` with these settings under this placement. Raises as `load_subject` does."""
    subject = load_subject(reference, settings=settings, placement=placement)
    model, system = subject.model, subject.system
    parts = {
        "parameters": tuple(_parameters(model.factory)),
        "processes": tuple(Entry(process.name, _process(process)) for process in system.processes),
        "objects": tuple(Entry(item.name, _object(item)) for item in system.objects),
        "sections": tuple(Entry(name, "") for name in system.sections),
        "locks": tuple(Entry(scope.name, "") for scope in system.locks),
        "placements": tuple(Entry(name, _placement(laid)) for name, laid in model.placements.items()),
        "mechanisms": tuple(Entry(name, known.story) for name, known in model.mechanisms.items()),
        "evidence": tuple(Entry(".".join(one.path), _field(one)) for one in model.evidence.fields),
        "experiments": tuple(Entry(name, known.story) for name, known in _experiments(model)),
        "properties": tuple(Entry(prop.name, _property(prop)) for prop in system.checked_properties),
    }
    return Description(reference, str(model.path), model.about, {kind: found for kind, found in parts.items() if found})


def _parameters(factory: Callable[..., System]) -> Iterator[Entry]:
    for name, known in inspect.signature(factory, eval_str=True).parameters.items():
        kind = "a number or any" if known.annotation == Copies else inspect.formatannotation(known.annotation)
        default = "" if known.default is known.empty else f" = {text(known.default)}"
        yield Entry(name, kind.replace("typing.", "") + default)


def _process(process: Process) -> str:
    arguments = _short(", ".join(map(text, process.args)))
    program = f"{getattr(process.program, '__qualname__', process.program)}({arguments})"
    copies = "" if process.copies == 1 else f", {process.copies} copies"
    return program + copies + (", a daemon" if process.daemon else "") + ("" if process.killable else ", cannot die")


def _object(item: SharedObject) -> str:
    kind = type(item).__name__ + (", one per process" if item.private else "") + (", a lock" if item.is_lock else "")
    return f"{kind}; starts as {_short(' or '.join(map(text, item.initials)))}"


def _placement(laid: Placement) -> str:
    spans = ", ".join(map(str, laid.spans)) or ("" if laid.sets else "no lock")
    return "; ".join(
        [*([spans] if spans else []), *(f"sets {name}={text(value)}" for name, value in laid.sets.items())]
    )


def _field(one: Field) -> str:
    """The values that an evidence file can hold under this key."""
    kind = inspect.formatannotation(one.kind).replace("typing.", "")
    return kind + ("" if one.compared else ", which run it was")


def _experiments(model: Model) -> Iterator[tuple[str, Experiment]]:
    yield from model.hypotheses.experiments.items() if model.hypotheses else ()


def _property(prop: Property) -> str:
    reads = f", reads {', '.join(item.name for item in prop.reads)}" if prop.reads else ""
    kind = "built in" if prop in (*BUILT_IN, *LIVE) else prop.kind.value
    return kind + (f" of {prop.of}" if prop.of else "") + reads


def _short(written: str) -> str:
    return written if len(written) <= _LONGEST_ENTRY else written[: _LONGEST_ENTRY - 1] + "…"
