"""Small random systems from a seed. Programs are data, tuples of instructions, so a failing system can be printed.

("do", object, verb, *args)        one op; its result is remembered as the last one
("echo", register)                 write the last result into a register, if it is a letter
("delay",)                         time passes
("if", value, code)                run `code` if the last result is `value`
("repeat", times, code)            a bounded loop
("hold", lock, verb, code, frees)  take a lock (skip `code` if it was refused), run `code`, release it if `frees`
("opened", flock, code)            open, lock the descriptor, run `code`, close it
("section", name, code)            a section that placements may name
("return", value)                  end with `value`; None stands for the last result
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from math import prod
from typing import Any

from dstamp_sim.core.op import Op, Program, delay, section
from dstamp_sim.core.placement import Placement, Span
from dstamp_sim.core.properties import Property, always, at_end, each_result, reachable
from dstamp_sim.core.shared_object import Outcome, SharedObject
from dstamp_sim.core.system import Process, System
from dstamp_sim.objects.locks import Flock, LockScope, Mutex
from dstamp_sim.objects.register import Register

MOST_DRAWS = 10_000
"""How many draws of one system's programs are tried."""

Code = tuple[tuple[Any, ...], ...]

LETTERS = ("a", "b", "c")
SECTIONS = ("first", "second", "third")
SIZES = range(120, 1000)
"""The product of the programs' sizes: a rough count of the states, without crashes and without blocking."""


class Coin(SharedObject):
    """Falls on either side, and stays there."""

    def outcomes(self, state: Any, op: Op) -> tuple[Outcome, ...]:
        """`flip` has two."""
        if op.verb == "flip":
            return Outcome("a", "a", "heads"), Outcome("b", "b", "tails")
        raise self.unknown_verb(op)


class Interpreter:
    """One run of one program."""

    def __init__(self, objects: Mapping[str, SharedObject]) -> None:
        self.objects = objects
        self.last: Any = None

    def run(self, code: Code) -> Program[bool]:
        """Runs `code`; returns whether it returned."""
        for instruction in code:
            if (yield from getattr(self, f"_{instruction[0]}")(*instruction[1:])):
                return True
        return False

    def _do(self, name: str, verb: str, *args: Any) -> Program[bool]:
        self.last = yield self.objects[name].op(verb, *args)
        return False

    def _echo(self, name: str) -> Program[bool]:
        if self.last in LETTERS:
            yield self.objects[name].op("write", self.last)
        return False

    def _delay(self) -> Program[bool]:
        yield delay("pause")
        return False

    def _if(self, value: Any, code: Code) -> Program[bool]:
        return (yield from self.run(code)) if self.last == value else False

    def _repeat(self, times: int, code: Code) -> Program[bool]:
        for _ in range(times):
            if (yield from self.run(code)):
                return True
        return False

    def _hold(self, name: str, verb: str, code: Code, frees: bool) -> Program[bool]:
        token = yield self.objects[name].op(verb)
        if token is None:
            self.last = "refused"
            return False
        returned = yield from self.run(code)
        if frees and not returned:
            yield self.objects[name].op("release", token)
        return returned

    def _opened(self, name: str, code: Code) -> Program[bool]:
        descriptor = yield self.objects[name].op("open")
        yield self.objects[name].op("lock", descriptor)
        returned = yield from self.run(code)
        if not returned:
            yield self.objects[name].op("release", descriptor)
        return returned

    def _section(self, name: str, code: Code) -> Program[bool]:
        return (yield from section(name, self.run(code)))

    def _return(self, value: Any) -> Program[bool]:
        self.last = self.last if value is None else value
        yield from ()
        return True


def interpret(code: Code, objects: tuple[SharedObject, ...]) -> Program[Any]:
    """The one program of every random system; its result is a letter, "refused", or "done"."""
    interpreter = Interpreter({item.name: item for item in objects})
    yield from interpreter.run(code)
    return interpreter.last if interpreter.last in (*LETTERS, "refused") else "done"


def tree(code: Code) -> tuple[int, int]:
    """About how many histories `code` has and how many ends: half of each branch is taken, and only coins fork."""
    nodes, leaves = 0, 1
    for instruction in code:
        more, forks = _tree_of(instruction)
        nodes, leaves = nodes + leaves * more, leaves * forks
    return nodes, leaves


