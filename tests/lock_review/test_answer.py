"""What a review counts and says: safe, broken, deadlock, not decided and why; in text, page, map and JSON."""

import json
from itertools import product
from pathlib import Path

import pytest

from dstamp_sim import Placement, Verdict, explore
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.lock_review.answer import answer, counts, verdict_text
from dstamp_sim.lock_review.compare import AfterDeath, JudgedPlacement, Standing
from dstamp_sim.lock_review.placement_map import MapCell, signs, written_in
from dstamp_sim.lock_review.review import review_model

BOOKING = Path(__file__).parent / "booking.py"


pytestmark = pytest.mark.usefixtures("alone")


def found(*settings, **options):
    return review_model(str(BOOKING), settings=settings, out=Path("out"), **options)


def told(*settings, **options):
    return "\n".join(answer(found(*settings, **options)))


def test_what_is_proved_for_every_number_is_said_to_be():
    assert "1 of 5 placements is safe for every number of runs, 4 are broken.\n" in told("asked=always")


@pytest.mark.parametrize("asked", ["end", "harmless"])
def test_a_property_at_the_end_is_judged_for_a_few_numbers_and_that_is_said(asked):
    review, text = found(f"asked={asked}"), told(f"asked={asked}")
    assert "1 of 5 placements is safe for 1 to 3 runs, 4 are broken.\n" in text
    assert "Recommended: seat:look..take (safe for 1 to 3, also when one dies)." in text
    assert "Judged for 1 to 3 runs only: seat:look..take (at end: " in text
    assert "it is asked when all have ended, and one more copy may not have; HOLDS with 1 to 3)" in text
    assert [one.shape for one in review.recommended] == ["seat:look..take"]


def test_with_declared_numbers_it_says_so_and_why():
    text = told("asked=always", "jobs=2")
    assert "1 of 5 placements is safe for the declared numbers of runs, 4 are broken." in text
    assert "Judged for the declared numbers of runs only: seat:look..take (the model fixes its numbers" in text
    assert "every number" not in text


@pytest.fixture
def hasty(monkeypatch):
    """Trials give up after two states, so what is not proved for every number stays open."""
    monkeypatch.setattr("dstamp_sim.engines.prove.unbounded.TRIED_STATES", 2)


def test_what_is_not_decided_is_counted_listed_and_explained(hasty, dstamp):
    code, out, _ = dstamp("review", BOOKING, "--set", "asked=end", "--full")
    out = " ".join(out.split())
    assert code == 0
    assert "0 of 5 placements are safe, 5 are not decided." in out
    assert "Not decided: none; seat:look; seat:look..take; seat:take; seat:look, seat:take (at end: taken once: " in out
    assert "with 1 of each: the limit of 2 states was reached" in out
    page = Path("out/review.md").read_text(encoding="utf-8")
    assert "## Not decided" in page
    assert page.partition("## Not decided")[2].partition("##")[0].count("| at end: taken once: not decided") == 5


def test_what_is_not_decided_is_not_said_to_be_beyond_cure(hasty):
    text = told("asked=end")
    assert "No placement of these locks removes it" not in text


def test_where_all_are_broken_locks_are_not_the_cure():
    text = told("asked=never")
    assert "0 of 5 placements are safe, 5 are broken." in text
    assert "No placement of these locks removes it: one process alone fails" in text


KINDS = """
from dstamp_sim import Copies, LockScope, Process, Register, System, each_result, section

pointer = Register("pointer", "none")
NAMES = ["deploy", "rollback", "clean"]

def moved(name):
    yield pointer.write(name)
    return (yield pointer.read()) == name

def run(name):
    return (yield from section(name, moved(name)))

def build(deploys: Copies = 1):
    return System(
        objects=[pointer],
        processes=[Process(name, run, name, copies=deploys if name == "deploy" else 1) for name in NAMES],
        properties=[each_result("it stays where I put it", lambda result: result)],
        sections=NAMES,
        locks=[LockScope("pointer")],
    )
"""


def test_where_a_third_span_would_help_locks_are_not_said_to_be_no_cure(tmp_path):
    """Each of three kinds of runs has a section of its own: a lock over all three keeps them apart, over two not."""
    (tmp_path / "kinds.py").write_text(KINDS, encoding="utf-8")
    review = review_model(str(tmp_path / "kinds.py"), out=tmp_path)
    assert {one.smallest for one in review.judged} == {2}, "two that need not be copied are two"
    assert "No placement that was judged removes it; one of more spans may." in answer(review)
    three = (
        load_model(str(tmp_path / "kinds.py"))
        .build({})
        .with_locks(Placement.parse("pointer:deploy, pointer:rollback, pointer:clean"))
    )
    assert explore(three).verdict is Verdict.HOLDS


SKIPPING = """
from dstamp_sim import Copies, LockScope, Process, Register, System, each_result, section

cache = Register("cache", "absent")

def one(op):
    return (yield op)

def run(site):
    if (yield from section("look", one(cache.read()))) == "absent":
        yield from section("store", one(cache.write("whole")))
    return (yield from section("use", one(cache.read())))

def build(runs: Copies = 2, site: tuple[int, ...] = (1,)):
    return System(
        objects=[cache],
        processes=[Process(f"run of {n}", run, n, copies=runs) for n in site],
        properties=[each_result("whole", lambda result: result == "whole")],
        sections=["look", "store", "use"],
        locks=[LockScope("cache")],
    )
"""

