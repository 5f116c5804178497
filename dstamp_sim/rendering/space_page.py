"""The page to walk through a small system: the possible moves, the blocked processes, the bad states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dstamp_sim.core.place import Place
from dstamp_sim.core.value import text
from dstamp_sim.rendering.page import assemble, cut_for_page, fields, place_key, source


class WayOn(NamedTuple):
    """A move: its effect in words, the state that it leads to (None: not on the page), and whether it kills."""

    does: str
    target: int | None
    kills: bool


class ProcessView(NamedTuple):
    """Where a process stands in a state: its next op or its end in words, its line, and its moves."""

    says: str
    kind: str
    place: Place | None
    ways: tuple[WayOn, ...]


class Scene(NamedTuple):
    """A state: every object's state by name, every process's standing, the numbers of the properties it decides."""

    objects: Mapping[str, Any]
    standings: tuple[ProcessView, ...]
    decides: tuple[int, ...]


@dataclass
class _Shared:
    """Texts, object states and places that many states share, each written once."""

    words: dict[str, int] = field(default_factory=dict)
    values: dict[tuple[str, str], int] = field(default_factory=dict)
    fields: list[list[list[str]]] = field(default_factory=list)
    places: dict[Place, None] = field(default_factory=dict)

    def word(self, words: str) -> int:
        return self.words.setdefault(cut_for_page(words), len(self.words))

    def value(self, name: str, state: Any) -> int:
        key = (name, text(state))
        if key not in self.values:
            self.values[key] = len(self.values)
            self.fields.append(fields(state))
        return self.values[key]

    def standing(self, standing: ProcessView) -> list[Any]:
        where = -1
        if standing.place is not None:
            self.places[standing.place] = None
            where = self.word(place_key(standing.place))
        ways = [[self.word(way.does), way.target, int(way.kills)] for way in standing.ways]
        return [self.word(standing.says), self.word(standing.kind), where, ways]

    def scene(self, scene: Scene) -> list[Any]:
        objects = [self.value(name, state) for name, state in scene.objects.items()]
        return [objects, [self.standing(standing) for standing in scene.standings], list(scene.decides)]


def space_page(
    title: str,
    about: Mapping[str, str],
    processes: Sequence[str],
    properties: Sequence[tuple[str, bool]],
    scenes: Sequence[Scene],
    *,
    complete: bool,
) -> str:
    """The page of a space; `properties` are names with whether each is a wish. Deterministic."""
    shared = _Shared()
    written = [shared.scene(scene) for scene in scenes]
    data = {
        "title": title,
        "about": dict(about),
        "processes": list(processes),
        "properties": [list(prop) for prop in properties],
        "objects": list(scenes[0].objects),
        "values": shared.fields,
        "words": list(shared.words),
        "places": {place_key(place): source(place) for place in shared.places},
        "states": written,
        "complete": complete,
    }
    return assemble(title, data, "space.js")
