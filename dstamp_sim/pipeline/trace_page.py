"""Pages to step through: for a witness, and for a whole small space."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dstamp_sim.analyses.explain import Explanation
from dstamp_sim.core.properties import Property
from dstamp_sim.core.schedule import CRASH
from dstamp_sim.core.semantics import Semantics, State
from dstamp_sim.core.system import System
from dstamp_sim.core.value import text
from dstamp_sim.disk.writing import write
from dstamp_sim.engines.explore.atlas import MOST_STATES, Atlas, chart
from dstamp_sim.inputs.witness_file import Witness
from dstamp_sim.pipeline.explained import annotations_of
from dstamp_sim.pipeline.files import witness_badges
from dstamp_sim.rendering.page import trace_page
from dstamp_sim.rendering.space_page import ProcessView, Scene, WayOn, space_page
from dstamp_sim.rendering.timeline.layout import lay_out


def write_trace_page(file: Path, witness: Witness, system: System, why: Explanation, story: str = "") -> Path:
    """`file`, to be the page of a witness that `why` explains; its title begins with `story`, if there is one."""
    title = f"{story}: {witness.about}" if story else witness.about
    write(file, lambda: _trace_page(witness, system, why, title))
    return file


def _trace_page(witness: Witness, system: System, why: Explanation, title: str) -> str:
    trace = witness.trace
    annotations = annotations_of(trace, why)
    pictured = replace(annotations, sentence="", proof="")  # the page says them above the picture
    badges = witness_badges(system, witness)
    layout = lay_out(trace, system.lanes, origin=witness.since, verdicts=badges, annotations=pictured)
    about = _about(witness.origin.model, system) | {"schedule": str(trace.schedule)[:20_000]}
    return trace_page(trace, layout, title=title, about=about, annotations=annotations)


def write_space_page(file: Path, model: str, system: System) -> Path:
    """`file`, to be the page of a system's space, up to some thousand states of it."""
    write(file, lambda: _space_page(model, system))
    return file


def _space_page(model: str, system: System) -> str:
    """The page of a space. Raises ModelError if the model breaks a rule."""
    atlas = chart(system, most_states=MOST_STATES)
    properties = system.checked_properties
    return space_page(
        f"{model}: every state",
        _about(model, system),
        atlas.semantics.names,
        [(prop.title, prop.is_wish) for prop in properties],
        scenes_of(atlas),
        complete=atlas.complete,
    )


def _about(model: str, system: System) -> dict[str, str]:
    return {"model": model, "lock placement": system.placement.name, "crashes": str(system.crashes)}


def scenes_of(atlas: Atlas) -> list[Scene]:
    """The states of an atlas as pages and exporters need them."""
    properties = atlas.semantics.system.checked_properties
    return [_scene(atlas, number, properties) for number in range(len(atlas.states))]


def _scene(atlas: Atlas, number: int, properties: tuple[Property, ...]) -> Scene:
    state, semantics = atlas.states[number], atlas.semantics
    standings = tuple(_standing(atlas, number, pid, state) for pid in range(len(semantics.names)))
    decides = tuple(properties.index(prop) for prop in atlas.decides[number])
    return Scene(dict(semantics.named(state)), standings, decides)


def _standing(atlas: Atlas, number: int, pid: int, state: State) -> ProcessView:
    semantics: Semantics = atlas.semantics
    mine = [road for road in atlas.roads[number] if road.choice.process == semantics.names[pid]]
    ways = tuple(WayOn(road.does, road.target, road.choice.outcome == CRASH) for road in mine)
    node = semantics.node(state, pid)
    if node is None:
        return ProcessView("", "dead", None, ())
    if node.ended:
        return ProcessView(text(node.result), "ended", None, ())
    kind = "ready" if semantics.outcomes(state, pid) else "blocked"
    return ProcessView(str(node.op), kind, node.place, ways)
