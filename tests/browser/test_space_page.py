"""The page of a whole space in a real browser: a walk on it is a walk of the semantics."""

import pytest

from dstamp_sim import replay
from dstamp_sim.core.escaping import harmless
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.pipeline.trace_page import write_space_page
from tests.rendering.sample_traces import hostile_system

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture
def bank(opened, tmp_path):
    return opened(write_space_page(tmp_path / "bank.html", "classic/bank", load_model("classic/bank").build({}, None)))


def test_who_can_move_is_chosen_and_who_ended_says_so(bank):
    def standing(name):
        return bank.locator(f"li[data-process='{name}']").get_attribute("data-kind")

    bank.keyboard.press("1")
    bank.locator("li[data-process='customer#1'] button").click()
    assert (standing("customer#1"), standing("customer#2")) == ("ended", "ready")
    assert bank.locator("table.changes tbody tr").all_inner_texts() == ["balance\t100\t40"]


def test_b_leads_the_shortest_way_to_a_bad_state_which_says_what_fails(bank):
    assert "4 moves" in bank.locator("nav").inner_text()
    for _ in range(4):
        bank.keyboard.press("b")
    assert bank.locator(".verdicts .bad").inner_text() == "✗ fails here: at end: one withdrawal at most"
    bank.keyboard.press("ArrowLeft")
    assert "1 move " in bank.locator("nav").inner_text()


def test_every_state_of_the_space_is_there(bank):
    assert bank.evaluate("data.states.length") == 11
    assert bank.evaluate("data.complete") is True


def test_who_is_blocked_waits_for_its_op(opened, tmp_path):
    system = load_model("classic/philosophers").build({}, None)
    page = opened(write_space_page(tmp_path / "table.html", "philosophers", system))
    for _ in range(3):
        page.keyboard.press("b")
    kinds = {li.get_attribute("data-kind") for li in page.locator(".moves li").all()}
    assert kinds == {"blocked"}
    assert page.locator(".bad-state").inner_text() == "this state is bad"
    assert set(replay(system, "philosopher%200 philosopher%201 philosopher%202").waiting) == set(system_names(page))


def system_names(page):
    return [li.get_attribute("data-process") for li in page.locator(".moves li.blocked").all()]


def test_a_space_that_is_too_large_says_so(opened, tmp_path, monkeypatch):
    monkeypatch.setattr("dstamp_sim.pipeline.trace_page.MOST_STATES", 5)
    system = load_model("classic/bank").build({}, None)
    page = opened(write_space_page(tmp_path / "bank.html", "classic/bank", system))
    assert page.locator(".left-out").inner_text() == "This page holds the first 5 states, not all of them."


def test_hostile_names_are_shown_with_what_steers_to_be_seen_and_do_nothing(opened, tmp_path):
    system = hostile_system(2)
    title = "</script><script>alert(1)</script><!--"
    page = opened(write_space_page(tmp_path / "hostile.html", title, system))
    assert page.locator("h1").inner_text().startswith(title)
    shown = page.locator(".moves li").evaluate_all("items => items.map(li => li.querySelector('b').textContent)")
    assert shown == [harmless(instance.name) for instance in system.instances()]
    page.keyboard.press("1")
    assert page.locator(".panel h2").last.inner_text().startswith("State 1 of")
