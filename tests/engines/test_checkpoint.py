"""An exploration that is killed and resumed reports what an uninterrupted one does; nothing else is taken up."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dstamp_sim import ModelError, Process, Register, Report, System, UsageError, at_end, explore
from dstamp_sim.disk.writing import Unwritable
from dstamp_sim.engines.explore import checkpoint, explorer, space
from dstamp_sim.engines.explore.checkpoint import Checkpoint
from dstamp_sim.engines.explore.settings import ALL_REDUCTIONS, NO_REDUCTION, Reductions
from dstamp_sim.engines.explore.space import Space, SpacePart
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.random_systems import random_system
from tests.expected_models import build, manifest
from tests.todays import todays


class Killed(BaseException):
    """What ends an exploration from outside."""


@pytest.fixture
def small(monkeypatch):
    """The search that is kept begins at once, and a few states are expanded between two parts."""
    monkeypatch.setattr(explorer, "WORTH_KNOWING", 1)
    monkeypatch.setattr(space, "CHUNK", 5)
    return monkeypatch


def kept_in(folder: Path, told: list[str] | None = None, *, resumed: bool = False, **question: str) -> Checkpoint:
    said = [] if told is None else told
    return Checkpoint(folder, {"model": "this one", **question}, 0.0, said.append, resumed)


def explored(system: System, kept: Checkpoint, dies_at: int | None = None, **options: Any) -> Report:
    """Its report. Raises Killed when progress is told for the time `dies_at`."""
    calls = 0

    def tell(*counts: int) -> None:
        nonlocal calls
        calls += 1
        if calls == dies_at:
            raise Killed

    with kept.held():
        return explore(system, checkpoint=kept, progress=tell, keep_going=True, **options)


def killed_and_resumed(system: System, folder: Path, dice: random.Random, **options: Any) -> tuple[Report, list[str]]:
    """The report of the last of several commands, the others of which are killed, and what they told."""
    told = list[str]()
    for kill in range(4):
        kept = kept_in(folder, told, resumed=any(folder.glob("*.json")))
        try:
            return explored(system, kept, dice.randrange(1, 12) if kill < 3 else None, **options), told
        except Killed:
            continue
    raise AssertionError("the last command is not killed")


def said(report: Report) -> tuple[Any, ...]:
    """All that a report says."""
    judged = [(one.prop.name, one.verdict, one.reason, one.minimal) for one in report.judgements]
    traces = [(str(one.trace.schedule), one.trace.steps) for one in report.judgements if one.trace]
    return report.coverage, judged, traces


def resumed(system: System, folder: Path, seed: int, reductions: Reductions) -> int:
    """How often an exploration that is killed at random moments goes on.

    It reports what an uninterrupted one does, and does so again if it is resumed at its end.
    """
    plain = explore(system, keep_going=True, reductions=reductions)
    report, told = killed_and_resumed(system, folder, random.Random(seed), reductions=reductions)
    assert said(report) == said(plain)
    assert said(explored(system, kept_in(folder, resumed=True), reductions=reductions)) == said(plain)
    return sum(line.startswith("goes on") for line in told)


def todays_entries() -> list[dict[str, Any]]:
    """The models of the day."""
    every = manifest()
    return [every[at] for at in todays(range(len(every)))]


def no_room(path: Path, content: bytes | str) -> None:
    raise Unwritable(path, "No space left on device")


def systems() -> Iterator[tuple[int, System, Reductions]]:
    """The random systems of the day, with all reductions and with none."""
    for seed in todays(range(200)):
        yield seed, random_system(random.Random(seed)), ALL_REDUCTIONS if seed % 2 else NO_REDUCTION


def without_knowledge(small: pytest.MonkeyPatch) -> None:
    """Tables are filled as the search goes on, and counterexamples are the search's own."""
    small.setattr(explorer, "close", lambda _: "not asked for")
    small.setattr(explorer, "TOO_LARGE", -1)
    small.setattr(explorer, "LARGE", 1)


@pytest.mark.parametrize("closed", [True, False])
def test_random_systems_killed_at_random_moments_report_the_same(small, tmp_path, closed):
    if not closed:
        without_knowledge(small)
    counts = [resumed(system, tmp_path / str(seed), seed, reductions) for seed, system, reductions in systems()]
    assert sum(counts) > 20


