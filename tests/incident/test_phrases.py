"""How a judgement is said: figures that claim no more than they hold, and each reason once."""

from types import SimpleNamespace

import pytest

from dstamp_sim.analyses.confidence import share
from dstamp_sim.analyses.speech import listed
from dstamp_sim.incident.possible.case import Possible
from dstamp_sim.incident.report.changes import _next
from dstamp_sim.incident.report.phrases import cannot_give, fits, reasons, refuted, span
from dstamp_sim.incident.report.summary import MechanismRow


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.0, "below 1%"),
        (0.005, "below 1%"),
        (0.0051, "1%"),
        (0.15, "15%"),
        (0.9949, "99%"),
        (0.995, "above 99%"),
        (1.0, "above 99%"),
    ],
)
def test_a_share_is_never_written_as_nothing_or_as_certain(probability, words):
    assert share(probability) == words


def test_a_range_whose_ends_are_written_alike_is_written_once():
    assert span((0.001, 0.002), 0.002) == "below 1%"
    assert span((0.001, 0.59), 0.59) == "below 1% to 59%"


def test_where_no_world_agreed_the_limit_is_said_and_never_nothing():
    assert span((0.0, 0.0), 0.0521) == "below 5.3%"
    assert span((0.0, 0.02), 0.04) == "below 1% to 4%"


def row(mechanism, verdict="impossible", against=(), reasons=()):
    return MechanismRow(mechanism, {}, verdict, reasons, against, None, None, (), {})


def summary(*rows, runs=("a", "b"), probes=("p", "q"), outcomes=()):
    items = [tuple(SimpleNamespace(id=name) for name in names) for names in (runs, probes)]
    evidence = SimpleNamespace(runs=items[0], probes=items[1], outcomes=outcomes)
    return SimpleNamespace(evidence=evidence, mechanisms=rows, best={row.mechanism: row for row in rows}, never={})


def test_what_cannot_be_given_is_said_of_all_runs_or_probes_at_once():
    assert cannot_give(summary(), ("a", "b", "p")) == "any of the runs or p"
    assert cannot_give(summary(), ("b",)) == "b"
    assert cannot_give(summary(runs=("a",)), ("a",)) == "a"


def test_refuted_is_only_who_is_impossible_under_every_reading_by_what_all_of_them_contradict():
    rows = (row("x", against=("a", "b")), row("x", against=("b",)), row("y", against=("b",)), row("z", against=("a",)))
    told = summary(*rows, row("w", against=("a",)), row("w", "possible"))
    assert refuted(told) == ["x and y cannot produce b", "z cannot produce a"]
    told.never["y"] = "40 left, as b did"
    assert refuted(told)[1] == "y cannot produce b: no order of the steps ends in 40 left, as b did"
    assert refuted(summary(row("x", against=("a",)), row("x", against=("b",)))) == [
        "x cannot produce all of this in any one reading"
    ]


def test_a_reason_is_said_once():
    open_ones = [row("x", "undetermined", reasons=("it did not end",)), row("x", "undetermined", reasons=(
        "it did not end", "3 partners will do"))]  # fmt: skip
    assert reasons(summary(), open_ones) == "it did not end; 3 partners will do"
    assert reasons(summary(), [row("x", against=("a", "b")), row("x", against=("b",))]) == (
        "unreachable with any number of partners: b; in some readings also a"
    )
    assert reasons(summary(), [row("x", against=("a",)), row("x", against=("b",))]) == (
        "unreachable with any number of partners, in one reading or another: a, b"
    )


def test_an_outcome_is_said_to_be_unreachable_in_its_experiment_and_not_among_partners():
    made = summary(outcomes=({"experiment": "alone", "outcome": "red"},))
    assert cannot_give(made, ("a", "alone=red")) == "a or alone=red"
    assert reasons(made, [row("x", against=("a", "alone=red"))]) == (
        "unreachable with any number of partners: a; unreachable in the experiment itself: alone=red"
    )


def test_whom_an_outcome_fits_is_ordered_by_how_likely_each_then_is_and_cut_short():
    names = "abcdefg"
    weights = {name: SimpleNamespace(posterior=0.1 * number) for number, name in enumerate(names)}
    experiment = SimpleNamespace(
        predicted={name: {"red": 1.0, **({"green": 0.5} if name in "bc" else {})} for name in names}
        | {"h": {"green": 1.0}},
        unknown=(),
    )
    asked = SimpleNamespace(weights=weights | {"h": SimpleNamespace(posterior=0.01)})
    assert fits(asked, experiment, "green") == "fits c, b or h"
    assert fits(asked, experiment, "red") == "fits g, f, e, d or 3 others"
    everyone = SimpleNamespace(predicted={name: {"red": 1.0} for name in names}, unknown=())
    assert fits(asked, everyone, "red") == "fits every one that is left"
    of_some = SimpleNamespace(predicted=everyone.predicted, unknown=("g", "f"))
    assert fits(asked, of_some, "red") == "fits e, d, c, b or a"


def test_only_a_mechanism_that_is_shown_to_be_possible_settles_a_question():
    def said(verdict):
        after = SimpleNamespace(left=["x"], verdict=lambda _: verdict, next=())
        return " ".join(str(part) for line in _next(after, "") for part in line)

    assert "Settled" in said(Possible.POSSIBLE)
    assert "Settled" not in said(Possible.UNDETERMINED)


def test_names_in_a_sentence():
    assert [listed(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
