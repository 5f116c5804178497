"""Mechanisms judged against evidence: known answers worked out by hand."""

from math import inf

import pytest

from dstamp_sim.core.judge import Judge
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.engines.explore.atlas import chart
from dstamp_sim.engines.tables.closure import close
from dstamp_sim.engines.tables.tables import Tables
from dstamp_sim.incident.possible.abduction import Judging
from dstamp_sim.incident.possible.ask import engines
from dstamp_sim.incident.possible.case import Bearing, Case, MechanismFinding, Observation, Possible
from dstamp_sim.incident.possible.conflicting import conflict
from dstamp_sim.incident.possible.identities import assignments, stranger
from dstamp_sim.incident.possible.overlap import ObservedTime, orders
from dstamp_sim.incident.possible.pairing import judge_pairs
from dstamp_sim.incident.possible.turns import Role, with_roles
from dstamp_sim.incident.possible.variant import pairs, variants_of_mechanism
from models.cc_ci import HYPOTHESES, MECHANISMS
from models.cc_ci.system import cc_ci

RED = (("level", 1), ("stamp", "eb96de94+U"), ("upgrade", "fail"))
GREEN = (("level", 4), ("stamp", "right"), ("upgrade", "pass"))
HOUR = 3600.0


def case(outcomes, hours, longest_hours=2.0, solo=(), pr=1, **known):
    names = [f"run-{index + 1}" for index in range(len(outcomes))]
    times = [
        ObservedTime(name, hour * HOUR, "start", None, name in solo, "table")
        for name, hour in zip(names, hours, strict=True)
    ]
    runs = [Observation(name, fields, {"pr": pr}) for name, fields in zip(names, outcomes, strict=True)]
    return Case(runs, known.get("probes", ()), orders(times, longest_hours * HOUR), orders(times, inf),
                known.get("constants", frozenset()))  # fmt: skip


def incident():
    """The document's runs: one solo green one, then three red ones in a night; whose pr is not known."""
    night = 5 * 24 + 18.6
    return case([GREEN, RED, RED, RED], [0, night, night + 3.83, night + 3.9], solo=["run-1"], pr=None)


def outcomes(factory, runs):
    """The multisets of stamps that the runs of a system can report."""
    atlas = chart(factory(runs=runs, pr=tuple(range(1, runs + 1))), most_states=100_000)
    assert atlas.complete
    ends = (atlas.semantics.results(state) for state in atlas.states)
    return {tuple(sorted(str(result.stamp) for result in end.values())) for end in ends if len(end) == runs}


def rows(name, asked):
    known = variants_of_mechanism(name, MECHANISMS[name], HYPOTHESES, asked.constants)
    return [Judging(variant, asked, engines()).row() for variant in known]


def best(name, asked):
    return next((row for row in rows(name, asked) if row.verdict is Possible.POSSIBLE), rows(name, asked)[0])


def test_all_of_a_closed_cluster_cannot_be_red_by_the_stack_race_and_one_unseen_partner_is_enough():
    row = best("stack-race", case([RED, RED], [0, 0]))
    assert (row.verdict, row.timed.unseen, row.untimed.unseen) == (Possible.POSSIBLE, 1, 1)


def test_all_but_one_can_be_red_with_nobody_else():
    assert best("stack-race", case([RED, GREEN], [0, 0])).timed.unseen == 0


def test_runs_hours_apart_need_a_partner_each_where_one_would_do_without_regard_to_time():
    row = best("stack-race", case([RED, RED], [0, 10]))
    assert (row.timed.unseen, row.untimed.unseen) == (2, 1)


def test_the_incidents_cluster_needs_exactly_two_unseen_partners_in_time_and_one_without_by_the_stack_race():
    row = best("stack-race", incident())
    assert (row.timed.unseen, row.timed.exact, row.untimed.unseen, row.untimed.exact) == (2, True, 1, True)
    assert "exactly 2 unseen partners within the timing constraint, exactly 1 unseen partner without it" in row.why
    assert "in a closed cluster not all can have come out so" in row.why


