"""The pages for those who do not see or point: axe finds nothing, the accessibility tree tells the step."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from dstamp_sim import explore
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.inputs.witness_file import Origin, Witness
from dstamp_sim.pipeline.explained import explained
from dstamp_sim.pipeline.trace_page import write_space_page, write_trace_page
from tests.patience import until

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A witness's page and a space's page, by name."""
    folder = tmp_path_factory.mktemp("pages")
    race = load_model("cc_ci").build({}, None)
    judgement = next(j for j in explore(race).judgements if j.trace is not None)
    witness = Witness(Origin("cc_ci"), judgement.prop.title, judgement.trace)
    table = load_model("classic/philosophers").build({}, None)
    return {
        "trace": write_trace_page(
            folder / "trace.html", witness, race, explained(race, judgement.trace, about=judgement.prop)
        ),
        "space": write_space_page(folder / "space.html", "philosophers", table),
    }


def broken_rules(page):
    """What axe-core finds, in words; the page's own policy forbids scripts that are not its own, so it is injected."""
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{rule['id']}: {node['html']} ({node['failureSummary']})" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [1600, 390])
@pytest.mark.parametrize("name", ["trace", "space"])
def test_axe_finds_no_broken_rule(opened, pages, name, width, colours):
    page = opened(pages[name], viewport={"width": width, "height": 900}, color_scheme=colours)
    assert broken_rules(page) == []
    page.keyboard.press("ArrowLeft" if name == "trace" else "b")
    assert broken_rules(page) == []


def test_the_accessibility_tree_tells_the_step_its_changes_and_what_depends_on_it(opened, pages):
    page = opened(pages["trace"])
    expect(page.get_by_role("main")).to_match_aria_snapshot("""
        - main:
          - heading /each result/ [level=1]
          - button "Use dark colours"
          - navigation "Steps":
            - button "To the beginning"
            - button "One step back"
            - slider "Step"
            - button "One step on"
            - button "To the end"
          - region "All steps":
            - list "Steps":
              - listitem:
                - button "1 run#1 delay fetch_recipe"
              - listitem:
                - button /2 run#1 /
          - region "This step":
            - 'heading /Step 31: run#1, in check_hc1.*read_stamp/ [level=2]'
            - heading "What changed" [level=3]
            - heading "What depends on what" [level=3]
            - list:
              - listitem:
                - button /which run#2's deploy_app wrote/
            - heading "The model" [level=3]
            - figure
            - group: /Every object/
    """)


def test_each_step_is_announced_by_one_live_region_that_stays_in_place(opened, pages):
    page = opened(pages["trace"])
    page.evaluate("""() => {
      const live = document.querySelector("[aria-live=polite]");
      window.said = [];
      new MutationObserver(() => said.push(live.textContent))
        .observe(live, { characterData: true, childList: true, subtree: true });
    }""")
    for key in ("ArrowLeft", "ArrowRight", "r"):
        page.keyboard.press(key)
    until(lambda: page.evaluate("said.length >= 3"))
    assert [words.partition(":")[0] for words in page.evaluate("said")] == ["Step 30", "Step 31", "Step 19"]
    assert page.locator("[aria-live]").count() == 1


def test_every_control_is_reached_by_the_tab_key_and_the_slider_steps_by_arrows(opened, pages):
    page = opened(pages["trace"])
    page.keyboard.press("Home")
    reached = set()
    for _ in range(9):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent")
        )
    assert {"To the beginning", "One step back", "Step", "One step on", "To the end", "Use dark colours"} <= reached
    page.get_by_role("slider", name="Step").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("slider", name="Step").get_attribute("aria-valuetext").startswith("Step 1:")


def test_a_long_line_of_the_model_is_folded_not_scrolled(opened, pages):
    page = opened(pages["trace"], viewport={"width": 390, "height": 844})
    page.keyboard.press("Home")
    for _ in range(8):
        page.keyboard.press("ArrowRight")
        wide = page.locator(".source pre").evaluate("pre => [pre.scrollWidth, pre.clientWidth]")
        assert wide[0] <= wide[1]
