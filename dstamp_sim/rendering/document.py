"""The one-page review, as Markdown for a pull request and as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """A picture with its caption."""

    file: Path
    caption: str


@dataclass(frozen=True)
class Table:
    """Rows of text under a heading."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = str | Figure | Table | list[str]
"""A paragraph, a figure, a table, or a list of items."""


@dataclass(frozen=True)
class Part:
    """A part of the page: its heading (empty: none) and its blocks."""

    heading: str
    blocks: tuple[Block, ...]


def markdown(title: str, parts: Sequence[Part]) -> str:
    """The page as Markdown; pictures are linked by their file names, so they lie beside it."""
    lines = [f"# {title}", ""]
    for part in parts:
        lines += [f"## {part.heading}", ""] if part.heading else []
        for block in part.blocks:
            lines += [*_markdown(block), ""]
    return "\n".join(lines)


def _markdown(block: Block) -> list[str]:
    if isinstance(block, Figure):
        return [f"![{_plain(block.caption)}]({block.file.name})", "", f"*{_plain(block.caption)}*"]
    if isinstance(block, Table):
        rows = ["| " + " | ".join(_plain(cell) for cell in row) + " |" for row in (block.head, *block.rows)]
        return [rows[0], "|" + " --- |" * len(block.head), *rows[1:]]
    if isinstance(block, list):
        return [f"- {_plain(item)}" for item in block]
    return [_plain(block)]


def _plain(text: str) -> str:
    """Text in which Markdown finds no markup: what a model's author wrote is shown as it is."""
    for sign in "\\`*_<>|[]":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def html(title: str, parts: Sequence[Part]) -> str:
    """The page as one HTML file: pictures are inside it, and it loads nothing."""
    body = "\n".join(
        "\n".join([f"<h2>{escape(part.heading)}</h2>" if part.heading else "", *map(_html, part.blocks)])
        for part in parts
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{_STYLE}</style></head>\n<body><main>\n<h1>{escape(title)}</h1>\n{body}\n</main></body></html>\n"
    )


def _html(block: Block) -> str:
    if isinstance(block, Figure):
        kind = {"svg": "svg+xml", "png": "png"}[block.file.suffix.lstrip(".")]
        inside = base64.b64encode(block.file.read_bytes()).decode("ascii")
        picture = f'<img alt="{escape(block.caption)}" src="data:image/{kind};base64,{inside}">'
        return f"<figure>{picture}<figcaption>{escape(block.caption)}</figcaption></figure>"
    if isinstance(block, Table):
        head = "".join(f"<th>{escape(cell)}</th>" for cell in block.head)
        rows = "\n".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in block.rows)
        return f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>"
    if isinstance(block, list):
        return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in block)}</ul>"
    return f"<p>{escape(block)}</p>"


_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #1c2733; background: #fff; }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid #d5dbe1; }
p, li { max-width: 60rem; } figure { margin: 1rem 0 1.6rem; } figcaption { color: #5b6875; }
img { width: 100%; background: #fff; border: 1px solid #e4e8ec; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .92rem; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #e4e8ec; white-space: nowrap; }
@media (prefers-color-scheme: dark) {
  body { color: #e6eaee; background: #14191f; } figcaption { color: #9aa7b4; }
  th, td, h2 { border-color: #36414c; }
}
"""
