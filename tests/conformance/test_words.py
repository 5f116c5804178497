"""Each fact of flock and git, as one schedule of its own: what generated sequences might happen to miss."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from dstamp_sim import Flock, GitCheckout, Process, System
from dstamp_sim.conformance.play import follow
from tests.conformance.scripts import Ask, use_checkout, use_flock


def flocks(*scripts, crashes=0):
    """Processes p0, p1, … that perform these verbs on one lock file."""
    lock = Flock("lock")
    asks = [tuple(Ask(*verb) if isinstance(verb, tuple) else Ask(verb) for verb in script) for script in scripts]
    users = [Process(f"p{k}", use_flock, lock, each) for k, each in enumerate(asks)]
    return System(objects=[lock], processes=users, crashes=crashes)


def locked(trace):
    """Which inodes are locked after each step, and how many descriptors share each."""
    return [state["lock"].locked for state in trace.states()][1:]


def test_a_second_open_in_one_process_blocks_itself(conform):
    system = flocks(["acquire", "try_acquire", "acquire"])
    trace = conform(system, follow("p0*2"))
    assert trace.steps[-1].result is None and trace.waiting == {"p0": "lock.acquire()"}


def test_a_forked_childs_descriptor_keeps_the_lock_until_both_are_closed(conform):
    system = flocks(["acquire", "release"], [("inherit", (1,)), "release"], ["acquire"])
    trace = conform(system, follow("p0 p1 p0 p1 p2"), strict=True)
    assert locked(trace)[:4] == [((1, 1),), ((1, 2),), ((1, 1),), ()]


def test_who_gives_up_leaves_the_real_lock_as_it_is(conform):
    lock = Flock("lock")

    def ask():
        token = yield lock.acquire().within("patience")
        if token:
            yield lock.release(token)
        return "got it" if token else "gave up"

    system = System(objects=[lock], processes=[Process("ask", ask, copies=2)])
    trace = conform(system, follow("ask#1 ask#2 ask#1"), strict=True)
    assert trace.results == {"ask#1": "got it", "ask#2": "gave up"}
    assert locked(trace) == [((1, 1),), ((1, 1),), ()]


def test_the_death_of_the_holder_frees_the_lock_but_not_one_that_a_child_shares(conform):
    alone = flocks(["acquire"], ["acquire"], crashes=1)
    assert locked(conform(alone, follow("p0 p0! p1")))[1:] == [(), ((1, 1),)]
    shared = flocks(["acquire"], [("inherit", (1,)), "release"], ["acquire"], crashes=1)
    assert locked(conform(shared, follow("p0 p1 p0! p1 p2")))[2:4] == [((1, 1),), ()]


def test_unlinking_the_file_while_another_waits_makes_two_holders(conform):
    system = flocks(["acquire", "unlink"], ["open", "lock"], ["acquire"])
    trace = conform(system, follow("p1 p0*2 p2 p0 p1"), strict=True)
    assert locked(trace)[3] == locked(trace)[5] == ((1, 1), (2, 1))
    assert trace.steps[-1].op.verb == "lock"  # the waiter's, of a file that no path names


def test_a_releaser_that_locks_again_at_once_may_get_it_before_one_who_waits_and_so_may_the_waiter(conform):
    system = flocks(["acquire", "release", "acquire"], ["acquire"])
    barged = conform(system, follow("p0*3"), strict=True)
    assert barged.waiting == {"p1": "lock.acquire()"}
    passed_on = conform(system, follow("p0*2 p1"), strict=True)
    assert passed_on.waiting == {"p0": "lock.acquire()"}


WAITER = """
import fcntl, sys
for line in sys.stdin:
    fcntl.flock(file := open(sys.argv[1]), fcntl.LOCK_EX)
    print("mine", flush=True)
    file.close()
"""


def test_a_releaser_that_locks_again_at_once_gets_it_before_one_who_sleeps_in_the_kernel(tmp_path, tally):
    path = tmp_path / "lock"
    path.touch()
    sleeper = subprocess.Popen(
        [sys.executable, "-c", WAITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    barged = [barges(path, sleeper) for _ in range(30)]
    sleeper.communicate()
    tally.outcomes["flock(2) with a sleeping waiter", "locks again at once", "barged"] += sum(barged)
    tally.outcomes["flock(2) with a sleeping waiter", "locks again at once", "came too late"] += 30 - sum(barged)
    assert any(barged)


def barges(path, sleeper):
    """Whether the holder, as it releases and locks again while the sleeper waits, gets the lock first."""
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        sleeper.stdin.write("go\n")
        sleeper.stdin.flush()
        waits = f":{path.stat().st_ino} "
        while not any("->" in line and waits in line for line in Path("/proc/locks").read_text().splitlines()):
            pass
        fcntl.flock(file, fcntl.LOCK_UN)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            got = True
        except BlockingIOError:
            got = False
    assert sleeper.stdout.readline() == "mine\n"
    return got


def checkouts(*scripts):
    git = GitCheckout("checkout")
    return System(
        objects=[git], processes=[Process(f"p{k}", use_checkout, git, asks) for k, asks in enumerate(scripts)]
    )


READS = (Ask("head"), Ask("files"), Ask("is_dirty"))


@pytest.mark.needs("git")
@pytest.mark.parametrize(
    ("order", "parts", "seen"),
    [
        ("git", 1, ("base", "head", True)),  # the files are new, under index.lock
        ("git", 2, ("base", "head", True)),  # the index too, its lock is gone
        ("git", 3, ("head", "head", False)),
        ("go-git", 1, ("head", "base", True)),
        ("go-git", 2, ("head", "head", False)),
    ],
)
def test_a_concurrent_reader_sees_a_checkouts_parts_in_its_order(order, parts, seen, conform):
    system = checkouts((Ask("checkout", ("head", order)),), READS)
    moves = parts if parts == 1 else parts + 1  # the delay is a step
    trace = conform(system, follow(f"p0 p1 p0*{moves} p1*3"), strict=True)
    assert tuple(step.result for step in trace.steps[-3:]) == seen


@pytest.mark.needs("git")
def test_a_second_checkout_fails_under_index_lock_and_succeeds_after_it(conform):
    system = checkouts((Ask("checkout", ("head", "git")),), (Ask("checkout_at_once", ("other",)),) * 2)
    trace = conform(system, follow("p0 p1 p0 p1 p0*2 p1"), strict=True)
    assert [step.result for step in trace.steps if step.op and step.op.verb == "checkout_at_once"] == [False, True]


@pytest.mark.needs("git")
def test_an_overlay_makes_a_clean_tree_dirty_and_survives_a_checkout(conform):
    system = checkouts((Ask("is_dirty"), Ask("add_overlay"), Ask("checkout_at_once", ("head",)), *READS))
    trace = conform(system, follow("p0*7"), strict=True)
    assert [step.result for step in trace.steps][1::2] == [False, True, "head"]
    assert trace.steps[-1].result is True


@pytest.mark.needs("git")
def test_a_fetch_of_tags_leaves_head_and_files(conform):
    trace = conform(checkouts((Ask("fetch_tags"), *READS)), follow("p0*5"), strict=True)
    assert tuple(step.result for step in trace.steps[-3:]) == ("base", "base", False)
