"""docs/objects.md is what its command writes now, and has every public object with all of its ops."""

import re

import pytest

from dstamp_sim import explain, explore, load_model
from experiments.reference import PAGE, public_objects, reference


def test_the_page_is_what_its_command_writes():
    assert PAGE.read_text(encoding="utf-8") == reference(), "run `make reference`"


@pytest.mark.parametrize("item", public_objects(), ids=lambda item: item.__name__)
def test_every_object_has_a_chapter_with_its_ops(item):
    chapter = reference().partition(f"\n## {item.__name__}\n")[2].partition("\n## ")[0]
    assert "| op | what it does |" in chapter
    assert chapter.count("\n| `") >= 1
    assert "|  |" not in chapter, "an op has no docstring"


def test_what_the_page_says_of_its_examples_is_what_is_said(tmp_path):
    page = reference()
    examples = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    quotes = [" ".join(quote.replace("> ", " ").split()) for quote in re.findall(r"(?:^> .*\n)+", page, re.MULTILINE)]
    assert len(examples) == len(quotes) == 2
    for number, (example, quote) in enumerate(zip(examples, quotes, strict=True)):
        file = tmp_path / f"example_{number}.py"
        file.write_text(f'"""An example."""\n{example}', encoding="utf-8")
        system = load_model(str(file)).build({}, None)
        assert explain(system, explore(system).trace).sentence == quote
