"""Random systems that go round, and what is true of them in time, by an oracle that shares nothing with the package.

A program is a table: at each place an instruction and where it leads, so loops of every shape occur. The oracle walks
the tables itself, and finds fair behaviours by the fixpoint of Emerson and Lei, without any component of a graph: a
state stays as long as, for each demand of fairness, a way through states that stay comes to a state that meets it.
Strong fairness is tried both ways: the process can never move any more, or it moves again and again.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, combinations
from typing import Any, NamedTuple

from dstamp_sim import (
    NO_LIVELOCK,
    NOBODY_STARVES,
    Process,
    Program,
    Property,
    Register,
    System,
    always_eventually,
    eventually,
    leads_to,
)
from dstamp_sim.random_systems import Coin

Table = tuple[tuple[Any, ...], ...]
LEAST_STATES, MOST_STATES = 6, 250
DEAD = -1


class Latch(Register):
    """A register that counts as a lock: whoever waits for a value of it waits for a lock."""

    is_lock = True


class At(NamedTuple):
    """A state: the objects' values by name, the processes' places, and the deaths so far."""

    values: tuple[tuple[str, str], ...]
    places: tuple[int, ...]
    deaths: int


@dataclass(frozen=True)
class Drawn:
    """A system as plain data: its tables, who is a daemon, how fair each is, deaths, and properties as data.

    `fair_waits` is how fair each is where it waits for a value of x, where that differs.
    """

    tables: tuple[Table, ...]
    daemons: tuple[bool, ...]
    fair: tuple[str, ...]
    crashes: int
    asked: tuple[tuple[Any, ...], ...]
    fair_waits: tuple[str | None, ...] = (None, None, None)


def walk(table: Table, objects: tuple[Any, ...]) -> Program[Any]:
    """Walks a table from its first place to an end."""
    named, at = {item.name: item for item in objects}, 0
    while table[at][0] != "end":
        at = after(table[at], (yield op_of(table[at], named)))
    return table[at][1]


def op_of(instruction: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """The op of an instruction."""
    match instruction:
        case ("write", name, letter, _):
            return named[name].write(letter)
        case ("wait", name, letter, _):
            return named[name].wait_for(letter)
        case ("read", name, _, _, _):
            return named[name].read()
        case ("swap", name, old, new, _, _):
            return named[name].compare_and_set(old, new)
        case ("flip", name, _, _):
            return named[name].op("flip")
    raise AssertionError(instruction)


def after(instruction: tuple[Any, ...], result: Any) -> int:
    """The place after an instruction, by what it returned."""
    match instruction:
        case ("read", _, letter, same, other):
            return same if result == letter else other
        case ("swap", _, _, _, done, failed):
            return done if result else failed
        case ("flip", _, heads, tails):
            return heads if result == "a" else tails
    return instruction[-1]


OWN = ("own0", "own1", "own2")


@lru_cache(None)
def drawn(seed: int) -> Drawn:
    """The system of this seed: two or three processes, at most `MOST_STATES` states."""
    rng = random.Random(f"live {seed}")
    while True:
        count = rng.choice([2, 2, 3])
        tables = [_table(rng, OWN[n]) for n in range(count)]
        daemons = tuple(rng.random() < 0.3 for _ in range(count))
        waits = rng.random() < 0.4
        if waits:
            tables[-2:], daemons = [rng.choice([TURNS, CHANCES]), WAITS], (*daemons[:-2], True, False)
        found = Drawn(
            tables=tuple(tables),
            daemons=daemons,
            fair=tuple(rng.choice(["weak", "weak", "strong", "strong", "none"]) for _ in range(count)),
            crashes=rng.choice([0, 0, 1]),
            asked=tuple(_asked(rng, daemons, 0.8 if waits else 0.3)),
        )
        try:
            if len(explored(found).moves) >= LEAST_STATES:
                return replace(found, fair_waits=tuple(_fair_waits(seed, found)))
        except OverflowError:
            continue


def _fair_waits(seed: int, found: Drawn) -> Iterator[str | None]:
    """For some of those who may wait for a value of x: another fairness there."""
    rng = random.Random(f"fair waits {seed}")
    for pid in range(len(found.tables)):
        how = rng.choice([None, None, None, "weak", "strong", "strong", "none"])
        yield how if any(waits_there(found, state, pid) for state in explored(found).moves) else None


def waits_there(found: Drawn, state: At, pid: int) -> bool:
    """Whether a process stands before an op that waits for a value of x."""
    here = state.places[pid]
    return here != DEAD and found.tables[pid][here][:2] == ("wait", "x")


def fair_in(found: Drawn, state: At, pid: int) -> str:
    """How fair a process is to be treated where it stands."""
    return (waits_there(found, state, pid) and found.fair_waits[pid]) or found.fair[pid]


TURNS: Table = (("write", "x", "b", 1), ("write", "x", "a", 0), ("end", "a"))
CHANCES: Table = (("flip", "coin", 1, 2), ("write", "x", "b", 2), ("write", "x", "a", 0), ("end", "a"))
WAITS: Table = (("wait", "x", "b", 1), ("write", "y", "b", 2), ("end", "a"))
"""The first two let the third move now and then, for which strong fairness is made."""


def _table(rng: random.Random, own: str) -> Table:
    size = rng.randint(2, 5)

    def place() -> int:
        return rng.randrange(size + 1)

    def instruction() -> tuple[Any, ...]:
        name, letter, other = rng.choice("xxy"), rng.choice("ab"), rng.choice("ab")
        return rng.choice(
            [
                ("write", name, letter, place()),
                ("write", own, letter, place()),
                ("wait", name, letter, place()),
                ("wait", name, other, place()),
                ("read", name, letter, place(), place()),
                ("swap", name, letter, other, place(), place()),
                ("flip", "coin", place(), place()),
            ]
        )

    return (*(instruction() for _ in range(size)), ("end", rng.choice("ab")))


def _asked(rng: random.Random, daemons: Sequence[bool], results: float) -> Iterator[tuple[Any, ...]]:
    """A property of each kind, on the value of an object or (with the probability `results`) on who has ended."""
    for kind in ("eventually", "leads_to", "always_eventually"):
        ends = [n for n, daemon in enumerate(daemons) if not daemon]
        if ends and rng.random() < results:
            yield kind, None, f"p{rng.choice(ends)}", f"p{rng.choice(ends)}"
        else:
            yield kind, rng.choice("xxy"), rng.choice("aabbc"), rng.choice("ab")
    yield "nobody_starves", "x", "", ""
    yield "no_livelock", None, "", ""


def system(found: Drawn) -> System:
    """The system for the package."""
    objects = (Latch("x", "a"), Register("y", "a"), Coin("coin", "a"), *(Register(name, "a") for name in OWN))
    named = {item.name: item for item in objects}
    processes = [
        Process(f"p{n}", walk, table, objects, daemon=daemon, fair={"x.wait_for": waits, "*": fair} if waits else fair)
        for n, (table, daemon, fair, waits) in enumerate(
            zip(found.tables, found.daemons, found.fair, found.fair_waits, strict=False)
        )
    ]
    properties = [_property(one, named) for one in found.asked]
    return System(objects=objects, processes=processes, properties=properties, crashes=found.crashes)


def _property(asked: tuple[Any, ...], named: dict[str, Any]) -> Property:
    kind, name, premise, goal = asked
    if kind in BUILT_IN:
        return BUILT_IN[kind]
    make = {"eventually": eventually, "leads_to": leads_to, "always_eventually": always_eventually}[kind]
    values = [premise, goal] if kind == "leads_to" else [goal]
    if name is None:
        return make(kind, *[_ended(who) for who in values])
    return make(kind, *[_is(named[name], value) for value in values], reads=[named[name]])


BUILT_IN = {"nobody_starves": NOBODY_STARVES, "no_livelock": NO_LIVELOCK}


def _ended(who: str) -> Any:
    return lambda results: who in results


def _is(item: Any, value: str) -> Any:
    return lambda state: state[item] == value


@dataclass(frozen=True)
class Walked:
    """All states from the first on, and by state its moves: (process, outcome), and the state after."""

    start: At
    moves: dict[At, dict[tuple[int, int], At]]


@lru_cache(None)
def explored(found: Drawn) -> Walked:
    """All that can happen. Raises OverflowError for more than `MOST_STATES` states."""
    start = At(tuple((name, "a") for name in ("x", "y", "coin", *OWN)), (0,) * len(found.tables), 0)
    moves: dict[At, dict[tuple[int, int], At]] = {}
    waiting = [start]
    while waiting:
        state = waiting.pop()
        if state not in moves:
            moves[state] = dict(_moves(found, state))
            waiting += moves[state].values()
            if len(moves) > MOST_STATES:
                raise OverflowError
    return Walked(start, moves)


def _moves(found: Drawn, state: At) -> Iterator[tuple[tuple[int, int], At]]:
    for pid, (table, daemon) in enumerate(zip(found.tables, found.daemons, strict=True)):
        here = state.places[pid]
        if here == DEAD or table[here][0] == "end":
            continue
        for outcome, (name, value, result) in enumerate(_outcomes(table[here], dict(state.values))):
            place = after(table[here], result)
            place = 0 if daemon and table[place][0] == "end" else place
            values = tuple((known, value if known == name else now) for known, now in state.values)
            yield (pid, outcome), At(values, _put(state.places, pid, place), state.deaths)
        if not daemon and state.deaths < found.crashes:
            yield (pid, -1), At(state.values, _put(state.places, pid, DEAD), state.deaths + 1)


def _put(places: tuple[int, ...], pid: int, place: int) -> tuple[int, ...]:
    return (*places[:pid], place, *places[pid + 1 :])


def _outcomes(instruction: tuple[Any, ...], values: dict[str, str]) -> list[tuple[str, str, Any]]:
    """What an instruction may do: the object, its value then, and the result."""
    match instruction:
        case ("write", name, letter, _):
            return [(name, letter, None)]
        case ("wait", name, letter, _):
            return [(name, letter, letter)] if values[name] == letter else []
        case ("read", name, _, _, _):
            return [(name, values[name], values[name])]
        case ("swap", name, old, new, _, _):
            return [(name, new, True)] if values[name] == old else [(name, values[name], False)]
        case ("flip", name, _, _):
            return [(name, "a", "a"), (name, "b", "b")]
    raise AssertionError(instruction)


Node = tuple[At, tuple[int, str]]
"""A state, and who moved last by an op of which fairness (-1: nobody; it stands still)."""


def verdict(found: Drawn, asked: tuple[Any, ...]) -> str:
    """What is true of a property."""
    walked = explored(found)
    if asked[0] == "nobody_starves":
        return _starving(found, walked)
    if asked[0] == "no_livelock" and all(found.daemons):
        return "UNDETERMINED"
    if asked[0] == "leads_to" and not any(true(found, asked, asked[2], state) for state in walked.moves):
        return "UNDETERMINED"
    left = [state for state in walked.moves if not true(found, asked, asked[3], state)]
    endless = _endless(found, walked, left)
    if asked[0] in ("eventually", "no_livelock"):
        entries = {walked.start}
    elif asked[0] == "leads_to":
        entries = {state for state in left if true(found, asked, asked[2], state)}
    else:
        entries = set(left)
    return "VIOLATED" if entries & endless else "HOLDS"


def _starving(found: Drawn, walked: Walked) -> str:
    """Whether somebody may be blocked by x and then never move again, though fairness is kept."""
    waits = [(pid, state) for pid in range(len(found.tables)) for state in walked.moves if blocked(found, state, pid)]
    for pid in dict(waits):
        endless = _endless(found, walked, list(walked.moves), still=pid)
        if endless & {state for who, state in waits if who == pid}:
            return "VIOLATED"
    return "HOLDS" if waits else "UNDETERMINED"


def blocked(found: Drawn, state: At, pid: int) -> bool:
    """Whether a process waits for a value of x, which x does not have."""
    here = state.places[pid]
    instruction = found.tables[pid][here] if here != DEAD else ("end",)
    return instruction[:2] == ("wait", "x") and dict(state.values)["x"] != instruction[2]


def true(found: Drawn, asked: tuple[Any, ...], wanted: str, state: At) -> bool:
    """Whether an object has the value `wanted`, or (with no object) a process of that name has ended."""
    if asked[0] == "no_livelock":
        run = zip(found.tables, state.places, found.daemons, strict=True)
        return all(daemon or here == DEAD or table[here][0] == "end" for table, here, daemon in run)
    if asked[1] is not None:
        return dict(state.values)[asked[1]] == wanted
    pid = int(wanted[1:])
    return state.places[pid] != DEAD and found.tables[pid][state.places[pid]][0] == "end"


def _endless(found: Drawn, walked: Walked, left: list[At], still: int | None = None) -> set[At]:
    """The states from which a fair behaviour goes on for ever through states that are `left`; `still` makes no move."""
    kinds = [{fair, waits or fair} for fair, waits in zip(found.fair, found.fair_waits, strict=False)]
    strong = [(pid, "strong") for pid, fair in enumerate(kinds) if "strong" in fair]
    weak = [(pid, "weak") for pid, fair in enumerate(kinds) if "weak" in fair]
    subsets = chain.from_iterable(combinations(strong, size) for size in range(len(strong) + 1))
    forever: set[At] = set()
    for never in subsets:
        calm = {s for s in left if not any(_owed(found, walked, s, *who) for who in never)}
        after_ = _graph(found, walked, calm, still)
        meets = [
            {n for n in after_ if n[1] == who or (who in weak and not _owed(found, walked, n[0], *who))}
            for who in (*weak, *(who for who in strong if who not in never))
        ]
        forever |= {state for state, _ in _stay(after_, meets)}
    onward = {s: {after for (who, _), after in walked.moves[s].items() if who != still} for s in left}
    return _backwards({s: after & set(left) for s, after in onward.items()}, forever)


def _can(walked: Walked, state: At, pid: int) -> bool:
    return any(who == pid and outcome >= 0 for who, outcome in walked.moves[state])


def _owed(found: Drawn, walked: Walked, state: At, pid: int, fair: str) -> bool:
    """Whether a process can make a move to which it is so fair."""
    return _can(walked, state, pid) and fair_in(found, state, pid) == fair


def _graph(found: Drawn, walked: Walked, kept: set[At], still: int | None) -> dict[Node, set[Node]]:
    after_: dict[Node, set[Node]] = {}
    nobody = (-1, "")
    waiting = [(state, nobody) for state in kept]
    while waiting:
        node = waiting.pop()
        if node not in after_:
            after_[node] = {(node[0], nobody)}
            for (pid, outcome), state in walked.moves[node[0]].items():
                if state in kept and pid != still:
                    by = (pid, fair_in(found, node[0], pid)) if outcome >= 0 else nobody
                    after_[node].add((state, by))
            waiting += after_[node]
    return after_


def _stay(after_: dict[Node, set[Node]], meets: list[set[Node]]) -> set[Node]:
    """The greatest set from whose every node, for each demand, a way in the set of one step or more meets it."""
    stay = set(after_)
    while True:
        fewer = set(stay)
        for meeting in meets:
            inner = {node: after_[node] & fewer for node in fewer}
            reach = _backwards(inner, meeting & fewer)
            fewer = {node for node in fewer if inner[node] & reach}
        if fewer == stay:
            return stay
        stay = fewer


def _backwards(after_: dict[Any, set[Any]], goals: set[Any]) -> set[Any]:
    """The nodes from which some goal is reached, in no step or more."""
    before: dict[Any, list[Any]] = {}
    for node, onward in after_.items():
        for later in onward:
            before.setdefault(later, []).append(node)
    found, waiting = set(goals), list(goals)
    while waiting:
        for earlier in before.get(waiting.pop(), ()):
            if earlier not in found:
                found.add(earlier)
                waiting.append(earlier)
    return found


def objection(found: Drawn, asked: tuple[Any, ...], choices: Sequence[tuple[str, int]], loop: int) -> str:
    """What is wrong with a lasso that should break a property; empty if nothing is."""
    walked = explored(found)
    states = [walked.start]
    for who, outcome in choices:
        after_ = walked.moves[states[-1]].get((int(who[1:]), outcome))
        if after_ is None:
            return f"{who}:{outcome} is not possible"
        states.append(after_)
    if states[loop] != states[-1]:
        return "it does not come back"
    movers, cycle = {int(who[1:]) for who, _ in choices[loop:]}, states[loop:]
    for pid in range(len(found.tables)):
        fair = fair_in(found, cycle[0], pid)
        can = [_can(walked, state, pid) for state in cycle]
        if pid not in movers and ((fair == "weak" and all(can)) or (fair == "strong" and any(can))):
            return f"it is unfair to p{pid}"
    if asked[0] == "nobody_starves":
        last = {int(who[1:]): n for n, (who, _) in enumerate(choices, start=1)}
        since = {pid: states[last.get(pid, 0) :] for pid in range(len(found.tables)) if pid not in movers}
        starved = any(blocked(found, state, pid) for pid, rest in since.items() for state in rest)
        return "" if starved else "nobody starves in it"
    unmet = [not true(found, asked, asked[3], state) for state in states]
    if asked[0] in ("eventually", "no_livelock"):
        return "" if all(unmet) else "what should come, comes"
    begins = [asked[0] != "leads_to" or true(found, asked, asked[2], state) for state in states]
    broken = any(begins[n] and all(unmet[n:]) for n in range(len(states)))
    return "" if broken else "what is asked for comes after all"


def least_lasso(found: Drawn, asked: tuple[Any, ...]) -> int | None:
    """How many steps the shortest lasso takes that breaks a property; None if none does."""
    walked, pids = explored(found), range(len(found.tables))
    if asked[0] == "nobody_starves":
        waits = [({s for s in walked.moves if blocked(found, s, pid)}, set(walked.moves), pid) for pid in pids]
    else:
        left = {s for s in walked.moves if not true(found, asked, asked[3], s)}
        premise = {s for s in left if asked[0] != "leads_to" or true(found, asked, asked[2], s)}
        once = asked[0] in ("eventually", "no_livelock")
        waits = [(premise & {walked.start} if once else premise, left, None)]
    lengths = [
        stem + around
        for entries, left, still in waits
        for state, stem in _stems(walked, entries, left, still).items()
        if (around := _shortest_round(found, walked, state, left, still)) is not None
    ]
    return min(lengths, default=None)


def _stems(walked: Walked, entries: set[At], left: set[At], still: int | None) -> dict[At, int]:
    """By state in which a wait may go on, how many steps it takes at least to be there and waiting."""
    met, depth = {(walked.start, False)}, {}
    level, steps = set(met), 0
    while level:
        level |= {(state, True) for state, _ in level if state in entries}
        met |= level
        depth |= {state: steps for state, waiting in level if waiting and state not in depth}
        level = {
            (after_, waiting)
            for state, waiting in level
            for (pid, _), after_ in walked.moves[state].items()
            if not waiting or (after_ in left and pid != still)
        } - met
        steps += 1
    return depth


def _shortest_round(found: Drawn, walked: Walked, home: At, left: set[At], still: int | None) -> int | None:
    """The steps of a shortest fair cycle: those who moved, always could, and ever could, are known on the way."""
    pids = range(len(found.tables))

    def can(state: At) -> frozenset[int]:
        return frozenset(pid for pid in pids if _can(walked, state, pid))

    def is_fair(movers: frozenset[int], always: frozenset[int], ever: frozenset[int]) -> bool:
        owed = {"weak": always, "strong": ever, "none": frozenset[int]()}
        return all(pid in movers or pid not in owed[fair_in(found, home, pid)] for pid in pids)

    level = {(home, frozenset[int](), can(home), can(home))}
    met, steps = set(level), 0
    while level:
        if any(state == home and is_fair(*known) for state, *known in level):
            return steps
        level = {
            (after_, movers | {pid}, always & can(after_), ever | can(after_))
            for state, movers, always, ever in level
            for (pid, outcome), after_ in walked.moves[state].items()
            if outcome >= 0 and after_ in left and pid != still
        } - met
        met |= level
        steps += 1
    return None
