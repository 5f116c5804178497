"""docs/objects.md is what its command writes now, and has every public object with all of its ops."""

import pytest

from experiments.reference import PAGE, public_objects, reference


def test_the_page_is_what_its_command_writes():
    assert PAGE.read_text(encoding="utf-8") == reference(), "run `make reference`"


@pytest.mark.parametrize("item", public_objects(), ids=lambda item: item.__name__)
def test_every_object_has_a_chapter_with_its_ops(item):
    chapter = reference().partition(f"\n## {item.__name__}\n")[2].partition("\n## ")[0]
    assert "| op | what it does |" in chapter
    assert chapter.count("\n| `") >= 1
    assert "|  |" not in chapter, "an op has no docstring"
