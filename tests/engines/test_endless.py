"""What has no end is noticed within few states and named; what only takes long is not."""

import re
from dataclasses import replace

import pytest

from dstamp_sim import ANY, Counter, Process, Register, System, Verdict, each_result, explore, prove
from dstamp_sim.engines.explore.explorer import VALUES_OF_ENDLESS, WORTH_OF_ENDLESS


def heart(beat):
    yield beat.add(1)


def job(box, number):
    for _ in range(5):
        seen = yield box.read()
        yield box.write(seen ^ number)


def beside_a_heart(beat):
    box = Register("box", 0)
    jobs = [Process(f"job{number}", job, box, number) for number in range(2)]
    return System(objects=[beat, box], processes=[Process("heart", heart, beat, daemon=True), *jobs])


def test_a_counter_without_bound_in_a_daemons_world_is_named_after_few_states():
    report = explore(beside_a_heart(Counter("beat", 0)))
    assert report.verdict is Verdict.UNDETERMINED
    assert re.search(r"test_endless.py:\d+: beat grows without bound: it had 5,000 values", report.coverage.stopped)
    assert report.coverage.states < 2 * WORTH_OF_ENDLESS


def counts(count):
    seen = yield count.read()
    yield count.write(seen + 1)


def test_a_register_that_a_daemon_counts_up_is_named_before_its_tables_are_large():
    count, other = Register("count", 0), Register("other", 0)
    daemon, step = Process("up", counts, count, daemon=True), Process("step", job, other, 1)
    report = explore(System(objects=[count, other], processes=[daemon, step]))
    assert "count grows without bound" in report.coverage.stopped
    assert report.coverage.states < 50 * VALUES_OF_ENDLESS


class Wrapping(Counter):
    """A counter that begins again."""

    def outcomes(self, state, op):
        return tuple(replace(outcome, state=outcome.state % 1_000) for outcome in super().outcomes(state, op))


def test_a_counter_that_begins_again_is_explored_to_its_end():
    assert explore(beside_a_heart(Wrapping("beat", 0))).verdict is Verdict.HOLDS


def spin(word):
    while not (yield word.compare_and_set(0, 1)):
        pass
    yield word.write(0)


def retries(word):
    failed = 0
    while not (yield word.compare_and_set(0, 1)):
        failed += 1
    yield word.write(0)


ENDS = each_result("ends", lambda result: result is None)


@pytest.mark.parametrize("copies", [2, 3])
def test_a_spin_lock_is_explored_to_its_end(copies):
    word = Register("word", 0)
    report = explore(System(objects=[word], processes=[Process("p", spin, word, copies=copies)]))
    assert report.verdict is Verdict.HOLDS


def test_a_spin_lock_is_proved_for_any_number():
    word = Register("word", 0)
    system = System(objects=[word], processes=[Process("p", spin, word, copies=ANY)], properties=[ENDS])
    assert prove(system).judgement("ends").verdict is Verdict.HOLDS


@pytest.mark.parametrize("copies", [2, 3])
def test_a_count_without_bound_that_only_an_unlucky_order_begins_is_named_after_few_states(copies):
    word = Register("word", 0)
    report = explore(System(objects=[word], processes=[Process("p", retries, word, copies=copies)]), ops=5_000)
    assert re.search(r"and failed was new each time \(\d+, \d+, \d+, ...\): no end to it", report.coverage.stopped)
    assert report.coverage.states < 2 * WORTH_OF_ENDLESS


def test_a_proof_names_the_variable_that_grows_instead_of_looking_for_the_end_of_its_states():
    word = Register("word", 0)
    system = System(objects=[word], processes=[Process("p", retries, word, copies=ANY)], properties=[ENDS])
    reason = prove(system).judgement("ends").reason
    assert re.search(r"test_endless.py:\d+: .* failed was new each time", reason)


def test_a_proof_names_the_object_whose_values_have_no_end():
    def climb(counter):
        yield counter.add(1)

    counter = Counter("counter", 0)
    ends = each_result("ends", lambda result: result is None)
    system = System(objects=[counter], processes=[Process("p", climb, counter, copies=ANY)], properties=[ends])
    told = prove(system).judgement("ends").reason
    assert re.search(
        r"counter has [\d,]+ values so far \(0, 1, 2, ...\): where they have no end, an op that blocks", told
    )
