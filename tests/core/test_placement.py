"""Placements: locks laid over spans of sections. What they say, what is refused, when a lock is taken and freed."""

import pytest

from dstamp_sim import (
    REJECTED,
    Flock,
    LockScope,
    ModelError,
    Placement,
    PlacementError,
    Process,
    Program,
    Register,
    Span,
    System,
    Verdict,
    at_end,
    delay,
    each_result,
    explore,
    reachable,
    replay,
    section,
)

x = Register("x", 0)


def bump() -> Program[None]:
    seen = yield x.read()
    yield x.write(seen + 1)


def rest() -> Program[None]:
    yield delay("rest")


def run(domain: str) -> Program[str]:
    yield from section("deploy", bump())
    yield from section("check", rest())
    yield from section("report", rest())
    return domain


def system(placement: str | Placement = "none", *, copies: int = 1, domain: str = "d") -> System:
    plain = System(
        objects=[x],
        processes=[Process("run", run, domain, copies=copies)],
        sections=["deploy", "check", "report"],
        locks=[LockScope("domain", lambda domain: domain), LockScope("host")],
    )
    if placement == "none":
        return plain
    return plain.with_locks(Placement.parse(placement) if isinstance(placement, str) else placement)


def ops(trace) -> list[str]:
    return [str(step.op) for step in trace.steps]


# --- the text form


def test_a_span_is_written_lock_first_last():
    assert Placement.parse("domain:deploy..check").spans == (Span("domain", "deploy", "check"),)


def test_a_span_of_one_section_is_written_once():
    assert Placement.parse("domain:deploy").spans == (Span("domain", "deploy", "deploy"),)


def test_a_question_mark_refuses_instead_of_waiting():
    assert Placement.parse("domain?:deploy..exit").spans == (Span("domain", "deploy", "exit", waits=False),)


def test_several_spans_are_separated_by_commas():
    placement = Placement.parse("domain:deploy, host?:check..report")
    assert placement.spans == (Span("domain", "deploy", "deploy"), Span("host", "check", "report", waits=False))


@pytest.mark.parametrize("written", ["domain:deploy", "domain:deploy..check", "host?:deploy..exit"])
def test_a_span_prints_as_it_is_written(written):
    (span,) = Placement.parse(written).spans
    assert str(span) == written


@pytest.mark.parametrize("part", ["", "domain", ":deploy", "domain:"])
def test_what_is_no_span_is_refused_with_an_example(part):
    with pytest.raises(PlacementError, match=rf"^{part!r} is not a span: write lock:first\.\.last"):
        Placement.parse(part)


# --- names and order


def test_an_unknown_lock_is_refused_with_the_nearest_name():
    with pytest.raises(PlacementError, match=r"unknown lock 'domian'; did you mean 'domain'\? \(valid: domain, host\)"):
        system("domian:deploy")


@pytest.mark.parametrize("span", ["domain:deplow", "domain:deplow..check", "domain:deploy..deplow"])
def test_an_unknown_section_is_refused_with_the_nearest_name(span):
    with pytest.raises(PlacementError, match=r"unknown section 'deplow'; did you mean 'deploy'\?"):
        system(span)


def test_a_span_cannot_begin_at_the_exit():
    with pytest.raises(PlacementError, match="unknown section 'exit'"):
        system("domain:exit")


def test_a_span_that_ends_before_it_begins_is_refused_with_the_order():
    with pytest.raises(
        PlacementError, match=r"check\.\.deploy ends before it begins; the order is deploy, check, report"
    ):
        system("domain:check..deploy")


@pytest.mark.parametrize("written", ["host:deploy..check,host:check..report", "host:deploy..exit,host:report"])
def test_overlapping_spans_of_one_lock_are_refused_because_a_process_would_block_itself(written):
    with pytest.raises(PlacementError, match="overlap; a process would block itself"):
        system(written)


@pytest.mark.parametrize("written", ["host:deploy,host:check", "host:deploy..check,domain:check..report"])
def test_disjoint_spans_of_one_lock_and_overlapping_ones_of_two_are_fine(written):
    assert explore(system(written, copies=2)).verdict is Verdict.HOLDS


def test_a_key_that_fails_is_refused_with_the_process_and_its_arguments():
    system = System(
        objects=[x],
        processes=[Process("run", run, "d")],
        sections=["deploy"],
        locks=[LockScope("pair", lambda domain, pr: domain)],  # noqa: ARG005 - one parameter too many
    )
    with pytest.raises(PlacementError, match=r"lock 'pair': its key fails for process 'run'\('d',\)"):
        system.with_locks(Placement.parse("pair:deploy"))


