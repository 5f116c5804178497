"""Each recipe of docs/hunt-recipes.md is a case that the other tests hunt, racy and corrected, word by word."""

import re
import shlex
from pathlib import Path

import pytest

from tests.hunt.cases import CASES

PAGE = (Path(__file__).parents[2] / "docs" / "hunt-recipes.md").read_text(encoding="utf-8")
RECIPE = r"^## \d+\. (.+?)\n.*?^```sh\n(.*?)^```\n\nIt fails: (.*?)\. With.*?^```sh\n(.*?)^```"
RECIPES = re.findall(RECIPE, PAGE, re.DOTALL | re.MULTILINE)


def options(written):
    """The options of a command by name, each with its values."""
    words = shlex.split(written.replace("\\\n", " "))
    found = {}
    for at, word in enumerate(words):
        if word.startswith("--"):
            value = words[at + 1] if at + 1 < len(words) and not words[at + 1].startswith("--") else ""
            found.setdefault(word, []).append(value)
    return found


def runs_of(found):
    return dict(run.split("=", 1) for run in found["--run"])


def test_there_are_ten_recipes_of_ten_cases():
    assert len(RECIPES) == 10
    assert len({command for _, command, _, _ in RECIPES}) == 10


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe[0])
def test_a_recipe_is_a_case_that_is_hunted_and_its_cure_is_the_twin(recipe):
    _, command, says, cure = recipe
    found, fixed = options(command), options(cure)
    (case,) = [case for case in CASES if case.runs == runs_of(found)]
    assert found.get("--setup", [""]) == [case.setup]
    assert found.get("--check") == (None if case.check is None else [case.check])
    assert ("--any-exit" in found) == case.any_exit
    assert found["--preemptions"] == [str(case.preemptions)]
    assert found.get("--crashes", ["0"]) == [str(case.crashes)]
    assert (case.says, case.twin) == (says, runs_of(fixed))
