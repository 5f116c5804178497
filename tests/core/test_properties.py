"""Properties: when each kind is asked, of what, and what a predicate may look at."""

import pytest

from dstamp_sim import (
    ModelError,
    Mutex,
    Process,
    Program,
    Property,
    Register,
    System,
    UsageError,
    Verdict,
    always,
    at_end,
    delay,
    each_result,
    explore,
    reachable,
)
from dstamp_sim.core.properties import StateView

x = Register("x", "start")
y = Register("y", "start")
lock = Mutex("lock")


def writes(value: str) -> Program[str]:
    yield x.write(value)
    yield x.write("end")
    return value


def rests() -> Program[str]:
    yield delay("rest")
    return "rested"


def judged(prop: Property, *processes: Process, crashes: int = 0):
    """The judgement on `prop`, of the whole space."""
    system = System(
        objects=[x, y], processes=processes or [Process("p", writes, "middle")], properties=[prop], crashes=crashes
    )
    return explore(system, keep_going=True).judgement(prop.name)


def steps(judgement) -> int:
    return len(judgement.trace.steps)


# --- when each kind is asked


def test_always_is_asked_in_the_initial_state_too():
    judgement = judged(always("never start", lambda state: state[x] != "start", reads=[x]))
    assert judgement.verdict is Verdict.VIOLATED and steps(judgement) == 0


def test_always_fails_in_a_state_that_passes_again():
    judgement = judged(always("never middle", lambda state: state[x] != "middle", reads=[x]))
    assert judgement.verdict is Verdict.VIOLATED and steps(judgement) == 1


def test_each_result_is_asked_as_soon_as_a_process_ends():
    prop = each_result("not rested", lambda result: result != "rested")
    judgement = judged(prop, Process("w", writes, "middle"), Process("r", rests))
    assert judgement.verdict is Verdict.VIOLATED and steps(judgement) == 1


def test_each_result_of_one_process_leaves_the_others_alone():
    processes = [Process("w", writes, "middle"), Process("r", rests)]
    assert judged(each_result("w", lambda r: r == "middle", of="w"), *processes).verdict is Verdict.HOLDS
    assert judged(each_result("all", lambda r: r == "middle"), *processes).verdict is Verdict.VIOLATED


def test_each_result_of_a_name_covers_all_its_copies():
    seen = set()
    judged(each_result("r", lambda result: seen.add(result) or True, of="r"), Process("r", rests, copies=3))
    assert seen == {"rested"}


def test_at_end_waits_for_every_process_that_must_end():
    prop = at_end("both", lambda results: sorted(results) == ["r", "w"])
    assert judged(prop, Process("w", writes, "middle"), Process("r", rests)).verdict is Verdict.HOLDS


def test_at_end_does_not_wait_for_daemons_and_has_no_result_of_them():
    prop = at_end("only r", lambda results: list(results) == ["r"])
    assert judged(prop, Process("d", rests, daemon=True), Process("r", rests)).verdict is Verdict.HOLDS


def test_at_end_has_no_result_of_a_process_that_died():
    prop = at_end("all", lambda results: len(results) == 2)
    judgement = judged(prop, Process("r", rests, copies=2), crashes=1)
    assert judgement.verdict is Verdict.VIOLATED and len(judgement.trace.results) == 1


def test_at_end_with_reads_sees_the_final_state():
    assert judged(at_end("x", lambda _, state: state[x] == "end", reads=[x])).verdict is Verdict.HOLDS


def test_reachable_is_a_wish_a_trace_grants_it():
    judgement = judged(reachable("middle", lambda _, state: state[x] == "middle", reads=[x]))
    assert judgement.verdict is Verdict.HOLDS and steps(judgement) == 1


def test_reachable_sees_the_results_so_far():
    prop = reachable("r before w", lambda results: list(results) == ["r"])
    assert judged(prop, Process("w", writes, "middle"), Process("r", rests)).verdict is Verdict.HOLDS


def test_a_wish_that_no_state_grants_is_violated_without_a_trace():
    judgement = judged(reachable("never", lambda _, state: state[x] == "nowhere", reads=[x]))
    assert judgement.verdict is Verdict.VIOLATED and judgement.trace is None
    assert judgement.reason == "in none of all 3 reachable states"


def test_a_deadlock_is_a_state_where_nobody_moves_and_somebody_must():
    def waits() -> Program[None]:
        yield x.wait_for("never")

    system = System(objects=[x], processes=[Process("w", waits), Process("r", rests)])
    judgement = explore(system).judgement("no deadlock")
    assert judgement.verdict is Verdict.VIOLATED and judgement.trace.waiting == {"w": "x.wait_for('never')"}


def waits() -> Program[None]:
    yield x.wait_for("never")


def waits_after_a_delay() -> Program[None]:
    yield delay("rest")
    yield x.wait_for("never")


def takes_jobs() -> Program[None]:
    while True:
        yield x.wait_for("job")
        yield x.write("done")


def works() -> Program[None]:
    yield x.write("job")


@pytest.mark.parametrize("daemon", [waits, waits_after_a_delay, takes_jobs])
def test_a_daemon_that_waits_for_ever_at_its_first_op_or_its_next_round_is_no_deadlock(daemon):
    system = System(objects=[x], processes=[Process("d", daemon, daemon=True), Process("w", works)])
    assert explore(system).judgement("no deadlock").verdict is Verdict.HOLDS


