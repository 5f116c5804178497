"""What a matrix knows without exploring is what exploring finds, and where nothing can be known it explores."""

import csv
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from dstamp_sim.core.verdict import Verdict
from dstamp_sim.engines.explore.explorer import explore
from dstamp_sim.engines.replay import replay
from dstamp_sim.matrix.axes import read_axes
from dstamp_sim.matrix.cells import MatrixSubject
from dstamp_sim.matrix.known import SHOWN_BY_A_RUN, carried
from dstamp_sim.matrix.matrix import find_matrix
from dstamp_sim.pipeline.explore import ExploreOptions
from dstamp_sim.pipeline.subject import load_subject
from dstamp_sim.pipeline.where import Where
from tests.random_systems import random_system
from tests.todays import todays

LOCKED = Path(__file__).parents[1] / "lock_review" / "bank_with_locks.py"


def find(reference, settings, out, *, placement=None, properties=(), keep_going=False, processes=1):
    setting = read_axes(str(reference), settings, placement)
    subject = MatrixSubject(str(reference), setting, tuple(properties), None, ExploreOptions(keep_going=keep_going))
    return find_matrix(subject, out=out, where=Where(processes), tell=lambda *_: None)


def check_against_exploring(found):
    """Explores every cell that is known; returns how many there were of each verdict."""
    counts = {Verdict.VIOLATED: 0, Verdict.HOLDS: 0}
    for cell in (cell for cell in found.cells if cell.how):
        settings, placement = found.subject.setting.of(cell.values)
        asked = load_subject(found.subject.reference, settings, placement, found.subject.properties)
        report = ExploreOptions(keep_going=True).report(asked)
        assert report.verdict is cell.verdict
        counts[cell.verdict] += 1
        if cell.verdict is Verdict.VIOLATED:
            judgement = report.judgement(cell.broken)
            assert judgement.verdict is Verdict.VIOLATED
            assert len(judgement.trace.steps) <= cell.steps == len(replay(asked.system, cell.story).steps)
    return counts


@pytest.mark.parametrize(
    ("model", "settings", "placement", "known"),
    [
        ("classic/bank", ["customers=1..5"], None, 3),
        ("classic/lock_file", ["runs=1..5"], None, 2),
        ("classic/philosophers", ["philosophers=2..5"], None, 0),
        ("classic/redis_lock", ["clients=1..3"], None, 1),
        ("classic/job_queue", ["workers=1..3"], None, 1),
        ("classic/two_phase_commit_impatient", ["managers=1..4"], None, 0),
        ("cc_ci", ["runs=1..4"], None, 2),
        ("cc_ci", ["runs=1..3"], "all", 7),
        (LOCKED, ["customers=1..4"], "account:*", 4),
    ],
)
def test_what_is_replayed_is_what_exploring_finds(model, settings, placement, known, tmp_path):
    found = find(model, settings, tmp_path, placement=placement)
    assert check_against_exploring(found)[Verdict.VIOLATED] >= known


@pytest.mark.parametrize(
    ("model", "settings", "placement", "prop", "known"),
    [
        ("classic/bank_fixed", ["customers=1..4"], None, "never overdrawn", 3),
        ("classic/bank", ["customers=1..4"], None, "never overdrawn", 3),
        ("classic/bank_fixed", ["customers=1..4"], None, "one withdrawal at most", 0),
        ("cc_ci", ["runs=1..3"], "deploy_app_to_check", "HC1 reads no wrong commit", 2),
        (LOCKED, ["customers=1..3"], "account:*", "no payment is erased", 2),
    ],
)
def test_what_is_proved_for_any_number_is_what_exploring_finds(model, settings, placement, prop, known, tmp_path):
    found = find(model, settings, tmp_path, placement=placement, properties=[prop])
    assert check_against_exploring(found)[Verdict.HOLDS] == known
    assert all(cell.how.startswith("proved for any number of ") for cell in found.cells if not cell.broken and cell.how)


@pytest.mark.parametrize("seed", todays(range(280)))
def test_a_story_that_is_carried_to_a_larger_random_system_is_one_of_its_own(seed):
    system = random_system(seed)
    copied = random.Random(seed).randrange(len(system.processes))
    one = system.processes[copied]
    processes = [*system.processes]
    processes[copied] = one.with_copies(one.copies + 1)
    larger = replace(system, processes=tuple(processes))
    small, large = (explore(one, keep_going=True) for one in (system, larger))
    for found in small.judgements:
        if found.verdict is Verdict.VIOLATED and found.trace is not None and found.prop.kind in SHOWN_BY_A_RUN:
            trace = carried(larger, found.prop, str(found.trace.schedule))
            if trace is not None:
                known = large.judgement(found.prop.name)
                assert known.verdict is Verdict.VIOLATED
                assert len(known.trace.steps) <= len(trace.steps)


