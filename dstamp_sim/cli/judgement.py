"""The judgement of an incident as `replay` and `update` print it."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dstamp_sim.cli.console import say

STYLES = {"possible": "green", "undetermined": "", "impossible": "red"}
"""The verdicts in the order in which they are shown, with their colours."""


def print_judgement(console: Console, document: dict[str, Any]) -> None:
    """The mechanism table, the posterior as bars, and the experiment to do next."""
    console.print(_mechanisms(document))
    _print_assumptions(console, document)
    _print_bearings(console, document)
    _print_pairs(console, document)
    if document["left"]:
        _print_posterior(console, document)
        _print_twins(console, document)
        _print_next(console, document)
    else:
        say(console, Text(NONE_LEFT))


NONE_LEFT = (
    "\nNo mechanism is left, so nothing is weighed and no experiment can tell between them: look again at the "
    "observations that conflict, or give the model another mechanism."
)


def _print_next(console: Console, document: dict[str, Any]) -> None:
    """The experiments that tell most, and the document's own rule, judged."""
    say(console, Text("\nThe next experiment, most telling first (bits expected):", style="bold"))
    for item in document["experiments"][:4]:
        say(console, Text(f"  {item['bits']:.2f}  {item['experiment']}: {item['story']}"))
    for outcome, meaning in document["experiments"][0]["means"].items() if document["experiments"] else ():
        say(console, Text(f"        {outcome}: {meaning}"))
    if document["rule"]:
        say(console, Text(f'\nThe rule "{document["rule"]["says"]}", judged:', style="bold"))
        for sentence in document["rule"]["judgement"]:
            say(console, Text(f"  {sentence}"))


def _print_assumptions(console: Console, document: dict[str, Any]) -> None:
    """What each row that is possible has to assume, and what run on the clock shows the mechanism."""
    say(console, Text("\nWhat each possible one must assume:", style="bold"))
    rows = [row for row in document["mechanisms"] if row["verdict"] == "possible"]
    for name in dict.fromkeys(row["mechanism"] for row in rows):
        for row in rows:
            if row["mechanism"] == name:
                console.print(Padding(Text(f"{name}: {'; '.join(row['assumes'])}"), (0, 0, 0, 2)))
        witness = document["witnesses"].get(name) or document["without_witness"].get(name)
        if witness:
            told = witness["told"] if name in document["without_witness"] else f"witness: {witness['told']}"
            console.print(Padding(Text(told), (0, 0, 0, 6)))
    if not rows:
        say(console, Text("  none is possible"))


MARKS = {"explains": "+", "contradicts": "x", "is silent on": ".", "undetermined": "?"}
"""How a mechanism bears on an observation, in a table's cell."""


def _print_bearings(console: Console, document: dict[str, Any]) -> None:
    """What each mechanism explains (+), contradicts (x) and is silent on (.), by its reading that assumes least."""
    names = list(document["mechanisms"][0]["bearings"])
    table = Table(caption="+ explains, x contradicts, . is silent on, ? undetermined; in the reading that does most")
    for heading in ("mechanism", *names):
        first = heading == "mechanism"
        table.add_column(Text(heading), overflow="fold", no_wrap=first, justify="left" if first else "center")
    for name in dict.fromkeys(row["mechanism"] for row in document["mechanisms"]):
        rows = [row for row in document["mechanisms"] if row["mechanism"] == name]
        best = min(rows, key=lambda row: list(STYLES).index(row["verdict"]))
        table.add_row(Text(name), *(MARKS[best["bearings"][item]] for item in names))
    console.print(table)


def _print_pairs(console: Console, document: dict[str, Any]) -> None:
    """What two mechanisms at once can do where none can alone, or which observations conflict."""
    if document["conflict"]:
        told = document["conflict"]["told"]
        say(console, Text(f"\nNo mechanism alone can give all that was observed; {told}.", style="bold red"))
    if document["pairs_told"]:
        say(console, Text(f"{document['pairs_told']}."))
    for row in document["pairs"]:
        told = f"{row['mechanism']} ({'; '.join(row['reading'].values())}): {row['verdict']}, {row['why']}"
        console.print(Padding(Text(told), (0, 0, 0, 2)))


