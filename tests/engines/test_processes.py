"""Tasks on processes of their own: their results in order, their errors, their deaths, and an interruption."""

import contextlib
import faulthandler
import multiprocessing
import multiprocessing.resource_tracker
import multiprocessing.util
import os
import resource
import signal
import threading
import time
from concurrent.futures import BrokenExecutor

import pytest

from dstamp_sim.core.errors import UsageError, WorkerDied
from dstamp_sim.engines.parallel.processes import Processes


def begin(number):
    return number


def add(begun, number):
    return number + begun


def fail(_, number):
    raise UsageError(f"no {number}")


def die(_, number):
    os.kill(os.getpid(), signal.SIGKILL)


def leave(_, number):
    os._exit(1)


def abort(_, number):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.abort()


def crash(_, number):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler._sigsegv()


def last(_, number):
    if number:
        time.sleep(60)
    return number


def wait_until_interrupted(results):
    threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    next(results)


def test_results_come_in_the_order_of_the_items():
    assert list(Processes(2, begin, (10,)).in_turn(add, [3, 1, 2])) == [13, 11, 12]


def test_a_tasks_error_is_raised_as_it_is():
    with pytest.raises(UsageError, match="no 7"):
        list(Processes(2, begin, (0,)).in_turn(fail, [7, 8]))


def test_a_process_that_ends_by_itself_is_told_with_its_code():
    with pytest.raises(WorkerDied, match="a worker process died: something in it ended it with exit code 1; "):
        list(Processes(2, begin, (0,)).in_turn(leave, [1, 2]))


@pytest.mark.parametrize(("task", "name"), [(abort, "SIGABRT"), (crash, "SIGSEGV")])
def test_a_process_that_crashes_is_told_by_its_signal_and_is_not_killed(task, name):
    with pytest.raises(WorkerDied, match=rf"a worker process crashed \({name}\), in code in C"):
        list(Processes(2, begin, (0,)).in_turn(task, [1, 2]))


@pytest.fixture
def limited():
    """There is a limit on memory (`ulimit -v`), if a wide one."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 45, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("task", [die, abort])
def test_a_process_that_is_killed_ran_out_of_memory_as_far_as_anybody_knows(task, limited):
    with pytest.raises(MemoryError) as raised:
        list(Processes(2, begin, (0,)).in_turn(task, [1, 2]))
    assert isinstance(raised.value.__cause__, BrokenExecutor)


@pytest.fixture
def heard():
    """Ctrl-C is heard, also where the tests were begun in the background of a shell, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.filterwarnings("error")  # a thread that raises, too
@pytest.mark.usefixtures("heard")
def test_where_it_is_interrupted_no_process_goes_on():
    results = Processes(2, begin, (0,)).in_turn(last, range(20))
    assert next(results) == 0
    with pytest.raises(KeyboardInterrupt):
        wait_until_interrupted(results)
    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("heard")
def test_interrupted_while_its_processes_begin_none_ends_with_a_traceback(monkeypatch, capfd):
    multiprocessing.resource_tracker.ensure_running()  # it is begun in the same way, and stays
    begin_process, begun = multiprocessing.util.spawnv_passfds, []

    def interrupted(*args):
        begun.append(begin_process(*args))
        os.kill(os.getpid(), signal.SIGINT)  # the process was begun and has not been told yet what to do
        return begun[-1]

    monkeypatch.setattr(multiprocessing.util, "spawnv_passfds", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(Processes(2, begin, (10,)).in_turn(add, [3, 1, 2]))
    for pid in begun:
        with contextlib.suppress(ChildProcessError):  # waited for already
            os.waitpid(pid, 0)
    assert begun
    assert capfd.readouterr().err == ""
