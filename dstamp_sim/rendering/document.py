"""A document: headings, sentences, lists, tables and figures, from which text, Markdown, HTML and JSON are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Emphasis:
    """Words with a style."""

    text: str
    style: Literal["code", "strong", "emphasis"]


@dataclass(frozen=True)
class Link:
    """Words that lead to a file."""

    text: str
    file: Path


Inline = str | Emphasis | Link
Text = str | tuple[Inline, ...]
"""A sentence, or its parts if some have a style."""


@dataclass(frozen=True)
class Heading:
    """A heading below the title: 2 is the highest level."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Sentences that belong together."""

    text: Text


@dataclass(frozen=True)
class Items:
    """A list."""

    items: tuple[Text, ...]


@dataclass(frozen=True)
class Table:
    """Rows under a head, each with a cell for each of its columns."""

    head: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]


@dataclass(frozen=True)
class Figure:
    """A picture with its caption."""

    file: Path
    caption: str


Block = Heading | Paragraph | Items | Table | Figure


@dataclass(frozen=True)
class Document:
    """A title and the blocks below it."""

    title: str
    blocks: tuple[Block, ...]


def parts(text: Text) -> tuple[Inline, ...]:
    """A text as its parts."""
    return (text,) if isinstance(text, str) else text


def plain(text: Text) -> str:
    """A text without styles."""
    return "".join(part if isinstance(part, str) else part.text for part in parts(text))


def strong(text: str) -> Emphasis:
    """Words in bold."""
    return Emphasis(text, "strong")


def code(text: str) -> Emphasis:
    """A name as it is typed."""
    return Emphasis(text, "code")


def emphasis(text: str) -> Emphasis:
    """Words in italics."""
    return Emphasis(text, "emphasis")


def with_code(sentence: str) -> Text:
    """A sentence whose names between backticks are set as one types them."""
    pieces = re.split(r"`([^`]*)`", sentence)
    return tuple(code(piece) if number % 2 else piece for number, piece in enumerate(pieces) if piece)


def as_json(document: Document) -> dict[str, Any]:
    """The document as plain values: its content without its look."""
    return {"title": document.title, "blocks": [_plain_block(block) for block in document.blocks]}


def _plain_block(block: Block) -> dict[str, Any]:
    match block:
        case Heading(text, level):
            return {"heading": text, "level": level}
        case Paragraph(text):
            return {"paragraph": plain(text)}
        case Items(items):
            return {"items": [plain(item) for item in items]}
        case Table(head, rows):
            return {"head": list(head), "rows": [[plain(cell) for cell in row] for row in rows]}
        case Figure(file, caption):
            return {"figure": file.name, "caption": caption}