def test_a_lock_of_the_vocabulary_may_not_bear_a_declared_objects_name():
    system = System(
        objects=[x, Flock("pair lock")],
        processes=[Process("run", run, "d")],
        sections=["deploy"],
        locks=[LockScope("pair")],
    )
    with pytest.raises(ModelError, match="2 of the object names are 'pair lock'"):
        system.with_locks(Placement.parse("pair:deploy"))


# --- when it is taken and given back


def test_a_lock_is_taken_on_entry_and_given_back_on_exit_of_its_last_section():
    trace = replay(system("domain:deploy..check"), "run*6")
    assert ops(trace) == [
        "domain lock d.acquire()",
        "x.read()",
        "x.write(1)",
        "delay rest",
        "domain lock d.release(1)",
        "delay rest",
    ]
    assert trace.results == {"run": "d"}


def test_the_lock_ops_belong_to_the_sections_at_which_they_are_laid():
    trace = replay(system("domain:deploy..check"), "run*6")
    assert [step.section for step in trace.steps] == ["deploy", "deploy", "deploy", "check", "check", "report"]


def test_a_span_to_the_exit_is_given_back_by_ending():
    trace = replay(system("host:check..exit"), "run*6")
    assert ops(trace)[2] == "host lock.acquire()" and ops(trace)[-1] == "host lock.release(1)"
    assert [step.ended for step in trace.steps] == [False] * 5 + [True]
    assert trace.results == {"run": "d"}


def test_a_process_that_ends_before_the_last_section_gives_its_lock_back_by_ending():
    def leaves() -> Program[str]:
        yield from section("deploy", bump())
        return "left"

    placed = System(
        objects=[x],
        processes=[Process("run", leaves, copies=2)],
        sections=["deploy", "check"],
        locks=[LockScope("host")],
        placement=Placement.parse("host:deploy..check"),
    )
    assert explore(placed).verdict is Verdict.HOLDS
    assert ops(replay(placed, "run#1*4"))[-1] == "host lock.release(1)"


def test_a_process_that_dies_gives_its_lock_back():
    placed = system("host:deploy..exit", copies=2).with_crashes(1)
    assert explore(placed).verdict is Verdict.HOLDS
    assert replay(placed, "run#1 run#1! run#2").steps[-1].result == 1


def test_a_section_that_is_entered_twice_takes_its_lock_twice_one_after_the_other():
    def twice() -> Program[None]:
        yield from section("deploy", rest())
        yield from section("deploy", rest())

    placed = System(
        objects=[],
        processes=[Process("run", twice)],
        sections=["deploy"],
        locks=[LockScope("host")],
        placement=Placement.parse("host:deploy"),
    )
    acquire_rest_release = ["host lock.acquire()", "delay rest", "host lock.release(1)"]
    assert ops(replay(placed, "run*6")) == acquire_rest_release * 2


def test_entering_the_first_section_again_while_holding_the_lock_blocks_itself():
    def again() -> Program[None]:
        yield from section("deploy", rest())
        yield from section("deploy", rest())

    placed = System(
        objects=[],
        processes=[Process("run", again)],
        sections=["deploy", "check"],
        locks=[LockScope("host")],
        placement=Placement.parse("host:deploy..check"),
    )
    assert explore(placed).judgement("no deadlock").verdict is Verdict.VIOLATED


def test_a_daemon_takes_the_locks_of_a_placement():
    placed = System(
        objects=[x],
        processes=[Process("janitor", run, "d", daemon=True)],
        sections=["deploy", "check", "report"],
        locks=[LockScope("host")],
        placement=Placement.parse("host:deploy"),
    )
    assert list(placed.lock_objects) == ["host lock"]
    assert ops(replay(placed, "janitor*2")) == ["host lock.acquire()", "x.read()"]


# --- what it is for


def test_a_lock_over_the_racing_section_keeps_the_updates_and_none_loses_one():
    both = at_end("both counted", lambda _, state: state[x] == 2, reads=[x])

    def verdict(placement: str) -> Verdict:
        plain = system(copies=2)
        racing = System(
            objects=[x], processes=plain.processes, properties=[both], sections=plain.sections, locks=plain.locks
        )
        return explore(racing.with_locks(Placement.parse(placement))).judgement("both counted").verdict

    assert verdict("domain:deploy") is Verdict.HOLDS
    assert verdict("domain:check") is Verdict.VIOLATED


