"""Small random systems from a seed over the library's objects that are more than a variable or a lock.

Programs are data, tuples of instructions, so a failing system can be printed:

("do", object, verb, *args)          one op; its result is remembered as the last one
("all", object, method, *args)       an op of several steps: `yield from object.method(*args)`
("reply", object, verb)              one op, with the last result as its argument
("in_line", object, code)             take it in the waiting line, run `code`, release it
("hold", object, method, code)       take something (skip `code` if refused), run `code`, release it
("job", queue, answer, code)         receive a message, run `code`, answer with its receipt
("token", object, verb)              one op with the token of what is held
("if", value, code)                  run `code` if the last result is `value`
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from inspect import isgenerator
from typing import Any

from dstamp_sim import (
    Channel,
    Condition,
    Counter,
    Lease,
    Mutex,
    Process,
    Program,
    Queue,
    Register,
    RWLock,
    Semaphore,
    SharedObject,
    Store,
    System,
    WaitingLine,
    always,
    at_end,
)

Code = tuple[tuple[Any, ...], ...]


class _Run:
    def __init__(self, objects: Mapping[str, SharedObject]) -> None:
        self.objects, self.last, self.token = objects, None, None

    def code(self, code: Code) -> Program[None]:
        for kind, *rest in code:
            yield from getattr(self, f"_{kind}")(*rest)

    def _do(self, name: str, verb: str, *args: Any) -> Program[None]:
        self.last = yield self.objects[name].op(verb, *args)

    def _all(self, name: str, method: str, *args: Any) -> Program[None]:
        self.last = yield from getattr(self.objects[name], method)(*args)

    def _in_line(self, name: str, code: Code) -> Program[None]:
        line: Any = self.objects["line"]
        token = yield from line.take(self.objects[name].op("acquire"))
        yield from self.code(code)
        yield self.objects[name].op("release", token)

    def _reply(self, name: str, verb: str) -> Program[None]:
        self.last = yield self.objects[name].op(verb, self.last)

    def _hold(self, name: str, method: str, code: Code) -> Program[None]:
        asked: Any = getattr(self.objects[name], method)()
        token = (yield from asked) if isgenerator(asked) else (yield asked)
        if token is not None:
            self.token = token
            yield from self.code(code)
            yield self.objects[name].op("release", token)

    def _token(self, name: str, verb: str) -> Program[None]:
        self.last = yield self.objects[name].op(verb, self.token)

    def _job(self, name: str, answer: str, code: Code) -> Program[None]:
        delivery = yield self.objects[name].op("receive")
        yield from self.code(code)
        if answer != "forget":
            self.last = yield self.objects[name].op(answer, delivery.receipt)

    def _if(self, value: Any, code: Code) -> Program[None]:
        if self.last == value:
            yield from self.code(code)


def run(code: Code, objects: tuple[SharedObject, ...]) -> Program[Any]:
    """The one program of every random system; its result is the last one, where that is plain."""
    running = _Run({item.name: item for item in objects})
    yield from running.code(code)
    return running.last if type(running.last) in (str, int, bool) else "done"


HOLDS = {
    "pool": ["acquire", "acquire", "try_acquire"],
    "undone": ["acquire", "try_acquire"],
    "rw": ["acquire_read", "acquire_read", "acquire_write", "acquire_write_first"],
    "cond": ["acquire"],
    "mutex": ["acquire"],
    "lease": ["acquire", "acquire", "try_acquire"],
}
DOES: dict[str, list[tuple[Any, ...]]] = {
    "pool": [("do", "pool", "post")],
    "cond": [("do", "cond", "notify"), ("do", "cond", "notify_all")],
    "count": [("do", "count", "fetch_and_add", 1), ("do", "count", "add", 1)],
    "store": [
        ("do", "store", "put", "a"),
        ("do", "store", "get", False),
        ("do", "store", "put_if", 1, "b"),
        ("do", "store", "compare_and_set", None, "b"),
    ],
    "channel": [
        ("do", "channel", "send", "a"),
        ("do", "channel", "try_send", "b"),
        ("do", "channel", "receive"),
        ("do", "channel", "try_receive"),
    ],
    "queue": [("job", "queue", answer, ()) for answer in ("acknowledge", "acknowledge", "give_back", "forget")],
}
INSIDE: dict[str, list[tuple[Any, ...]]] = {
    "cond": [("all", "cond", "wait")],
    "lease": [("token", "lease", "renew"), ("token", "lease", "is_held")],
}
DAEMONS = {"lease": "lapses", "queue": "redelivers"}


class _Writer:
    def __init__(self, rng: random.Random, names: list[str]) -> None:
        self.rng, self.names = rng, names

    def code(self, length: int, held: str = "", depth: int = 0) -> Code:
        return tuple(self._instruction(held, depth) for _ in range(length))

    def _instruction(self, held: str, depth: int) -> tuple[Any, ...]:
        holds = [name for name in self.names if name in HOLDS]
        if holds and depth < 2 and self.rng.random() < 0.45:
            return self._hold(self.rng.choice(holds), depth)
        if depth < 2 and self.rng.random() < 0.15:
            return ("if", self.rng.choice(["a", True, 0]), self.code(1, held, depth + 1))
        does = [one for name in self.names for one in DOES.get(name, ())] + 2 * INSIDE.get(held, [])
        return self.rng.choice([*does, *does, ("do", "x", "read"), ("do", "x", "write", self.rng.choice("ab"))])

    def _hold(self, name: str, depth: int) -> tuple[Any, ...]:
        code = self.code(self.rng.randint(0, 2), name, depth + 1)
        if "line" in self.names and "acquire" in HOLDS[name] and self.rng.random() < 0.6:
            return ("in_line", name, code)
        return ("hold", name, self.rng.choice(HOLDS[name]), code)


def _drawn(rng: random.Random) -> list[SharedObject]:
    """One or two of the objects."""
    maybe: list[SharedObject] = [
        Semaphore("pool", rng.randint(1, 2)),
        Semaphore("undone", 1, undo=True),
        RWLock("rw"),
        Condition("cond", fifo=rng.random() < 0.5, spurious=rng.random() < 0.2),
    ]
    maybe += [
        Counter("count"),
        Store("store", stale=rng.randint(0, 1)),
        Channel(
            "channel",
            capacity=rng.choice([None, 1, 2]),
            fifo=rng.random() < 0.6,
            loses=rng.random() < 0.2,
            doubles=rng.random() < 0.2,
        ),
        Lease("lease"),
        Queue("queue", ("a", "b")[: rng.randint(1, 2)], requeues=rng.random() < 0.4),
    ]
    found = rng.sample(maybe, rng.choice([1, 1, 2]))
    return [*found, *([WaitingLine("line"), Mutex("mutex")] if rng.random() < 0.3 else [])]


def object_system(seed: int) -> System:
    """The system of this seed: the same one each time."""
    rng = random.Random(seed)
    objects = [Register("x", "a"), *_drawn(rng)]
    names = [item.name for item in objects]
    processes = [_process(rng, f"p{n}", names, objects) for n in range(rng.randint(1, 2))]
    timed = [item for item in objects if item.name in DAEMONS]
    processes += [Process(f"{item.name} time", getattr(item, DAEMONS[item.name]), daemon=True) for item in timed]
    x, other = objects[:2]
    return System(
        objects=objects,
        processes=processes,
        properties=[
            always("x stays", lambda state: state[x] == "a" or state[other] == other.initial, reads=[x, other]),
            at_end("nobody read b", lambda results: "b" not in results.values()),
        ],
        crashes=int(rng.random() < 0.35),
    )


def _process(rng: random.Random, name: str, names: list[str], objects: list[SharedObject]) -> Process:
    code = _Writer(rng, names).code(rng.randint(1, 2))
    return Process(name, run, code, tuple(objects), copies=rng.choice([1, 2, 2, 3]))


def described(system: System) -> str:
    """The system as text."""
    lines = [f"objects {list(system.objects)}, crashes {system.crashes}"]
    return "\n".join([*lines, *(f"{p.name} x{p.copies}: {p.args}" for p in system.processes)])
