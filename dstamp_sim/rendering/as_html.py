"""A document as one HTML file: its pictures are inside it, and it loads nothing."""

from __future__ import annotations

import base64
from pathlib import Path

from dstamp_sim.core.escaping import harmless
from dstamp_sim.disk.reading import read_bytes
from dstamp_sim.rendering.document import Document, parts

KINDS = {".svg": "svg+xml", ".png": "png"}


def html(document: Document) -> str:
    """The document as HTML; the files that it links to are beside it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - only where a page is written

    loader = PackageLoader("dstamp_sim.rendering")
    pages = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True, finalize=_finalized
    )
    blocks = [(type(block).__name__, block) for block in document.blocks]
    return pages.get_template("document.html").render(document=document, blocks=blocks, parts=parts, picture=_picture)


def _finalized(value: object) -> object:
    return harmless(value) if type(value) is str else value  # what is escaped already is of another type


def _picture(file: Path) -> str:
    inside = base64.b64encode(read_bytes(file)).decode("ascii")
    return f"data:image/{KINDS[file.suffix]};base64,{inside}"