def test_processes_with_different_keys_do_not_wait_for_each_other():
    two = System(
        objects=[x],
        processes=[Process("a", run, "a"), Process("b", run, "b")],
        sections=["deploy", "check", "report"],
        locks=[LockScope("domain", lambda domain: domain)],
        placement=Placement.parse("domain:deploy"),
    )
    assert list(two.lock_objects) == ["domain lock a", "domain lock b"]
    assert ops(replay(two, "a b a b"))[2:] == ["x.read()"] * 2


def test_a_process_whose_key_is_none_takes_no_lock():
    two = System(
        objects=[x],
        processes=[Process("a", run, "a"), Process("old", run, "old")],
        sections=["deploy", "check", "report"],
        locks=[LockScope("domain", lambda domain: None if domain == "old" else domain)],
        placement=Placement.parse("domain:deploy"),
    )
    assert ops(replay(two, "a old"))[1] == "x.read()"


def test_a_span_that_refuses_ends_the_second_process_as_rejected():
    plain = system(copies=2)
    rejecting = System(
        objects=[x],
        processes=plain.processes,
        properties=[
            each_result("done or rejected", lambda result: result in ("d", REJECTED)),
            reachable("one is rejected", lambda results: REJECTED in results.values()),
            at_end("not both", lambda results: list(results.values()).count(REJECTED) < 2),
        ],
        sections=plain.sections,
        locks=plain.locks,
        placement=Placement.parse("domain?:deploy..exit"),
    )
    assert explore(rejecting).verdict is Verdict.HOLDS
    trace = replay(rejecting, "run#1 run#2")
    assert trace.results == {"run#2": REJECTED}


def test_a_rejected_process_gives_back_the_locks_that_it_already_had():
    placed = system("host:deploy..exit,domain?:check..exit", copies=2)
    assert explore(placed).verdict is Verdict.HOLDS


# --- names of locks


def keyed(of) -> System:
    """Two processes that count in turns, one lock for each key."""

    def bump(_: object) -> Program[None]:
        yield from section("deploy", bumped())

    def bumped() -> Program[None]:
        seen = yield x.read()
        yield x.write(seen + 1)

    return System(
        objects=[x],
        processes=[Process(f"p{i}", bump, key) for i, key in enumerate(of)],
        properties=[at_end("no lost update", lambda _, state: state[x] == len(of), reads=[x])],
        sections=["deploy"],
        locks=[LockScope("l", lambda key: key)],
        placement=Placement.parse("l:deploy"),
    )


@pytest.mark.parametrize(
    "keys", [("d", "d "), (1, "1"), ("", " "), (1, True), ("1", "'1'"), ((1,), "(1,)"), ("a", "'a'")]
)
def test_two_keys_are_two_locks_with_two_names(keys):
    system = keyed(keys)
    assert len(system.lock_objects) == 2
    assert explore(system, properties=["no lost update"]).verdict is Verdict.VIOLATED


def test_one_key_is_one_lock():
    system = keyed(("d", "d"))
    assert list(system.lock_objects) == ["l lock d"]
    assert explore(system, properties=["no lost update"]).verdict is Verdict.HOLDS


def test_the_names_of_locks_show_their_keys():
    assert [list(keyed((key,)).lock_objects) for key in ("d", "m2b/7", 7, "7", "", ("a", 1))] == [
        ["l lock d"],
        ["l lock m2b/7"],
        ["l lock 7"],
        ["l lock '7'"],
        ["l lock ''"],
        ["l lock ('a', 1)"],
    ]


def test_two_locks_of_one_name_are_refused():
    def system(*locks: LockScope) -> System:
        placement = Placement.parse(",".join(f"{name}:deploy" for name in dict.fromkeys(scope.name for scope in locks)))
        processes = [Process("p", run, "lock")]
        sections = ["deploy", "check", "report"]
        return System(objects=[x], processes=processes, sections=sections, locks=locks, placement=placement)

    with pytest.raises(ModelError, match="2 of the lock names are 'l': names must be unique"):
        system(LockScope("l"), LockScope("l", lambda domain: domain))
    with pytest.raises(ModelError, match="2 of the object names are 'l lock lock': names must be unique"):
        system(LockScope("l lock"), LockScope("l", lambda domain: domain))
