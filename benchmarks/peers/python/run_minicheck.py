"""usage: run_minicheck.py WORKLOAD N; prints one line of JSON."""

import json
import sys
import time

from minicheck import Protocol, check_safety
from workloads import WORKLOADS

name, n = sys.argv[1], int(sys.argv[2])
workload = WORKLOADS[name](n)
protocol = Protocol(
    name=name,
    candidate=False,
    fields=workload.fields,
    initial=workload.initial,
    transitions=lambda state: list(workload.moves(state)),
    invariants={"good": lambda fields: not workload.bad(tuple(fields.values()))},
)
begun = time.perf_counter()
report = check_safety(protocol, max_states=100_000_000)
print(json.dumps({"seconds": time.perf_counter() - begun, "states": report["reachable_states"], "transitions": None}))
