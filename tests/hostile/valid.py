"""Valid inputs, small ones: what hostile inputs are made of by one change."""

from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
HEAD = "from dstamp_sim import *\nr = Register('r', 0)\n"
PROGRAM = "def p():\n    seen = yield r.read()\n    yield r.write(seen + 1)\n"
BUILD = (
    "def build() -> System:\n    return System(objects=[r], processes=[Process('p', p, copies=2)], properties=[{}])\n"
)
LOST = 'at_end("no lost update", lambda results, state: state[r] == 2, reads=[r])'
MODEL = HEAD + PROGRAM + BUILD.format(LOST)
SCENARIO = """\
title = "two withdrawals"
model = "bank.py"
seed = 1
[[starts]]
name = "ann"
at = 2026-01-01T10:00:00
[[starts]]
name = "bob"
at = 2026-01-01T10:00:05
"""
EVIDENCE = '[[runs]]\nid = "ann"\ntime = 2026-01-01T10:00:00\ntime_means = "start"\nsource = "s"\nleft = 40\n'
WITNESS: dict[str, Any] = {
    "format": "dstamp-witness/1",
    "about": "no lost update",
    "origin": {"model": "bank.py", "parameters": {}, "placement": None, "names": {}, "crashes": 0, "copies": {}},
    "model_digest": "",
    "since": None,
    "schedule": "p#1 p#2*2 p#1",
    "starts_s": None,
    "steps": [
        {"process": "p#1", "section": "", "does": "r.read() -> 0", "changed": "", "time_s": None},
        {"process": "p#2", "section": "", "does": "r.read() -> 0", "changed": "", "time_s": None},
        {"process": "p#2", "section": "", "does": "r.write(1)", "changed": "r = 1", "time_s": None},
        {"process": "p#1", "section": "", "does": "r.write(1)", "changed": "", "time_s": None},
    ],
    "results": {"p#1": "None", "p#2": "None"},
}
PERFORMED = WITNESS | {
    "steps": [step | {"changed": step["changed"] and "r: 0 => 1"} for step in WITNESS["steps"]],
}
"""The same, as its model performs it."""
BANK = ROOT / "experiments" / "bank"
LOCKED = """\
from dstamp_sim import *
r = Register("r", 0)
def body():
    n = yield r.read()
    yield r.write(n + 1)
def p():
    yield from section("crit", body())
def build(n: Copies = 2) -> System:
    return System(objects=[r], processes=[Process("p", p, copies=n)], sections=["crit"], locks=[LockScope("l")],
                  properties=[always("small", lambda s: s[r] < 9, reads=[r])])
"""

HUNT: dict[str, Any] = {
    "format": "dstamp-hunt/1",
    "about": "f is 6, not 7",
    "runs": {"a": "n=$(cat f); echo $((n+1)) > f", "b": "n=$(cat f); echo $((n+1)) > f"},
    "setup": "echo 5 > f",
    "check": "[ $(cat f) = 7 ]",
    "folder": None,
    "ignore": [],
    "any_exit": False,
    "allowed": [],
    "start": ["f 100644 f0b5c2c2211c8d67ed15e75e"],
    "programs": {"/bin/cat": "f0b5c2c2211c8d67ed15e75e"},
    "stretches": [{"run": "a", "call": "read", "object": "f", "nth": 2, "dies": False}, {"run": "b"}, {"run": "a"}],
    "uses": {"f": {"a": "rw", "b": "rw"}},
    "shapes": [["d/", "stamp\\-[A-Za-z0-9_]{9}", "stamp-*"]],
    "stable": ["f"],
}
"""A hunt file."""

MAPPING = """\
[[files]]
glob = "*/results.json"
run = '^(?P<id>[^/]+)/'
fields = { paid = "stages.paid" }
rest = true
[[files]]
glob = "*/*.log"
run = '^(?P<id>[^/]+)/'
lines = ['balance now (?P<left>-?\\d+)']
[time]
pattern = '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d'
format = "%Y-%m-%d %H:%M"
zone = "Europe/Berlin"
[values.paid]
yes = true
no = false
[always]
company = "solo"
"""
"""A mapping of run folders."""

CELL: dict[str, Any] = {
    "values": ["1", "none"], "verdict": "VIOLATED", "states": 8, "transitions": 9, "exhausted": False,
    "broken": "no lost update", "steps": 4, "copies": "", "why": "", "refused": "",
}  # fmt: skip
"""A cell of a matrix, as it is kept."""
