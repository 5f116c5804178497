"""A document on a terminal."""

from __future__ import annotations

import rich.table
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.text import Text as Shown

from dstamp_sim.core.escaping import harmless
from dstamp_sim.rendering.document import Block, Document, Figure, Heading, Items, Link, Paragraph, Table, Text, parts

STYLES = {"code": "cyan", "strong": "bold", "emphasis": "italic"}


def print_document(console: Console, document: Document) -> None:
    """The document, its lines broken between words at the console's width; pictures by their file names."""
    console.print(Shown(document.title, style="bold"))
    for block in document.blocks:
        console.print()
        print_block(console, block)


def print_block(console: Console, block: Block) -> None:
    """One block of a document."""
    match block:
        case Heading(text, level):
            console.print(Shown(text, style="bold underline" if level == 2 else "bold"))
        case Paragraph(text):
            _print_lines(console, text, "", "")
        case Items(items):
            for item in items:
                _print_lines(console, item, "- ", "  ")
        case Table():
            console.print(_table(block))
        case Figure(file, caption):
            console.print(Shown(f"{caption}: {file}"))


def styled(text: Text) -> Shown:
    """A text with what stands out in it."""
    line = Shown()
    for part in parts(text):
        if isinstance(part, str):
            line.append(harmless(part))
        elif isinstance(part, Link):
            line.append(harmless(f"{part.text} ({part.file})"))
        else:
            line.append(harmless(part.text), style=STYLES[part.style])
    return line


def _print_lines(console: Console, text: Text, first: str, rest: str) -> None:
    """A text broken between words, each line behind its sign."""
    for number, line in enumerate(styled(text).wrap(console, max(20, console.width - len(rest)))):
        line.rstrip()
        console.print(Shown(rest if number else first) + line)


def _table(table: Table) -> rich.table.Table:
    drawn = rich.table.Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in table.head:
        drawn.add_column(Shown(harmless(heading)), overflow="fold")
    for row in table.rows:
        drawn.add_row(*map(styled, row))
    return drawn