def test_most_stories_of_random_systems_are_carried():
    """Else the test above would show nothing."""
    systems, carried_ones, stories = map(random_system, range(60)), 0, 0
    for system in systems:
        larger = replace(system, processes=tuple(p.with_copies(p.copies + 1) for p in system.processes))
        for found in explore(system, keep_going=True).judgements:
            if found.verdict is Verdict.VIOLATED and found.trace is not None and found.prop.kind in SHOWN_BY_A_RUN:
                stories += 1
                carried_ones += carried(larger, found.prop, str(found.trace.schedule)) is not None
    assert carried_ones > stories / 2 > 10


FAMILY = """
from dstamp_sim import ANY, Copies, Process, Register, System, always

x = Register("x", 0)


def write(most):
    seen = yield x.read()
    yield x.write(min(seen + 1, most))


def build(writers: Copies = 2, least: int = 0) -> System:
    most = MOST
    return System(
        objects=[x],
        processes=[Process("writer", write, most, copies=writers)],
        properties=[always("small", lambda state: state[x] != 2, reads=[x])],
    )
"""


def family(tmp_path, most):
    file = tmp_path / "family.py"
    file.write_text(FAMILY.replace("MOST", most))
    return file


def test_a_larger_setting_that_does_not_fail_is_explored_and_holds(tmp_path):
    found = find(family(tmp_path, "2 if writers == 2 else 1"), ["writers=1..3"], tmp_path)
    assert [(cell.verdict, cell.how) for cell in found.cells] == [
        (Verdict.HOLDS, ""), (Verdict.VIOLATED, ""), (Verdict.HOLDS, ""),
    ]  # fmt: skip


@pytest.mark.parametrize("most", ["2 if writers == 3 else 1", "1 if writers is ANY or writers < 3 else 2"])
def test_a_proof_settles_no_number_of_which_the_factory_makes_another_system(tmp_path, most):
    found = find(family(tmp_path, most), ["writers=1..4"], tmp_path, properties=["small"])
    assert [cell.how for cell in found.cells[:2]] == ["", "proved for any number of writers"]
    assert (found.cells[2].verdict, found.cells[2].how) == (Verdict.VIOLATED, "")
    check_against_exploring(found)


def test_a_setting_that_larger_numbers_do_not_obey_is_not_taken_for_known(tmp_path):
    """A twin that believes in monotony would call 3 writers VIOLATED, as 2 are."""
    found = find(family(tmp_path, "2 if writers == 2 else 1"), ["writers=2,3"], tmp_path, properties=["small"])
    assert [cell.verdict for cell in found.cells] == [Verdict.VIOLATED, Verdict.HOLDS]


def test_with_keep_going_every_cell_is_explored(tmp_path):
    found = find("classic/bank", ["customers=1..4"], tmp_path, keep_going=True)
    assert {cell.how for cell in found.cells} == {""}
    assert all(cell.states for cell in found.cells)


def test_what_is_known_is_the_same_on_two_workers_and_after_an_interruption(tmp_path):
    one = find(LOCKED, ["customers=1..4"], tmp_path / "one", placement="account:*")
    two = find(LOCKED, ["customers=1..4"], tmp_path / "two", placement="account:*", processes=2)
    assert one.cells == two.cells
    kept = two.kept.read_text().splitlines(keepends=True)
    two.kept.write_text("".join(kept[: len(kept) // 2]))
    resumed = find(LOCKED, ["customers=1..4"], tmp_path / "two", placement="account:*")
    assert (resumed.cells, resumed.known) == (one.cells, len(kept) // 2 - 1)


def test_how_a_cell_is_known_is_said_everywhere_and_no_count_that_nobody_made(dstamp, tmp_path):
    _, out, _ = dstamp("explore", "classic/bank", "--set", "customers=1..3")
    row = next(line for line in out.splitlines() if line.startswith("3 "))
    assert row.endswith("not explored  at most 5 steps: one withdrawal at most  (replayed from customers=2)")
    _, out, _ = dstamp("explore", "classic/bank", "--set", "customers=1..3", "--json")
    cell = json.loads(out)["cells"][2]
    assert (cell["how"], cell["steps"], cell["states"], cell["exhausted"]) == (
        "replayed from customers=2",
        5,
        None,
        None,
    )
    with (tmp_path / "out" / "bank-matrix.csv").open() as table:
        assert [(row["how"], row["states"]) for row in csv.DictReader(table)][2] == ("replayed from customers=2", "")
    _, out, _ = dstamp("explore", "classic/bank", "--set", "customers=1..3", "--property", "never overdrawn")
    assert "3          HOLDS              not explored  (proved for any number of customers)" in out
