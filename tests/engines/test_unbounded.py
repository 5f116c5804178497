"""For any number of copies: known answers, agreement with `explore` for 1 to 4, wrong twins caught, clear refusals."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise, product
from random import Random

import pytest

from dstamp_sim import (
    ANY,
    Mutex,
    Process,
    Program,
    Register,
    System,
    UsageError,
    Verdict,
    always,
    at_end,
    each_result,
    explore,
    prove,
    reachable,
    replay,
)
from dstamp_sim.engines.prove import coverability, unbounded
from models.cc_ci import PLACEMENTS, stack_race
from tests.random_systems import described, interpret, random_system
from tests.todays import in_parts

FAST, ALL = 200, 2000
FITTING = ("x is not bad", "not both", "result is not bad")


def of_any_number(system: System, names: list[str]) -> System:
    """`system` with any number of copies of the named processes, asked what fits that."""
    made = [
        Process(p.name, p.program, *p.args, copies=ANY, daemon=p.daemon, killable=p.killable) if p.name in names else p
        for p in system.processes
    ]
    asked = [prop for prop in system.properties if prop.name in FITTING]
    return replace(system, processes=made, properties=asked)


def random_unbounded(seed: int) -> System:
    """By turns: a random system with any number of some of its processes, and a crowd."""
    system, rng = random_system(seed), Random(seed)
    if seed % 2:
        return random_crowd(rng)
    names = [process.name for process in system.processes]
    return of_any_number(system, names if rng.random() < 0.3 else [rng.choice(names)])


def random_crowd(rng: Random) -> System:
    """Processes that each change a letter or two, so that some combinations of letters take several of them."""
    x, y = objects = (Register("x", "a"), Register("y", "a"))
    bad, result = (rng.choice("bcd"), rng.choice("abcd")), rng.choice("bc")

    def turn() -> tuple[tuple[object, ...], ...]:
        name, (one, other) = rng.choice("xxy"), rng.choice(["ab", "ab", "bc", "bd", "cd", "ca"])
        return (("do", name, "compare_and_set", one, other), ("if", True, (("return", other),)))

    crowd = [
        Process(f"p{i}", interpret, sum((turn() for _ in range(rng.randint(3, 6))), ()), objects, copies=ANY)
        for i in range(rng.randint(1, 2))
    ]
    asked = [
        always("x is not bad", lambda state: state[x] != bad[0], reads=[x]),
        always("not both", lambda state: (state[x], state[y]) != bad, reads=[x, y]),
        each_result("result is not bad", lambda given: given != result),
    ]
    return System(objects=objects, processes=crowd, properties=asked, crashes=int(rng.random() < 0.3))


@pytest.fixture(autouse=True)
def endless_systems_are_given_up_early(monkeypatch):
    monkeypatch.setattr(coverability, "MOST_MOVES", 4000)


def differences(system: System) -> Iterator[str]:
    """What `prove` says otherwise than `explore` does of 1 to 4 copies, and of one copy fewer than it names."""
    report = prove(system, properties=FITTING)
    for judgement in report.judgements:
        name, verdict = judgement.prop.name, judgement.verdict
        if verdict is Verdict.HOLDS:
            for count in range(1, 5 if len(system.any_number) == 1 else 3):
                yield from _violated(system, dict.fromkeys(system.any_number, count), name)
        elif judgement.reason.endswith("the fewest"):
            most = sum(judgement.copies.values()) - 1
            for counts in product(range(most + 1), repeat=len(system.any_number)):
                if sum(counts) == most:
                    yield from _violated(system, dict(zip(system.any_number, counts, strict=True)), name)
            if replay(system.with_copies(judgement.copies), judgement.trace.schedule) != judgement.trace:
                yield f"{name}: its trace does not replay"
        elif verdict is Verdict.VIOLATED and judgement.copies is None:
            yield f"{name}: VIOLATED without a trace"


def _violated(system: System, copies: dict[str, int], name: str) -> Iterator[str]:
    found = explore(system.with_copies(copies), properties=[name], limit=30_000).judgement(name)
    if found.verdict is Verdict.VIOLATED:
        yield f"{name}: fails with {copies}"


def check(seeds: Iterable[int]) -> None:
    for seed in seeds:
        system = random_unbounded(seed)
        found = list(differences(system))
        assert not found, f"seed {seed}, any number of {system.any_number}: {found}\n{described(system)}"


@pytest.mark.parametrize("first", range(0, FAST, 50))
def test_the_verdict_for_any_number_agrees_with_explore_for_small_ones(first):
    check(range(first, first + 50))


@pytest.mark.slow
@pytest.mark.parametrize("seeds", in_parts(range(FAST, ALL), 50), ids=str)
def test_the_verdict_for_any_number_agrees_with_explore_on_more_systems(seeds):
    check(seeds)


def test_the_verdict_does_not_depend_on_how_closely_the_control_states_are_known(monkeypatch):
    systems = [random_unbounded(seed) for seed in range(60)]
    precise = [prove(system, properties=FITTING) for system in systems]
    monkeypatch.setattr(coverability, "MOST_PRECISE", 0)
    for seed, (system, known) in enumerate(zip(systems, precise, strict=True)):
        rough = prove(system, properties=FITTING)
        for one, other in zip(known.judgements, rough.judgements, strict=True):
            undecided = Verdict.UNDETERMINED in (one.verdict, other.verdict)
            assert undecided or (one.verdict, one.copies) == (other.verdict, other.copies), seed


def test_the_random_systems_ask_for_several_copies_and_are_mostly_decided():
    tally: Counter[str] = Counter()
    for seed in range(100):
        for judgement in prove(random_unbounded(seed), properties=FITTING).judgements:
            tally[judgement.verdict.name] += 1
            tally["needs several"] += judgement.copies is not None and sum(judgement.copies.values()) >= 2
    assert tally["HOLDS"] > 80
    assert tally["VIOLATED"] > 80
    assert tally["needs several"] > 30
    assert tally["UNDETERMINED"] < 30


def forget_the_mover(monkeypatch):
    """A move backwards does not ask for the process that moves."""
    honest = coverability._before

    def wrong(controls, demand):
        for earlier in honest(controls, demand):
            yield earlier._replace(locals=earlier.locals[: len(demand.locals)])

    monkeypatch.setattr(coverability, "_before", wrong)


def count_to_one(monkeypatch):
    """Two processes are never in one place."""
    honest = coverability.Controls._left

    def wrong(self, control, before, after):
        return {local: others & ~(1 << local) for local, others in honest(self, control, before, after).items()}

    monkeypatch.setattr(coverability.Controls, "_left", wrong)


def drop_what_looks_similar(monkeypatch):
    """A demand is dropped when one of as many processes is known."""
    monkeypatch.setattr(coverability, "_within", lambda small, large: len(small) <= len(large))


@pytest.mark.parametrize("twin", [forget_the_mover, count_to_one, drop_what_looks_similar])
def test_a_deliberately_wrong_twin_is_caught_by_the_comparison(twin, monkeypatch):
    twin(monkeypatch)
    assert any(list(differences(random_unbounded(seed))) for seed in range(FAST))


def chain(steps: str) -> System:
    """Each process takes one step along `steps`: the last letter is reached by just as many as there are steps."""
    here = Register("here", steps[0])

    def step() -> Program[None]:
        for one, other in pairwise(steps):
            if (yield here.compare_and_set(one, other)):
                return

    last = always("not at the last", lambda state: state[here] != steps[-1], reads=[here])
    return System(objects=[here], processes=[Process("p", step, copies=ANY)], properties=[last])


@pytest.mark.parametrize("letters", ["ab", "abc", "abcd", "abcdef"])
def test_the_smallest_number_is_found_however_large_it_is(letters):
    judgement = prove(chain(letters), properties=["not at the last"]).judgements[0]
    assert judgement.copies == {"p": len(letters) - 1}
    assert len(judgement.trace.processes) == len(letters) - 1


def test_a_mutex_excludes_any_number():
    lock, inside = Mutex("lock"), Register("inside", 0)

    def visit() -> Program[None]:
        yield lock.acquire()
        seen = yield inside.read()
        yield inside.write(seen + 1)
        yield inside.write(seen)
        yield lock.release()

    alone = always("one at a time", lambda state: state[inside] <= 1, reads=[inside])
    report = prove(
        System(objects=[lock, inside], processes=[Process("p", visit, copies=ANY)], properties=[alone]),
        properties=["one at a time"],
    )
    assert report.verdict is Verdict.HOLDS
    assert report.judgements[0].reason == "for every number of copies of p"


@pytest.mark.parametrize(
    ("placement", "smallest"),
    [("none", 2), ("deploy_app", 2), ("redeploy_to_check", 2), ("deploy_app_to_check", None), ("reject", None)],
)
def test_the_incidents_placements_are_judged_for_any_number_of_runs(placement, smallest):
    system = of_any_number(stack_race(), ["run"]).with_locks(PLACEMENTS[placement])
    system = replace(system, properties=stack_race().properties)
    report = prove(system, properties=[prop.name for prop in system.properties])
    copies = [judgement.copies["run"] for judgement in report.judgements if judgement.copies]
    assert min(copies, default=None) == smallest
    assert report.verdict is (Verdict.HOLDS if smallest is None else Verdict.VIOLATED)


def letters(own: str) -> tuple[Register, Process]:
    box = Register("box", "")

    def leave() -> Program[str]:
        yield box.write(own)
        return (yield box.read())

    return box, Process("p", leave, copies=ANY)


def test_what_a_process_of_fixed_number_can_see_of_any_number_of_peers_is_decided_by_name():
    box, peers = letters("theirs")

    def look() -> Program[str]:
        yield box.write("mine")
        return (yield box.read())

    asked = [
        reachable("I read theirs", lambda results: results.get("me") == "theirs"),
        reachable("I read nothing", lambda results: results.get("me") == ""),
        reachable("somebody reads nothing", lambda results: "" in results.values()),
    ]
    system = System(objects=[box], processes=[Process("me", look), peers], properties=asked)
    report = prove(system, properties=["I read theirs", "I read nothing"])
    assert [judgement.verdict for judgement in report.judgements] == [Verdict.HOLDS, Verdict.VIOLATED]
    assert report.judgements[0].copies == {"p": 1}
    assert report.judgements[1].reason == "for no number of copies of p"
    with pytest.raises(UsageError, match="looks at the results of all processes"):
        prove(system, properties=["somebody reads nothing"])


def test_what_is_asked_at_the_end_is_refused_by_name_and_otherwise_only_tried():
    box, peers = letters("theirs")
    system = System(
        objects=[box],
        processes=[peers],
        properties=[
            at_end("two at most", lambda results: len(results) <= 2),
            at_end("all read theirs", lambda results: set(results.values()) <= {"theirs"}),
        ],
    )
    with pytest.raises(UsageError, match=r"'two at most' \(at end\) cannot be decided for any number of copies"):
        prove(system, properties=["two at most"])
    report = prove(system)
    assert report.judgement("two at most").copies == {"p": 3}
    assert report.judgement("all read theirs").verdict is Verdict.UNDETERMINED
    assert report.judgement("no deadlock").verdict is Verdict.UNDETERMINED
    assert "one more copy may still be able to move" in report.judgement("no deadlock").reason


def test_a_system_of_a_number_of_processes_is_refused():
    with pytest.raises(UsageError, match="no process has copies=ANY"):
        prove(stack_race())


def test_a_shared_state_that_grows_for_ever_leaves_the_question_open(monkeypatch):
    monkeypatch.setattr(coverability, "MOST_MOVES", 2000)
    number = Register("number", 0)

    def add() -> Program[None]:
        seen = yield number.read()
        yield number.write(seen + 1)

    never = always("not negative", lambda state: state[number] >= 0, reads=[number])
    system = System(objects=[number], processes=[Process("p", add, copies=ANY)], properties=[never])
    report = prove(system, properties=["not negative"])
    assert report.verdict is Verdict.UNDETERMINED
    assert "more than 2,000 moves between shared states" in report.judgements[0].reason


def publishing(tries: int) -> System:
    """Jobs that push on what they read, again when another came between; each fails with one job more than tries."""
    tip = Register("tip", 0)

    def publish() -> Program[str]:
        for _ in range(tries):
            seen = yield tip.read()
            if (yield tip.compare_and_set(seen, seen + 1)):
                return "published"
        return "gave up"

    published = each_result("every job publishes", lambda result: result == "published")
    return System(objects=[tip], processes=[Process("job", publish, copies=ANY)], properties=[published])


def test_where_a_counter_has_no_end_a_number_beyond_three_that_fails_is_found_before_a_long_proof(monkeypatch):
    """By hand: a job's three tries fail only if three others publish between its reads and its writes."""

    def long(*_arguments: object) -> None:
        pytest.fail("a proof was begun, though a trial decides")

    monkeypatch.setattr(unbounded, "Controls", long)
    monkeypatch.setattr(unbounded, "close", lambda *_arguments, **_named: "not tried")
    system = publishing(tries=3)
    found = prove(system, properties=["every job publishes"]).judgements[0]
    assert found.verdict is Verdict.VIOLATED
    assert found.copies == {"job": 4}
    assert found.reason == "fails after 12 steps with 4 of job"
    assert replay(system.with_copies(found.copies), found.trace.schedule) == found.trace


