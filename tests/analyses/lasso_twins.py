"""Wrong twins of claims about lassos: nearly the same, and not true."""

from dataclasses import replace

from dstamp_sim.analyses.going_round import GoRound, NeverComes, PutOff, StandStill
from dstamp_sim.core.properties import PropertyKind

HOW_OFTEN = {"always", "sometimes", "never"}

LASSO_TWINS = {
    NeverComes: lambda c, _: [replace(c, step=c.step + 1)] if c.kind is PropertyKind.EVENTUALLY else [],
    GoRound: lambda c, _: [replace(c, last=c.last - 1), replace(c, processes=(*c.processes, "nobody"))],
    StandStill: lambda c, _: [replace(c, steps=c.steps + 1)],
    PutOff: lambda c, _: [
        replace(c, op="nothing"),
        *(replace(c, possible=how) for how in sorted(HOW_OFTEN - {c.possible})),
    ],
}
