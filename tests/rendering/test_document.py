"""A document says the same on a console, in Markdown, in HTML and as JSON; what is in it is text and no markup."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from dstamp_sim.rendering.as_console import print_document
from dstamp_sim.rendering.as_html import html
from dstamp_sim.rendering.as_markdown import markdown
from dstamp_sim.rendering.document import (
    Document,
    Figure,
    Heading,
    Items,
    Link,
    Paragraph,
    Table,
    as_json,
    code,
    emphasis,
    plain,
    strong,
    with_code,
)


@pytest.fixture
def picture(tmp_path):
    file = tmp_path / "drawn.svg"
    file.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return file


@pytest.fixture
def document(picture):
    return Document(
        "Two <runs> & a_b",
        (
            Heading("First"),
            Paragraph(("It is ", strong("bold"), ", ", emphasis("slanted"), " and ", code("typed|so"), ".")),
            Items(("one *star*", ("see ", Link("the table", Path("out/table.csv"))))),
            Heading("Deeper", 3),
            Table(("a", "b"), (("1", "<1%"), ((code("x"),), "y|z"))),
            Figure(picture, "What was drawn"),
        ),
    )


def test_markdown(document):
    assert markdown(document, {"table.csv": "report/table.csv", "drawn.svg": "report/drawn.svg"}) == (
        "# Two &lt;runs> & a_b\n\n"
        "## First\n\n"
        "It is **bold**, *slanted* and `typed\\|so`.\n\n"
        "- one \\*star\\*\n- see [the table](report/table.csv)\n\n"
        "### Deeper\n\n"
        "| a | b |\n|---|---|\n| 1 | &lt;1% |\n| `x` | y\\|z |\n\n"
        "![What was drawn](report/drawn.svg)\n\n*What was drawn*\n"
    )


def test_html_is_one_file_in_which_text_is_escaped(document):
    page = html(document)
    for told in (
        "<h1>Two &lt;runs&gt; &amp; a_b</h1>",
        "<p>It is <strong>bold</strong>, <em>slanted</em> and <code>typed|so</code>.</p>",
        '<li>see <a href="table.csv">the table</a></li>',
        "<h3>Deeper</h3>",
        "<td>&lt;1%</td>",
        '<img alt="What was drawn" src="data:image/svg+xml;base64,',
    ):
        assert told in page


def test_on_a_console_lines_break_between_words_and_items_hang(document):
    console = Console(width=20, file=io.StringIO(), record=True)
    items = Items(("a sentence that is longer than a line", ("see ", Link("it", Path("a.csv")))))
    print_document(console, Document("T", (items,)))
    assert console.export_text().splitlines() == [
        "T", "", "- a sentence that is", "  longer than a line", "- see it (a.csv)"
    ]  # fmt: skip


def test_json_has_the_words_without_their_looks(document):
    blocks = as_json(document)["blocks"]
    assert blocks[1] == {"paragraph": "It is bold, slanted and typed|so."}
    assert blocks[4] == {"head": ["a", "b"], "rows": [["1", "<1%"], ["x", "y|z"]]}
    assert blocks[5] == {"figure": "drawn.svg", "caption": "What was drawn"}


@pytest.mark.parametrize("sentence", ["`a` and `b`", "no code", "an odd ` sign", "``", ""])
def test_what_stands_between_backticks_is_code_and_no_word_is_lost(sentence):
    assert plain(with_code(sentence)).replace("`", "") == sentence.replace("`", "")


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "&lt;b&gt;", "[x](y)", "_a_ **b** `c` \\d"])
def test_hostile_text_is_no_markup(text):
    shown = markdown(Document(text, (Paragraph(text),)), {})
    assert "<script" not in shown and "[x]" not in shown.replace("\\[x]", "")
    assert "<script" not in html(Document(text, (Paragraph(text),)))
