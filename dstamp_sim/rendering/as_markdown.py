"""A document as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from dstamp_sim.core.escaping import harmless
from dstamp_sim.rendering.document import (
    Block,
    Document,
    Emphasis,
    Figure,
    Heading,
    Items,
    Link,
    Paragraph,
    Table,
    Text,
    parts,
)

EMPHASIS = {"strong": "**", "emphasis": "*"}

MARKUP = re.compile(r"[\\`*\[|]|(?<!\w)_|_(?!\w)|<|&(?=#?\w+;)")
"""Characters that Markdown could take for markup; an underscore inside a word is not."""

ENTITIES = {"<": "&lt;", "&": "&amp;"}
"""Characters that become entities, so that no reader takes them for a tag; all others get a backslash."""


def markdown(document: Document, links: Mapping[str, str]) -> str:
    """The document as Markdown; `links` are where its files are, by their names."""
    writer = _MarkdownWriter(links)
    lines = [f"# {writer.text(document.title)}", ""]
    for block in document.blocks:
        lines += [*writer.block(block), ""]
    return "\n".join(lines).rstrip() + "\n"


class _MarkdownWriter:
    def __init__(self, links: Mapping[str, str]) -> None:
        self._links = links

    def block(self, block: Block) -> Iterator[str]:
        match block:
            case Heading(text, level):
                yield f"{'#' * level} {self.text(text)}"
            case Paragraph(text):
                yield self.text(text)
            case Items(items):
                yield from (f"- {self.text(item)}" for item in items)
            case Table(head, rows):
                yield self._row(head)
                yield "|---" * len(head) + "|"
                yield from map(self._row, rows)
            case Figure(file, caption):
                yield f"![{self.text(caption)}]({self._links[file.name]})"
                yield ""
                yield f"*{self.text(caption)}*"

    def _row(self, cells: tuple[Text, ...]) -> str:
        return "| " + " | ".join(map(self.text, cells)) + " |"

    def text(self, text: Text) -> str:
        return harmless(" ".join("".join(map(self._part, parts(text))).split()))

    def _part(self, part: str | Emphasis | Link) -> str:
        if isinstance(part, str):
            return MARKUP.sub(lambda found: ENTITIES.get(found[0], f"\\{found[0]}"), part)
        if isinstance(part, Link):
            return f"[{part.text}]({self._links[part.file.name]})"
        if part.style == "code":
            return _code(part.text)
        mark = EMPHASIS[part.style]
        return f"{mark}{self._part(part.text)}{mark}"


def _code(text: str) -> str:
    """`text` as code, between more backticks than any that stand together in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, pad = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{pad}{text.replace('|', chr(92) + '|')}{pad}{fence}"
