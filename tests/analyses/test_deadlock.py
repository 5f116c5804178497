"""Who waits for whom."""

from dstamp_sim import Mutex, Process, Program, System, replay
from dstamp_sim.analyses.deadlock import deadlock_in

ONE, OTHER, GUARD = Mutex("one"), Mutex("other"), Mutex("guard")


def take(*locks: Mutex) -> Program[None]:
    for lock in locks:
        yield lock.acquire()
    for lock in reversed(locks):
        yield lock.release()


def system(*orders: tuple[Mutex, ...]) -> System:
    names = [Process(f"p{n}", take, *order) for n, order in enumerate(orders)]
    return System(objects=[ONE, OTHER, GUARD], processes=names)


def test_the_wait_for_cycle_says_who_holds_and_wants_what_since_when():
    made = system((ONE, OTHER), (OTHER, ONE))
    found = deadlock_in(replay(made, "p0 p1"))
    assert [(w.process, w.target, w.since, w.holder.process, w.holder.since) for w in found.cycle] == [
        ("p0", "other", 1, "p1", 1),
        ("p1", "one", 2, "p0", 0),
    ]
    assert found.proof == "Wait-for cycle: p0 → p1 → p0."


def test_waiting_for_what_nobody_holds_is_no_cycle():
    def wait() -> Program[None]:
        yield ONE.acquire()

    made = System(objects=[ONE], processes=[Process("p", take, ONE), Process("q", wait)], crashes=1)
    found = deadlock_in(replay(made, "p p! "))
    assert found.cycle == ()
    assert found.sentence(str) == "q waits for one.acquire(), and nobody is left to make that possible"
