"""The incident's report is what its command writes, points at files that are there, and says what it rests on."""

import os
import re
from pathlib import Path

import pytest

from models.cc_ci import HYPOTHESES, MECHANISMS
from tests.rendering.test_arrows_and_labels import arrows_and_labels, crossings

INCIDENT = Path(__file__).parents[2] / "experiments/incident"
REPORT = INCIDENT / "REPORT.md"
TEXT = REPORT.read_text(encoding="utf-8")


def test_every_file_that_the_report_points_at_is_there():
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert "report/posterior.png" in links
    assert [link for link in links if not (INCIDENT / link).is_file()] == []


def test_every_mechanism_every_experiment_and_the_documents_rule_are_in_it():
    assert [name for name in MECHANISMS if f"`{name}`" not in TEXT] == []
    assert [name for name in HYPOTHESES.experiments if f"### {name.capitalize()} (" not in TEXT] == []
    assert HYPOTHESES.rule.says in TEXT


def test_what_rests_on_assumed_priors_is_said_before_any_figure():
    head = TEXT[: TEXT.index("## In short")]
    assert "rests on assumed priors" in " ".join(head.split())


@pytest.fixture
def replayed(request):
    """The folder with what `dstamp replay` printed and wrote: `.ci/run` names one that it has just filled."""
    if folder := os.environ.get("DSTAMP_REPLAYED"):
        return Path(folder)
    code, out, _ = request.getfixturevalue("dstamp")("replay", "--report", "REPORT.md")
    assert code == 0
    Path("screen.txt").write_text(out, encoding="utf-8")
    return Path()


@pytest.mark.slow(minutes=2)
def test_the_report_is_what_its_command_writes_to_the_byte(replayed):
    assert len((replayed / "screen.txt").read_text(encoding="utf-8").splitlines()) <= 40
    assert (replayed / "REPORT.md").read_text(encoding="utf-8") == TEXT


@pytest.mark.slow(minutes=2)
def test_in_the_incident_s_witnesses_no_arrow_runs_through_a_label(replayed):
    drawings = sorted(replayed.rglob("witness-*.svg"))
    assert len(drawings) > 5
    for drawing in drawings:
        assert crossings(arrows_and_labels(drawing.read_text(encoding="utf-8"))) == [], drawing.name
