"""Which options make a matrix, and which are refused."""

import pytest

from dstamp_sim.core.errors import UsageError
from dstamp_sim.matrix.axes import MatrixAxis, read_axes

KINDS = """
from typing import Literal

from dstamp_sim import Copies, LockScope, Process, Register, System, section

x = Register("x", 0)


def write(value):
    with section("first"):
        yield x.write(value)
    with section("last"):
        yield x.write(value)


def build(
    copies: Copies = 2, size: int = 1, parts: tuple[int, ...] = (1,), name: str = "", mode: Literal["a", "b"] = "a"
) -> System:
    return System(
        objects=[x],
        processes=[Process("writer", write, size, copies=copies)],
        sections=["first", "last"],
        locks=[LockScope("gate")],
    )
"""


@pytest.fixture
def kinds(tmp_path):
    file = tmp_path / "kinds.py"
    file.write_text(KINDS)
    return str(file)


def axes(model, *settings, placement=None):
    return read_axes(model, settings, placement).axes


def test_ranges_and_lists_are_axes_in_their_order(kinds):
    assert axes(kinds, "copies=1..3", "size=8,2..4,-1") == (
        MatrixAxis("copies", ("1", "2", "3")),
        MatrixAxis("size", ("8", "2", "3", "4", "-1")),
    )


def test_a_choice_of_words_is_an_axis(kinds):
    assert axes(kinds, "mode=a,b") == (MatrixAxis("mode", ("a", "b")),)


@pytest.mark.parametrize("setting", ["parts=1,2,3", "name=a,b", "name=1..6", "size=3"])
def test_a_value_of_the_parameter_is_that_value_whatever_it_looks_like(kinds, setting):
    assert read_axes(kinds, [setting], None) is None
    assert read_axes(kinds, [setting, "copies=1,2"], None).fixed == (setting,)


def test_a_pattern_means_named_placements_and_single_spans(kinds):
    (found,) = axes(kinds, placement="gate:*")
    assert found == MatrixAxis("placement", ("gate:first", "gate:first..last", "gate:last"))
    assert axes(kinds, placement="all") == (MatrixAxis("placement", ("none",)),)


def test_the_last_axis_changes_first(kinds):
    asked = read_axes(kinds, ["copies=1,2", "name=x"], "gate:first*")
    assert [*asked.cells()][:3] == [("1", "gate:first"), ("1", "gate:first..last"), ("2", "gate:first")]
    assert asked.of(("2", "gate:first")) == (["name=x", "copies=2"], "gate:first")


@pytest.mark.parametrize(
    ("settings", "placement", "said"),
    [
        (["copies=3..1"], None, "the range 3..1 is empty; the smaller end comes first"),
        (["copies=1.."], None, "write a range as 1..6, and a list as 1,2,4"),
        (["copies=1,,2"], None, "write a range as 1..6, and a list as 1,2,4"),
        (["size=x,1"], None, "parameter 'size'"),
        (["size=1,2,1"], None, "'1' is given twice; leave one out"),
        (["size=1..3,x"], None, "parameter 'size'"),
        (["mode=a,c"], None, "parameter 'mode'"),
        (["sise=1..3"], None, "unknown parameter 'sise'; did you mean 'size'?"),
        (["size=1..3", "size=4..5"], None, "--set size is given twice: write its values as one list"),
        (["size=1..200000"], None, "200,000 values, but at most 10,000"),
        (["size=1..200", "copies=1..100"], None, "20,000 cells, but a matrix has at most 10,000"),
        (["size=1,2"], "gat:*", "matches no placement; the names are none, and the spans of locks are 'gate:*'"),
    ],
)
def test_what_is_no_matrix_is_refused_with_the_remedy(kinds, settings, placement, said):
    with pytest.raises(UsageError) as error:
        read_axes(kinds, settings, placement)
    assert said in str(error.value)
