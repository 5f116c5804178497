"""A matrix equals its cells asked one by one, goes on where it was interrupted, and says where the verdict flips."""

import csv
import json
import os
from pathlib import Path

import pytest

from dstamp_sim.analyses.confidence import limits_of
from dstamp_sim.core.errors import ModelError, UsageError
from dstamp_sim.core.verdict import Verdict
from dstamp_sim.disk import writing
from dstamp_sim.engines.explore.space import Space
from dstamp_sim.engines.sampling.sampler import Settings, sample
from dstamp_sim.matrix.axes import read_axes
from dstamp_sim.matrix.cells import MatrixCell, MatrixSubject
from dstamp_sim.matrix.kept import begin_cells, keep_cell, read_kept
from dstamp_sim.matrix.matrix import find_matrix
from dstamp_sim.matrix.matrix_files import cell_text
from dstamp_sim.pipeline.explore import ExploreOptions
from dstamp_sim.pipeline.sample import SampleOptions
from dstamp_sim.pipeline.subject import load_subject
from dstamp_sim.pipeline.where import Where

BANK = Path(__file__).parents[2] / "models" / "classic" / "bank.py"
LOCKED = Path(__file__).parents[1] / "lock_review" / "bank_with_locks.py"


def find(reference, settings, out, placement=None, workers=1, tell=lambda *_: None, asking=None, **options):
    setting = read_axes(str(reference), settings, placement)
    subject = MatrixSubject(str(reference), setting, (), None, asking or ExploreOptions(**options))
    return find_matrix(subject, out=out, where=Where(workers), tell=tell)


def test_each_cell_is_what_an_exploration_of_its_setting_finds(tmp_path):
    found = find(LOCKED, ["customers=1..3"], tmp_path, placement="account:*", keep_going=True)
    assert len(found.cells) == 3 * len(found.axes[1].values) > 6
    assert {cell.verdict for cell in found.cells} == {Verdict.HOLDS, Verdict.VIOLATED}
    for cell in found.cells:
        customers, placement = cell.values
        report = ExploreOptions(keep_going=True).report(
            load_subject(str(LOCKED), [f"customers={customers}"], placement)
        )
        assert (cell.verdict, cell.states, cell.transitions, cell.exhausted) == (
            report.verdict,
            report.coverage.states,
            report.coverage.transitions,
            report.coverage.exhausted,
        )
        lengths = [len(j.trace.steps) for j in report.judgements if j.verdict is Verdict.VIOLATED]
        assert cell.steps == min(lengths, default=0)
        assert bool(cell.broken) == bool(lengths)


def test_the_cells_are_the_same_on_two_workers(tmp_path):
    one = find(BANK, ["customers=1..4"], tmp_path / "one")
    two = find(BANK, ["customers=1..4"], tmp_path / "two", workers=2)
    assert one.cells == two.cells
    assert read_kept(one.kept) == read_kept(two.kept)


def test_a_matrix_that_was_interrupted_goes_on_and_asks_nothing_twice(tmp_path):
    def interrupted(_, number, __):
        if number == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find(BANK, ["customers=1..5"], tmp_path, tell=interrupted)
    resumed = find(BANK, ["customers=1..5"], tmp_path)
    assert resumed.known == 3
    assert resumed.cells == find(BANK, ["customers=1..5"], tmp_path / "whole").cells
    assert find(BANK, ["customers=2..6"], tmp_path).known == 4, "another matrix with the same cells"


def test_a_line_that_was_cut_short_is_asked_again_and_spoils_no_other(tmp_path):
    whole = find(BANK, ["customers=1..3"], tmp_path)
    kept = whole.kept.read_bytes()
    for at in range(len(kept) - 1, kept.index(b"\n") + 1, -37):
        whole.kept.write_bytes(kept[:at])
        again = find(BANK, ["customers=1..3"], tmp_path)
        assert again.cells == whole.cells
        assert again.known == kept[:at].count(b"}\n") or kept[at : at + 1] == b"\n"
        assert len(read_kept(whole.kept)) == 3


@pytest.mark.parametrize(("old", "new"), [('"VIOLATED"', '"HOLDS"'), ('"states":', '"states":1'), (" ", " 0")])
def test_a_line_that_was_changed_by_hand_is_named_and_not_believed(dstamp, old, new):
    asked = ("explore", BANK, "--set", "customers=1..3")
    assert dstamp(*asked)[0] == 1
    (file,) = Path("out").glob("*.cells")
    *lines, last = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines, last.replace(old, new, 1)]))
    code, out, err = dstamp(*asked)
    assert (code, out) == (2, "")
    assert f"{file}: line 4 (3) is not as it was written; delete the line, and that cell is asked again" in err
    file.write_text("".join(lines))
    assert dstamp(*asked)[0] == 1


