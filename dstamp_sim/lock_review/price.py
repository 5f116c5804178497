"""The price of a placement: the scenario's arrivals, many times over, on the compiled clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dstamp_sim.analyses.confidence import mean_interval
from dstamp_sim.core.errors import ScenarioError
from dstamp_sim.core.placement import REJECTED
from dstamp_sim.core.scenario import Arrivals, Timing
from dstamp_sim.core.system import System
from dstamp_sim.engines.timed.sweep import Sweeper, Swept, Varied
from dstamp_sim.lock_review.compare import Estimate, Price

REPLICATIONS = 20
"""How often the arrivals are drawn and simulated."""

MANY = 1000
"""From this many processes on, the tables are completed before the clock starts."""


def price_of(system: System, arrivals: Arrivals, timing: Timing) -> Price | str:
    """The price of `system`, whose processes with `copies=ANY` are the domains of the arrivals.

    Where a run never ends there is none, but the reason. The same arguments return the same price; two placements
    are priced with the same arrivals. Raises ScenarioError if the numbers of domains differ or a delay has no
    distribution.
    """
    swept, starts, locks = _swept(system, arrivals, timing)
    ended = swept.ended_at_s[:, : starts.shape[1]]
    if not np.isfinite(ended).all():
        return "some runs never end under these arrivals"
    waited, span = swept.waited_s[:, : starts.shape[1]], ended.max(axis=1) - starts.min(axis=1)
    busy = swept.busy_s[:, [swept.objects.index(name) for name in locks]]
    refused = [end for end, result in swept.results.items() if result == REJECTED]
    held = busy.max(axis=1) / span if locks else np.zeros(len(span))
    return Price(
        throughput_per_h=_interval(starts.shape[1] / span * 3600),
        makespan_s=_interval(span),
        waited_p50_s=_interval(np.quantile(waited, 0.5, axis=1)),
        waited_p95_s=_interval(np.quantile(waited, 0.95, axis=1)),
        waited_max_s=_interval(waited.max(axis=1)),
        utilisation=_interval(held),
        turned_away=_interval(np.isin(swept.ends[:, : starts.shape[1]], refused).mean(axis=1)),
    )


def _swept(system: System, arrivals: Arrivals, timing: Timing) -> tuple[Swept, NDArray[np.float64], list[str]]:
    streams = system.any_number
    if len(streams) != arrivals.domains:
        raise ScenarioError(
            f"arrivals over {arrivals.domains} domains, but the model has {len(streams)} processes of any number: "
            f"parameter {arrivals.over!r} must distinguish as many"
        )
    times = np.array([arrivals.times_s(timing.seed + k) for k in range(REPLICATIONS)], dtype=object)
    many = system.with_copies({name: len(times[0][k]) for k, name in enumerate(streams)})
    names = many.must_end
    starts = np.array([[at for domain in drawn for at in domain] for drawn in times], np.float64)
    sweeper = Sweeper(many)
    if len(names) > MANY:
        sweeper.prepare()
    varied = Varied(starts_s={name: starts[:, k] for k, name in enumerate(names)})
    return sweeper.sweep(replace(timing, starts_s={}), REPLICATIONS, varied=varied), starts, list(many.lock_objects)


def _interval(values: Sequence[float] | NDArray[np.float64]) -> Estimate:
    return Estimate(*mean_interval([float(value) for value in values]))
