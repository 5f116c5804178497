"""Random systems with objects as users write them, and failing traces of them, for the gate of claims.

Beside what `random_systems` has: states with fields, nested and by index; holders that are no locks; a lease that
lapses; reads that may be stale; answers that get lost; daemons that take back what others did; deaths.
"""

import random
from typing import Any, NamedTuple

from dstamp_sim import (
    Chance,
    Counter,
    Flock,
    Mutex,
    Op,
    Outcome,
    Process,
    Register,
    SharedObject,
    System,
    always,
    at_end,
    each_result,
)
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.core.trace import Trace
from dstamp_sim.engines.replay import replay
from tests.random_systems import interpret, random_system

LETTERS = ("a", "b", "c")


class Seat(NamedTuple):
    busy: bool = False
    mark: str = "a"


class Note(NamedTuple):
    text: str = "a"
    times: int = 0


class Desk(NamedTuple):
    note: Note | None = Note()
    seats: tuple[Seat, ...] = (Seat(), Seat())
    open: bool = True


class Office(SharedObject):
    """A desk with a note and two seats; who sits holds a seat, and death frees it."""

    def outcomes(self, state: Desk, op: Op) -> tuple[Outcome, ...]:
        match op.verb, op.args:
            case "sit", (int(n),):
                return () if state.seats[n].busy else (Outcome(_seat(state, n, busy=True), True, takes=n),)
            case "rise", (int(n),):
                return (Outcome(_seat(state, n, busy=False), drops=n),)
            case "mark", (int(n), str(letter)):
                return (Outcome(_seat(state, n, mark=letter)),)
            case "look", (int(n),):
                return (Outcome(state, state.seats[n].mark),)
            case "write", (str(letter),):
                times = 0 if state.note is None else state.note.times
                return (Outcome(state._replace(note=Note(letter, min(2, times + 1)))),)
            case "read", ():
                return (Outcome(state, None if state.note is None else state.note.text),)
            case "tear", ():
                return (Outcome(state._replace(note=None)),)
            case "shut", ():
                return (Outcome(state._replace(open=False), state.open),)
            case "reopen", ():
                return () if state.open else (Outcome(state._replace(open=True)),)
        raise self.unknown_verb(op)

    def on_death(self, state: Desk, token: Any) -> Desk:
        return _seat(state, token, busy=False)


def _seat(state: Desk, n: int, **fields: Any) -> Desk:
    seats = (*state.seats[:n], state.seats[n]._replace(**fields), *state.seats[n + 1 :])
    return state._replace(seats=seats)


class Lease(SharedObject):
    """Held by a numbered holder (0: nobody) until it is given back or lapses."""

    def outcomes(self, state: tuple[int, int], op: Op) -> tuple[Outcome, ...]:
        holder, given = state
        match op.verb, op.args:
            case "acquire", ():
                return () if holder or given > 4 else (Outcome((given + 1, given + 1), given + 1, takes=given + 1),)
            case "release", (token,):
                return (Outcome((0, given) if holder == token else state, drops=token),)
            case "lapse", ():
                return (Outcome((0, given)),) if holder else ()
        raise self.unknown_verb(op)


class Store(SharedObject):
    """Its reads may return what was there before the last write; its writes may fail."""

    def outcomes(self, state: tuple[str, str], op: Op) -> tuple[Outcome, ...]:
        match op.verb, op.args:
            case "get", ():
                return Outcome(state, state[0], "fresh"), Outcome(state, state[1], "stale")
            case "put", (str(letter),):
                return Outcome((letter, state[0]), "a"), Outcome(state, "b", "lost")
        raise self.unknown_verb(op)


OPS = {
    "x": [("read",), ("read",), ("write", "a"), ("write", "b"), ("write", "c"), ("compare_and_set", "a", "b")],
    "office": [
        ("mark", 0, "b"), ("mark", 1, "c"), ("look", 0), ("look", 1), ("write", "b"), ("read",), ("tear",), ("shut",),
    ],
    "store": [("get",), ("put", "b"), ("put", "c")],
    "count": [("add", 1), ("read",)],
    "coin": [("draw",)],
}  # fmt: skip
LOOKS = {
    "x": [("read",)],
    "office": [("look", 0), ("look", 1), ("read",), ("shut",), ("sit", 0)],
    "store": [("get",)],
    "count": [("read",)],
    "coin": [("draw",)],
}
USED = ("x", "x", "x", "office", "office", "office", "store", "count", "coin")
BACK = [("lease", "lapse"), ("x", "write", "a"), ("office", "reopen"), ("office", "mark", 0, "a"), ("office", "tear")]


