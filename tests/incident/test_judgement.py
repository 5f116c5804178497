"""The whole judgement, end to end, on the bank's incident: three withdrawals, three mechanisms, a few seconds."""

import csv
import io
import json
import re
from collections import Counter
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from dstamp_sim.analyses.confidence import below
from dstamp_sim.core.errors import UsageError
from dstamp_sim.incident import evidence as evidence_module
from dstamp_sim.incident import loaded
from dstamp_sim.incident.incident import judge_incident
from dstamp_sim.incident.loaded import load_incident
from dstamp_sim.incident.replay_scenario import replay_incident
from dstamp_sim.incident.report.first_screen import first_screen
from dstamp_sim.incident.report.full import full_report
from dstamp_sim.incident.report.tornado import tornado_rows
from dstamp_sim.rendering.as_console import print_document
from dstamp_sim.rendering.document import Paragraph, Table, as_json, plain

BANK = Path(__file__).parents[2] / "experiments/bank"
SCENARIO = BANK / "scenario.toml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("bank")


@pytest.fixture(scope="module")
def judgement(folder):
    """The bank's incident, judged."""
    incident = load_incident(SCENARIO)
    replayed = replay_incident(incident, mechanism=None, placement=None, out=folder / "out")
    return judge_incident(incident, replayed=replayed, out=folder / "out", report=folder / "REPORT.md")


@pytest.fixture(scope="module")
def whole(judgement):
    """The report as a document."""
    return full_report(judgement.summary, {file.stem: file for file in judgement.files})


def lines(document, width=100):
    console = Console(width=width, record=True, file=io.StringIO(), highlight=False)
    print_document(console, document)
    return console.export_text().splitlines()


def test_one_is_refuted_one_needs_a_partner_and_one_is_possible_alone(judgement):
    best = judgement.summary.best
    assert {name: row.verdict for name, row in best.items()} == {
        "check-race": "possible", "booked-twice": "possible", "early-report": "impossible"
    }  # fmt: skip
    race, twice = best["check-race"].least, best["booked-twice"].least
    assert (race.partners, race.exact, best["check-race"].least_without_timing.partners) == (1, True, 0)
    assert (twice.partners, twice.failures, twice.failures_exact) == (0, 1, True)
    assert best["early-report"].against == ("ann", "bob", "cat")


def test_the_shares_are_those_of_the_worlds_and_each_range_holds_its_value(judgement):
    weights = judgement.summary.weights
    assert sum(weight.posterior for weight in weights.values()) == pytest.approx(1)
    assert weights["early-report"].posterior == weights["early-report"].worlds == 0
    for weight in weights.values():
        assert weight.span[0] <= weight.posterior <= weight.span[1]
        assert weight.interval[0] <= weight.estimate <= weight.interval[1]
    alone = judgement.summary.other_priors["nobody else was there"]
    assert (alone["check-race"].posterior, alone["early-report"].at_most) == (0, 0)  # the one needs a partner
    assert 0 < alone["check-race"].at_most < 0.1  # none of 5,000 worlds agreed
    assert judgement.summary.flips == ("seldom booked twice",)


def with_odds(folder, odds):
    """The bank's scenario with these odds of its mechanisms."""
    text = SCENARIO.read_text(encoding="utf-8").replace('"overdraft.py"', f'"{BANK}/overdraft.py"')
    text = text.replace('"evidence.toml"', f'"{BANK}/evidence.toml"').replace("[priors.prob", f"{odds}[priors.prob")
    (folder / "odds.toml").write_text(text, encoding="utf-8")
    return folder / "odds.toml"


def test_stated_odds_multiply_the_shares_and_all_equal_is_then_a_variation(judgement, tmp_path):
    own = judgement.summary
    incident = load_incident(with_odds(tmp_path, "[priors.odds]\ncheck-race = 3\n\n"))
    found = judge_incident(incident, replayed=None, out=tmp_path, report=None).summary
    before, after = own.weights, found.weights
    ratio = after["check-race"].posterior / after["booked-twice"].posterior
    assert ratio == pytest.approx(3 * before["check-race"].posterior / before["booked-twice"].posterior)
    equal = {name: weight.posterior for name, weight in own.weights.items()}
    assert {n: of.posterior for n, of in found.other_priors["all mechanisms equally likely"].items()} == equal
    assert found.priors[1].startswith("odds of the mechanisms before the evidence: check-race 3, else 1;")


def test_odds_of_an_unknown_mechanism_are_refused(tmp_path):
    with pytest.raises(UsageError, match="did you mean 'check-race'"):
        load_incident(with_odds(tmp_path, "[priors.odds]\ncheck-rce = 3\n\n"))


