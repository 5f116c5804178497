"""The judgement of an incident as `replay` and `update` print it."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dstamp_sim.cli.console import say

STYLES = {"possible": "green", "undetermined": "", "impossible": "red"}
"""The verdicts in the order in which they are shown, with their colours."""


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
    """A row per mechanism and verdict, with the readings under which it is so; the CSV file has a row for each."""
    table = Table(show_lines=True)
    for heading in ("mechanism", "verdict", "under", "why", "unseen partners"):
        table.add_column(heading, overflow="fold")
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in document["mechanisms"]:
        grouped.setdefault((row["mechanism"], row["verdict"]), []).append(row)
    for (name, verdict), rows in sorted(grouped.items(), key=lambda item: list(STYLES).index(item[0][1])):
        why = "; ".join(dict.fromkeys(row["why"] for row in rows))
        needs = "; ".join(dict.fromkeys(_needs(row) for row in rows))
        under = _under(rows, [row for row in document["mechanisms"] if row["mechanism"] == name])
        table.add_row(Text(name), Text(verdict, style=STYLES[verdict]), Text(under), Text(why), needs)
    return table


def _under(rows: list[dict[str, Any]], of_all: list[dict[str, Any]]) -> str:
    """The readings of some rows of a mechanism in words, or that they are all there are."""
    if len(rows) == len(of_all):
        return "every reading" if len(rows) > 1 else "; ".join(rows[0]["reading"].values())
    return " | ".join("; ".join(row["reading"].values()) for row in rows)


def _needs(row: dict[str, Any]) -> str:
    if row["unseen_partners"] is None:
        return ""
    without = f" ({row['unseen_partners_without_timing']} without timing)" if row["unseen_partners"] else ""
    return f"{row['unseen_partners']}{without}"
