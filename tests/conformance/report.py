"""What was compared on real parts, as docs/conformance.md: counts of sequences, ops, outcomes and disagreements."""

from collections import Counter, defaultdict

from dstamp_sim.conformance.play import Tally

HEADER = """\
# Conformance

Written by `make conform`: what the models' objects did against real git, flock(2) and Docker Swarm. A *sequence* is one
generated or recorded schedule of 1 to 3 processes; in each, every op's result, every block and all of the state that
can be seen were compared with the model's. Where the model allows several outcomes, the real one had to be among them.
"""


def pack(tally: Tally) -> list:
    """A tally as plain values, as test processes send it."""
    return [dict(tally.runs), [[*key, count] for key, count in tally.outcomes.items()], dict(tally.disagreements)]


def unpack(into: Tally, packed: list) -> None:
    """Adds a packed tally to `into`."""
    runs, outcomes, disagreements = packed
    into.runs.update(runs)
    into.disagreements.update(disagreements)
    for kind, verb, gave, count in outcomes:
        into.outcomes[kind, verb, gave] += count


def summary(tally: Tally) -> list[str]:
    """A line for each kind of object."""
    lines = []
    for kind in sorted(tally.runs):
        ops = sum(count for (known, _, _), count in tally.outcomes.items() if known == kind)
        seen = {(verb, gave) for known, verb, gave in tally.outcomes if known == kind}
        lines.append(
            f"{kind}: {tally.runs[kind]:,} sequences tried, {ops:,} ops compared, {len(seen)} outcomes seen, "
            f"{tally.disagreements[kind]} disagreements"
        )
    return lines


def document(tally: Tally, *, budget: int, trials: int) -> str:
    """The whole of docs/conformance.md; `budget` and `trials` are the options that it was made with."""
    tables: defaultdict[str, defaultdict[str, Counter]] = defaultdict(lambda: defaultdict(Counter))
    for (kind, verb, gave), count in tally.outcomes.items():
        tables[kind][verb][_short(gave)] += count
    made = (
        f"Made with --real-budget {budget}; besides, {trials} free-running trials of each recommended placement passed."
    )
    parts = [HEADER, made, "", *(f"- {line}" for line in summary(tally))]
    for kind in sorted(tables):
        parts += ["", f"## {kind}", "", "| op | outcomes seen, how often |", "|---|---|"]
        for verb, seen in sorted(tables[kind].items()):
            told = ", ".join(f"{gave} {count:,}" for gave, count in seen.most_common())
            parts.append(f"| {verb} | {told} |")
    return "\n".join(parts) + "\n"


def _short(gave: str) -> str:
    return gave.partition("(")[0] + "(…)" if "(" in gave else gave
