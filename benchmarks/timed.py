"""usage: python -m benchmarks.timed; prints how many ops the two timed engines carry in a second of processor time.

A fleet of 200 domains on the compiled clock, its tables included, and four domains on SimPy's, whose traces are kept.
"""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from dstamp_sim import ANY
from dstamp_sim.core.scenario import Arrivals
from dstamp_sim.engines.timed.sweep import Sweeper, Varied
from dstamp_sim.engines.timed.timed import run_timed
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.inputs.scenario_file import read_scenario

FLEET = Path(__file__).parent.parent / "models" / "cc_ci" / "fleet.toml"


def fleet(domains, runs):
    """The system with `runs` runs over `domains` domains, its timing without starts, and the starts by name."""
    timing = read_scenario(FLEET).timing
    arrivals = Arrivals(domains, "pr", runs, per_day=50 * domains)
    model = load_model("cc_ci")
    system = model.build({"runs": ANY, "pr": tuple(range(1, domains + 1))}, "deploy_app_to_check")
    times = arrivals.times_s(timing.seed)
    many = system.with_copies({name: len(times[k]) for k, name in enumerate(system.any_number)})
    names = [instance.name for instance in many.instances() if not instance.process.daemon]
    return many, replace(timing, starts_s={}), dict(zip(names, (at for one in times for at in one), strict=True))


def compiled(domains, runs):
    many, timing, starts = fleet(domains, runs)
    begun = time.process_time()
    sweeper = Sweeper(many)
    sweeper.prepare()
    prepared = time.process_time()
    varied = Varied(starts_s={name: np.array([at]) for name, at in starts.items()})
    swept = sweeper.sweep(timing, 1, varied=varied)
    ended = int((swept.ends[:, : len(starts)] >= 0).sum())
    return ended, prepared - begun, time.process_time() - prepared


def simulated(domains, runs):
    many, timing, starts = fleet(domains, runs)
    begun = time.process_time()
    trace = run_timed(many, replace(timing, starts_s=starts))
    return len(trace.steps), time.process_time() - begun


def main():
    compiled(2, 20)  # loads what is compiled
    ops, seconds = simulated(4, 2000)
    each = ops / 2000
    print(f"SimPy: {ops:,} ops in {seconds:.1f} s, {ops / seconds:,.0f} a second; {each:.1f} ops a run")
    ended, tables, clock = compiled(200, 44_000)
    ops = f"{ended:,} runs over 200 domains, {ended * each:,.0f} ops"
    print(f"compiled: {ops}: tables {tables:.1f} s, clock {clock:.1f} s")


if __name__ == "__main__":
    main()
