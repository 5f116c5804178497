"""Small random systems from a seed in which processes hold things: locks, tokens, leases that lapse; some die.

Programs are data, tuples of instructions, so a failing system can be printed:

("hold", name, verb, code, frees)   take something (skip `code` if it was refused), run `code`, let go of it if `frees`
("do", name, verb, *args)           one op; its result is remembered as the last one
("if", value, code)                 run `code` if the last result is `value`
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from dstamp_sim import Chance, Flock, Mutex, Process, Program, Register, SharedObject, System, always, at_end
from tests.holders import Lease, Tokens

Code = tuple[tuple[Any, ...], ...]

VERBS = {
    "mutex": ("acquire", "release"),
    "other": ("acquire", "release"),
    "file": ("acquire", "release"),
    "lease": ("acquire", "release"),
    "tokens": ("get", "put"),
}


class _Run:
    def __init__(self, objects: Mapping[str, SharedObject]) -> None:
        self.objects, self.last = objects, None

    def code(self, code: Code) -> Program[None]:
        for kind, *rest in code:
            yield from getattr(self, f"_{kind}")(*rest)

    def _hold(self, name: str, verb: str, code: Code, frees: bool) -> Program[None]:
        token = yield self.objects[name].op(verb)
        if verb == "try_acquire" and token is None:
            return
        yield from self.code(code)
        if frees:
            yield self.objects[name].op(VERBS[name][1], *([] if name == "tokens" else [token]))

    def _do(self, name: str, verb: str, *args: Any) -> Program[None]:
        self.last = yield self.objects[name].op(verb, *args)

    def _if(self, value: Any, code: Code) -> Program[None]:
        if self.last == value:
            yield from self.code(code)


def run(code: Code, objects: tuple[SharedObject, ...]) -> Program[Any]:
    """The one program of every random system; its result is the last one read, where that is a letter."""
    run = _Run({item.name: item for item in objects})
    yield from run.code(code)
    return run.last if run.last in ("a", "b") else "done"


class _Writer:
    def __init__(self, rng: random.Random, names: list[str]) -> None:
        self.rng, self.names, self.held = rng, names, list[str]()

    def code(self, length: int, depth: int = 0) -> Code:
        return tuple(self._instruction(depth) for _ in range(length))

    def _instruction(self, depth: int) -> tuple[Any, ...]:
        deep = [self._do] if depth > 2 else [self._hold, self._do, self._do, self._if]
        kinds = [self._hold, self._hold, self._hold, self._do] if depth < 2 else deep
        made: tuple[Any, ...] = self.rng.choice(kinds)(depth)
        return made

    def _hold(self, depth: int) -> tuple[Any, ...]:
        names = [name for name in self.names if name in VERBS]
        others = [name for name in names if name not in self.held]
        name = self.rng.choice(others if others and self.rng.random() < 0.9 else names)
        tries = name in ("mutex", "other", "file") and self.rng.random() < 0.2
        verb = "try_acquire" if tries else VERBS[name][0]
        self.held.append(name)
        code = self.code(self.rng.randint(0, 2), depth + 1)
        self.held.pop()
        return ("hold", name, verb, code, self.rng.random() < 0.9)

    def _do(self, depth: int) -> tuple[Any, ...]:
        ops: list[tuple[Any, ...]] = [("x", "read"), ("x", "read"), ("x", "write", self.rng.choice("ab"))]
        ops += [("x", "wait_for", self.rng.choice("ab"))] * (self.rng.random() < 0.1)
        ops += [("coin", "draw")] if "coin" in self.names else []
        ops += [("file", "unlink")] * ("file" in self.names and self.rng.random() < 0.2)
        return ("do", *self.rng.choice(ops))

    def _if(self, depth: int) -> tuple[Any, ...]:
        return ("if", self.rng.choice(["a", "b", "heads"]), self.code(self.rng.randint(1, 2), depth + 1))


def lock_system(seed: int) -> System:
    """The system of this seed: the same one each time."""
    rng = random.Random(seed)
    maybe = [Mutex("mutex"), Mutex("other"), Flock("file"), Lease("lease", (0, 0)), Tokens("tokens", rng.randint(1, 3))]
    held = rng.sample(maybe, rng.choice([1, 2, 2, 3]))
    objects = [Register("x", "a"), *held, *([Chance("coin", "heads", "tails")] * (rng.random() < 0.3))]
    names = [item.name for item in objects]
    processes = [_process(rng, f"p{n}", names, objects) for n in range(rng.randint(1, 3))]
    processes += [Process("time", run, (("do", "lease", "lapse"),), tuple(objects), daemon=True)] * ("lease" in names)
    x = objects[0]
    return System(
        objects=objects,
        processes=processes,
        properties=[
            always("x stays", lambda state: state[x] == "a", reads=[x]),
            at_end("nobody read b", lambda results: "b" not in results.values()),
        ],
        crashes=int(rng.random() < 0.35),
    )


def _process(rng: random.Random, name: str, names: list[str], objects: list[SharedObject]) -> Process:
    code = _Writer(rng, names).code(rng.randint(1, 2))
    return Process(name, run, code, tuple(objects), copies=rng.choice([1, 1, 2, 3]))


def described(system: System) -> str:
    """The system as text."""
    lines = [f"objects {list(system.objects)}, crashes {system.crashes}"]
    return "\n".join([*lines, *(f"{p.name} x{p.copies}: {p.args[0]}" for p in system.processes)])
