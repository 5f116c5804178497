"""What a system says of its processes, and an op of itself."""

import pytest

from dstamp_sim import ANY, Op, Process, System, UsageError, delay, sleep
from dstamp_sim.objects.register import Register

x = Register("x", 0)


def reads():
    yield x.read()


def test_who_must_end_are_all_instances_but_daemons_in_declared_order():
    processes = [Process("run", reads, copies=2), Process("sweeper", reads, daemon=True), Process("janitor", reads)]
    system = System(objects=[x], processes=processes).with_names({"janitor": "nightly"})
    assert system.must_end == ("run#1", "run#2", "nightly")


def test_who_must_end_is_not_known_of_any_number():
    with pytest.raises(UsageError, match="copies=ANY"):
        _ = System(objects=[x], processes=[Process("run", reads, copies=ANY)]).must_end


def test_only_an_op_that_lets_time_pass_is_a_delay():
    assert delay("wait").is_delay
    assert sleep("wait").is_delay
    assert not x.read().is_delay
    assert not Op(None, "enter", ("deploy",)).is_delay
    assert not Op(x, "delay").is_delay
