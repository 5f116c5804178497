"""What exact time costs: Fischer's protocol, and the incident's scenario under each of its placements.

    python -m benchmarks.zones

Prints a Markdown table: processor seconds of the search without moments (Fischer: bursts included) and of the whole
question of `explore --within` (the incident), in a process that has loaded its compiled code.
"""

import time
from pathlib import Path

from dstamp_sim.core.errors import DstampError
from dstamp_sim.core.scenario import Timing
from dstamp_sim.engines.zones.within import explore_within, timed_bursts
from dstamp_sim.engines.zones.zones import ZoneQuestion, ZoneSearch
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.pipeline.exact_time import load_timed_subject
from tests.engines.test_zones import fischer, uniform

INCIDENT = Path(__file__).parent.parent / "experiments/incident/scenario.toml"
FISCHER = {"write": uniform(0, 2), "wait": uniform(3, 5), "work": uniform(0, 10)}


def searched(processes: int) -> tuple[int, int, float]:
    """The pauses and the zones of Fischer's protocol, and the processor seconds."""
    system, begun = fischer(processes), time.process_time()
    bursts = timed_bursts(system, Timing(delays=FISCHER), system.properties_named(["one at a time"]))
    search = ZoneSearch(bursts, ZoneQuestion(), 10**6).run()
    return search.states, search.count, time.process_time() - begun


def judged(placement: str) -> tuple[str, float]:
    """What `explore --within` says of the incident under a placement, and the processor seconds."""
    begun = time.process_time()
    asked = load_timed_subject("cc_ci", INCIDENT, placement=placement)
    report = explore_within(asked.subject.system, asked.timing).report
    zones = report.coverage.reductions[0].partition(" of ")[0]
    return f"{report.verdict.value}, {zones}", time.process_time() - begun


def main() -> None:
    searched(2)  # loads the compiled code
    print("| Fischer, N | pauses | zones | s | zones/s |\n|---|---|---|---|---|")
    for processes in (2, 3, 4, 5):
        pauses, zones, seconds = searched(processes)
        print(f"| {processes} | {pauses:,} | {zones:,} | {seconds:.2f} | {zones / seconds:,.0f} |", flush=True)
    print("\n| the incident under | verdict | s |\n|---|---|---|")
    for placement in load_model("cc_ci").placements:
        try:
            said, seconds = judged(placement)
        except DstampError as why:
            print(f"| {placement} | not asked: {why} | |", flush=True)
        else:
            print(f"| {placement} | {said} | {seconds:.2f} |", flush=True)


if __name__ == "__main__":
    main()
