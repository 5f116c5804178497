"""Hostile names in every form of output: none is taken for markup, for a formula, or for orders to a terminal."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from dstamp_sim.engines.explore.explorer import explore
from dstamp_sim.incident.report.tornado import draw_tornado
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.rendering.as_html import html
from dstamp_sim.rendering.as_markdown import markdown
from dstamp_sim.rendering.document import Document, Emphasis, Heading, Items, Paragraph, Table
from dstamp_sim.rendering.fonts import LONGEST_LABEL, label
from dstamp_sim.rendering.text import story, summary
from tests.hostile.valid import BANK, LOCKED
from tests.hunt.conftest import can_hold, refusal  # noqa: F401 - fixtures

NAMES = (
    "|",
    "`",
    "<script>alert(1)</script>",
    "$x_{",
    "\x1b[31m",
    "\n",
    "\u202e",
    "\u2067",
    "\u200f",
    "](http://x)",
    "**",
    "&lt;",
)
HOSTILE = "a" + "".join(f"{name} " for name in NAMES) + "b"

MODEL = f"""
from dstamp_sim import *
from typing import NamedTuple
x = {HOSTILE!r}
r = Register("object " + x, 0)
class Done(NamedTuple):
    told: str
def body():
    seen = yield r.read()
    yield r.write(seen + 1)
    return Done(x)
def p():
    done = yield from section("section " + x, body())
    return done
def build() -> System:
    return System(objects=[r], processes=[Process("process " + x, p, copies=2)], sections=["section " + x],
                  properties=[at_end("property " + x, lambda results, state: state[r] == 2, reads=[r])])
"""
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What gives orders to a terminal, or turns a text around, but for the end of a line."""


@pytest.fixture
def explored(dstamp):
    Path("model.py").write_text(MODEL)
    code, out, err = dstamp("explore", "model.py", "--html")
    assert code == 1, err
    return out, err


def test_a_terminal_takes_no_orders_from_names(explored):
    out, err = explored
    assert "a| ` <script>" in out
    assert not STEERS.search(out + err)


def test_pictures_draw_names_as_they_are(explored):
    (svg,) = Path("out").glob("*.svg")
    root = ElementTree.parse(svg).getroot()
    assert not [tag for tag in root.iter() if tag.tag.endswith("script")]
    assert "$x_{" in "".join(root.itertext())
    (png,) = Path("out").glob("*.png")
    assert png.read_bytes().startswith(b"\x89PNG")


def test_a_page_has_no_element_that_a_name_made(explored):
    pages = list(Path("out").glob("*.html"))
    assert pages
    for page in pages:
        assert "<script>alert" not in page.read_text(encoding="utf-8")


def assert_plain(folder="out"):
    """No file in the folder has anything in it that steers: it is escaped, or stands there to be seen."""
    for file in (file for file in Path(folder).iterdir() if file.suffix != ".png"):
        found = STEERS.search(file.read_bytes().decode("utf-8").replace("\r\n", "\n"))
        assert not found, (file, found)


def test_names_that_turn_a_text_around_are_seen_in_pages_and_pictures_and_kept_in_witnesses(explored):
    assert_plain()
    (witness,) = Path("out").glob("*.witness.json")
    assert any(step["process"].startswith(f"process {HOSTILE}") for step in json.loads(witness.read_text())["steps"])
    seen = [file for ending in ("svg", "html") for file in Path("out").glob(f"*.{ending}")]
    assert len(seen) == 3 and all(r"\u202e" in file.read_text() for file in seen)


def test_the_picture_of_assumptions_draws_hostile_names(tmp_path):
    for kind in ("png", "svg"):
        draw_tornado({HOSTILE: 0.5, "x": 0.5}, {HOSTILE + "c": {HOSTILE: 0.9, "x": 0.1}}, tmp_path / f"tornado.{kind}")
    assert_plain(tmp_path)
    assert not [tag for tag in ElementTree.parse(tmp_path / "tornado.svg").iter() if tag.tag.endswith("script")]


@pytest.mark.usefixtures("can_hold")
def test_a_hunts_page_story_and_file_show_what_a_files_name_is(dstamp):
    name = "f\u202e\u001b[31m\u2067<script>$x_{"
    run = f"read n < '{name}'; echo $((n+1)) > '{name}'"
    words = ("--run", f"a={run}", "--run", f"b={run}", "--check", f"read n < '{name}'; [ $n = 7 ]", "--again", "1")
    code, out, err = dstamp("hunt", "--setup", f"echo 5 > '{name}'", *words)
    assert code == 1 and not STEERS.search(out + err), (code, err)
    assert_plain()
    page = Path("out/hunt.html").read_text()
    assert r"f\u202e" in page and "<script>$x_" not in page
    assert json.loads(Path("out/hunt.hunt.json").read_text())["setup"] == f"echo 5 > '{name}'"


def test_what_a_notebook_prints_turns_nothing_around(tmp_path):
    Path(tmp_path / "model.py").write_text(MODEL)
    report = explore(load_model(str(tmp_path / "model.py")).build({}))
    assert not STEERS.search("\n".join([*summary(report), *story(report.judgements[0].trace)]))