def test_what_a_cell_depends_on_is_part_of_its_key(tmp_path):
    model = tmp_path / "model.py"
    model.write_bytes(BANK.read_bytes())
    out = tmp_path / "out"
    assert find(model, ["customers=1,2"], out).known == 0
    assert find(model, ["customers=1,2"], out).known == 2
    assert find(model, ["customers=1,2"], out, keep_going=True).known == 0
    assert find(model, ["customers=1,2"], out, limit=5).known == 0
    model.write_text(BANK.read_text().replace("60", "600"))
    changed = find(model, ["customers=1,2"], out)
    assert changed.known == 0
    assert [cell.verdict for cell in changed.cells] == [Verdict.HOLDS, Verdict.HOLDS]


def test_where_the_verdict_flips_is_said_once_for_all_lines_alike(tmp_path):
    found = find(LOCKED, ["customers=1..3"], tmp_path, placement="account:*")
    (flip,) = found.flips()
    assert flip.startswith("HOLDS for customers=1, VIOLATED for customers=2 to 3 (placement ")
    broken = {cell.values[1] for cell in found.cells if cell.verdict is Verdict.VIOLATED}
    assert flip.count("placement") == len(broken)


def test_a_setting_that_the_model_refuses_is_not_asked_and_the_others_are(tmp_path):
    model = tmp_path / "picky.py"
    model.write_text(
        BANK.read_text()
        .replace(
            "    return System(",
            "    if customers in (2, 4):\n        raise UsageError('two are a pair')\n    return System(",
        )
        .replace("from dstamp_sim import", "from dstamp_sim import UsageError,", 1)
    )
    found = find(model, ["customers=1..3"], tmp_path)
    assert [cell.refused for cell in found.cells] == ["", "two are a pair", ""]
    assert found.cells[1].verdict is Verdict.UNDETERMINED
    with pytest.raises(UsageError, match="two are a pair"):
        find(model, ["customers=2,4"], tmp_path)


def test_a_model_that_breaks_a_rule_ends_the_matrix_and_keeps_what_was_found(tmp_path):
    model = tmp_path / "breaks.py"
    model.write_text(BANK.read_text().replace("    return System(", "    assert customers != 3\n    return System("))
    with pytest.raises(ModelError, match="AssertionError"):
        find(model, ["customers=1..4"], tmp_path)
    assert len(read_kept(tmp_path / "breaks-matrix.cells")) == 2


def test_a_cell_that_was_not_decided_says_why(tmp_path):
    found = find(BANK, ["customers=1,4"], tmp_path, limit=4)
    assert found.cells[1].verdict is Verdict.UNDETERMINED
    assert "the limit of 4 states was reached" in found.cells[1].why
    assert found.verdict is Verdict.UNDETERMINED


def test_the_command_prints_a_row_for_each_cell_and_the_command_of_the_first_story(dstamp, tmp_path):
    code, out, _ = dstamp("explore", "classic/bank", "--set", "customers=1..3")
    assert code == 1
    lines = out.splitlines()
    assert lines[:2] == ["classic/bank", "customers  verdict"]
    assert [line.split()[:2] for line in lines[2:5]] == [["1", "HOLDS"], ["2", "VIOLATED"], ["3", "VIOLATED"]]
    assert "HOLDS for customers=1, VIOLATED for customers=2 to 3." in lines
    assert "The first story: dstamp explore classic/bank --set customers=2" in lines
    with (tmp_path / "out" / "bank-matrix.csv").open() as table:
        rows = [*csv.DictReader(table)]
    assert [(row["customers"], row["verdict"], row["steps"]) for row in rows] == [
        ("1", "HOLDS", "0"), ("2", "VIOLATED", "4"), ("3", "VIOLATED", "5"),
    ]  # fmt: skip
    code, out, _ = dstamp("explore", "classic/bank", "--set", "customers=1..3", "--json")
    document = json.loads(out)
    assert (code, document["known"], document["verdict"]) == (1, 3, "VIOLATED")
    assert [cell["values"] for cell in document["cells"]] == [{"customers": str(n)} for n in (1, 2, 3)]
    assert all(Path(file).exists() for file in document["files"])