def test_the_assumption_that_moves_most_is_on_top_of_its_picture(judgement, folder):
    shares = {name: weight.posterior for name, weight in judgement.summary.weights.items()}
    others = judgement.summary.other_priors
    rows = tornado_rows(shares, {prior: {n: one.posterior for n, one in of.items()} for prior, of in others.items()})
    assert rows == ["seldom booked twice", "nobody else was there"]
    assert (folder / "out/assumptions.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("width", [80, 100, 160])
def test_the_first_screen_answers_in_forty_lines(judgement, width):
    screen = first_screen(judgement.summary, Path("out/report.html"))
    shown = lines(screen, width)
    assert len(shown) <= 40
    assert max(map(len, shown)) <= width
    text = " ".join(" ".join(shown).split())
    for told in (
        "Which of 3 mechanisms can have produced 3 runs as observed?",
        "Proved impossible, with any number of partners: early-report cannot produce any of the runs: "
        "no order of the steps ends in paid: True, 40 left, as ann did.",
        "Needs runs that nobody saw: check-race (exactly 1).",
        "Possible alone: booked-twice (with 1 failure).",
        'The assumption that moves most is "seldom booked twice": check-race 42% -> 94%.',
        "Another comes first if the assumption is instead: seldom booked twice.",
        "Next: two withdrawals from one account at once (cost: two visits; tells 0.63 of 0.98 bits).",
        '"overdrawn" fits every one that is left (16% under booked-twice, above 99% under check-race); '
        '"in order" fits booked-twice.',
        "Together: one withdrawal and two at once (3 runs): 0.66 bits at least, at worst 2 of 2 left.",
        "out/report.html, or here with --full",
    ):
        assert told in text
    assert not re.search(r"settled: [a-z-]+ \d+%,", text), "a single figure as headline"


def test_console_markdown_html_and_json_say_the_same(judgement, whole, folder):
    page = (folder / "out/report.html").read_text(encoding="utf-8")
    report = (folder / "REPORT.md").read_text(encoding="utf-8")
    console = "".join("\n".join(lines(whole, width=400)).split())
    data = json.loads(json.dumps(as_json(whole)))
    for text in cells(whole):
        assert "".join(text.split()) in console
        assert "".join(text.split()) in "".join(words(page).split())
        assert "".join(text.split()) in "".join(unmarked(report).split())
    assert len(data["blocks"]) == len(whole.blocks)


def cells(document):
    """All that stands in the tables of a document."""
    tables = [block for block in document.blocks if isinstance(block, Table)]
    assert len(tables) >= 8
    return {plain(cell) for table in tables for row in (table.head, *table.rows) for cell in row}


def unmarked(report):
    return unescape(re.sub(r"\\(.)", r"\1", report.replace("`", "").replace("**", "")))


def words(page):
    """The text of a page."""
    found = []
    parser = HTMLParser()
    parser.handle_data = found.append
    parser.feed(page)
    return "".join(found)


def test_the_page_has_its_pictures_inside_and_links_only_to_files_beside_it(folder, judgement):
    page = (folder / "out/report.html").read_text(encoding="utf-8")
    assert page.count('<img alt="') == page.count("data:image/png;base64,") == 2
    targets = re.findall(r'(?:href|src)="(?!data:)([^"]+)"', page)
    assert targets and all((folder / "out" / target).is_file() for target in targets)
    assert not re.search(r"https?://", page)


def test_the_markdown_report_points_at_files_that_are_there(folder, judgement):
    text = (folder / "REPORT.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert "report/posterior.png" in links
    assert all((folder / link).is_file() for link in links)


def test_the_tables_hold_the_figures_of_the_judgement(judgement, folder):
    rows = list(csv.DictReader((folder / "out/judgement.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["mechanism"] for row in rows] == ["check-race", "booked-twice", "early-report"]
    for row in rows:
        assert float(row["posterior"]) == judgement.summary.weights[row["mechanism"]].posterior
    predicted = list(csv.DictReader((folder / "out/experiments.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["outcome"] for row in predicted} == {"in order", "overdrawn"}
    priors = list(csv.DictReader((folder / "out/other-priors.csv").read_text(encoding="utf-8").splitlines()))
    assert len(priors) == 2 * 3
    shares = {(row["priors"], row["mechanism"]): (row["posterior"], row["at_most"]) for row in priors}
    share, most = shares["nobody else was there", "check-race"]
    assert share == below(float(most)) and share.startswith("below ")
    assert shares["nobody else was there", "early-report"] == ("0", "0.0")  # proved


def test_the_report_says_what_a_missing_observation_was_taken_as(judgement):
    evidence = replace(judgement.summary.evidence, missing={"alarm": False})
    report = full_report(replace(judgement.summary, evidence=evidence), {file.stem: file for file in judgement.files})
    said = [plain(block.text) for block in report.blocks if isinstance(block, Paragraph)]
    assert any("; but alarm is taken as False where a run does not say it." in text for text in said)


def test_a_run_that_nobody_saw_is_looked_for_where_it_must_have_been(judgement, whole):
    """Cat alone cannot be overdrawn under the race; Ann was alone, and Bob's 40 is what he has alone."""
    (found,) = judgement.summary.company["check-race"].when
    assert (found.runs, found.begins, found.ends) == (("cat",), "2026-03-03T13:00:00", "2026-03-03T13:01:00")
    assert judgement.summary.company["check-race"].leaves == ("account 3: debit",)
    assert judgement.summary.company.keys() == {"check-race"}
    (table,) = [block for block in whole.blocks if isinstance(block, Table) and "what such runs left" in block.head]
    assert len(table.rows) == 1


def test_the_rule_is_judged_with_what_it_takes(judgement):
    rule = judgement.summary.rule
    assert rule.need_company == ("check-race",)
    assert "`overdrawn` refutes them, if nobody else used the account" in rule.judgement[2]


def test_the_command_reads_everything_once_and_prints_the_first_screen(dstamp, monkeypatch):
    read = Counter()
    for name in ("read_scenario", "load_model", "read_evidence"):
        real = getattr(loaded, name)
        monkeypatch.setattr(loaded, name, lambda *a, name=name, real=real: read.update([name]) or real(*a))
    monkeypatch.setattr("dstamp_sim.engines.parallel.threads.cores", lambda: 2)  # so with worker processes
    code, out, _ = dstamp("replay", SCENARIO)
    assert code == 0
    assert read == {"read_scenario": 1, "load_model": 1, "read_evidence": 1}
    assert len(out.splitlines()) <= 40
    assert out.startswith("The overdrawn account of 3 March\n")
    assert "One replay under check-race (seed 3) reproduced 2 of 3 observed runs." in out
    assert Path("out/report.html").is_file()


def test_an_outcome_that_only_one_mechanism_gives_leaves_that_one(dstamp, tmp_path, monkeypatch):
    monkeypatch.setattr("dstamp_sim.engines.parallel.threads.cores", lambda: 1)
    kept = (BANK / "evidence.toml").read_bytes()
    asked = ("update", BANK / "evidence.toml", "--scenario", SCENARIO, "--into", "after.toml", "--json")
    code, out, _ = dstamp(*asked, "--observe", "one withdrawal=overdrawn")
    assert code == 0
    found = json.loads(out)
    assert found["command"] == "dstamp replay scenario.toml --evidence after.toml --report REPORT.md"
    assert found["weights"]["booked-twice"]["posterior"] > 0.99
    assert (BANK / "evidence.toml").read_bytes() == kept
    assert evidence_module.read_evidence(Path("after.toml"), load_incident(SCENARIO).model.evidence).outcomes
    code, _, err = dstamp(*asked, "--observe", "one withdrawal=overdrwan")
    assert (code, "did you mean 'overdrawn'" in err) == (2, True)
    code, _, err = dstamp(*asked, "--observe", "one withdrawal")
    assert (code, "such as 'one withdrawal=in order'" in err) == (2, True)


def test_an_update_says_in_ten_lines_what_changed(dstamp, monkeypatch):
    monkeypatch.setattr("dstamp_sim.engines.parallel.threads.cores", lambda: 1)
    asked = ("update", BANK / "evidence.toml", "--scenario", SCENARIO, "--into", "after.toml")
    code, out, _ = dstamp(*asked, "--observe", "one withdrawal=overdrawn", "--observe", "two at once: overdrawn")
    assert code == 0
    assert len(out.splitlines()) <= 14  # ten of text, the rest is space
    text = " ".join(out.split())
    for says in (
        "Observed: one withdrawal: overdrawn; two at once: overdrawn",
        "Before: 2 of 3 mechanisms left; over all priors booked-twice",
        "After: 1 of 3 mechanisms left; over all priors booked-twice above 99%.",
        "Refuted by proof: check-race. No order of the experiment's own steps comes out as",
        "Settled, if the model has the mechanism: only booked-twice is left.",
        "out/report.html",
        "wrote after.toml",
    ):
        assert says in text
    assert "| mechanism" not in out


def test_an_update_after_which_no_mechanism_is_left_says_so(dstamp, monkeypatch):
    monkeypatch.setattr("dstamp_sim.engines.parallel.threads.cores", lambda: 1)
    other = (BANK / "evidence.toml").read_text(encoding="utf-8").replace("left = 40", "left = 41")
    Path("evidence.toml").write_text(other, encoding="utf-8")
    code, out, _ = dstamp("update", "evidence.toml", "--scenario", SCENARIO, "--observe", "one withdrawal=in order")
    text = " ".join(out.split())
    assert code == 0
    assert "After: none of 3 mechanisms is left." in text
    assert "No mechanism is left: look again" in text


def test_the_experiments_are_listed_with_what_each_costs_and_how_it_can_come_out(dstamp):
    code, out, _ = dstamp("update", "--list", "--scenario", SCENARIO)
    assert code == 0
    assert "two at once: two withdrawals from one account at once (cost: two visits)\n  in order\n  overdrawn\n" in out
    code, out, _ = dstamp("update", "--list", "--scenario", SCENARIO, "--json")
    assert json.loads(out)["one withdrawal"]["outcomes"] == ["in order", "overdrawn"]
    assert dstamp("update", "--scenario", SCENARIO)[0] == 2


def test_a_field_of_another_model_is_refused(dstamp, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text('[[runs]]\nid = "ann"\nsource = "s"\nlevel = 4\n')
    code, _, err = dstamp("replay", SCENARIO, "--evidence", other)
    assert (code, "unknown key 'level'" in err) == (2, True)
