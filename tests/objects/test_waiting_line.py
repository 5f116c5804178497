"""A waiting line serves in order of arrival, whatever it stands before; a death leaves no gap."""

from dstamp_sim import (
    Mutex,
    Process,
    Program,
    Register,
    Semaphore,
    System,
    Verdict,
    WaitingLine,
    explore,
    replay,
)

line, mutex, order = WaitingLine("line"), Mutex("mutex"), Register("order", ())


def only(outcomes):
    (outcome,) = outcomes
    return outcome


def test_who_lines_up_is_last_and_has_the_smallest_ticket_that_is_free():
    assert only(line.outcomes((), line.line_up())).result == 0
    joined = only(line.outcomes((2, 0), line.line_up()))
    assert (joined.state, joined.result, joined.takes) == ((2, 0, 1), 1, 1)


def test_only_the_first_ones_turn_has_come():
    assert only(line.outcomes((2, 0), line.wait_turn(2))).state == (2, 0)
    assert line.outcomes((2, 0), line.wait_turn(0)) == ()


def test_who_leaves_makes_room():
    left = only(line.outcomes((2, 0), line.leave(2)))
    assert (left.state, left.drops) == ((0,), 2)


def at_its_end(trace):
    return list(trace.states())[-1]


def works(name: str, queues: bool) -> Program[None]:
    if queues:
        yield from line.take(mutex.acquire())
    else:
        yield mutex.acquire()
    seen = yield order.read()
    yield order.write((*seen, name))
    yield mutex.release()


def test_those_in_line_are_served_in_order_and_one_who_does_not_line_up_barges_in():
    def system(last_queues: bool) -> System:
        names = {"a": True, "b": True, "c": last_queues}
        processes = [Process(name, works, name, queues) for name, queues in names.items()]
        return System(objects=[line, mutex, order], processes=processes)

    fair = replay(system(True), "a b c a*3 a*3 b*6 c*6")
    assert at_its_end(fair)[order.name] == ("a", "b", "c")
    barged = replay(system(False), "a b c*4 a*6 b*6")
    assert at_its_end(barged)[order.name] == ("c", "a", "b")


def test_who_dies_or_ends_in_line_is_in_it_no_longer():
    system = System(objects=[line, mutex, order], processes=[Process("p", works, "p", True, copies=2)], crashes=1)
    assert replay(system, "p#1 p#2 p#1! p#2*6").results == {"p#2": None}

    def forgets() -> Program[None]:
        yield line.line_up()

    assert at_its_end(replay(System(objects=[line], processes=[Process("p", forgets)]), "p*2"))["line"] == ()


def test_a_death_of_a_holder_of_a_semaphore_behind_the_line_lets_the_next_one_in():
    pool = Semaphore("pool", 1, undo=True)

    def uses() -> Program[None]:
        yield from line.take(pool.acquire())
        yield pool.release()

    system = System(objects=[line, pool], processes=[Process("p", uses, copies=3)], crashes=1)
    assert explore(system).verdict is Verdict.HOLDS
