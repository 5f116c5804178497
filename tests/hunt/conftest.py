"""What the tests of hunts need: a kernel that lets system calls be held."""

import pytest

from dstamp_sim.core.errors import UsageError
from dstamp_sim.hunt.hunt import supervisor
from dstamp_sim.hunt.job import Job, prepared
from dstamp_sim.hunt.search import look_around
from tests.needs import leave_out


@pytest.fixture(scope="session")
def can_hold():
    """Nothing, where system calls can be held; elsewhere the test is left out."""
    try:
        with supervisor((), 30.0) as living:
            look_around(prepared(Job({"a": "true", "b": "true"}), living))
    except UsageError as error:
        leave_out(because=str(error))


@pytest.fixture
def staged(can_hold):
    """`staged(job)` is the stage of a job; it is ended with the test."""
    opened = []

    def make(job, *, allowed=(), seconds=30.0):
        living = supervisor(allowed, seconds)
        living.__enter__()
        opened.append(living)
        return prepared(job, living)

    yield make
    for living in opened:
        living.__exit__(None, None, None)