def test_every_cell_is_asked_for_a_serial_order_where_that_was_asked(dstamp):
    code, out, _ = dstamp("explore", "classic/bank", "--set", "customers=1,2", "--serial", "--json")
    first, second = json.loads(out)["cells"]
    assert (code, first["verdict"], second["verdict"]) == (1, "UNDETERMINED", "VIOLATED")
    assert "1 run must end, and an order needs two" in first["why"]
    code, out, _ = dstamp("explore", "classic/bank", "--set", "customers=1,2")
    assert "known from" not in out
    assert dstamp("explore", "classic/bank", "--set", "customers=2", "--serial")[0] == 1


def test_a_matrix_of_what_holds_ends_with_0(dstamp):
    code, out, _ = dstamp("explore", "classic/bank_fixed", "--set", "customers=1,2")
    assert code == 0
    assert "The verdict is the same all along every parameter." in out


@pytest.mark.parametrize("option", ["--html", "--count"])
def test_what_is_about_one_setting_is_refused(dstamp, option):
    code, _, err = dstamp("explore", "classic/bank", "--set", "customers=1..3", option)
    assert code == 2
    assert f"{option} is about one setting, not a matrix: set one value each" in err


def test_an_unknown_property_is_refused_before_a_row_is_printed(dstamp):
    code, out, err = dstamp("explore", "classic/bank", "--set", "customers=1..3", "--property", "nope")
    assert (code, out.splitlines()[2:]) == (2, [])
    assert "unknown property 'nope'" in err


def test_a_foreign_file_in_the_place_of_the_cells_stays(dstamp, tmp_path):
    (tmp_path / "out").mkdir()
    theirs = tmp_path / "out" / "bank-matrix.cells"
    theirs.write_text("mine\n")
    code, _, err = dstamp("explore", "classic/bank", "--set", "customers=1,2")
    assert code == 2
    assert "what is there is no file of a matrix; move it" in err
    assert theirs.read_text() == "mine\n"


def test_a_cell_survives_the_file(tmp_path):
    cell = MatrixCell(("1", "a\nb"), Verdict.UNDETERMINED, 3, 2, False, "p", 4, "why", "no")
    begin_cells(tmp_path / "kept")
    keep_cell(tmp_path / "kept", "key", cell)
    assert read_kept(tmp_path / "kept") == {"key": cell}


def test_prove_has_a_matrix_too_with_the_fewest_that_fail(dstamp, tmp_path):
    code, out, _ = dstamp("prove", LOCKED, "--placement", "account:*")
    assert code == 1
    found = {line.split()[0]: line for line in out.splitlines() if line.startswith("account:")}
    assert "with customers=2: no payment is erased" in found["account:look"].replace("customer=2", "customers=2")
    assert found["account:look..pay"].split()[1] in {"HOLDS", "UNDETERMINED"}
    assert f"The first story: dstamp prove {LOCKED} --placement account:look" in out
    assert dstamp("prove", "classic/peterson", "--placement", "all")[0] == 2


@pytest.mark.parametrize("again", [False, True], ids=["the disk stays full", "there is space again"])
def test_a_cell_that_cannot_be_kept_takes_nothing_from_the_verdict(dstamp, monkeypatch, again):
    lines = []

    def full(handle, whole):
        lines.append(whole)
        if len(lines) > 2:
            raise OSError(28, "No space left on device")
        return write(handle, whole)

    write, sync = os.write, os.fsync
    monkeypatch.setattr("dstamp_sim.engines.parallel.threads.cores", lambda: 1)
    monkeypatch.setattr(writing.os, "write", full)
    monkeypatch.setattr(writing.os, "fsync", sync if again else lambda _: full(0, b""))
    code, out, err = dstamp("explore", BANK, "--set", "customers=1..4")
    assert "bank-matrix.cells: cannot be written: No space left on device" in err or again
    assert (code, out.count("VIOLATED  ")) == (74, 3), err  # the ledger of results cannot be kept, either
    assert len(read_kept(Path("out/bank-matrix.cells"))) == (4 if again else 1)


def test_a_cell_that_ctrl_c_ends_early_is_not_kept(tmp_path, monkeypatch):
    def pressed(*given):
        asked.append(given)
        if len(asked) > 4:
            raise KeyboardInterrupt
        return expand(*given)

    asked, expand = [], Space.expand
    monkeypatch.setattr(Space, "expand", pressed)
    with pytest.raises(KeyboardInterrupt):
        find(BANK, ["customers=1..4"], tmp_path)
    kept = read_kept(tmp_path / "bank-matrix.cells")
    assert not any("interrupted" in cell.why for cell in kept.values())
    monkeypatch.setattr(Space, "expand", expand)
    assert find(BANK, ["customers=1..4"], tmp_path).cells == find(BANK, ["customers=1..4"], tmp_path / "anew").cells


