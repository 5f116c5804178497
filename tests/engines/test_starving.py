"""Nobody starves, and no livelock: asked by name or --live, told in a sentence, and never green without a wait."""

import json

import pytest
from typer.testing import CliRunner

from dstamp_sim import (
    NO_LIVELOCK,
    NOBODY_STARVES,
    Mutex,
    Process,
    Register,
    RWLock,
    System,
    UsageError,
    Verdict,
    WaitingLine,
    delay,
    explore,
    prove,
    replay,
)
from dstamp_sim.analyses.explain import explain
from dstamp_sim.analyses.going_round import GoRound, NeverEnd, PutOff, Starves
from dstamp_sim.analyses.trace_record import Record
from dstamp_sim.analyses.verify import against
from dstamp_sim.cli import app
from dstamp_sim.core.lasso import lasso_of
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.core.system import ANY
from dstamp_sim.export.tabulate import tabulate
from dstamp_sim.pipeline.kept_witness import judged_again
from dstamp_sim.testing import system_of

room, line, lock, done = RWLock("room"), WaitingLine("line"), Mutex("lock"), Register("done", False)


def read():
    yield room.acquire_read()
    yield room.release("read")


def write():
    yield room.acquire_write()
    yield room.release("write")


def works():
    yield lock.acquire()
    yield lock.release()


def library(fair: str = "weak", readers: int = 2) -> System:
    processes = [Process("writer", write, fair=fair), Process("reader", read, copies=readers, daemon=True)]
    return System(objects=[room], processes=processes)


def crowd(fair: str, workers: int = 2, **more) -> System:
    processes = [Process("run", works, fair=fair), Process("worker", works, copies=workers, daemon=True)]
    return System(objects=[lock], processes=processes, **more)


def judged(system: System, prop=NOBODY_STARVES):
    return explore(system, properties=[prop.name]).judgement(prop.name)


@pytest.mark.parametrize(
    ("system", "starves", "livelock"),
    [
        (library(), "VIOLATED", "VIOLATED"),  # the room need never be empty
        (library("strong"), "VIOLATED", "VIOLATED"),  # and so no fairness of the writer helps
        (library("strong", 1), "HOLDS", "HOLDS"),  # one reader leaves again and again
        (crowd("weak"), "VIOLATED", "VIOLATED"),  # a mutex barges
        (crowd("strong"), "VIOLATED", "HOLDS"),  # one worker may starve beside the other
    ],
)
def test_who_starves_is_as_worked_out_by_hand(system, starves, livelock):
    system = system.with_live()
    assert [judged(system, prop).verdict.name for prop in (NOBODY_STARVES, NO_LIVELOCK)] == [starves, livelock]


def test_each_process_is_asked_and_not_only_those_that_must_end():
    who = explain(crowd("strong").with_live(), judged(crowd("strong").with_live()).trace, about=NOBODY_STARVES)
    assert who.claims[0].process.startswith("worker#")


def test_runs_that_end_starve_nobody_and_so_does_a_line():
    runs = System(objects=[lock], processes=[Process("run", works, copies=3)]).with_live()
    assert [one.verdict.name for one in explore(runs).judgements] == ["HOLDS"] * 4

    def in_line():
        yield from line.take(lock.acquire())
        yield lock.release()

    loops = [Process("run", in_line), Process("worker", in_line, copies=2, daemon=True)]
    fair = System(objects=[line, lock], processes=loops).with_live()
    assert {one.verdict for one in explore(fair).judgements} == {Verdict.HOLDS}


def test_a_system_in_which_no_lock_makes_wait_or_nobody_must_end_is_not_green():
    def beats():
        yield delay("beat")

    system = System(objects=[done], processes=[Process("heart", beats, daemon=True)]).with_live()
    reasons = [judged(system, prop).reason for prop in (NOBODY_STARVES, NO_LIVELOCK)]
    assert reasons == [
        "vacuous: no lock ever makes anybody wait",
        "vacuous: every process is a daemon, and none has to end",
    ]


def test_it_is_asked_where_it_is_listed_or_wanted_and_nowhere_else():
    plain = System(objects=[lock], processes=[Process("run", works)])
    assert [one.prop.name for one in explore(plain).judgements] == ["no deadlock", "the end stays possible"]
    with pytest.raises(UsageError, match="nobody starves"):
        plain.properties_named(["nobody starves"])
    listed = System(objects=[lock], processes=[Process("run", works)], properties=[NO_LIVELOCK])
    assert [prop.name for prop in listed.with_live().properties] == ["no livelock", "nobody starves"]
    assert len(system_of("classic/controllers", live=True).properties) == 3


