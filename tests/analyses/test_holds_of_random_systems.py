"""What is said of holds and waits on random systems with locks, tokens, leases, deaths and chance."""

from collections import Counter
from collections.abc import Iterator

import pytest

from dstamp_sim import explore
from dstamp_sim.analyses import hold_claims
from dstamp_sim.analyses.explain import Explanation, explain
from dstamp_sim.analyses.trace_record import Record, perform
from dstamp_sim.analyses.verify import against
from dstamp_sim.core.holds import Held, Parting
from dstamp_sim.core.trace import Trace
from tests.analyses.hold_twins import HOLD_TWINS
from tests.lock_systems import described, lock_system
from tests.todays import in_parts

SOME, MANY = (*range(150), 3676), range(150, 5150)
"""In 3676 one dies with what it holds after a reading that mattered."""
STATES = 3_000


def failures(seed: int) -> Iterator[tuple[Record, Explanation]]:
    """Every failure that a bounded exploration of the system of this seed finds, explained."""
    system = lock_system(seed)
    for judgement in explore(system, keep_going=True, limit=STATES).judgements:
        if judgement.trace is not None:
            record = Record(system, judgement.trace)
            yield record, explain(system, judgement.trace, about=judgement.prop)


def check(seed: int) -> None:
    for record, why in failures(seed):
        try:
            holds_are_what_the_programs_have(record)
            claims_are_true_and_wrong_twins_are_caught(record, why)
            nothing_is_called_a_lock_that_is_none(record, why)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}\n{described(record.system)}\n{why.sentence}") from error


def holds_are_what_the_programs_have(record: Record) -> None:
    """Before each step, what a process holds is what its program has, but for what lapsed."""
    trace, performance = record.trace, perform(record.system, record.trace.schedule)
    for number in range(len(trace.steps) + 1):
        for process in trace.processes:
            node = performance.semantics.node(performance.states[number], performance.pid(process))
            has = Counter(node.holds if node is not None else ())
            held = Counter(h.hold for h in trace.holds() if h.process == process and over(h, number))
            lapsed = {h.hold for h in trace.holds() if h.process == process and h.parting is Parting.LAPSED}
            assert not held - has
            assert not {hold for hold in has - held if hold not in lapsed}
    lapses_make_no_difference(trace)


def over(held: Held, number: int) -> bool:
    """Whether it is held in the state before step `number`."""
    return held.since < number and (held.until is None or number <= held.until)


def lapses_make_no_difference(trace: Trace) -> None:
    """Who lets go of what had lapsed changes nothing by it; who lets go of what had not does."""
    for number, step in enumerate(trace.steps):
        for hold in step.dropped if step.op is not None else ():
            ended = [h for h in trace.holds() if (h.process, h.hold, h.until) == (step.process, hold, number)]
            assert bool(ended) == any(change.target == step.touched for change in step.changes)


def claims_are_true_and_wrong_twins_are_caught(record: Record, why: Explanation) -> None:
    for claim in why.claims:
        assert against(claim, Record(record.system, record.trace)) == ""
        for twin in HOLD_TWINS[type(claim)](claim, record) if type(claim) in HOLD_TWINS else ():
            assert against(twin, record), twin
    assert not [claim for claim, _ in why.dropped if type(claim).__module__ == hold_claims.__name__]


def nothing_is_called_a_lock_that_is_none(record: Record, why: Explanation) -> None:
    if not any(item.is_lock for item in record.system.objects):
        words = why.sentence.replace("No lock was held", "").replace("no deadlock", "").replace("asks for no lock", "")
        assert "lock" not in words


@pytest.mark.parametrize("seed", SOME)
def test_what_is_said_of_holds_is_true_on_some_random_systems(seed):
    check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", in_parts(MANY, 250), ids=str)
def test_what_is_said_of_holds_is_true_on_many_random_systems(seeds):
    for seed in seeds:
        check(seed)