def _print_posterior(console: Console, document: dict[str, Any]) -> None:
    """A bar for every mechanism that is left, with its limits; and under which priors another comes first."""
    say(console, Text("\nHow likely each is under the assumed priors, all equally likely before:", style="bold"))
    for name, share in sorted(document["posterior"].items(), key=lambda item: -item[1]):
        low, high = document["posterior_limits"][name]
        if name in document["left"]:
            told = document["without_share"].get(name, f"{share:6.1%}  ({low:.1%} to {high:.1%})")
            say(console, Text(f"  {name:22} {'#' * round(50 * share):50} {told}"))
    flips = "; ".join(document["flips"])
    say(
        console,
        Text(f"Under other priors another comes first: {flips}." if flips else "No other prior changes the first."),
    )


def _print_twins(console: Console, document: dict[str, Any]) -> None:
    """Which mechanisms the outcomes at hand cannot tell apart, whatever the priors."""
    told = {name: others for name, others in document["not_told_apart"].items() if others}
    if not told:
        return
    again = document["repetitions"]
    say(console, Text(f"\nNot told apart by these outcomes, were all observed {again} times again:", style="bold"))
    for name, others in told.items():
        listed = ", ".join(f"{other} ({share:.0%})" for other, share in sorted(others.items(), key=lambda o: -o[1]))
        say(console, Text(f"  what {name} does, so does: {listed} of its settings"))
    say(console, Text("Between these, the posterior repeats what the priors assume of their rates."))


def _mechanisms(document: dict[str, Any]) -> Table:
    """A row per mechanism and verdict, with the readings under which it is so; the CSV file has a row for each."""
    deaths = f"of whom {document['most_deaths']} may die"
    table = Table(show_lines=True, caption=f"impossible: proved, with any number of partners, {deaths}")
    for heading in ("mechanism", "verdict", "under", "why", "least"):
        table.add_column(heading, overflow="fold")
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in document["mechanisms"]:
        grouped.setdefault((row["mechanism"], row["verdict"]), []).append(row)
    for (name, verdict), rows in sorted(grouped.items(), key=lambda item: list(STYLES).index(item[0][1])):
        why = "; ".join(dict.fromkeys(row["why"] for row in rows))
        needs = "\n".join(dict.fromkeys(needs for row in rows if (needs := _needs(row))))
        under = _under(rows, [row for row in document["mechanisms"] if row["mechanism"] == name])
        table.add_row(Text(name), Text(verdict, style=STYLES[verdict]), Text(under), Text(why), needs)
    return table


def _under(rows: list[dict[str, Any]], of_all: list[dict[str, Any]]) -> str:
    """The readings of some rows of a mechanism in words, or that they are all there are."""
    if len(rows) == len(of_all):
        return "every reading" if len(rows) > 1 else "; ".join(rows[0]["reading"].values())
    return " | ".join("; ".join(row["reading"].values()) for row in rows)


def _needs(row: dict[str, Any]) -> str:
    """The least numbers in time and, where they differ, without."""
    numbers = [_numbers(row, suffix) for suffix in ("", "_without_timing")]
    if numbers[0] == numbers[1]:
        return numbers[0]
    return "\n".join(f"{told} {when}" for told, when in zip(numbers, ("in time", "without"), strict=True) if told)


def _numbers(row: dict[str, Any], suffix: str) -> str:
    if row[f"unseen_partners{suffix}"] is None:
        return ""
    kinds = ("unseen_partners", "unseen"), ("crashes", "crashes"), ("failures", "failures")
    exact = row[f"unseen_partners_exact{suffix}"] and row[f"failures_exact{suffix}"]
    return ("" if exact else "at most ") + ", ".join(f"{row[key + suffix]} {word}" for key, word in kinds)