@pytest.mark.parametrize("of", ["parents", "stuck", "rows", "fills"])
def test_what_a_part_lacks_is_noticed(small, tmp_path, of):
    """Wrong twins: a part without its ways back, its ends, its states, or what was filled for them."""
    without_knowledge(small)
    whole = Space.part

    def lacking(self: Space, *bounds: int) -> SpacePart:
        part = whole(self, *bounds)
        nothing = {
            "parents": {"parents": 0 * part.parents},
            "stuck": {"stuck": part.stuck[:0]},
            "rows": {"rows": 0 * part.rows},
            "fills": {"fills": part.fills[:0], "fill_sizes": part.fill_sizes[:0]},
        }
        return part._replace(**nothing[of])

    small.setattr(Space, "part", lacking)
    with pytest.raises((AssertionError, UsageError, ModelError, ValueError)):
        [resumed(system, tmp_path / str(seed), seed, reductions) for seed, system, reductions in systems()]


@pytest.mark.slow
@pytest.mark.parametrize("entry", todays_entries(), ids=lambda entry: entry["model"])
def test_every_model_killed_at_random_moments_reports_the_same(monkeypatch, tmp_path, entry):
    monkeypatch.setattr(explorer, "WORTH_KNOWING", 1)
    monkeypatch.setattr(space, "CHUNK", 60)
    resumed(build(entry), tmp_path / "kept", 0, ALL_REDUCTIONS)


def test_properties_in_time_are_asked_of_a_search_that_is_kept_too(small, tmp_path):
    system = load_model("classic/spin_lock").build({})
    assert resumed(system, tmp_path / "kept", 3, ALL_REDUCTIONS) > 1
    assert {file.stem for file in (tmp_path / "kept").glob("*.json")} == {"at-once", "in-time"}


def test_a_search_that_begins_anew_without_symmetry_goes_on_without_it(small, tmp_path):
    def reads():
        yield register.read()
        yield register.write(1)
        yield register.write(2)

    register = Register("register", 0)
    named = at_end("p#1 ends", lambda results: "p#1" in results)
    system = System(objects=[register], processes=[Process("p", reads, copies=3)], properties=[named])
    assert resumed(system, tmp_path / "kept", 5, ALL_REDUCTIONS) > 1


def test_a_larger_limit_goes_on_where_a_smaller_one_ended(small, tmp_path):
    system = load_model("classic/bank").build({"customers": 3})
    told = list[str]()
    ended = explored(system, kept_in(tmp_path), limit=10)
    assert "the limit of 10 states" in ended.coverage.stopped
    went_on = explored(system, kept_in(tmp_path, told, resumed=True))
    assert "goes on from" in told[0]
    assert said(went_on) == said(explore(system, keep_going=True))


def test_another_question_is_refused_and_what_differs_is_named(tmp_path):
    system = load_model("classic/bank").build({})
    with pytest.MonkeyPatch.context() as small:
        small.setattr(explorer, "WORTH_KNOWING", 1)
        explored(system, kept_in(tmp_path, customers="2"))
    with pytest.raises(UsageError, match="another question: customers: 2, now 3"):
        explored(system, kept_in(tmp_path, resumed=True, customers="3"))
    with pytest.raises(UsageError, match="a checkpoint is there; --resume goes on with it"):
        explored(system, kept_in(tmp_path, customers="2"))
    with pytest.raises(UsageError, match="no checkpoint is there"):
        explored(system, kept_in(tmp_path / "empty", resumed=True))


def test_two_commands_do_not_keep_in_one_folder(tmp_path):
    with kept_in(tmp_path).held(), pytest.raises(UsageError, match="another command keeps"), kept_in(tmp_path).held():
        pass


@pytest.mark.parametrize("kind", ["cut short", "one bit", "gone", "another's", "not a list", "another number"])
def test_a_checkpoint_that_is_damaged_is_refused(small, tmp_path, kind):
    system = load_model("classic/bank").build({"customers": 3})
    explored(system, kept_in(tmp_path))
    part = sorted(tmp_path.glob("*.part"))[-1]
    content = part.read_bytes()
    if kind == "gone":
        part.unlink()
    elif kind == "not a list":
        (tmp_path / "at-once.json").write_text('{"parts": 7}')
    elif kind == "another number":
        listed = json.loads((tmp_path / "at-once.json").read_text())
        (tmp_path / "at-once.json").write_text(json.dumps(listed | {"expanded": listed["states"] - 1}))
    else:
        flipped = bytes([content[50] ^ 1])
        part.write_bytes(
            {"cut short": content[:-9], "another's": b"x", "one bit": content[:50] + flipped + content[51:]}[kind]
        )
    with pytest.raises(UsageError, match="at-once"):
        explored(system, kept_in(tmp_path, resumed=True))


def test_a_part_that_cannot_be_written_does_not_end_the_search(small, tmp_path):
    system = load_model("classic/bank").build({"customers": 3})
    told = list[str]()
    small.setattr(checkpoint, "write_at_once", no_room)
    report = explored(system, kept_in(tmp_path, told))
    assert "No space left" in told[0]
    assert "the search goes on" in told[0]
    assert len(told) == 1
    assert said(report) == said(explore(system, keep_going=True))