def waits_amid_its_work() -> Program[None]:
    yield y.write("begun")
    yield x.wait_for("never")


def waits_for_itself() -> Program[None]:
    while True:
        yield lock.acquire()


def locks(first: Mutex, then: Mutex) -> Program[None]:
    yield first.acquire()
    yield then.acquire()
    yield then.release()
    yield first.release()


@pytest.mark.parametrize("daemon", [waits_amid_its_work, waits_for_itself])
def test_a_daemon_that_waits_for_ever_amid_its_work_is_a_deadlock_though_it_need_not_end(daemon):
    system = System(objects=[x, y, lock], processes=[Process("d", daemon, daemon=True), Process("r", rests)])
    judgement = explore(system).judgement("no deadlock")
    assert judgement.verdict is Verdict.VIOLATED
    assert judgement.trace is not None and list(judgement.trace.waiting) == ["d"]


def test_two_daemons_that_take_two_locks_in_opposite_orders_are_a_deadlock():
    other = Mutex("other")
    daemons = [Process("d", locks, lock, other, daemon=True), Process("e", locks, other, lock, daemon=True)]
    report = explore(System(objects=[lock, other], processes=daemons))
    assert report.verdict is Verdict.VIOLATED and report.trace is not None
    assert report.trace.waiting == {"d": "other.acquire()", "e": "lock.acquire()"}


def test_two_daemons_that_take_two_locks_in_one_order_are_free_of_deadlocks():
    other = Mutex("other")
    daemons = [Process(name, locks, lock, other, daemon=True) for name in "de"]
    judgement = explore(System(objects=[lock, other], processes=daemons)).judgement("no deadlock")
    assert judgement.verdict is Verdict.HOLDS and judgement.reason == "in all 7 reachable states"


# --- properties that were never asked


def test_a_property_of_results_is_undetermined_when_nothing_ends():
    def waits() -> Program[None]:
        yield x.wait_for("never")

    for prop in (each_result("e", lambda _: True), at_end("a", lambda _: True)):
        judgement = judged(prop, Process("w", waits))
        assert judgement.verdict is Verdict.UNDETERMINED and judgement.reason.startswith("never exercised")


# --- what a predicate may look at


def test_looking_at_an_object_that_reads_does_not_name_is_refused():
    with pytest.raises(ModelError, match=r"a property looks at 'y', which its reads=\[...\] does not name"):
        judged(always("peeks", lambda state: state[y] == "start", reads=[x]))


def test_reading_an_object_that_the_system_does_not_declare_is_refused_at_once():
    other = Register("other")
    with pytest.raises(ModelError, match="property 'p' reads 'other', which is not among the objects"):
        System(objects=[x], processes=[], properties=[always("p", lambda state: state[other], reads=[other])])


def test_naming_an_unknown_process_is_refused_with_the_nearest():
    with pytest.raises(ModelError, match=r"property 'p': unknown process 'rin'; did you mean 'run'\?"):
        System(objects=[], processes=[Process("run", rests)], properties=[each_result("p", bool, of="rin")])


def test_a_predicate_that_raises_is_refused_with_its_line_and_its_question():
    with pytest.raises(ModelError) as refused:
        judged(each_result("broken", lambda result: result + 1))
    text = str(refused.value)
    assert "test_properties.py:" in text and "property 'broken' raised TypeError" in text and "('middle',)" in text


def test_two_properties_of_one_name_are_refused_and_the_built_in_one_counts():
    for names in (("same", "same"), ("no deadlock",)):
        with pytest.raises(ModelError, match="property names are"):
            System(objects=[], processes=[], properties=[at_end(name, bool) for name in names])


def test_an_unknown_property_is_refused_with_the_nearest_name():
    system = System(objects=[x], processes=[Process("p", writes, "m")], properties=[at_end("ends well", bool)])
    with pytest.raises(UsageError, match=r"unknown property 'ends wel'; did you mean 'ends well'\?"):
        explore(system, properties=["ends wel"])


def test_only_the_named_properties_are_judged():
    system = System(objects=[x], processes=[Process("p", writes, "m")], properties=[at_end("ends well", bool)])
    assert [judgement.prop.name for judgement in explore(system, properties=["ends well"]).judgements] == ["ends well"]


def test_a_state_view_is_a_mapping_of_the_objects_read():
    view = StateView([x, y], [1, 2])
    assert dict(view) == {x: 1, y: 2} and len(view) == 2


def test_a_predicate_that_asks_for_a_name_without_a_result_is_told_whose_results_there_are():
    def program():
        yield register.read()

    register = Register("r", 0)
    twins = Process("p", program, copies=2)
    system = System(objects=[register], processes=[twins], properties=[at_end("same", lambda results: results["p"])])
    with pytest.raises(ModelError, match=r"KeyError\('p'\).*; those with a result are p#1, p#2: copies are called p#1"):
        explore(system)


def test_a_property_that_asks_for_the_result_of_a_daemon_is_told_that_it_has_none():
    r = Register("r", 0)

    def p() -> Program[str]:
        yield r.write(1)
        return "p"

    asked = at_end("x", lambda results: results["d"] == "p")
    system = System(objects=[r], processes=[Process("p", p), Process("d", p, daemon=True)], properties=[asked])
    with pytest.raises(
        ModelError, match=r"KeyError\('d'\).*; those with a result are p: .*neither a daemon nor who died"
    ):
        explore(system)