def test_a_lasso_is_told_replayed_and_verified_claim_by_claim():
    system = library().with_live()
    trace = judged(system).trace
    assert replay(system, str(trace.schedule)).loop == trace.loop
    why = explain(system, trace, about=NOBODY_STARVES)
    assert why.what == (
        "From step 1 on writer waits for room.acquire_write() and never gets it: reader#1 and reader#2 go round for "
        "ever (steps 2 to 5); writer waits for room.acquire_write(), which is possible now and then, but never stays "
        "so (fair='weak')"
    )
    assert [type(claim) for claim in why.claims] == [Starves, GoRound, PutOff] and not why.dropped
    ends = explain(system, judged(system, NO_LIVELOCK).trace, about=NO_LIVELOCK)
    assert ends.claims[0] == NeverEnd(("writer",)) and ends.what.startswith("writer never ends: ")


@pytest.mark.parametrize(
    ("claim", "objection"),
    [
        (Starves("reader#1", "room.acquire_read()", 0), "it moves"),
        (Starves("writer", "room.acquire_read()", 0), "it waits for something else"),
        (Starves("writer", "room.acquire_write()", -1), "no lock blocks it"),
        (NeverEnd(("reader#1",)), "others have not ended"),
        (NeverEnd(()), "others have not ended"),
    ],
)
def test_a_wrong_claim_about_starving_is_not_said(claim, objection):
    system = library().with_live()
    assert against(claim, Record(system, judged(system).trace)) == objection


def test_who_stands_before_a_free_lock_is_not_said_to_starve():
    system = crowd("none", 0).with_live()
    assert judged(system).reason == "vacuous: no lock ever makes anybody wait"
    still = judged(system, NO_LIVELOCK)
    assert str(still.trace.schedule) == "( )*"
    assert list(lasso_of(Semantics(system, by_value=True), still.trace.schedule).starving()) == []


def test_who_dies_owes_no_end():
    def spins():
        while not (yield done.read()):
            pass

    def sets():
        yield done.write(True)

    system = System(objects=[done], processes=[Process("spins", spins), Process("sets", sets)], crashes=1).with_live()
    found = judged(system, NO_LIVELOCK)
    assert found.verdict is Verdict.VIOLATED and "sets!" in str(found.trace.schedule)
    mortal = System(objects=[done], processes=[Process("sets", sets)], crashes=1).with_live()
    assert judged(mortal, NO_LIVELOCK).verdict is Verdict.HOLDS


MODEL = """
from dstamp_sim import Process, RWLock, System
room = RWLock("room")
def read():
    yield room.acquire_read()
    yield room.release("read")
def write():
    yield room.acquire_write()
    yield room.release("write")
def build(readers: int = 2):
    both = [Process("writer", write), Process("reader", read, copies=readers, daemon=True)]
    return System(objects=[room], processes=both)
"""


def typed(*command: str):
    found = CliRunner().invoke(app, [*command])
    return found.exit_code, found.stdout


def test_the_command_asks_it_by_option_and_by_name_and_keeps_the_lasso(tmp_path):
    model = tmp_path / "library.py"
    model.write_text(MODEL, encoding="utf-8")
    out = ["--out", str(tmp_path / "out")]
    code, plain = typed("explore", str(model), *out)
    assert code == 0 and "starves" not in plain
    code, live = typed("explore", str(model), "--live", "--json", *out)
    judgements = {one["property"]: one for one in json.loads(live)["properties"]}
    assert code == 1 and judgements["nobody starves"]["schedule"].endswith(")*")
    assert judgements["nobody starves"]["explanation"].startswith(
        "From step 1 on writer waits for room.acquire_write()"
    )
    code, named = typed("explore", str(model), "--property", "no livelock", *out)
    assert code == 1 and "writer never ends: " in named and "starves" not in named
    file = next((tmp_path / "out").glob("*nobody-starves*.json"))
    assert json.loads(file.read_text(encoding="utf-8"))["origin"]["live"] is True
    again = judged_again(file)
    assert again is not None and again.prop == NOBODY_STARVES
    code, matrix = typed("explore", str(model), "--live", "--set", "readers=1..2", *out)
    assert code == 1 and matrix.count("VIOLATED") >= 2


def test_other_engines_never_call_it_green():
    many = System(objects=[lock], processes=[Process("run", works, copies=ANY)], properties=[NOBODY_STARVES])
    found = prove(many).judgement("nobody starves")
    assert found.verdict is Verdict.UNDETERMINED and "one more copy may put it off for ever" in found.reason
    with pytest.raises(UsageError, match="is not exported, as waits for locks and ends are not"):
        tabulate(crowd("weak").with_live(), "m")
