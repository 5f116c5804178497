"""The judgement of an incident as `replay` and `update` print it."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dstamp_sim.cli.console import say

STYLES = {"possible": "green", "impossible": "red"}


def print_judgement(console: Console, document: dict[str, Any]) -> None:
    """The mechanism table, the posterior as bars, and the experiment to do next."""
    console.print(_mechanisms(document))
    if document["conflict"]:
        told = ", ".join(document["conflict"])
        say(console, Text(f"No mechanism can give these observations together: {told}", style="bold red"))
    say(console, Text("\nHow likely each is, all equally likely before:", style="bold"))
    for name, share in sorted(document["posterior"].items(), key=lambda item: -item[1]):
        if share > 0:
            say(console, Text(f"  {name:22} {'#' * round(50 * share):50} {share:6.1%}"))
    flips = "; ".join(document["flips"])
    say(
        console,
        Text(f"Under other priors another comes first: {flips}." if flips else "No other prior changes the first."),
    )
    say(console, Text("\nThe next experiment, most telling first (bits expected):", style="bold"))
    for item in document["experiments"][:4]:
        say(console, Text(f"  {item['bits']:.2f}  {item['experiment']}: {item['story']}"))
    for outcome, meaning in document["experiments"][0]["means"].items() if document["experiments"] else ():
        say(console, Text(f"        {outcome}: {meaning}"))


def _mechanisms(document: dict[str, Any]) -> Table:
    table = Table()
    for heading in ("mechanism", "reading", "verdict", "why", "unseen partners"):
        table.add_column(heading, overflow="fold")
    for row in document["mechanisms"]:
        reading = "; ".join(row["reading"].values())
        needs = "" if row["unseen_partners"] is None else str(row["unseen_partners"])
        if row["unseen_partners"]:
            needs += f" ({row['unseen_partners_without_timing']} without timing)"
        verdict = Text(row["verdict"], style=STYLES.get(row["verdict"], ""))
        table.add_row(Text(row["mechanism"]), Text(reading), verdict, Text(row["why"]), needs)
    return table