def _tree_of(instruction: tuple[Any, ...]) -> tuple[int, int]:
    match instruction:
        case "return", _:
            return 0, 1
        case "if", _, code:
            return tree(code)[0] // 2, 1
        case "section", _, code:
            return tree(code)
        case "repeat", times, code:
            return tree(code * times)
        case "hold", _, _, code, _:
            return tree((("delay",), *code, ("delay",)))
        case "opened", _, code:
            return tree((("delay",), ("delay",), *code, ("delay",)))
        case "do", "coin", _:
            return 1, 2
    return 1, 1


class Writer:
    """Writes random code; `names` are the objects that it may use, `daemon` keeps it from making ever new inodes."""

    def __init__(self, rng: random.Random, names: frozenset[str], *, daemon: bool) -> None:
        self.rng, self.names, self.daemon = rng, names, daemon

    def code(self, length: int, depth: int = 0) -> Code:
        """A number of random instructions."""
        return tuple(self._instruction(depth) for _ in range(length))

    def _instruction(self, depth: int) -> tuple[Any, ...]:
        simple = [self._register, self._register, self._coin, self._flock, lambda _: ("delay",)]
        nested = [self._if, self._repeat, self._hold, self._hold, self._opened, self._section, self._return]
        made: tuple[Any, ...] = self.rng.choice(simple if depth >= 2 else simple + nested)(depth)
        return made

    def _register(self, _: int) -> tuple[Any, ...]:
        name = self.rng.choice([n for n in ("x", "y", "own") if n in self.names])
        letter, other = self.rng.choice(LETTERS), self.rng.choice(LETTERS)
        kinds = [
            ("do", name, "read"),
            ("do", name, "read"),
            ("do", name, "write", self.rng.choice("abbcc")),
            ("do", name, "compare_and_set", letter, other),
            ("echo", name),
        ]
        if self.rng.random() < 0.06:
            return ("do", name, "wait_for", letter)
        return self.rng.choice(kinds)

    def _coin(self, depth: int) -> tuple[Any, ...]:
        return ("do", "coin", "flip") if "coin" in self.names else self._register(depth)

    def _flock(self, depth: int) -> tuple[Any, ...]:
        if "file" not in self.names or self.daemon:
            return self._register(depth)
        return self.rng.choice(
            [("do", "file", "unlink"), ("do", "file", "is_current", 1), ("do", "file", "inherit", 1)]
        )

    def _if(self, depth: int) -> tuple[Any, ...]:
        value = self.rng.choice([*LETTERS, True, False, "refused"])
        return ("if", value, self.code(self.rng.randint(1, 2), depth + 1))

    def _repeat(self, depth: int) -> tuple[Any, ...]:
        return ("repeat", 2, self.code(self.rng.randint(1, 2), depth + 1))

    def _hold(self, depth: int) -> tuple[Any, ...]:
        locks = [n for n in ("mutex", "file", "own file") if n in self.names]
        if not locks:
            return self._register(depth)
        verb = self.rng.choice(["acquire", "acquire", "try_acquire"])
        return ("hold", self.rng.choice(locks), verb, self.code(self.rng.randint(0, 2), depth + 1), self._often())

    def _opened(self, depth: int) -> tuple[Any, ...]:
        if "file" not in self.names or self.daemon:
            return self._hold(depth)
        return ("opened", "file", self.code(self.rng.randint(0, 2), depth + 1))

    def _section(self, depth: int) -> tuple[Any, ...]:
        return ("section", self.rng.choice(SECTIONS), self.code(self.rng.randint(0, 2), depth + 1))

    def _return(self, depth: int) -> tuple[Any, ...]:
        if depth == 0:
            return self._if(depth)
        return ("return", self.rng.choice([*LETTERS, None]))

    def _often(self) -> bool:
        return self.rng.random() < 0.9


class TooLarge(Exception):
    """The drawn programs were always too small or too large together."""


