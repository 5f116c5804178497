"""The first screen of `dstamp review`: question, answer, a small table; the rest is in the page and in --full."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from dstamp_sim.lock_review.answer import answer
from dstamp_sim.lock_review.brief import brief
from dstamp_sim.lock_review.review import review_model
from dstamp_sim.lock_review.review_files import REVIEW_PAGE, write_review
from dstamp_sim.rendering.as_console import print_document

HERE = Path(__file__).parent
BANK, BOOKING, TWO_LOCKS = HERE / "bank_with_locks.py", HERE / "booking.py", HERE / "two_locks.py"

pytestmark = pytest.mark.usefixtures("alone")


def lines(document, width=100):
    console = Console(width=width, record=True, file=StringIO())
    print_document(console, document)
    return console.export_text().splitlines()


@pytest.mark.parametrize("model", [BANK, BOOKING, TWO_LOCKS])
@pytest.mark.parametrize("width", [80, 100, 160])
def test_the_first_screen_answers_in_forty_lines_of_its_width(model, width):
    shown = lines(brief(review_model(str(model), out=Path("out")), Path("out/review.html")), width)
    assert len(shown) <= 40
    assert max(map(len, shown)) <= width
    assert " ".join(shown).endswith("--full.")


def test_the_first_screen_has_the_question_the_answer_and_the_story_of_today():
    shown = " ".join(" ".join(lines(brief(review_model(str(BANK), out=Path("out")), Path("out/review.html")))).split())
    for said in (
        "Which placement of the lock account over look, pay keeps each result: no payment is erased?",
        "- Judged: 1 of 5 placements is safe for every number of runs, 4 are broken.",
        "- As it is (none): broken by 2 in 6 steps. customer#1's look at step 1 found balance 100",
        "- Recommended: account:look..pay (safe for any number, also when one dies).",
    ):
        assert said in shown


def test_a_review_for_the_declared_numbers_says_on_the_first_screen_why_and_what_to_do():
    found = review_model(str(BOOKING), settings=["jobs=2"], out=Path("out"))
    shown = " ".join(" ".join(lines(brief(found, Path("out/review.html")))).split())
    assert (
        "1 safe for some numbers of runs only (the model fixes its numbers of processes: annotate a parameter of the "
        "factory with Copies, and leave it unset)"
    ) in shown


def test_all_that_the_answer_says_is_in_the_whole_review_and_in_the_json(dstamp):
    found = review_model(str(TWO_LOCKS), out=Path("out"))
    whole = "".join("".join(lines(write_review(found, Path("out")).page, width=400)).split())
    for said in [*answer(found), *(story.sentence for story in found.stories)]:
        assert "".join(said.split()) in whole
    _, out, _ = dstamp("review", TWO_LOCKS, "--json")
    assert json.loads(out)["answer"] == answer(found)


def test_the_files_are_named_where_the_whole_review_is_printed(dstamp):
    _, out, _ = dstamp("review", BANK, "--full")
    assert f"wrote out/{REVIEW_PAGE}" in out
    _, out, _ = dstamp("review", BANK)
    assert f"out/{REVIEW_PAGE}, or here with --full." in out
    assert Path("out", REVIEW_PAGE).exists()
