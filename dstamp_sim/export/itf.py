"""The Informal Trace Format of Apalache, TLA+ tools and Quint (Apalache's ADR-015): a state per step.

Every object is a variable; `mbt::actionTaken` (Quint's name) says which step led to a state, `process` whose it was.
Integers are `#bigint`, tuples `#tup`, sets `#set`, named tuples records; other values are `#unserializable`.
"""

from __future__ import annotations

import json
from typing import Any

from dstamp_sim.core.escaping import on_one_line
from dstamp_sim.core.trace import Trace
from dstamp_sim.core.value import text
from dstamp_sim.rendering.timeline.annotations import Annotations

ACTION, PROCESS = "mbt::actionTaken", "process"


def itf(trace: Trace, annotations: Annotations) -> str:
    """The trace as one JSON document, with one state more than steps."""
    names = {name: _variable(name) for name in trace.initial}
    taken = [("init", "")] + [(step.does(), step.process) for step in trace.steps]
    states = [
        {
            "#meta": {"index": index},
            ACTION: on_one_line(does),
            PROCESS: on_one_line(process),
            **{names[name]: value_of(value) for name, value in state.items()},
        }
        for index, (state, (does, process)) in enumerate(zip(trace.states(), taken, strict=True))
    ]
    meta = {
        "format": "ITF",
        "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
        "description": on_one_line(annotations.sentence) or "a trace of dstamp_sim",
    }
    loop = {} if trace.loop is None else {"loop": trace.loop}
    document = {"#meta": meta, "params": [], "vars": [ACTION, PROCESS, *names.values()], "states": states, **loop}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _variable(name: str) -> str:
    """A name that the format itself does not use."""
    words = on_one_line(name)
    return f"_{words}" if words.startswith("#") or words in (ACTION, PROCESS) else words


def value_of(value: Any) -> Any:
    """A value in the format's terms."""
    match value:
        case bool():
            return value
        case int():
            return {"#bigint": str(value)}
        case str():
            return on_one_line(value)
        case frozenset():
            return {"#set": [value_of(item) for item in sorted(value, key=text)]}
        case tuple() if hasattr(value, "_fields"):
            return {name: value_of(getattr(value, name)) for name in value._fields}
        case tuple():
            return {"#tup": [value_of(item) for item in value]}
    return {"#unserializable": on_one_line(text(value))}
