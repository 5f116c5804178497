"""What a command tells of a trace, it works out once, whatever it writes of it."""

from collections import Counter

import pytest

from dstamp_sim.analyses import conflicts
from dstamp_sim.pipeline import explained


@pytest.fixture
def worked_out(monkeypatch):
    """How often explanations and conflicts were worked out."""
    counts = Counter()
    explain, found = explained.explain, conflicts.Conflicts.__init__

    def counted_explain(*arguments, **options):
        counts["explanations"] += 1
        return explain(*arguments, **options)

    def counted_conflicts(self, *arguments):
        counts["conflicts"] += 1
        found(self, *arguments)

    monkeypatch.setattr(explained, "explain", counted_explain)
    monkeypatch.setattr(conflicts.Conflicts, "__init__", counted_conflicts)
    return counts


def test_pictures_and_page_of_a_counterexample_are_of_one_explanation(dstamp, worked_out):
    assert dstamp("explore", "classic/bank", "--html")[0] == 1
    assert worked_out == {"explanations": 1, "conflicts": 1}


def test_a_witness_shown_with_its_page_is_explained_once_for_each_property_that_fails(dstamp, worked_out):
    dstamp("explore", "classic/bank")
    worked_out.clear()
    _, out, _ = dstamp("show", "out/bank-one-withdrawal-at-most.witness.json", "--html")
    fails = sum(line.startswith("  fails") for line in out.splitlines())
    assert worked_out == {"explanations": fails, "conflicts": fails}


def test_a_replay_is_explained_once_for_each_property_that_fails(dstamp, worked_out):
    _, out, _ = dstamp("replay", "--no-judge", "--mechanism", "swarm-rollback", "--seed", 7)
    fails = sum(line.startswith("  fails") for line in out.splitlines())
    assert fails >= 1
    assert worked_out == {"explanations": fails, "conflicts": fails}
