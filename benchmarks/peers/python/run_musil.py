"""usage: run_musil.py WORKLOAD N [symmetry]; prints one line of JSON."""

import json
import sys
import time

from musil import Action, Model, check
from workloads import WORKLOADS

name, n, symmetry = sys.argv[1], int(sys.argv[2]), "symmetry" in sys.argv
workload = WORKLOADS[name](n)
if symmetry and workload.canonical is None:
    sys.exit("no symmetry: the philosophers' seats differ")


def actions(state):
    return [Action(what, lambda _: True, lambda _, after=after: after) for what, after in workload.moves(state)]


model = Model(
    init=[workload.initial],  # a tuple would be taken for several initial states
    actions_fn=actions,
    invariants={"good": lambda state: not workload.bad(state)},
    terminal=workload.ended,
)
begun = time.perf_counter()
report = check(model, max_states=100_000_000, canonicalize=workload.canonical if symmetry else None)
print(json.dumps({"seconds": time.perf_counter() - begun, "states": report.states_explored, "transitions": None}))
