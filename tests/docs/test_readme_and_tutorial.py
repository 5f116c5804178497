"""What the documents quote is what comes out: their files are saved, their commands run, their output compared.

In a document, a `python` or `toml` block is the file whose name the line above it ends with. In a `console` block,
`$ dstamp …` and `$ python …` are run in the folder of those files; the lines below a command are its output, where a
line `...` stands for any lines and `...` inside a line for any text. `# exit code N` is checked too (0 when left out).
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from dstamp_sim import explore
from dstamp_sim.inputs.model_file import load_model

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    "README.md",
    "docs/tutorial.md",
    "docs/own-incident.md",
    "docs/how-it-works.md",
    "docs/local-states.md",
    "experiments/incident/README.md",
]

BLOCK = re.compile(r"^(?:[^\n]*`(?P<name>[^`\n]+)`:\n\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
LINK = re.compile(r"!?\[[^\]]*\]\((?!https?:)([^)#]+)")


class Block(NamedTuple):
    name: str | None
    language: str
    text: str


class Command(NamedTuple):
    words: tuple[str, ...]
    exit_code: int
    output: list[str]


def read(document):
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(document):
    return [Block(*match.group("name", "language", "text")) for match in BLOCK.finditer(read(document))]


def commands(text):
    """The commands of a console block, each with its exit code and the output quoted below it."""
    found = []
    for line in text.splitlines():
        if line.startswith("$ "):
            written, _, code = line[2:].partition("# exit code ")
            found.append(Command(tuple(shlex.split(written)), int(code or 0), []))
        else:
            found[-1].output.append(line)
    return found


def pattern(quoted):
    """A pattern for the quoted lines: whole lines, one below the other but where `...` leaves some out."""
    lines = [
        r"(?:.*\n)*?" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + r" *\n"
        for line in quoted
        if line
    ]
    return re.compile("^" + "".join(lines), re.M)


def agrees(quoted, out):
    """Whether the output holds the quoted lines; empty lines do not count."""
    return pattern(quoted).search(re.sub(r"\n+", "\n", out)) is not None


@pytest.fixture
def perform(dstamp):
    """`perform(words)` gives the exit code and output of a quoted command."""

    def run(words):
        if words[0] == "dstamp":
            code, out, err = dstamp(*words[1:])
            return code, out + err
        assert words[0] == "python", f"{shlex.join(words)}: documents quote dstamp, python and make"
        done = subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_files_and_commands_of_a_document_give_what_it_quotes(document, perform):
    for block in blocks(document):
        if block.language == "console":
            for words, exit_code, quoted in commands(block.text):
                if words[0] != "make":
                    code, out = perform(words)
                    assert agrees(quoted, out), f"$ {shlex.join(words)}\n{out}"
                    assert code == exit_code, f"$ {shlex.join(words)}\n{out}"
        elif block.language in ("python", "toml"):
            assert block.name, f"no file name ends the line above:\n{block.text}"
            Path(block.name).write_text(block.text, encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_quotes_only_targets_that_the_makefile_has(document):
    targets = re.findall(r"^(\w+):", read("Makefile"), re.M)
    for block in blocks(document):
        for command in commands(block.text) if block.language == "console" else []:
            assert command.words[0] != "make" or command.words[1] in targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_a_document_links_to_exists(document):
    for target in LINK.findall(read(document)):
        assert (ROOT / document).parent.joinpath(target).exists(), target


@pytest.mark.parametrize(("document", "most"), [("README.md", 200), ("docs/how-it-works.md", 240)])
def test_a_document_stays_short(document, most):
    assert len(read(document).splitlines()) < most


def test_the_readmes_example_is_the_classic_bank():
    models = [block.text for block in blocks("README.md") if block.language == "python"]
    assert models == [read("models/classic/bank.py")]


def test_the_files_of_the_page_on_own_incidents_are_those_beside_each_other_in_its_folder():
    files = {block.name: block.text for block in blocks("docs/own-incident.md") if block.language in ("python", "toml")}
    assert files == {
        name: read(f"experiments/bank/{name}") for name in ("overdraft.py", "evidence.toml", "scenario.toml")
    }


def test_the_readme_names_every_command_and_every_classic_model(dstamp):
    for name in ("replay", "explore", "show", "export"):
        assert f"dstamp {name}" in read("README.md")
        assert dstamp(name, "--help")[0] == 0


def test_the_steps_that_the_readme_names_below_its_picture_are_those_of_the_model():
    trace = explore(load_model("cc_ci").build({})).trace
    named = {int(number): trace.steps[int(number) - 1] for number in re.findall(r"\(step (\d+)\)", read("README.md"))}
    done = [(step.process, step.op.verb, step.sections[0]) for _, step in sorted(named.items())]
    assert done == [
        ("run#1", "deploy", "perform_upgrade"),
        ("run#2", "deploy", "deploy_app"),
        ("run#1", "read_stamp", "check_hc1"),
    ]


def test_the_readmes_exit_codes_are_those_of_the_command_line(dstamp):
    stated = dict(re.findall(r"^\| (\d) \| (\w+)", read("README.md"), re.M))
    _, out, _ = dstamp("--help")
    for code, word in stated.items():
        assert f"{code} {word}" in " ".join(out.split())
    assert sorted(stated) == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("quoted", "out", "found"),
    [
        (["one", "two"], "one\ntwo\n", True),
        (["one", "two"], "one\n\ntwo\n", True),
        (["one", "three"], "one\ntwo\nthree\n", False),
        (["one", "...", "three"], "one\ntwo\nthree\n", True),
        (["three", "...", "one"], "one\ntwo\nthree\n", False),
        (["in all ... states"], "in all 11 states\n", True),
        (["two"], "twofold\n", False),
    ],
)
def test_quoted_output_is_compared_line_by_line(quoted, out, found):
    assert agrees(quoted, out) is found
