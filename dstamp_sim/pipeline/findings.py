"""The findings of explorations beside their verdicts, one line each in `FINDINGS`, for the text and for `--json`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from dstamp_sim.analyses.lock_order import lock_order
from dstamp_sim.core.system import System
from dstamp_sim.engines.explore.atlas import chart

LOCK_ORDER_STATES = 2_000
"""How many states are visited to learn in which order locks are taken."""


def lock_cycles(system: System) -> Iterable[str]:
    """Cycles in the order in which processes take locks: possible deadlocks, though no run showed one.

    Learnt from the first `LOCK_ORDER_STATES` states; empty if there are fewer than two locks.
    """
    locks = [item for item in (*system.objects, *system.lock_objects.values()) if item.is_lock and not item.private]
    return lock_order(chart(system, most_states=LOCK_ORDER_STATES).semantics).says() if len(locks) > 1 else ()


FINDINGS: Mapping[str, Callable[[System], Iterable[str]]] = {
    "lock_cycles": lock_cycles,
}
"""The functions that look for findings in every system that is explored, by their names in `--json`."""


def findings_of(system: System) -> dict[str, tuple[str, ...]]:
    """The findings about a system, by kind."""
    return {kind: tuple(look(system)) for kind, look in FINDINGS.items()}
