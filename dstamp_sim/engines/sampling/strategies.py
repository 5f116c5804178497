"""The strategies, a line each, and how compiled code calls the functions of the one that was chosen."""

from __future__ import annotations

from typing import Any

from dstamp_sim.engines.sampling import pct, pos, preemption_bounded, random_walk, uniform
from dstamp_sim.engines.sampling.strategy import Strategy
from dstamp_sim.engines.tables.compiled import compiled

STRATEGIES: tuple[Strategy, ...] = (
    random_walk.STRATEGY,
    pct.STRATEGY,
    pos.STRATEGY,
    preemption_bounded.STRATEGY,
    uniform.STRATEGY,
)
"""Every strategy, in the order in which help lists them. Compiled code knows them by their places."""


def by_place(function: str, *arguments: str) -> Any:
    """Compiled: calls this function of the strategy at a place; takes the place, then `arguments`.

    Compiled code cannot look functions up in a table and be kept on disk, so the table is written out, a branch a line.
    """
    names = {f"{function}_{place}": getattr(strategy, function) for place, strategy in enumerate(STRATEGIES)}
    given = ", ".join(arguments)
    branches = [f" if place == {place}: return {name}({given})" for place, name in enumerate(names)]
    otherwise = f" return {function}_0({given})"
    source = "\n".join((f"def {function}(place, {given}):", *branches, otherwise))
    exec(compile(source, __file__, "exec"), names)  # made of the names above alone
    return compiled(names[function])


begin = by_place("begin", "memory")
choose = by_place("choose", "memory", "step", "offer")
done = by_place("done", "memory")
