"""What explore says of properties in time: verdicts worked out by hand, reasons, and what other engines answer."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from dstamp_sim import (
    ModelError,
    Process,
    Register,
    System,
    UsageError,
    Verdict,
    WitnessError,
    always,
    always_eventually,
    eventually,
    explore,
    leads_to,
    prove,
)
from dstamp_sim.analyses.explain import explain
from dstamp_sim.analyses.going_round import GoRound, NeverComes, PutOff, StandStill
from dstamp_sim.analyses.judged_trace import judged_trace
from dstamp_sim.analyses.trace_record import Record
from dstamp_sim.analyses.verify import against
from dstamp_sim.core.properties import PropertyKind
from dstamp_sim.core.system import ANY, Fairness
from dstamp_sim.engines.explore import in_time
from dstamp_sim.engines.generated import Generator
from dstamp_sim.engines.sampling.sampler import Settings, sample
from dstamp_sim.engines.tables.tables import OutOfMemory
from dstamp_sim.export.itf import itf
from dstamp_sim.export.promela import promela
from dstamp_sim.export.tabulate import tabulate
from dstamp_sim.pipeline.explained import annotations_of, explained_story
from dstamp_sim.pipeline.explore import explore_model
from dstamp_sim.pipeline.kept_witness import judged_again
from dstamp_sim.pipeline.sample import judged
from dstamp_sim.pipeline.show import show_witness
from dstamp_sim.pipeline.subject import load_subject
from dstamp_sim.rendering.timeline.layout import lay_out

x, gate = Register("x", "a"), Register("gate", 0)


def polls():
    while (yield x.read()) != "b":
        pass


def writes():
    yield x.write("b")


def swings():
    yield gate.write(1)
    yield gate.write(0)


def passes():
    yield gate.wait_for(1)
    yield x.write("b")


BAD = """
from dstamp_sim import Copies, Process, Register, System, eventually

x = Register("x", 0)
passed = eventually("passed", lambda state: state[x] == 1, reads=[x])

def counts():
    n = 0
    while n >= 0:
        n += 1
        yield x.write(0)

def waits():
    yield x.wait_for(1)

def writes():
    yield x.write(1)

def grows():
    return System(objects=[x], processes=[Process("counter", counts, daemon=True)], properties=[passed])

def unknown():
    waiter = Process("waiter", waits, fair={"x.wait": "strong"})
    return System(objects=[x], processes=[waiter, Process("w", writes)], properties=[passed])

def unfair():
    return System(objects=[x], processes=[Process("w", writes, fair="none")], properties=[passed])

def crowd(n: Copies = 2):
    return System(objects=[x], processes=[Process("w", writes, copies=n)], properties=[passed])
