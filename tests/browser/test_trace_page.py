"""The page of a witness in a real browser: what it shows at each step is the trace."""

from dataclasses import replace

import pytest

from dstamp_sim import explore
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.inputs.witness_file import Origin, Witness
from dstamp_sim.pipeline.explained import explained
from dstamp_sim.pipeline.trace_page import write_trace_page
from dstamp_sim.rendering.page import STEPS_SHOWN, fields, trace_page
from dstamp_sim.rendering.timeline.layout import lay_out
from tests.patience import until
from tests.rendering import sample_traces as samples

pytestmark = pytest.mark.needs("chromium")

READ_STATE = """() => {
  document.querySelector("details.state").open = true;
  const fields = object => [...object.querySelectorAll("dl > div")];
  return Object.fromEntries([...document.querySelectorAll(".state .object")].map(object => [object.dataset.object,
    fields(object).map(field => [field.dataset.path, field.querySelector("dd").textContent])]));
}"""


@pytest.fixture(scope="module")
def stack_race():
    system = load_model("cc_ci").build({}, None)
    judgement = next(j for j in explore(system).judgements if j.trace is not None)
    about = judgement.prop.title
    why = explained(system, judgement.trace, about=judgement.prop)
    return Witness(Origin("cc_ci"), about, judgement.trace), system, why


@pytest.fixture
def page(opened, stack_race, tmp_path):
    return opened(write_trace_page(tmp_path / "stack-race.html", *stack_race))


def test_stepping_to_the_end_the_state_panel_equals_the_trace_at_every_step(page, stack_race):
    page.keyboard.press("Home")
    for state in stack_race[0].trace.states():
        assert page.evaluate(READ_STATE) == {name: fields(value) for name, value in state.items()}
        page.keyboard.press("ArrowRight")


def test_it_opens_at_the_race_and_r_goes_round_it(page):
    def step() -> str:
        return page.locator(".panel h2").inner_text().partition(":")[0]

    assert step() == "Step 31"
    seen = []
    for _ in range(3):
        page.keyboard.press("r")
        seen.append(step())
    assert seen == ["Step 19", "Step 30", "Step 31"]


def test_on_a_narrow_screen_the_names_of_the_lanes_stay_in_sight(opened, stack_race, tmp_path):
    page = opened(write_trace_page(tmp_path / "narrow.html", *stack_race), viewport={"width": 400, "height": 800})
    places = """() => [...document.querySelectorAll(".label.process")].map(name => name.getBoundingClientRect().x)"""
    page.locator(".picture").evaluate("box => { box.scrollLeft = 0; }")
    until(lambda: 0 <= page.evaluate(places)[0] < 40)  # where it was scrolled to before, they may stand for a moment
    before = page.evaluate(places)
    page.locator(".picture").evaluate("box => { box.scrollLeft = 500; }")
    until(lambda: abs(page.evaluate(places)[0] - before[0]) < 1)
    assert len(before) == 7 and page.locator(".picture").evaluate("box => box.scrollLeft") == 500
    assert page.evaluate(places) == pytest.approx(before, abs=1)


def test_what_changed_is_shown_first_and_the_rest_is_folded(page):
    page.keyboard.press("Home")
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    rows = page.locator("table.changes tbody tr").all_inner_texts()
    assert "service disc-f25969 service.spec.stamp\t'7ae7b0f7+U'\t'eb96de94+U'" in rows
    assert not page.locator("details.state").evaluate("details => details.open")


def test_the_slider_moves_and_says_in_words_where_it_stands(page):
    slider = page.get_by_role("slider", name="Step")
    slider.fill("30")
    assert slider.get_attribute("aria-valuetext").startswith(
        "Step 30: run#2, in deploy_app: service disc-f25969.deploy("
    )


def test_a_dependency_is_an_arrow_on_hover_and_a_way_to_its_other_end(page):
    link = page.locator(".links button", has_text="which run#2's deploy_app wrote")
    link.hover()
    assert page.locator("path.depends.wr").count() == 1
    link.click()
    assert page.locator(".panel h2").inner_text().startswith("Step 30")


