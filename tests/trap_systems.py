"""Small random systems in which somebody may wait for ever while somebody else goes on: daemons, deaths and waits."""

import random
from functools import lru_cache

from dstamp_sim import Mutex, Process, Register, System
from dstamp_sim.random_systems import Code, interpret
from tests.oracle import Findings, search

MOST_STATES = 400
"""For the oracle; larger systems are drawn again."""


@lru_cache(None)
def trap_system(seed: int) -> tuple[System, Findings]:
    """The system of this seed and what the oracle finds out about it: one or two daemons, two or three others."""
    rng = random.Random(f"trap {seed}")
    while True:
        system = _drawn(rng)
        try:
            return system, search(system, MOST_STATES)
        except AssertionError:
            continue


def _drawn(rng: random.Random) -> System:
    objects = (Register("x", "a"), Register("y", "a"), Mutex("mutex"))
    daemons = [
        Process(f"d{n}", interpret, _code(rng), objects, daemon=True, killable=rng.random() < 0.5)
        for n in range(rng.choice([0, 1, 1, 1, 2]))
    ]
    runs = [
        Process(f"p{n}", interpret, _code(rng), objects, copies=rng.choice([1, 1, 2]), killable=rng.random() < 0.6)
        for n in range(rng.choice([1, 2, 2]))
    ]
    return System(objects=objects, processes=[*daemons, *runs], crashes=rng.choice([0, 0, 1]))


def _code(rng: random.Random) -> Code:
    return tuple(_instruction(rng) for _ in range(rng.randint(1, 3)))


def _instruction(rng: random.Random) -> tuple[object, ...]:
    name, letter, other = rng.choice("xy"), rng.choice("abc"), rng.choice("abc")
    return rng.choice(
        [
            ("do", name, "write", letter),
            ("do", name, "write", other),
            ("do", name, "wait_for", letter),
            ("do", name, "compare_and_set", letter, other),
            ("hold", "mutex", "acquire", (("do", name, "write", letter),), rng.random() < 0.8),
            ("hold", "mutex", "acquire", (("do", name, "wait_for", letter),), True),
            ("if", True, (("do", name, "write", letter), ("return", None))),
            ("repeat", 2, (("do", name, "compare_and_set", other, letter),)),
        ]
    )
