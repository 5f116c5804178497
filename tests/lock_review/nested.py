"""Random programs with two locks to place, whose sections lie in one another or follow each other; from a seed.

Programs are data: ("in", section, code), ("hold", code) for a mutex, ("read",) and ("write",) of the count.
With `by_hand`, a placement as text, the programs themselves take and leave its locks, as the documents say a span does.
"""

from __future__ import annotations

import random
from typing import Any

from dstamp_sim import Flock, LockScope, Mutex, Placement, Process, Program, Register, System, at_end, section

Code = tuple[tuple[Any, ...], ...]

SECTIONS = ["plan", "apply", "check"]
LOCKS = ["stack", "recipe"]

count, mutex = Register("count", 0), Mutex("mutex")


class _Run:
    """One run; `spans` are those that it lays by hand, each with its lock."""

    def __init__(self, spans: tuple[tuple[str, str, Flock], ...]) -> None:
        self.spans, self.held, self.seen = spans, dict[int, Any](), 0

    def code(self, code: Code) -> Program[None]:
        for kind, *rest in code:
            yield from getattr(self, f"_{kind}")(*rest)

    def _read(self) -> Program[None]:
        self.seen = yield count.read()

    def _write(self) -> Program[None]:
        yield count.write(self.seen + 1)

    def _hold(self, code: Code) -> Program[None]:
        token = yield mutex.acquire()
        yield from self.code(code)
        yield mutex.op("release", token)

    def _in(self, name: str, code: Code) -> Program[None]:
        if not self.spans:
            yield from section(name, self.code(code))
            return
        for number, (first, _, lock) in enumerate(self.spans):
            if first == name:
                self.held[number] = yield lock.op("acquire")
        yield from self.code(code)
        for number, (_, last, lock) in enumerate(self.spans):
            if last == name and number in self.held:
                yield lock.op("release", self.held.pop(number))


def run(code: Code, spans: tuple[tuple[str, str, Flock], ...]) -> Program[int]:
    """The one program: what it read last is its result."""
    this = _Run(spans)
    yield from this.code(code)
    return this.seen


def _code(rng: random.Random, sections: list[str]) -> Code:
    """Code with these sections, in their order: the first holds some of the others, which follow its first ops."""
    if not sections:
        return ()
    first, *rest = sections
    inside = rng.randint(0, len(rest)) if rng.random() < 0.7 else 0
    begins, ends = rng.choice([(("read",),), (("read",), ("write",)), ()]), rng.choice([(("write",),), (), ()])
    made: Code = (("in", first, (*begins, *_code(rng, rest[:inside]), *ends)), *_code(rng, rest[inside:]))
    return (("hold", made),) if rng.random() < 0.15 else made


def _writes(code: Code) -> int:
    return sum(_writes(rest[-1]) if rest else kind == "write" for kind, *rest in code)


def build(seed: int, by_hand: str = "") -> System:
    """The system of this seed: two runs that differ, or are copies of one; now and then one skips a section."""
    rng = random.Random(seed)
    sections = SECTIONS[: rng.choice([2, 2, 3])]
    codes = [_code(rng, [name for name in sections if rng.random() < 0.9]) for _ in range(2)]
    codes[1] = rng.choice(codes)
    placement = Placement.parse(by_hand) if by_hand else Placement("none")
    locks = {name: Flock(f"{name} by hand") for name in LOCKS}
    spans = tuple((span.first, span.last, locks[span.lock]) for span in placement.spans)
    writes = sum(map(_writes, codes))
    return System(
        objects=[count, mutex, *(locks.values() if spans else ())],
        processes=[Process(f"run-{number}", run, code, spans) for number, code in enumerate(codes, start=1)],
        properties=[
            at_end("no write is lost", lambda _, state: state[count] == writes, reads=[count]),
            at_end("somebody read last", lambda results, state: state[count] - 1 in results.values(), reads=[count]),
        ],
        sections=sections,
        locks=[LockScope(name) for name in LOCKS],
    )