def test_the_tables_of_what_is_observed_are_complete_though_it_counts():
    system = with_roles(cc_ci(runs=2), [Role("a", RED), Role("b", RED)], {}, HYPOTHESES.evidence)
    semantics = Semantics(system)
    tables = Tables(semantics, Judge(semantics, ()), merge=True)
    tables.initial_row()
    assert close(tables) == ""


@pytest.mark.parametrize("runs", [1, 2])
def test_what_a_mechanism_lies_within_can_do_all_that_it_can(runs):
    for mechanism in MECHANISMS.values():
        if mechanism.within is not None:
            assert outcomes(mechanism.factory, runs) <= outcomes(mechanism.within, runs)


def test_a_swarm_rollback_needs_nobody():
    assert best("swarm-rollback", case([RED, RED], [0, 10])).timed.unseen == 0


def test_the_bases_stamp_with_plus_u_needs_a_base_that_was_deployed_with_chaos_and_an_overlay():
    possible = [row for row in rows("swarm-rollback", case([RED], [0])) if row.verdict is Possible.POSSIBLE]
    assert {row.reading["base, a stack each"] for row in possible} == {"chaos, with overlay"}
    assert {row.reading["failure action"] for row in possible} == {"rollback"}


@pytest.mark.parametrize("name", ["overlay-dirt", "short-sha", "stale-stack"])
def test_what_never_writes_the_bases_stamp_is_impossible_with_any_number_of_partners(name):
    assert {row.verdict for row in rows(name, case([RED], [0]))} == {Possible.IMPOSSIBLE}


def test_an_abra_that_never_changed_cannot_have_been_right_once_and_wrong_once():
    asked = case([GREEN, RED], [0, 10], constants=frozenset({"abra"}))
    assert {row.verdict for row in rows("abra-regression", asked)} == {Possible.IMPOSSIBLE}
    assert Possible.POSSIBLE in {row.verdict for row in rows("abra-regression", case([GREEN, RED], [0, 10]))}


def test_probes_stop_before_anything_is_deployed_and_so_say_nothing_of_races_and_rollbacks():
    probe = Observation("manual-checkouts", (("stamp", "7ae7b0f7"),), probe=True)
    asked = case([RED], [0], probes=[probe])
    assert rows("swarm-rollback", asked)[0].bearings["manual-checkouts"] is Bearing.SILENT
    assert rows("abra-regression", asked)[0].bearings["manual-checkouts"] is Bearing.CONTRADICTS


def test_what_the_console_shows_tells_a_late_write_from_a_wrong_one():
    took_head = (*RED, ("computed", "7ae7b0f7+U"))
    took_base = (*RED, ("computed", "eb96de94+U"))
    assert best("swarm-rollback", case([took_head], [0])).verdict is Possible.POSSIBLE
    assert best("swarm-rollback", case([took_base], [0])).verdict is Possible.IMPOSSIBLE
    assert best("env-recheckout", case([took_base], [0])).verdict is Possible.POSSIBLE
    assert best("env-recheckout", case([took_head], [0])).verdict is Possible.IMPOSSIBLE


def test_fingerprints_tell_a_rollback_from_anothers_deploy():
    rolled = (*RED, ("previous_stamp", "absent"), ("update_status", "rollback_completed"))
    assert best("swarm-rollback", case([rolled], [0])).verdict is Possible.POSSIBLE
    assert best("redeploy-not-applied", case([rolled], [0])).verdict is Possible.IMPOSSIBLE


def test_unknown_identities_are_quantified_over_up_to_renaming():
    assert assignments([None, None]) == [(1, 1), (1, 2)]
    assert len(assignments([None] * 4)) == 15
    assert assignments([7, None]) == [(7, 7), (7, 1)]
    assert assignments(["hexpm", None], str) == [("hexpm", "hexpm"), ("hexpm", "another 1")]
    assert stranger({"service": "hexpm", "pr": 1}) == {"service": "another 1", "pr": 2}