def story_system(seed: int) -> System:
    """The system of this seed: the same one each time."""
    rng = random.Random(seed)
    objects = (
        Register("x", "a"), Office("office", Desk()), Lease("lease", (0, 0)), Store("store", ("a", "a")),
        Counter("count"), Chance("coin", "a", "b"), Mutex("mutex"), Flock("file"),
    )  # fmt: skip
    used = tuple(rng.sample(USED, 3))
    runs = [
        Process(f"p{n}", interpret, _code(rng, used), objects, copies=rng.choice([1, 1, 1, 2]))
        for n in range(rng.randint(2, 3))
    ]
    back = [Process("back", interpret, (("do", *rng.choice(BACK)),), objects, daemon=True)] * (rng.random() < 0.6)
    crashes = rng.choice([0, 0, 1, 2])
    return System(objects=objects, processes=[*runs, *back], properties=_properties(rng, objects), crashes=crashes)


def _code(rng: random.Random, used: tuple[str, ...]) -> tuple[Any, ...]:
    code = [item for _ in range(rng.randint(1, 3)) for item in _instructions(rng, used)]
    return (*code, ("return", rng.choice([None, None, "a"])))


def _instructions(rng: random.Random, used: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """One op; or more often a look and what is done upon it, the stuff of races."""
    name = rng.choice(used)
    do = ("do", name, *rng.choice(OPS[name]))
    other = rng.choice(used)
    look, act = ("do", other, *rng.choice(LOOKS[other])), ("do", name, *rng.choice(OPS[name]))
    upon = [look, ("if", rng.choice(["a", "a", *LETTERS, True, 0]), (act, do))]
    match rng.randint(0, 9):
        case 0:
            return [("hold", "lease", "acquire", tuple(upon), True)]
        case 1:
            return [("hold", rng.choice(["mutex", "file"]), rng.choice(["acquire", "try_acquire"]), tuple(upon), True)]
        case 2:
            return [("section", "part", (look, act))]
        case 3:
            return [do]
        case 4:
            return [look, ("echo", "x")]
    return upon


def _properties(rng: random.Random, objects: tuple[SharedObject, ...]) -> list[Any]:
    x, office, _, store, count, *_ = objects
    bad = rng.choice(LETTERS[1:])
    return [
        always("x is good", lambda s: s[x] != bad or s[office].seats[0].mark != "b", reads=[x, office]),
        always("note is good", lambda s: s[office].note is not None and s[office].note.text != bad, reads=[office]),
        always("few", lambda s: s[count] < 2, reads=[count]),
        each_result("result is good", lambda result: result != bad),
        at_end("store is good", lambda _, s: s[store][0] != bad or s[x] == "a", reads=[store, x]),
        at_end("few are bad", lambda r: list(r.values()).count(bad) < 2),
    ]


def failing(seed: int) -> tuple[System, Trace] | None:
    """A system, and a trace of it as chance would have it that breaks a property or is stuck; None if none was met.

    Of systems that break one with one process after the other too, only every eighth is taken.
    """
    rng = random.Random(seed)
    system = story_system(seed) if seed % 4 else random_system(seed)
    semantics = Semantics(system)
    judge = Judge(semantics, [prop for prop in system.checked_properties if not prop.is_wish])
    if seed % 8 and _walk(semantics, judge, None) is not None:
        return None
    walks = (_walk(semantics, judge, rng) for _ in range(10))
    choices = next((choices for choices in walks if choices is not None), None)
    return None if choices is None else (system, replay(system, choices))


def _walk(semantics: Semantics, judge: Judge, rng: random.Random | None) -> list[Any] | None:
    """Choices up to the first state that breaks a property, at random or the first ones; None where they end well."""
    state, choices = semantics.initial(), []
    for _ in range(40):
        if any(True for _ in judge.decides(state)):
            return choices
        moves = list(semantics.moves(state))
        if not moves:
            return None
        move = rng.choice([m for m in moves if m.outcome >= 0 or rng.random() < 0.15] or moves) if rng else moves[0]
        choices.append(semantics.choice(move))
        state = semantics.perform(state, move)
    return None
