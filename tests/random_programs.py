"""Random programs in Python: loops over iterators of all kinds, closures, aliases, generators, exceptions; as source.

Each uses the register `x` and is a function without arguments. They forget much, so many histories bring them to one
state, and keep something of each kind, so that forgetting it in a comparison shows.
"""

import linecache
import random
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from dstamp_sim import Register

HEAD = """from itertools import chain, count, cycle, islice, repeat

class Oops(Exception):
    pass

class Box:
    def __init__(self):
        self.n = 0

def plain(first, second):
    yield first
    yield second
    yield first

def asks(first):
    for each in (first, 1):
        seen = yield x.read()
        first = (seen + each + first) % 3
    return first

def both(one, other):
    return (one + 2 * other) % 3

def program():
    a = b = c = 0
    l, d, box = [], {}, Box()
    m, other, s, g, it = l, box, set(), plain(1, 2), iter([2, 1, 0])
    def bump():
        nonlocal c
        c = (c + 1) % 3
        return c
    def adder(n):
        def add(v):
            nonlocal n
            n = (n + v) % 3
            return n
        return add
    f = adder(1)
"""

ITERATORS = (
    "range(2)",
    "[a, b]",
    "(b, a)",
    "list(l)",
    "l[:2]",
    "zip(range(2), (1, a))",
    "enumerate([a, 1])",
    "reversed([a, b])",
    "(v % 3 for v in (a, b + 1))",
    "[v for v in range(2)]",
    "dict(enumerate((b, a))).items()",
    "map(bump.__call__, ())",
    "chain([a], (b,))",
    "islice(count(a), 2)",
    "islice(cycle([1, a]), 2)",
    "repeat(a, 2)",
    "filter(None, [a, 1])",
    "'ab'",
    "plain(a, b)",
)

TALES = (
    ("m = l if (yield x.read()) else list(l)", "yield x.read()", "l.append(1)", "yield x.write(len(m) % 3)"),
    ("other = box if (yield x.read()) else Box()", "yield x.read()", "box.n = 2", "yield x.write(other.n)"),
    ("box.n = yield x.read()", "yield x.read()", "yield x.write(box.n)"),
)
"""What tells two objects from one, and what attributes hold, across an op."""

SIMPLE = (
    "a = yield x.read()",
    "b = yield x.read()",
    "yield x.read()",
    "yield x.write(a)",
    "yield x.write(b)",
    "yield x.write(1)",
    "a = (a + 1) % 2",
    "b = a",
    "a = b = 0",
    "a = (a + (yield x.read())) % 3",
    "b = both(a, (yield x.read()))",
    "a = [a, 1, (yield x.read())][1]",
    "yield x.write((a, (yield x.read()))[0])",
    "l.append(a)",
    "m.append(b)",
    "m = l",
    "m = list(l)",
    "l = []",
    "a = len(l) % 3",
    "b = len(m) % 3",
    "yield x.write(len(l) % 3)",
    "l.append(1); yield x.write(len(m) % 3)",
    "d[a] = b",
    "a = d.get(0, 1)",
    "d.pop(1, None)",
    "b = next(iter(d), 2)",
    "s.add(a)",
    "b = len(s)",
    "box.n = a",
    "other = box",
    "other = Box()",
    "a = other.n",
    "a = bump()",
    "yield x.write(c)",
    "a = f(1)",
    "f = adder(b)",
    "yield x.write(f(1))",
    "a = next(g, 0)",
    "yield x.write(next(g, 0))",
    "g = plain(a, b)",
    "a = next(it, 1)",
    "it = iter(l)",
    "it = iter([a, b, 1])",
    "yield x.write(next(it, 0))",
    "a = yield from asks(b)",
    "b = yield from asks(1)",
    "del a; a = 1",
)


ENDS = ("return a", "return (a, b)", "return len(l) % 3", "return None", "return f(1)", "return next(it, 9)")


class Writer:
    """Writes the body of one program."""

    def __init__(self, rng: random.Random, *, endless: bool) -> None:
        self.rng, self.endless = rng, endless
        self.lines: list[str] = []
        self.names = 0

    def block(self, depth: int, length: int) -> None:
        """So many random statements."""
        for _ in range(length):
            self.statement(depth)

    def put(self, depth: int, line: str) -> None:
        self.lines.append("    " * (depth + 1) + line)

    def statement(self, depth: int) -> None:
        nested = [self.loop, self.loop, self.branch, self.attempt, self.waits]
        if self.rng.random() < 0.1:
            for line in self.rng.choice(TALES):
                self.put(depth, line)
        elif depth >= 2 or self.rng.random() < 0.6:
            self.put(depth, self.rng.choice(SIMPLE))
        else:
            self.rng.choice(nested)(depth)

    def loop(self, depth: int) -> None:
        self.names += 1
        name = f"v{self.names}"
        self.put(depth, f"for {name} in {self.rng.choice(ITERATORS)}:")
        if self.rng.random() < 0.3:
            self.put(depth + 1, f"{name} = 0")
        self.put(depth + 1, self.rng.choice(["yield x.read()", "a = yield x.read()"]))
        self.block(depth + 1, self.rng.randint(0, 2))
        if self.rng.random() < 0.2:
            self.put(depth + 1, "if a: break")

    def branch(self, depth: int) -> None:
        self.put(depth, f"if {self.rng.choice(['a', 'b', 'a == b', 'len(l) > 1', 'm is l', 'other is box', 'c'])}:")
        self.block(depth + 1, self.rng.randint(1, 2))
        if self.rng.random() < 0.4:
            self.put(depth, "else:")
            self.block(depth + 1, 1)

    def attempt(self, depth: int) -> None:
        self.put(depth, "try:")
        self.block(depth + 1, self.rng.randint(1, 2))
        self.put(depth + 1, self.rng.choice(["if a: raise Oops(b)", "if b: return a", "a = 1", "raise Oops(a)"]))
        if self.rng.random() < 0.5:
            self.put(depth, "except Oops as oops:")
            self.put(depth + 1, "yield x.read()")
            self.put(depth + 1, "a = oops.args[0]")
        else:
            self.put(depth, "except Oops:")
            self.put(depth + 1, self.rng.choice(["yield x.write(2)", "a = 2"]))
        if self.rng.random() < 0.5:
            self.put(depth, "finally:")
            self.put(depth + 1, self.rng.choice(["yield x.write(0)", "b = yield x.read()"]))

    def waits(self, depth: int) -> None:
        if not self.endless:
            self.loop(depth)
            return
        self.put(depth, f"while (yield x.read()) {self.rng.choice(['== 1', '!= 0', '> a'])}:")
        self.block(depth + 1, self.rng.randint(1, 2))


def source(seed: int, *, endless: bool = True) -> str:
    """The text of the program of this seed; with `endless`, it may wait in loops."""
    rng = random.Random(seed)
    writer = Writer(rng, endless=endless)
    writer.block(0, rng.randint(2, 5))
    end = rng.choice(
        ["return a", "return (a, b)", "return len(l) % 3", "return None", "return f(1)", "return next(it, 9)"]
    )
    return HEAD + "\n".join(writer.lines) + f"\n    yield x.read()\n    next(g, 0)\n    {end}\n"


def program(text: str, name: str, x: Register) -> Callable[[], Any]:
    """The program of a text, as a model would have it, over the register `x`."""
    file = f"/models/{name}.py"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    module = ModuleType(name)
    module.__file__ = file
    sys.modules[name] = module
    vars(module)["x"] = x
    exec(compile(text, file, "exec"), vars(module))
    return module.program