FEW = """
title = "some"
model = "skipping.py"
seed = 1
[arrivals]
over = "site"
domains = 1
recorded = [[0, 5, 10]]
source = "assumed"
"""


def test_what_stands_still_under_the_arrivals_has_no_price_and_that_is_said(tmp_path):
    """A run that skips the end of its span waits for itself: it was told as a fault of the tool."""
    (tmp_path / "skipping.py").write_text(SKIPPING, encoding="utf-8")
    (tmp_path / "few.toml").write_text(FEW, encoding="utf-8")
    review = review_model(str(tmp_path / "skipping.py"), scenario=tmp_path / "few.toml", out=tmp_path / "out")
    assert "No price of cache:look..store, cache:use: some runs never end under these arrivals." in answer(review)


def test_a_wish_that_nothing_reaches_has_no_story():
    text = told("asked=wish", "jobs=2")
    assert "5 are broken" in text
    assert "by None" not in text


def test_json_has_the_same_counts(hasty, dstamp):
    _, out, _ = dstamp("review", BOOKING, "--set", "asked=end", "--json")
    plain = json.loads(out)
    assert plain["counts"] == {"safe": 0, "broken": 0, "deadlock": 0, "trap": 0, "not decided": 5}
    assert {one["standing"] for one in plain["placements"]} == {"not decided"}
    assert all("limit of 2 states" in one["why"] for one in plain["placements"])


def test_json_has_what_would_change_the_choice(dstamp):
    _, out, _ = dstamp("review", BOOKING, "--set", "asked=always", "--json")
    plain = json.loads(out)
    assert plain["flips"] == {"found": [], "unmoved": ["no run ever died", "a second run died"]}
    assert (plain["joined"], plain["left_out"]) == (None, [])


def judged(verdict, deadlock, numbers="any number", death=AfterDeath.SAFE, shape="l:a"):
    placement = Placement.parse(shape)
    broken = verdict is Verdict.VIOLATED
    return JudgedPlacement(
        placement,
        verdict,
        numbers,
        smallest=2 if broken else None,
        steps=4 if broken else 0,
        deadlock=deadlock,
        deadlock_steps=9 if deadlock is Verdict.VIOLATED else 0,
        after_death=death,
    )


def test_every_placement_is_counted_once_whatever_is_known_of_it():
    every = [judged(*pair) for pair in product(Verdict, Verdict)]
    safe = "1 of 9 placements is safe for every number of runs"
    assert counts(every) == f"{safe}, 3 are broken, 2 of the rest can deadlock, 3 are not decided"


def test_safe_for_different_numbers_is_counted_apart():
    every = [judged(Verdict.HOLDS, Verdict.HOLDS, numbers) for numbers in ("1 to 3", "any number", "any number")]
    assert counts(every) == "3 of 3 placements are safe (2 for every number of runs, 1 for 1 to 3 runs)"


def cells():
    """Every cell that may be drawn."""
    for standing, death, number, narrow in product(Standing, AfterDeath, (None, 9.0), (False, True)):
        yield MapCell(0, 0, standing, death, number, narrow)


def test_every_sign_on_a_map_is_in_its_legend():
    wide = MapCell(0, 0, Standing.SAFE, AfterDeath.SAFE, None)
    for cell, others in product(cells(), ([wide], [])):
        legend = " ".join(signs([cell, *others], " for every number of runs"))
        for sign in written_in(cell).replace("safe", "").replace("9 s", "").replace("9", "").split():
            assert f"{sign}: " in legend, (cell, sign)


def test_the_legend_has_no_sign_that_is_not_drawn():
    assert signs([MapCell(0, 0, Standing.SAFE, AfterDeath.SAFE, None)], " for 1 to 3 runs") == [
        "Green: safe for 1 to 3 runs."
    ]


def test_a_deadlock_of_what_is_else_not_decided_says_both():
    one = judged(Verdict.UNDETERMINED, Verdict.VIOLATED)
    assert verdict_text(one) == "deadlock after 9 steps, the rest not decided"


SCENARIO = """
title = "Some jobs"
model = "booking"
seed = 1
{rest}
"""

STARTS = '[[starts]]\nname = "job#1"\nat = 2026-06-01T09:00:00\n'
ARRIVALS = '[arrivals]\nover = "{over}"\ndomains = 2\nper_day = 1000\nruns = 10\nsource = "assumed"\n'


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        (STARTS, "No price: the scenario has no [arrivals]"),
        (ARRIVALS.format(over="seats"), "No price: unknown parameter 'seats'"),
        (
            "[parameters]\njob = 3\n" + ARRIVALS.format(over="asked"),
            "No price: unknown parameter 'job'; did you mean 'jobs'",
        ),
    ],
)
def test_a_scenario_that_gives_no_price_says_why(tmp_path, rest, why):
    (tmp_path / "day.toml").write_text(SCENARIO.format(rest=rest), encoding="utf-8")
    text = told("asked=always", scenario=tmp_path / "day.toml")
    assert why in text, text


def test_without_a_scenario_nothing_is_said_of_prices():
    assert "price" not in told("asked=always")
