"""Six races, five samplers, the same budget and seeds: how often does a schedule hit? Prints docs/samplers.md's table.

python experiments/sampler_race.py [--budget 20000] [--seeds 5]
"""

import argparse
from collections.abc import Sequence

from dstamp_sim import UsageError
from dstamp_sim.analyses.confidence import interval
from dstamp_sim.core.properties import PropertyKind
from dstamp_sim.engines.explore.explorer import explore
from dstamp_sim.engines.sampling.sampler import NAMES, Settings, sample
from dstamp_sim.inputs.model_file import load_model

RACES = (
    ("classic/bank", {"customers": 3}),
    ("classic/philosophers", {}),
    ("classic/lock_file", {}),
    ("cc_ci:stack_race", {"runs": 3}),
    ("cc_ci:checkout_race", {"runs": 3}),
    ("cc_ci:torn_checkout", {}),
)


def per_thousand(hits: int, schedules: int) -> str:
    """How many of a thousand schedules hit, with the 95 % interval."""
    low, high = interval(hits, schedules)
    return f"{1000 * hits / schedules:.1f} ({1000 * low:.1f} to {1000 * high:.1f})"


def race(model: str, settings: dict[str, int], strategy: str, budget: int, seeds: int) -> str:
    """One cell: the property that the model violates, over all seeds."""
    system = load_model(model).build(settings)
    [prop] = [
        j.prop for j in explore(system).judgements if j.trace is not None and j.prop.kind is not PropertyKind.REACHABLE
    ]
    hits = schedules = 0
    for seed in range(seeds):
        try:
            drawn = sample(system, budget, Settings(strategy, seed=seed), properties=[prop.name])
        except UsageError as refused:
            return f"({str(refused).partition(':')[0]})"
        hits, schedules = hits + drawn.decided[prop.name], schedules + drawn.schedules
        if not drawn.independent:
            return f"{1000 * hits / schedules:.1f} of the first {schedules:,}"
    return per_thousand(hits, schedules)


def table(budget: int, seeds: int, races: Sequence[tuple[str, dict[str, int]]] = RACES) -> list[str]:
    """The table of these races, in Markdown."""
    rows = [f"| race | {' | '.join(NAMES)} |", f"|---|{'---|' * len(NAMES)}"]
    for model, settings in races:
        name = " ".join([model, *(f"{key}={value}" for key, value in settings.items())])
        cells = [race(model, settings, strategy, budget, seeds) for strategy in NAMES]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=int, default=20_000, help="schedules for each seed")
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    print("\n".join(table(asked.budget, asked.seeds)))  # noqa: T201 - what it is for


if __name__ == "__main__":
    main()
