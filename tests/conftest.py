"""Options and fixtures of the whole suite."""

import signal
import sys

import pytest
from hypothesis import HealthCheck, settings

from dstamp_sim import cli
from tests.needs import LEFT_OUT, LeftOut, leave_out, left_out, missing, told
from tests.todays import said, the_day

COUNTED = "counted"
"""The property of a test whose figures are printed at the end."""

settings.register_profile(
    "patient", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # on a busy machine an example may take any time
settings.load_profile("patient")


@pytest.fixture
def hangs_up():
    """SIGHUP ends what a test begins, also where the tests run under `nohup`, which lets it be ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also run the gates with a larger budget, as CI does")
    parser.addoption(
        "--real-budget", type=int, default=1, metavar="N", help="N times the usual number of sequences on real parts"
    )
    parser.addoption(
        "--real-trials", type=int, default=10, metavar="N", help="free-running trials of each recommended placement"
    )
    parser.addoption(
        "--real-report", metavar="FILE", help="write what was compared on real parts, as docs/conformance.md"
    )


def pytest_configure(config):
    the_day()


def pytest_collection_modifyitems(config, items):
    if config.getoption("--slow"):
        items.sort(key=_minutes, reverse=True)  # one that takes minutes and begins last keeps the other cores waiting
        return
    skip = pytest.mark.skip(reason="a larger budget of a gate that also runs here: CI runs it with --slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


def _minutes(item):
    """About how long a slow test takes on one core; those that do not say take a few seconds."""
    mark = item.get_closest_marker("slow")
    return mark.kwargs.get("minutes", 0.1) if mark else 0.0


def pytest_runtest_setup(item):
    needed = [program for mark in item.iter_markers("needs") for program in mark.args]
    if lacks := missing(needed):
        leave_out(lacks)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call):
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, LeftOut):
        report.user_properties.append((LEFT_OUT, call.excinfo.value.lacked))
    return report


def pytest_terminal_summary(terminalreporter, config):
    if config.getoption("--slow"):
        terminalreporter.write_line(said())
    if line := told(left_out(terminalreporter.stats)):
        terminalreporter.write_line(line, yellow=True)
    for report in terminalreporter.stats.get("passed", []):
        for name, counts in report.user_properties:
            if name == COUNTED:
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {counts}")


@pytest.fixture
def dstamp(monkeypatch, capsys, tmp_path):
    """`dstamp(*arguments)` gives (exit code, standard output, standard error); files go to an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["dstamp", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    return run