def random_system(seed: int | random.Random) -> System:
    """The system of this seed: the same one each time, with at most some thousand states.

    It may be a generator instead; raises TooLarge when it keeps drawing programs of other sizes.
    """
    rng = seed if isinstance(seed, random.Random) else random.Random(seed)
    objects = _objects(rng)
    processes = _processes(rng, objects)
    placed = rng.random() < 0.35
    return System(
        objects=objects,
        processes=processes,
        properties=_properties(rng, objects, processes),
        sections=SECTIONS,
        locks=[LockScope("all"), LockScope("some", lambda code, _: None if len(code) == 1 else str(len(code) % 2))],
        crashes=int(rng.random() < 0.35),
        placement=_placement(rng) if placed else Placement("none"),
    )


def _objects(rng: random.Random) -> list[SharedObject]:
    maybe: list[SharedObject] = [
        Register("y", "a"),
        Mutex("mutex"),
        Flock("file"),
        Register("own", "a", private=True),
        Flock("own file", private=True),
        Coin("coin"),
    ]
    return [Register("x", "a"), *rng.sample(maybe, rng.randint(1, 4))]


def _processes(rng: random.Random, objects: list[SharedObject]) -> list[Process]:
    """One to three classes of one to three copies, drawn again until they are small enough together."""
    for _ in range(MOST_DRAWS):
        processes = [_process(rng, f"p{i}", objects) for i in range(rng.randint(1, 3))]
        sizes = [tree(p.args[0])[0] + 2 for p in processes for _ in p.instances()]
        if len(sizes) > 1 and prod(sizes) in SIZES:
            return processes
    raise TooLarge


def _process(rng: random.Random, name: str, objects: list[SharedObject]) -> Process:
    daemon = rng.random() < 0.12
    code: Code = ()
    for _ in range(MOST_DRAWS):
        if tree(code)[0] > 0:
            break
        code = Writer(rng, frozenset(item.name for item in objects), daemon=daemon).code(rng.randint(2, 4))
        code += rng.choice([(), (), (("return", None),), (("return", None),), (("return", rng.choice(LETTERS)),)])
    killable = True if daemon and rng.random() < 0.3 else None
    copies = rng.choice([1, 1, 1, 2, 2, 3])
    return Process(name, interpret, code, tuple(objects), copies=copies, daemon=daemon, killable=killable)


def _placement(rng: random.Random) -> Placement:
    first, last = sorted(rng.sample(range(len(SECTIONS) + 1), 2))
    ends = (*SECTIONS, "exit")
    spans = [Span("all", SECTIONS[first], ends[rng.choice([first, last])], waits=rng.random() < 0.7)]
    if rng.random() < 0.5:
        spans.append(Span("some", rng.choice(SECTIONS), "exit", waits=rng.random() < 0.7))
    return Placement("random", tuple(spans))


def _properties(rng: random.Random, objects: list[SharedObject], processes: list[Process]) -> list[Property]:
    """One of each kind, about random letters."""
    x = objects[0]
    shared = [item for item in objects if not item.private]
    other = rng.choice(shared)
    bad, start = rng.choice(LETTERS[1:]), other.initial
    most, of = rng.randint(0, 2), rng.choice([None, *(process.name for process in processes)])
    return [
        always("x is not bad", lambda state: state[x] != bad, reads=[x]),
        always("not both", lambda state: state[x] != bad or state[other] == start, reads=[x, other]),
        each_result("result is not bad", lambda result: result != bad, of=of),
        at_end("few are bad", lambda results: list(results.values()).count(bad) <= most),
        at_end("x at end", lambda results, state: state[x] != bad or "done" in results.values(), reads=[x]),
        reachable("many can be bad", lambda results: list(results.values()).count(bad) > most),
        reachable("bad result, good x", lambda results, state: bad in results.values() and state[x] == "a", reads=[x]),
    ]


def described(system: System) -> str:
    """The system as text: objects, placement and each program, one instruction a line."""
    lines = [f"objects {list(system.objects)}, crashes {system.crashes}, placement {system.placement}"]
    for process in system.processes:
        lines.append(f"{process.name} x{process.copies} daemon={process.daemon} killable={process.killable}")
        lines.extend(f"    {instruction}" for instruction in process.args[0])
    return "\n".join(lines)