"""

ENDS = eventually("the poller ends", lambda results: "poller" in results)
PASSED = eventually("passed", lambda state: state[x] == "b", reads=[x])


def polling(fair: str = "weak", *properties) -> System:
    processes = [Process("poller", polls), Process("writer", writes, fair=fair)]
    return System(objects=[x], processes=processes, properties=properties or [ENDS])


def swinging(fair: str = "weak", *properties) -> System:
    processes = [Process("door", swings, daemon=True), Process("guest", passes, fair=fair)]
    return System(objects=[x, gate], processes=processes, properties=properties or [PASSED])


def of(report, prop):
    return report.judgement(prop.name)


@pytest.mark.parametrize(
    ("system", "verdict"),
    [
        (polling(), "HOLDS"),
        (polling("none"), "VIOLATED"),
        (swinging(), "VIOLATED"),  # the gate is open now and then only
        (swinging("strong"), "HOLDS"),
        (swinging("none"), "VIOLATED"),
    ],
)
def test_fairness_decides_what_comes_in_the_end(system, verdict):
    assert of(explore(system), system.properties[0]).verdict.name == verdict


@pytest.mark.parametrize(
    ("fair", "verdict"),
    [
        ({"gate.wait_for": "strong"}, "HOLDS"),
        ({"gate.wait_for": "strong", "*": "none"}, "VIOLATED"),  # it passes, and then may stand still
        ({"x.write": "strong"}, "VIOLATED"),
        ({"*": "strong"}, "HOLDS"),
    ],
)
def test_fairness_may_be_of_single_ops(fair, verdict):
    system = swinging(fair)
    found = of(explore(system), PASSED)
    assert found.verdict.name == verdict
    assert system.processes[1].with_copies(2).fair_ops == system.processes[1].fair_ops


@pytest.mark.parametrize(
    ("fair", "said"),
    [
        ({"gates.wait_for": "weak"}, r"'guest': fair= names 'gates.wait_for': unknown object .* did you mean 'gate'"),
        ({"gate.wait": "weak"}, r"never performs: unknown op 'gate.wait'; did you mean 'gate.wait_for'"),
        ({"gate.read": "weak"}, r"never performs: unknown op 'gate.read'"),
        ({"gate.wait_for": "fairly"}, "one of them by op"),
        ({3: "weak"}, "one of them by op"),
    ],
)
def test_fairness_of_an_unknown_op_is_refused(fair, said):
    with pytest.raises(ModelError, match=said):
        explore(swinging(fair))


def test_a_behaviour_that_ends_waits_in_vain_too():
    never = always_eventually("a again", lambda state: state[x] == "a", reads=[x])
    found = of(explore(polling("weak", never)), never)
    assert (str(found.trace.schedule), found.reason) == (
        "writer poller ( )*",
        "put off for ever: after 2 steps nobody moves any more",
    )


def test_a_premise_that_is_never_true_is_vacuous_and_not_green():
    vacuous = leads_to("z is answered", lambda state: state[x] == "z", lambda state: state[x] == "c", reads=[x])
    found = of(explore(polling("weak", vacuous)), vacuous)
    assert (found.verdict, found.reason) == (
        Verdict.UNDETERMINED,
        "vacuous: its premise is true in no reachable state",
    )


def test_a_part_of_a_space_decides_nothing_in_time(monkeypatch):
    small = of(explore(polling(), limit=2), ENDS)
    assert (small.verdict, small.reason) == (Verdict.UNDETERMINED, "the limit of 2 states was reached")
    bad = always("never b", lambda state: state[x] != "b", reads=[x])
    stopped = of(explore(polling("weak", bad, ENDS)), ENDS)
    assert stopped.verdict is Verdict.UNDETERMINED and "first violation" in stopped.reason
    assert of(explore(polling("weak", bad, ENDS), keep_going=True), ENDS).verdict is Verdict.HOLDS

    def full(*_):
        raise OutOfMemory

    monkeypatch.setattr(in_time, "judged_in_time", full)
    found = explore(polling())
    assert of(found, ENDS).reason == "memory ran out as fair cycles were looked for"
    assert found.judgement("no deadlock").verdict is Verdict.HOLDS and found.verdict is Verdict.UNDETERMINED


def test_what_counts_without_end_is_undetermined():
    def counts():
        rounds = 0
        while (yield x.read()) != "b":
            rounds += 1

    system = System(objects=[x], processes=[Process("poller", counts)], properties=[ENDS])
    found = of(explore(system, properties=[ENDS.name], ops=300), ENDS)
    assert found.verdict is Verdict.UNDETERMINED and "rounds" in found.reason


def test_reductions_are_off_for_them_and_that_is_said():
    report = explore(polling())
    assert report.coverage.reductions[-1] == "no reductions for properties in time: 5 states, 6 transitions"
    alone = explore(polling(), properties=[ENDS.name])
    assert [one.prop for one in alone.judgements] == [ENDS] and alone.coverage.states == 5


def test_why_somebody_is_put_off_is_told_and_verified():
    system = swinging()
    trace = of(explore(system), PASSED).trace
    why = explain(system, trace, about=PASSED)
    assert why.sentence == (
        "From the start 'passed' never comes: door goes round for ever (steps 1 to 2); guest waits for "
        "gate.wait_for(1), which is possible now and then, but never stays so (fair='weak')."
    )
    assert [type(claim) for claim in why.claims] == [NeverComes, GoRound, PutOff] and not why.dropped
    assert explain(system, trace).sentence == why.sentence
    assert explained_story(trace, why)[0] == "(" and explained_story(trace, why)[-1].startswith(")* and so on for ever")


@pytest.mark.parametrize(
    ("claim", "objection"),
    [
        (NeverComes("passed", PropertyKind.EVENTUALLY, 0), "it may have come before"),
        (GoRound(("door",), 0, 0), "it does not lead back"),
        (GoRound(("door", "guest"), 0, 1), "others move"),
        (StandStill(2), "somebody moves"),
        (PutOff("door", "gate.write(1)", "always", Fairness.WEAK), "it moves"),
        (PutOff("guest", "gate.wait_for(1)", "never", Fairness.WEAK), "it is possible sometimes"),
        (PutOff("guest", "x.write('b')", "sometimes", Fairness.WEAK), "it waits for something else"),
    ],
)
def test_a_wrong_claim_about_a_lasso_is_not_said(claim, objection):
    system = swinging()
    assert against(claim, Record(system, of(explore(system), PASSED).trace)) == objection


def test_a_lasso_is_judged_as_a_trace_and_a_trace_without_a_cycle_says_nothing():
    system = swinging()
    trace = of(explore(system), PASSED).trace
    shown = {one.prop.name: one for one in judged_trace(system, trace)}
    assert shown["passed"].fails and shown["passed"].step == -1
    ended = explore(polling("none", always("a", lambda state: state[x] == "a", reads=[x]), ENDS)).trace
    assert not {one.prop.name: one for one in judged_trace(polling(), ended)}[ENDS.name].asked


def test_a_kept_lasso_is_judged_again_and_one_that_does_not_come_back_is_refused(tmp_path):
    subject = load_subject("models/classic/spin_lock.py", properties=["the patient one is done"])
    found = explore_model(subject, out=tmp_path)
    file = next(file for file in found.files if file.suffix == ".json")
    again = judged_again(file)
    assert again is not None and again.schedule == found.report.trace.schedule and again.schedule.loop == 2
    written = json.loads(file.read_text(encoding="utf-8"))
    assert written["schedule"].count("(") == 1
    written["schedule"] = written["schedule"].replace("( ", "").replace("busy patient", "busy ( patient")
    file.write_text(json.dumps(written), encoding="utf-8")
    with pytest.raises(WitnessError, match="does not lead back to where it began"):
        show_witness(file, tmp_path)


def test_the_picture_has_a_band_over_the_cycle_and_an_arrow_back():
    system = swinging()
    trace = of(explore(system), PASSED).trace
    layout = lay_out(trace, annotations=annotations_of(trace, explain(system, trace)))
    [band] = [box for box in layout.boxes if box.kind == "cycle"]
    [back] = [arrow for arrow in layout.arrows if arrow.kind == "again"]
    assert all(band.x < spot.x < band.right for spot in layout.spots)
    assert (back.points[0][0], back.points[-1][0]) == (band.right, band.x)


def test_the_informal_trace_format_says_where_the_loop_begins():
    system = swinging()
    trace = of(explore(system), PASSED).trace
    written = json.loads(itf(trace, annotations_of(trace, explain(system, trace))))
    states = [{k: v for k, v in s.items() if k in ("x", "gate")} for s in written["states"]]
    assert written["loop"] == 0 and states[0] == states[-1] and any(a != b for a, b in pairwise(states))


def test_other_engines_never_call_it_green():
    system = polling()
    drawn = sample(system, 20, Settings(strategy="random-walk", seed=1))
    judgement = {one.prop.name: one for one in judged(system, drawn)}[ENDS.name]
    assert judgement.verdict is Verdict.UNDETERMINED and judgement.reason.startswith("not asked: a schedule")
    with pytest.raises(UsageError, match="is not exported, as what comes of results in time is not"):
        tabulate(system, "m")
    assert tabulate(system, "m", properties=["no deadlock"]).questions
    with pytest.raises(UsageError, match="a schedule that ends shows nothing of it"):
        Generator(system, [ENDS.name], 10)


def test_it_is_exported_as_a_formula_where_spin_means_the_same():
    text = promela(tabulate(swinging(), "m"))
    assert "ltl passed { <> goal_1 }" in text and re.search(r"#define goal_1 \(x == 1", text)
    with pytest.raises(UsageError, match="as fairness is not, but for weak fairness of all"):
        tabulate(swinging("strong"), "m")
    with pytest.raises(UsageError, match="as SPIN's fairness would owe a death"):
        tabulate(swinging().with_crashes(1), "m")


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (("explore", "bad.py:grows", "--limit", "3000"), 3, "has that loop a bound?"),
        (("explore", "bad.py:unknown"), 2, "fair= names an op that it never performs: unknown op 'x.wait'"),
        (("explore", "bad.py:crowd", "--limit", "2"), 3, "UNDETERMINED eventually: passed"),
        (("explore", "bad.py:crowd", "--live", "--limit", "2"), 3, "UNDETERMINED nobody starves"),
        (("prove", "bad.py:crowd"), 3, "UNDETERMINED eventually: passed (not decided for every number of copies"),
        (("prove", "bad.py:crowd", "--property", "passed"), 2, "cannot be decided for any number of copies"),
        (("export", "bad.py:unfair", "--to", "promela"), 2, "as fairness is not, but for weak fairness of all"),
    ],
)
def test_what_cannot_be_answered_is_typed_and_never_green(dstamp, command, code, said):
    Path("bad.py").write_text(BAD, encoding="utf-8")
    ended, out, error = dstamp(*command)
    assert (ended, said in " ".join((out + error).split())) == (code, True), out + error


def test_for_any_number_of_copies_it_is_tried_with_some_and_never_proved():
    crowd = System(
        objects=[x], processes=[Process("poller", polls), Process("writer", writes, copies=ANY)], properties=[ENDS]
    )
    found = of(prove(crowd), ENDS)
    assert found.verdict is Verdict.UNDETERMINED and "one more copy may put it off for ever" in found.reason
    with pytest.raises(UsageError, match="one more copy may put it off for ever"):
        prove(crowd, properties=[ENDS.name])