def drawn(reference, settings, out, *, budget=400, strategy="random-walk", **options):
    asking = SampleOptions(budget, Settings.parse(strategy, seed=3))
    return find(reference, settings, out, asking=asking, **options)


def test_a_cell_of_a_sampled_matrix_is_the_sample_of_its_setting(tmp_path):
    found = drawn(LOCKED, ["customers=1..3"], tmp_path, placement="account:*")
    assert len(found.cells) == 9
    for cell in found.cells:
        customers, placement = cell.values
        asked = load_subject(str(LOCKED), [f"customers={customers}"], placement)
        alone = sample(asked.system, 400, Settings(seed=3))
        failing = alone.decided["no payment is erased"]
        assert (cell.schedules, cell.failing, cell.states) == (400, failing, 0)
        assert (cell.low, cell.high) == limits_of(failing, 400)
        assert cell.verdict is (Verdict.VIOLATED if failing else Verdict.UNDETERMINED)
        assert cell.broken == ("no payment is erased" if failing else "")
    assert {bool(cell.failing) for cell in found.cells} == {True, False}


def test_a_schedule_that_violates_two_properties_fails_once(tmp_path):
    model = tmp_path / "twice.py"
    model.write_text(BANK.read_text().replace("properties=[", "properties=[at_end('another', lambda r: False), ", 1))
    asked = load_subject(str(model), ["customers=2"])
    alone = sample(asked.system, 300, Settings())
    assert alone.failing == alone.decided["another"] == 300 > alone.decided["one withdrawal at most"] > 0


def test_a_sampled_matrix_goes_on_where_it_was_and_is_the_same_on_two_workers(tmp_path):
    def interrupted(_, number, __):
        if number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drawn(BANK, ["customers=1..4"], tmp_path / "one", tell=interrupted)
    one = drawn(BANK, ["customers=1..4"], tmp_path / "one")
    two = drawn(BANK, ["customers=1..4"], tmp_path / "two", workers=2)
    assert (one.known, two.known, one.cells) == (2, 0, two.cells)
    assert drawn(BANK, ["customers=1..4"], tmp_path / "one").known == 4
    assert drawn(BANK, ["customers=1..4"], tmp_path / "one", budget=500).known == 0, "another question"


def test_no_limits_are_told_of_schedules_that_are_not_drawn_independently(tmp_path):
    found = drawn(BANK, ["customers=2,3"], tmp_path, strategy="preemption-bounded")
    assert {(cell.low, cell.high) for cell in found.cells} == {(0.0, 1.0)}
    assert all(0 < cell.failing < cell.schedules for cell in found.cells)
    assert cell_text(found.cells[0]) == f"{found.cells[0].failing}/{found.cells[0].schedules}"


def test_sample_prints_the_share_of_each_cell_and_the_command_of_the_first_story(dstamp, tmp_path):
    asked = ("sample", "classic/bank", "--set", "customers=1,2", "--budget", "500", "--seed", "7")
    code, out, _ = dstamp(*asked, "--strategy", "pct:depth=2")
    assert code == 1
    first, second = out.splitlines()[2:4]
    assert first.split()[:2] == ["1", "UNDETERMINED"]
    assert "none of 500 schedules  at most 0.6 %" in first
    assert second.endswith(" %  one withdrawal at most")
    story = out.partition("The first story: dstamp ")[2].splitlines()[0].split()
    assert story[-5:] == ["customers=2", "--strategy=pct:depth=2", "--budget=500", "--seed=7", "--steps=2000"]
    failing = second.split()[2]
    _, one, _ = dstamp(*story)
    assert f"({failing} of 500 schedules" in one
    with (tmp_path / "out" / "bank-matrix.csv").open() as table:
        rows = [*csv.DictReader(table)]
    assert [(row["schedules"], row["failing"]) for row in rows] == [("500", "0"), ("500", failing)]
    cell = json.loads(dstamp(*asked, "--strategy", "pct:depth=2", "--json")[1])["cells"][1]
    assert (cell["failing"], str(cell["low"])) == (int(failing), rows[1]["low"])
