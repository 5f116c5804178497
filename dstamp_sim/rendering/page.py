"""Pages for a browser: one file each, with everything in it and nothing fetched.

Data goes in as JSON in which `<` is escaped, so that no name can end the script; the page sets it as text only. The
components are drawn by htm with Preact (Apache-2.0 and MIT; `assets/vendor/`).
"""

from __future__ import annotations

import json
import linecache
import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import PurePath
from typing import Any

from dstamp_sim.core.escaping import harmless_inside
from dstamp_sim.core.place import Place
from dstamp_sim.core.state_fields import fields_of, get, has_fields, path_text
from dstamp_sim.core.trace import Step, Trace
from dstamp_sim.core.value import text
from dstamp_sim.rendering.timeline.annotations import Annotations
from dstamp_sim.rendering.timeline.shapes import Layout, clean
from dstamp_sim.rendering.timeline.svg import svg_of

STEPS_SHOWN = 5_000
"""How many steps a page has at most: the last ones, which lead to the verdict. The page says what it left out."""
_AROUND = 4
"""How many lines of source are shown before and after a step's line."""
_LONGEST_ON_A_PAGE = 2_000
"""Longer values are cut, with a mark."""


def trace_page(
    trace: Trace, layout: Layout, *, title: str, about: Mapping[str, str], annotations: Annotations | None = None
) -> str:
    """The page of a trace: its timeline as laid out, and step by step what was done, what changed, and why.

    `about` are headings with their texts. Deterministic. Long traces are shown in part, and the page says so.
    """
    first = max(0, len(trace.steps) - STEPS_SHOWN)
    annotations = annotations or Annotations()
    nones = trace.telling_nones | annotations.nones
    data = {
        "title": title,
        "about": dict(about),
        "sentence": annotations.sentence,
        "proof": annotations.proof,
        "total": len(trace.steps),
        "first": first,
        "processes": list(trace.processes),
        "objects": list(trace.initial),
        "initial": {name: fields(state) for name, state in _before(trace, first).items()},
        "steps": [_step(step, trace, say_none=n in nones) for n, step in enumerate(trace.steps) if n >= first],
        "places": _places([step.place for step in trace.steps[first:]]),
        "links": [list(link) for link in annotations.links if min(link.source, link.target) >= first],
        "cycle": [list(link) for link in annotations.cycle if min(link.source, link.target) >= first],
        "window": list(annotations.window) if annotations.window else None,
        "write": annotations.write,
        "reads": annotations.reads,
        "results": {name: cut_for_page(text(result)) for name, result in trace.results.items()},
        "waiting": dict(trace.waiting),
        "spots": [[spot.number, round(spot.x, 1), round(spot.y, 1)] for spot in layout.spots if spot.number >= first],
    }
    return assemble(title, data, "trace.js", svg_of(layout, title))


def assemble(title: str, data: Mapping[str, Any], script: str, svg: str = "") -> str:
    """One self-contained HTML file of `data` and the script that shows it."""
    return (
        asset("page.html")
        .replace("{{title}}", escape(clean(title)))
        .replace("{{style}}", asset("page.css"))
        .replace("{{svg}}", svg)
        .replace("{{library}}", asset("vendor/htm-preact-3.1.1.js"))
        .replace("{{shared}}", asset("shared.js"))
        .replace("{{script}}", asset(script))
        .replace("{{data}}", embedded(data))
    )


def embedded(data: Any) -> str:
    """JSON that can stand in a script element: no part of it ends the element, or steers what is shown."""
    written = json.dumps(harmless_inside(data), ensure_ascii=False, separators=(",", ":"))
    return re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", written)


def asset(name: str) -> str:
    """A file of `rendering/assets/`."""
    return (files("dstamp_sim.rendering") / "assets" / name).read_text(encoding="utf-8")


def fields(state: Any) -> list[list[str]]:
    """A state field by field, `[path, value]`; one field without a path if it has no fields."""
    found = fields_of(state)
    return [
        [path_text(path), cut_for_page(text(get(state, path)))] for path in found if not has_fields(get(state, path))
    ]


def cut_for_page(value: str) -> str:
    """A text as a page has it: its beginning and its length where it is very long."""
    return value if len(value) <= _LONGEST_ON_A_PAGE else f"{value[:_LONGEST_ON_A_PAGE]}… ({len(value):,} characters)"


def _before(trace: Trace, first: int) -> dict[str, Any]:
    """The states of all objects before step `first`."""
    state = dict(trace.initial)
    for step in trace.steps[:first]:
        state.update({change.target: change.after for change in step.changes})
    return state


def _step(step: Step, trace: Trace, *, say_none: bool) -> dict[str, Any]:
    return {
        "p": trace.processes.index(step.process),
        "does": cut_for_page(step.does(say_none=say_none)),
        "where": " / ".join(step.sections),
        "target": step.touched,
        "place": place_key(step.place),
        "changes": {change.target: fields(change.after) for change in step.changes},
        "ends": cut_for_page(text(step.returned)) if step.ended else None,
        "time": step.time_s,
    }


def place_key(place: Place) -> str:
    """A line of a model as pages name it: its folder and file, never the machine's path."""
    return f"{'/'.join(PurePath(place.file).parts[-2:])}:{place.line}"


def _places(places: Sequence[Place]) -> dict[str, list[list[Any]]]:
    return {place_key(place): source(place) for place in dict.fromkeys(places)}


def source(place: Place) -> list[list[Any]]:
    """The lines around a place, `[number, text]`; empty if the file cannot be read."""
    lines = linecache.getlines(place.file)
    begin = max(0, place.line - 1 - _AROUND)
    return [
        [n, cut_for_page(line.rstrip("\n"))]
        for n, line in enumerate(lines[begin : place.line + _AROUND], start=begin + 1)
    ]