def test_each_red_run_by_rollback_costs_one_failed_update_and_the_stack_race_costs_none():
    assert best("swarm-rollback", case([RED, RED], [0, 10])).timed.faults == 2
    assert best("swarm-rollback", case([RED, RED], [0, 10])).timed.exact_faults
    untimed = best("swarm-rollback", case([RED, RED], [0, 10])).untimed
    assert (untimed.faults, untimed.exact_faults) == (2, False)  # without times only partners are counted exactly
    assert best("stack-race", case([RED, GREEN], [0, 0])).timed.faults == 0


def test_a_partner_is_not_let_die_where_its_life_will_do():
    assert best("stack-race", case([RED], [0])).timed.crashes == 0


TOOK_BASE = (*RED, ("computed", "eb96de94+U"))
TOOK_HEAD = (*RED, ("computed", "7ae7b0f7+U"))
TWO = {name: MECHANISMS[name] for name in ("swarm-rollback", "env-recheckout", "short-sha")}


def test_where_no_mechanism_alone_can_give_all_a_pair_may():
    asked = case([TOOK_BASE, TOOK_HEAD], [0, 10])
    alone = [row for name in TWO for row in rows(name, asked)]
    assert Possible.POSSIBLE not in {row.verdict for row in alone}
    both = judge_pairs(TWO, HYPOTHESES, asked, engines())
    possible = {row.mechanism for row in both.rows if row.verdict is Possible.POSSIBLE}
    assert possible == {"swarm-rollback + env-recheckout"}


def test_mechanisms_that_would_need_two_values_of_one_parameter_make_no_pair():
    two = {name: MECHANISMS[name] for name in ("overlay-dirt", "short-sha")}
    assert not list(pairs(two, HYPOTHESES, frozenset()))


def test_a_part_of_the_identity_that_only_one_of_a_pair_fixes_is_left_open():
    two = {name: MECHANISMS[name] for name in ("stack-race", "early-read")}
    assert {tuple(both.quantified()) for both in pairs(two, HYPOTHESES, frozenset())} == {("pr",)}


def conflicting_row(*against, refuted=False):
    bearings = {n: Bearing.CONTRADICTS if n in against else Bearing.SILENT for n in "abc"}
    verdict = Possible.IMPOSSIBLE if against else Possible.UNDETERMINED
    return MechanismFinding("m", {}, {}, verdict, "", bearings=bearings, refuted=refuted)


def never(_row, _names):
    return False


def test_the_smallest_conflicting_set_is_one_that_every_row_contradicts_somewhere():
    row = conflicting_row
    assert conflict([row("a", "b"), row("b"), row("c", "b")], "abc", never).names == ("b",)
    assert conflict([row("a"), row("b")], "abc", never).names == ("a", "b")
    assert conflict([row("a"), row()], "abc", never) is None


def test_observations_that_are_refuted_only_together_conflict_together():
    together = [conflicting_row("c"), conflicting_row(refuted=True)]
    found = conflict(together, "abc", lambda _, names: {"a", "b"} <= names)
    assert (found.names, found.smallest, found.proved) == (("a", "b", "c"), True, False)


def test_of_many_observations_a_conflicting_set_is_found_that_has_none_to_spare():
    names = [f"run-{number}" for number in range(30)]
    row = MechanismFinding("m", {}, {}, Possible.IMPOSSIBLE, "", bearings={"run-7": Bearing.CONTRADICTS})
    found = conflict([row], names, never)
    assert (found.names, found.smallest) == (("run-7",), False)


def test_two_runs_of_which_one_needs_an_overlay_and_one_needs_none_conflict_and_nothing_else_does():
    bare = (("level", 1), ("stamp", "eb96de94"), ("upgrade", "fail"))
    asked = case([GREEN, RED, bare], [0, 10, 20])
    judged = [row for name in ("redeploy-not-applied", "short-sha") for row in rows(name, asked)]
    assert conflict(judged, asked.names, never).names == ("run-2", "run-3")