def test_a_click_on_the_timeline_goes_to_the_nearest_step(page):
    box = page.locator("svg.timeline").bounding_box()
    spot = page.evaluate("data.spots[18]")
    scale = box["width"] / 1600
    page.mouse.click(box["x"] + spot[1] * scale, box["y"] + spot[2] * scale)
    assert page.locator(".panel h2").inner_text().startswith("Step 19")


def test_the_current_row_is_in_the_columns_of_the_others_and_no_line_ends_inside_of_an_arrow(page):
    lefts = """rows => [...new Set(rows.map(row => row.getBoundingClientRect().left))]"""
    assert len(page.eval_on_selector_all(".steps .does", lefts)) == 1
    assert len(page.eval_on_selector_all(".steps .who", lefts)) == 1
    text = page.locator(".steps").inner_text()
    assert "-\u2060>" in text and "->" not in text


def test_the_line_of_the_current_step_ends_at_the_axis_and_leaves_its_numbers_and_the_key_alone(page):
    bottom = page.locator("line.cursor").evaluate("line => line.y2.baseVal.value")
    assert bottom == page.locator("polyline.axis").first.evaluate("axis => axis.points[0].y")


def test_of_a_whole_and_its_field_only_the_field_is_said_to_be_shared(opened, tmp_path):
    system = load_model("cc_ci:recreate").build({}, None)
    judgement = next(j for j in explore(system).judgements if j.trace is not None)
    witness = Witness(Origin("cc_ci:recreate"), judgement.prop.title, judgement.trace)
    page = opened(write_trace_page(tmp_path / "page.html", witness, system, explained(system, judgement.trace)))
    [link] = page.locator(".links button").all_inner_texts()
    assert "run#1's check_hc1 read the stamp 'eb96de94+U', which run#2's deploy_app wrote" in link


def test_the_models_line_stands_beside_the_step_without_the_machines_path(page):
    assert page.locator(".source figcaption").inner_text() == "cc_ci/abra.py:63"
    assert "read_stamp" in page.locator(".line.here").inner_text()
    assert str(samples.__file__).rpartition("/tests/")[0] not in page.content()


def test_it_can_be_read_and_used_on_a_phone_and_in_the_dark(opened, stack_race, tmp_path):
    file = write_trace_page(tmp_path / "stack-race.html", *stack_race)
    phone = opened(file, viewport={"width": 390, "height": 844}, color_scheme="dark", is_mobile=True)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert phone.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 20, 26)"
    phone.get_by_role("button", name="light").click()
    assert phone.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_every_control_has_a_name_and_the_step_is_announced(page):
    for control in page.locator("button, input").all():
        assert (control.get_attribute("aria-label") or control.inner_text()).strip()
    assert page.locator("h2[aria-live=polite]").count() == 1


def test_hostile_names_are_shown_as_they_are_and_do_nothing(opened, tmp_path):
    trace = samples.hostile()
    file = tmp_path / "hostile.html"
    title = "</script><script>alert(1)</script><!--"
    file.write_text(trace_page(trace, lay_out(trace, title=title), title=title, about={"<b>": "</p>&amp;"}), "utf-8")
    page = opened(file)
    assert page.locator("h1").inner_text() == title
    page.keyboard.press("Home")
    shown = page.evaluate(READ_STATE)
    assert shown == {name: fields(value) for name, value in next(trace.states()).items()}


def test_a_trace_of_a_hundred_thousand_steps_opens_and_says_what_it_left_out(opened, tmp_path):
    long = samples.long(1_000)
    trace = replace(long, steps=long.steps * (100_000 // len(long.steps)))
    file = tmp_path / "long.html"
    file.write_text(trace_page(trace, lay_out(trace), title="long", about={}), "utf-8")
    page = opened(file)
    total = len(trace.steps)
    left_out = f"Not in this page: the first {total - STEPS_SHOWN:,} of {total:,} steps."
    assert page.locator(".left-out").inner_text() == left_out
    page.keyboard.press("End")
    assert page.locator(".panel h2").inner_text().startswith(f"Step {total}")
