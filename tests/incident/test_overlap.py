"""Who can have overlapped: from times, their meanings, the longest run, and company."""

from math import inf

from dstamp_sim.incident.possible.overlap import ObservedTime, orders

HOUR = 3600.0


def seen(name, hours, *, means="start", until=None, solo=False, group="table"):
    return ObservedTime(name, hours * HOUR, means, None if until is None else until * HOUR, solo, group)


def pairs(times, longest_hours):
    (only,) = orders(times, longest_hours * HOUR)
    return only.pairs


def test_runs_that_start_further_apart_than_a_run_lasts_cannot_overlap():
    two = [seen("a", 0), seen("b", 4)]
    assert pairs(two, 3.9) == {("a", "b")}
    assert pairs(two, 4.1) == set()


def test_it_makes_no_difference_whether_all_times_are_starts_or_ends():
    two = [seen("a", 0, means="unknown"), seen("b", 4, means="unknown")]
    (only,) = orders(two, 2 * HOUR)
    assert (only.pairs, only.reading) == ({("a", "b")}, "")


def test_times_of_different_tables_may_mean_different_things():
    two = [seen("a", 0, means="unknown", group="x"), seen("b", 3, means="unknown", group="y")]
    found = orders(two, 2 * HOUR)
    # a's start and b's end leave 0 to 2 and 1 to 3, which overlap; the other readings leave a before b.
    assert {len(order.pairs) for order in found} == {0, 1}


def test_known_ends_are_used():
    assert pairs([seen("a", 0, until=1), seen("b", 1.5)], 24) == {("a", "b")}


def test_a_solo_run_overlaps_nobody_even_without_a_longest_duration():
    assert pairs([seen("a", 0, solo=True), seen("b", 1)], inf) == {("a", "b")}
    assert pairs([seen("a", 0), seen("b", 1)], inf) == set()


def test_a_partner_can_lie_where_it_overlaps_as_many_as_its_length_allows():
    (only,) = orders([seen("a", 0), seen("b", 10)], 2 * HOUR)
    # Beside a (over before b begins) or beside b (begun when a is over): it cannot do both.
    assert set(only.unseen) == {(frozenset(), frozenset({"b"})), (frozenset({"a"}), frozenset())}


def test_a_run_without_a_time_can_overlap_all():
    assert pairs([ObservedTime("a", None, "unknown", None, False, ""), seen("b", 1)], 1) == set()


def test_runs_are_together_if_a_chain_of_overlaps_joins_them():
    (only,) = orders([seen("c", 3), seen("a", 0), seen("d", 9), seen("b", 1.5)], 2 * HOUR)
    assert only.together() == [{"a", "b", "c"}, {"d"}]
    assert only.windows == tuple(
        (name, h * HOUR, (h + 2) * HOUR) for name, h in [("c", 3), ("a", 0), ("d", 9), ("b", 1.5)]
    )


def test_the_window_of_a_run_holds_all_readings_that_make_no_difference():
    (only,) = orders([seen("a", 0, means="unknown"), seen("b", 9, means="unknown")], 2 * HOUR)
    assert only.windows == (("a", -2 * HOUR, 2 * HOUR), ("b", 7 * HOUR, 11 * HOUR))
