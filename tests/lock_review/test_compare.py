"""Which placements are compared with which, and what is recommended of them."""

from dstamp_sim import Placement, Verdict
from dstamp_sim.lock_review.compare import AfterDeath, Estimate, JudgedPlacement, Price, dominated, recommended


def judged(spans, waits_s, **sets):
    """A placement that is safe, also when one dies, and whose waiting time is known to a second."""
    nothing, waits = Estimate(0, 0, 0), Estimate(waits_s, waits_s + 0.5, waits_s + 1)
    price = Price(nothing, nothing, nothing, waits, waits, nothing, nothing)
    placement = Placement(spans or "design", Placement.parse(spans).spans if spans else (), sets)
    return JudgedPlacement(
        placement, Verdict.HOLDS, "any number", deadlock=Verdict.HOLDS, after_death=AfterDeath.SAFE, price=price
    )


SHORT, LONG = judged("lock:deploy..check", 100), judged("lock:fetch..check", 200)
OWN_STACK = judged("", 0, stack="per_run")


def test_the_clearly_dearer_placement_is_dominated():
    assert dominated([SHORT, LONG]) == {LONG.shape: SHORT.shape}


def test_a_design_that_shares_less_dominates_no_placement_of_locks():
    beaten = dominated([SHORT, LONG, OWN_STACK])
    assert OWN_STACK.shape not in beaten.values()
    assert recommended([SHORT], beaten) == [SHORT]
