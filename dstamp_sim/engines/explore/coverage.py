"""What an exploration exercised: sections, ops and lines of the reachable states, and those of none.

Explorations may work on tables of classes that hold more than the reachable states. So this walks the programs once
more, and each local state meets only the object states that its class met in the explored space.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType

import numpy as np

from dstamp_sim.core.automaton import Lines, Node
from dstamp_sim.core.errors import UnboundedProgram
from dstamp_sim.core.place import Place, yield_places
from dstamp_sim.engines.explore.space import Space
from dstamp_sim.engines.tables.tables import LOCAL, LocalKey, Tables


@dataclass
class Exercised:
    """The nodes that some reachable state has, which of their ops were performed, and the lines passed between ops."""

    nodes: dict[int, Node] = field(default_factory=dict)
    passed: dict[tuple[CodeType, int], None] = field(default_factory=dict)
    performed: set[int] = field(default_factory=set)

    def sections(self) -> set[str]:
        """The sections that some process was in."""
        return {name for node in self.nodes.values() for name in node.sections}

    def ops_never_performed(self) -> list[str]:
        """The ops that some process waited for and never performed."""
        waited = [node for number, node in self.nodes.items() if node.op is not None and number not in self.performed]
        return list(dict.fromkeys(f"{node.op} ({node.place})" for node in waited))

    def lines_never_passed(self) -> list[Place]:
        """The lines with a yield, of the functions entered, that no process ever passed."""
        entered = [*self.passed, *(frame for node in self.nodes.values() for frame in node.frames)]
        passed = self.passed.keys() | {frame for number in self.performed for frame in self.nodes[number].frames}
        lines = {(code.co_filename, line) for code, line in passed}
        codes = dict.fromkeys(code for code, _ in entered)
        return [place for code in codes for place in yield_places(code) if (place.file, place.line) not in lines]


def exercised(space: Space, tables: Tables) -> Exercised:
    """What the states of `space` exercised of the programs; `tables` are the ones before the merge into classes."""
    found, states_met = Exercised(), _met_at(space)
    waiting = [LocalKey(c, tables.semantics.fresh) for c in range(len(tables.classes))]
    found.passed.update(dict.fromkeys(line for klass in tables.classes for line in klass.automaton.passed_first))
    seen = set(waiting)
    while waiting:
        key = waiting.pop()
        node = tables.classes[key.klass].automaton.nodes[key.local.node]
        found.nodes[id(node)] = node
        after = _reached(key, node, space, tables, states_met)
        if after:
            found.performed.add(id(node))
        for onward, passed in after:
            found.passed.update(dict.fromkeys(passed))
            if onward not in seen:
                seen.add(onward)
                waiting.append(onward)
    return found


def _met_at(space: Space) -> dict[LocalKey, set[int]]:
    """As `met`, by what local states are numbers of, whatever local steps were merged on the way there."""
    found, states_met = dict[LocalKey, set[int]](), met(space)
    for (key, _), number in space.tables.number_of.items():
        found.setdefault(key, set()).update(states_met.get(number, ()))
    return found


def _reached(
    key: LocalKey, node: Node, space: Space, tables: Tables, met: dict[LocalKey, set[int]]
) -> list[tuple[LocalKey, Lines]]:
    """As `_onward`, each once; nothing where the program has performed more ops than an exploration remembers."""
    try:
        return list(dict.fromkeys(_onward(key, node, space, tables, met)))
    except UnboundedProgram:
        return []


def _onward(
    key: LocalKey, node: Node, space: Space, tables: Tables, met: dict[LocalKey, set[int]]
) -> Iterator[tuple[LocalKey, Lines]]:
    """Where a process goes from `key`, in the states of its object that were met, and the lines that it passes."""
    if node.op is None:
        return
    slot = tables.touches(node)
    if slot == LOCAL:
        for outcome in tables.local_outcomes(key, node):
            yield tables.moved(key, outcome), node.passed_after(outcome)
        return
    for state, klass in space.tables.state_numbers[slot].items():
        if klass in met.get(key, ()):
            for outcome in tables.semantics.look_up(tables.objects[slot], state, node):
                yield tables.moved(key, outcome), node.passed_after(outcome)


def met(space: Space) -> dict[int, set[int]]:
    """By local state of the space's tables: the states in which it met the object of its next op."""
    tables, used = space.tables, space.used_entries()
    found = dict[int, set[int]]()
    for local in range(len(tables.keys)):
        slot, begin = int(tables.target.data[local]), int(tables.base.data[local])
        if slot >= 0:
            states = np.flatnonzero(used[begin : begin + len(tables.states[slot])]).tolist()
            if states:
                found[local] = set(states)
    return found
