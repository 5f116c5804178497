"""What the tests on real parts need: an engine, a forker, a folder; and the tally of what was compared."""

import itertools
import os
from contextlib import contextmanager
from pathlib import Path

import pytest

from dstamp_sim.conformance.keeper import NoEngine, private_engine, scratch_folder
from dstamp_sim.conformance.parts import bench
from dstamp_sim.conformance.play import Tally, play
from dstamp_sim.conformance.workers import forker
from tests.conformance.report import document, pack, summary, unpack
from tests.needs import leave_out

TALLY = pytest.StashKey[Tally]()
RUNS = itertools.count()
"""Numbers the runs of this test process: each has a folder of its own."""


@pytest.fixture(scope="session")
def real_folder():
    with scratch_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def real_forker():
    with forker() as source:
        yield source


@pytest.fixture(scope="session")
def engine():
    """A private Docker Engine; where none can start, for want of root say, the tests that need one are left out."""
    with open_or_skip() as found:
        yield found


@contextmanager
def open_or_skip():
    try:
        opened = private_engine()
        found = opened.__enter__()
    except NoEngine as error:
        leave_out(because=str(error))
    try:
        yield found
    finally:
        opened.__exit__(None, None, None)


@pytest.fixture(scope="session")
def budget(request):
    return request.config.getoption("--real-budget")


@pytest.fixture(scope="session")
def trials(request):
    return request.config.getoption("--real-trials")


@pytest.fixture(scope="session")
def tally(request):
    return request.config.stash[TALLY]


def pytest_configure(config):
    config.stash[TALLY] = Tally()


@pytest.fixture
def conform(real_forker, real_folder, tally):
    """`conform(system, choose, engine)` plays a system on real parts, compared op by op."""

    def run(system, choose, engine=None, *, tally=tally, **options):
        with bench(system, real_forker, real_folder / f"{os.getpid()}-{next(RUNS)}", engine) as parts:
            run.parts = parts.parts
            return play(system, parts, choose, tally=tally, **options)

    run.parts = {}
    return run


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["tally"] = pack(session.config.stash[TALLY])


def pytest_testnodedown(node):
    unpack(node.config.stash[TALLY], node.workeroutput["tally"])


def pytest_terminal_summary(terminalreporter, config):
    if hasattr(config, "workeroutput"):
        return  # a test process of many: the first one has all tallies
    tally = config.stash[TALLY]
    for line in summary(tally):
        terminalreporter.write_line(line)
    if config.getoption("--real-report") and not terminalreporter.stats.get("failed"):
        budget, trials = config.getoption("--real-budget"), config.getoption("--real-trials")
        written = document(tally, budget=budget, trials=trials)
        Path(config.getoption("--real-report")).write_text(written, encoding="utf-8")
