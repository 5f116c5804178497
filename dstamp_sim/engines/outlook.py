"""What each process may ever come to, with any number of processes: an over-approximation that needs no tables.

As in the closure of the tables, every process may meet every state that its objects can be put into, in any order. But
what an op may answer is asked once per object and not once per local state and state of the object, so programs with
long histories (a shared checkout, say) are still seen through to their ends. What is not in it is unreachable however
many processes there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

from dstamp_sim.core.automaton import Answer, Hold, Node
from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.op import Op
from dstamp_sim.core.semantics import Local, Semantics
from dstamp_sim.core.shared_object import Outcome, SharedObject
from dstamp_sim.engines.tables import Class, classes_of

MOST_PLACES = 40_000
"""Local states, and states of one object, after which there is no outlook (a few seconds)."""

Place = tuple[int, Local]
"""A class of processes, and where one of them may stand."""


@dataclass
class _Asked:
    """An op that somebody may perform: its node, who stands before it, and what it may answer."""

    node: Node
    waiting: list[Place] = field(default_factory=list)
    answers: dict[Answer, Outcome] = field(default_factory=dict)


@dataclass
class Outlook:
    """The places that processes may come to, by class, in the order in which they were found."""

    semantics: Semantics
    classes: tuple[Class, ...] = ()
    places: dict[Place, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.classes = classes_of(self.semantics)
        self._states: dict[int, dict[Hashable, None]] = {id(item): {} for item in self.semantics.shared}
        self._asked: dict[int, dict[Op, _Asked]] = {id(item): {} for item in self.semantics.shared}
        self._held: dict[int, dict[Hold, None]] = {id(item): {} for item in self.semantics.shared}
        self._new: deque[Place] = deque()
        self._changed: deque[tuple[SharedObject, Hashable]] = deque()

    def node(self, place: Place) -> Node:
        """Where the program stands."""
        return self.classes[place[0]].automaton.nodes[place[1].node]

    def spread(self) -> bool:
        """Find every place; False where that has no end within `MOST_PLACES` or the programs cannot go on."""
        start = self.semantics.initial()
        try:
            for item, state in zip(self.semantics.shared, start.shared, strict=True):
                self._meet(item, state)
            for number, klass in enumerate(self.classes):
                self._come((number, start.local[klass.pids[0]]))
            while (self._new or self._changed) and self._size() <= MOST_PLACES:
                if self._changed:
                    self._met(*self._changed.popleft())
                else:
                    self._stand(self._new.popleft())
        except ModelError:  # the programs may have met what no schedule gives
            return False
        return not self._new and not self._changed

    def _size(self) -> int:
        return len(self.places) + max(map(len, self._states.values()), default=0)

    def _come(self, place: Place) -> None:
        if place not in self.places:
            self.places[place] = None
            self._new.append(place)

    def _stand(self, place: Place) -> None:
        """What may happen to a process at a place that is new."""
        klass, node = self.classes[place[0]], self.node(place)
        for hold in node.holds if self.semantics.system.crashes else ():
            self._hold(hold)
        if node.op is None:
            if klass.daemon:
                self._come((place[0], self.semantics.initial().local[klass.pids[0]]))
            return
        for outcome in self._outcomes(place, node, node.op):
            self._come(self._moved(place, node, outcome))

    def _outcomes(self, place: Place, node: Node, op: Op) -> Iterator[Outcome]:
        target = op.target
        if target is None:
            yield Outcome(None)
        elif target.private:
            own = place[1].private[self.semantics.private.index(target)]
            yield from self.semantics.look_up(target, own, node)
        else:
            known = self._asked[id(target)]
            if op not in known:
                known[op] = _Asked(node)
                for state in list(self._states[id(target)]):
                    self._ask(target, known[op], state)
            known[op].waiting.append(place)
            yield from list(known[op].answers.values())

    def _ask(self, target: SharedObject, asked: _Asked, state: Hashable) -> None:
        """What an op may do in a state: a new answer moves all who stand before it, a new state is met by all."""
        for outcome in self.semantics.look_up(target, state, asked.node):
            answer = Answer(outcome.result, outcome.takes, outcome.drops)
            if answer not in asked.answers:
                asked.answers[answer] = outcome
                for place in list(asked.waiting):
                    self._come(self._moved(place, self.node(place), outcome))
            self._meet(target, outcome.state)

    def _meet(self, target: SharedObject, state: Hashable) -> None:
        """A state that an object may have; if it is new, it will be met by everybody."""
        if state not in self._states[id(target)]:
            self._states[id(target)][state] = None
            self._changed.append((target, state))

    def _met(self, target: SharedObject, state: Hashable) -> None:
        """Everybody meets a new state of an object."""
        for hold in list(self._held[id(target)]):
            self._meet(target, target.on_death(state, hold.token))
        for asked in list(self._asked[id(target)].values()):
            self._ask(target, asked, state)

    def _hold(self, hold: Hold) -> None:
        """Something that a process may hold when it dies."""
        if not hold.target.private and hold not in self._held[id(hold.target)]:
            self._held[id(hold.target)][hold] = None
            for state in list(self._states[id(hold.target)]):
                self._meet(hold.target, hold.target.on_death(state, hold.token))

    def _moved(self, place: Place, node: Node, outcome: Outcome) -> Place:
        private, target = place[1].private, node.op.target if node.op else None
        if target is not None and target.private:
            slot = self.semantics.private.index(target)
            private = (*private[:slot], outcome.state, *private[slot + 1 :])
        return place[0], Local(self.classes[place[0]].automaton.advance(place[1].node, outcome), private)