@pytest.mark.parametrize("form", ["mermaid", "perfetto", "itf", "shiviz", "dot", "graphml"])
def test_every_export_is_whole_and_takes_no_orders(dstamp, explored, form):
    (witness,) = Path("out").glob("*.witness.json")
    code, out, err = dstamp("export", witness, "--to", form, "--out", "exported")
    assert code == 0, err
    (file,) = (path for path in Path("exported").iterdir() if not path.name.startswith("."))
    text = file.read_text(encoding="utf-8")
    assert not STEERS.search(text)
    if file.suffix == ".json":
        json.loads(text)
    if form == "graphml":
        ElementTree.fromstring(text)
    assert not STEERS.search(out + err)


def test_json_is_whole_and_takes_no_orders(dstamp, explored):
    code, out, _ = dstamp("explore", "model.py", "--json")
    assert code == 1 and not STEERS.search(out)
    assert any(HOSTILE in item["property"] for item in json.loads(out)["properties"])


LOCKED_MODEL = (
    MODEL.replace("def build()", "def build(n: Copies = 2)")
    .replace("copies=2", "copies=n")
    .replace('sections=["section " + x],', 'sections=["section " + x], locks=[LockScope("lock " + x)],')
    + "span = Span('lock ' + x, 'section ' + x, 'section ' + x)\n"
    + "PLACEMENTS = {'placement ' + x: Placement('placement ' + x, [span])}\n"
)
COMMANDS = (
    ("describe",), ("mutate",), ("explore", "--set", "n=1..2", "--placement", "all"), ("review", "--set", "n=2"),
    ("export", "--to", "promela"), ("export", "--to", "dot"), ("export", "--to", "graphml"),
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_whatever_a_command_writes_of_hostile_names_gives_a_terminal_no_orders(dstamp, command):
    Path("model.py").write_text(LOCKED_MODEL)
    code, out, err = dstamp(command[0], "model.py", *command[1:])
    assert code in (0, 1) and not STEERS.search(out + err), (code, err)
    if Path("out").exists():
        assert_plain()
    for file in Path("out").glob("*"):
        if file.suffix != ".png":
            text = file.read_text(encoding="utf-8")
            assert file.suffix not in (".html", ".svg", ".md") or "<script>alert" not in text, file


DOCUMENT = Document(
    HOSTILE,
    (
        Heading(HOSTILE, 2),
        Paragraph((HOSTILE, Emphasis(HOSTILE, "code"), Emphasis(HOSTILE, "strong"))),
        Items((HOSTILE,)),
        Table((HOSTILE, "second"), ((HOSTILE, (Emphasis(HOSTILE, "code"),)),)),
    ),
)


def test_markdown_takes_no_name_for_markup():
    written = markdown(DOCUMENT, {})
    assert not STEERS.search(written)
    shown = MarkdownIt("commonmark").enable("table").render(written)
    assert not re.search(r"<(script|a|em|img)\b", shown), shown
    assert shown.count("<strong>") == 1
    (table,) = re.findall(r"<table>.*?</table>", shown, re.DOTALL)
    assert [len(re.findall("<t[hd]", row)) for row in table.split("<tr>")[1:]] == [2, 2]
    assert shown.count("&lt;script&gt;") == 9, "every name is there, as it was written"


def test_a_page_of_a_document_has_no_tag_of_a_name():
    assert "<script>alert" not in html(DOCUMENT)
    assert not STEERS.search(html(DOCUMENT))


def test_evidence_with_hostile_names_makes_a_report_without_markup(dstamp):
    for name in ("scenario.toml", "overdraft.py", "evidence.toml"):
        text = (BANK / name).read_text()
        text = text.replace('"cat"', '"cat<script>|`$x_{"') if name != "overdraft.py" else text
        Path(name).write_text(re.sub(r'^title = ".*"', 'title = "<script>|`$x_{ \\\\u001b[31m"', text, flags=re.M))
    code, out, err = dstamp("replay", "scenario.toml", "--report", "r.md")
    assert code == 0, err
    assert not STEERS.search(out + err)
    written = Path("r.md").read_text(encoding="utf-8")
    assert not STEERS.search(written)
    assert not re.search(r"<script", MarkdownIt("commonmark").enable("table").render(written))
    assert "<script>|" not in Path("out/report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [HOSTILE, "x" * 10_000, "\u202esrorrim", "a\nb"])
def test_a_label_of_a_plot_is_one_short_line_that_steers_nothing(name):
    drawn = label(name)
    assert len(drawn) <= 2 * LONGEST_LABEL and "\n" not in drawn and not STEERS.search(drawn)


def test_a_review_of_names_of_ten_thousand_letters_has_its_map(dstamp):
    Path("locked.py").write_text(LOCKED.replace("crit", "c" * 10_000))
    code, out, err = dstamp("review", "locked.py", "--spans", "1", "--set", "n=2")
    assert code == 0, (code, out[-500:], err[-500:])
    assert Path("out/placement-map.png").stat().st_size < 1 << 20
