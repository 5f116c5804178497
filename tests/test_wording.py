"""The wording of the package: docs/wording.md has the rules, and the worst phrases are found by reading the source."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "dstamp_sim").rglob("*.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

NEVER = re.compile(
    r"""(^|[.;]\ )Gives\ (?!up)| ;\ gives\b | \bgives\ (the|why|what|how|where)\b | Right\ would\ have\ been
    | \bfor\ want\ of\b | \bso\ that\ nobody\b | \bsaid\ to\ be\b | \b(was|were)\ to\ be\b | \bwhat\ was\ told\b
    | \bit\ is\ told\b
    | \bthose\ given\b | \bcomes?\ out\ otherwise\b | \bsafe\ no\ more\b | \bis\ no\ (bool|error|result|whole)\b
    | \blet\ go\ of\ what\b | \bit\ is\ said\b | \bexplored\ so\b""",
    re.VERBOSE,
)
"""Phrases that a native would not write; what to write instead is in docs/wording.md."""

LEFT = {"analyses/claims.py", "analyses/hold_claims.py"}
"""Their sentences are claims: each is tested with what it says."""


def prose_of(source: str) -> list[str]:
    """The docstrings, comments and texts of a module, each on one line."""
    texts = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    comments = re.findall(r"#\ (.*)", source)
    return [" ".join(text.split()) for text in [*texts, *comments] if isinstance(text, str)]


def worst(texts: list[str]) -> list[str]:
    return [text for text in texts if NEVER.search(text)]


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_text_of_the_package_has_one_of_the_worst_phrases(file):
    if file.relative_to(ROOT / "dstamp_sim").as_posix() not in LEFT:
        assert worst(prose_of(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_page_has_one_of_the_worst_phrases(file):
    if file.name not in ("wording.md", "decisions.md"):  # the one quotes them, the other is a record
        paragraphs = file.read_text(encoding="utf-8").split("\n\n")
        assert worst([" ".join(paragraph.split()) for paragraph in paragraphs]) == []


@pytest.mark.parametrize(
    "source",
    [
        'def f():\n    """Gives the state."""',
        'def f():\n    """Numbers the new\n    states; gives the first."""',
        "x = 1  # was to be two",
        'raise ValueError(f"{x} is no whole number")',
        '"Right would have been a before b."',
    ],
)
def test_a_phrase_is_noticed_wherever_it_stands(source):
    assert worst(prose_of(source))
