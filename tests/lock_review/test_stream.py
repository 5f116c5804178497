"""Whether a run may wait for ever as others keep coming: said of safe placements, with the lasso and FIFO's price."""

import json
from pathlib import Path

import pytest

from dstamp_sim import CRASH, replay
from dstamp_sim.core.placement import Placement
from dstamp_sim.core.system import Also
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.lock_review.compare import Patience
from dstamp_sim.lock_review.judge_placement import ReviewSubject
from dstamp_sim.lock_review.placement_map import signs
from dstamp_sim.lock_review.review import review_model
from dstamp_sim.lock_review.review_files import _panels
from dstamp_sim.lock_review.stream import stream_of
from tests.lock_review.test_review import BANK, FLEET, priced_bank

SPAN = "account:look..pay"


def reviewed(tmp_path: Path, text: str, *, live: bool = True):
    model = tmp_path / "model.py"
    model.write_text(text, encoding="utf-8")
    return review_model(str(model), spans=1, also=Also(live=live), out=tmp_path / "out")


def asked(found):
    return [(one.fifo, one.wait.patience) for one in found.orders]


def test_a_safe_lock_that_barges_lets_a_run_wait_for_ever_and_a_fifo_one_does_not(tmp_path):
    found = reviewed(tmp_path, BANK.read_text(encoding="utf-8"))
    [best] = found.recommended
    assert (best.shape, best.safe, best.wait.patience) == (SPAN, True, Patience.STARVES)
    assert asked(found) == [
        (False, Patience.STARVES),
        (True, Patience.COMES),
    ]
    assert {one.wait.patience for one in found.judged if not one.safe} == {Patience.NOT_ASKED}


def test_the_lasso_is_replayed_strictly_and_told(tmp_path):
    found = reviewed(tmp_path, BANK.read_text(encoding="utf-8"))
    story = next(story for story in found.stories if story.title == f"Waits for ever: {SPAN}")
    trace = replay(story.system, story.judged.wait.schedule)
    assert trace.loop is not None and all(step.choice.outcome != CRASH for step in trace.steps)
    assert "waits for account lock.acquire() and never gets it: other customer" in story.sentence
    cell = next(cell for panel in _panels(found) for cell in panel.cells if cell.starves)
    assert any(words.startswith("∞: ") for words in signs([cell], ""))


def test_a_model_whose_locks_are_fifo_is_set_beside_barging_ones(tmp_path):
    text = BANK.read_text(encoding="utf-8").replace('LockScope("account")', 'LockScope("account", fifo=True)')
    found = reviewed(tmp_path, text)
    assert found.recommended[0].wait.patience is Patience.COMES
    assert asked(found) == [
        (True, Patience.COMES),
        (False, Patience.STARVES),
    ]


def test_without_live_it_is_not_asked(tmp_path):
    found = reviewed(tmp_path, BANK.read_text(encoding="utf-8"), live=False)
    assert {one.wait.patience for one in found.judged} == {Patience.NOT_ASKED} and not found.orders


def test_a_wait_in_a_system_of_too_many_states_is_not_decided(monkeypatch):
    subject = ReviewSubject(load_model(str(BANK)), {}, None, Also(live=True))
    monkeypatch.setattr("dstamp_sim.lock_review.stream.MOST_STREAM_STATES", 10)
    wait = subject.wait(Placement.parse(SPAN))
    assert (wait.patience, wait.why) == (Patience.UNDECIDED, "the limit of 10 states was reached")


def test_the_others_begin_anew_and_nobody_else_changes():
    system = load_model(str(BANK)).build({"customers": 2})
    assert stream_of(system).processes == system.processes


def test_both_orders_have_their_price_of_the_worst_run(dstamp, alone, tmp_path):
    (tmp_path / "fleet.toml").write_text(FLEET.format(arrivals="per_day = 4000\nruns = 40"), encoding="utf-8")
    model = priced_bank(tmp_path)
    model.write_text(model.read_text(encoding="utf-8").replace("1000000", "400"), encoding="utf-8")
    code, text, _ = dstamp("review", str(model), "--spans", "1", "--live", "--json")
    written = json.loads(text)
    barging, fifo = written["orders"]
    assert (code, barging["wait"], fifo["wait"]) == (0, "starves", "every run gets on")
    assert barging["price"]["waited_max_s"]["mean"] > barging["price"]["waited_p95_s"]["mean"] > 0
    assert barging["price"] != fifo["price"]
    assert any("FIFO: every run gets on, 95 in 100 wait at most" in line for line in written["answer"])
    [safe] = [one for one in written["placements"] if one["safe"]]
    assert safe["wait"]["patience"] == "starves" and safe["wait"]["schedule"].endswith(")*")
    page = Path("out/review.md").read_text(encoding="utf-8")
    assert "a run may wait for ever" in page and "never gets it" in page


@pytest.mark.parametrize("refuses", [True, False])
def test_who_is_turned_away_does_not_wait(refuses):
    subject = ReviewSubject(load_model(str(BANK)), {}, None, Also(live=True))
    wait = subject.wait(Placement.parse(f"account{'?' if refuses else ''}:look..pay"))
    assert wait.patience is (Patience.COMES if refuses else Patience.STARVES)