def test_trials_beyond_three_end_with_their_states_and_what_they_visited_whole_is_said(monkeypatch):
    """Five jobs would be needed. With four all is visited, so that is said; nothing is said of the number cut off."""
    monkeypatch.setattr(unbounded, "close", lambda *_arguments, **_named: "not tried")
    monkeypatch.setattr(coverability, "MOST_TRIED", 100)
    system = publishing(tries=4)
    visited = explore(system.with_copies({"job": 4}), properties=["every job publishes"], keep_going=True)
    states = visited.coverage.states
    for beyond, held in ((states - 1, 3), (states, 4)):
        found = prove(system, properties=["every job publishes"], states_beyond=beyond).judgements[0]
        assert found.verdict is Verdict.UNDETERMINED
        assert found.holds_up_to == held
        assert found.reason.endswith(f"; HOLDS with 1 to {held}")


def test_a_property_that_is_never_asked_is_not_said_to_hold():
    closed = Register("closed", True)

    def wait() -> Program[str]:
        yield closed.wait_for(False)
        return "in"

    inside = each_result("nobody gets in", lambda result: result != "in")
    system = System(objects=[closed], processes=[Process("p", wait, copies=ANY)], properties=[inside])
    report = prove(system, properties=["nobody gets in"])
    assert report.verdict is Verdict.UNDETERMINED
    assert "never exercised" in report.judgements[0].reason


def test_more_demands_than_allowed_leave_the_question_open(monkeypatch):
    monkeypatch.setattr(coverability, "MOST_DEMANDS", 1)
    monkeypatch.setattr(unbounded, "TRIED", 1)
    report = prove(chain("abcd"), properties=["not at the last"], states_beyond=0)
    assert report.verdict is Verdict.UNDETERMINED
    assert "more than 1 minimal states" in report.judgements[0].reason
