"""Enactors apply plans of DNS records, each by itself: what left one endpoint without an address.

Facts: the post-event summary of AWS on DynamoDB in us-east-1, October 2025. What it does not say is assumed, and said
so below.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from dstamp_sim import (
    Chance,
    Experiment,
    Field,
    Hypotheses,
    Lane,
    LockScope,
    Mechanism,
    Observable,
    Op,
    Outcome,
    Placement,
    Process,
    Program,
    Rule,
    Seen,
    SharedObject,
    Step,
    System,
    Window,
    delay,
    each_result,
    section,
)

REGIONAL, OTHER = "regional", "other"
LAST = 3
"""The planner makes so many plans at most. Only which of two is newer counts, so few stand for many."""

APPLIED, REFUSED, NOTHING_NEWER, DIED = "applied", "could not apply", "nothing newer", "died"
EMPTY, THERE = "empty", "there"
NEWER, SAME = "a newer plan", "the same plan"
LOST, DONE = "transaction lost", "transaction done"
EMPTY_PLAN, GOOD_PLAN = "empty plan", "good plan"
LIVES = "lives"
OLDER_OVER_NEWER = "an older plan was written over a newer one"
IN_USE = "the last write was of the plan just applied"
BEHIND = "the last write was of an older plan, and in order"
WITHOUT_ADDRESSES = "the last write was of a plan without addresses"
BY_HAND = "the record was deleted by itself"
HISTORIES = (OLDER_OVER_NEWER, IN_USE, BEHIND, WITHOUT_ADDRESSES, BY_HAND)


class Planner(SharedObject):
    """The newest plan's generation. Newer plans come whenever they like, up to the last."""

    def newest(self) -> Op:
        """Returns the generation of the newest plan."""
        return self.op("newest")

    def outcomes(self, state: int, op: Op) -> tuple[Outcome, ...]:
        """A plan that was made just now, or the one that is there."""
        if state == LAST:
            return (Outcome(state, state),)
        return Outcome(state + 1, state + 1, NEWER), Outcome(state, state, SAME)


class Zone(NamedTuple):
    """The plan last applied, by endpoint the plan that its record is of, and the oldest plan that was not deleted.

    A record has addresses while its plan lives; None is a record that somebody deleted by hand. `emptied` is the plan
    that has no addresses for the regional endpoint (0: none). `before` is the plan that the regional record was of
    before its last write, where a log of that is kept.
    """

    applied: int = 0
    regional: int | None = 0
    other: int | None = 0
    oldest: int = 0
    emptied: int = 0
    before: int | None = None


def addresses(state: Zone, plan: int | None) -> str:
    """Whether a record of a plan has addresses."""
    return EMPTY if plan is None or plan < state.oldest else THERE


def regional(state: Zone) -> str:
    """Whether the regional record has addresses."""
    forgotten = bool(state.emptied) and state.regional == state.emptied
    return EMPTY if forgotten else addresses(state, state.regional)


def shown(state: Zone) -> str:
    """The plan that the regional record is of, or that it is empty."""
    return EMPTY if regional(state) == EMPTY else f"plan {state.regional}"


def history(state: Zone, plan: int | None) -> str:
    """What the log says of the regional record to an Enactor that applied a plan."""
    if state.regional is None:
        return BY_HAND
    if state.emptied and state.regional == state.emptied:
        return WITHOUT_ADDRESSES
    if state.before is not None and state.before > state.regional:
        return OLDER_OVER_NEWER
    return IN_USE if state.regional == plan else BEHIND


class Dns(SharedObject):
    """The zone. A record is replaced by a transaction that reads the record before; that one's plan has to exist.

    `log`: the last two writes of the regional record are kept.
    """

    def __init__(self, name: str, initial: Zone, *, log: bool) -> None:
        super().__init__(name, initial)
        self.log = log

    def applied(self) -> Op:
        """Returns the generation of the plan that was applied last."""
        return self.op("applied")

    def replace(self, endpoint: str, plan: int, *, if_newer: bool) -> Op:
        """Sets the record of an endpoint to that of a plan; `if_newer`, only where the record is of an older one.

        Returns whether the transaction went through: it does not where the plan of the record before is gone.
        """
        return self.op("replace", endpoint, plan, if_newer)

    def finish(self, plan: int) -> Op:
        """Notes which plan was applied last. Returns None."""
        return self.op("finish", plan)

    def clean(self, before: int) -> Op:
        """Deletes all plans older than `before`, and with them what records have of them. Returns None."""
        return self.op("clean", before)

    def look(self, plan: int | None) -> Op:
        """Returns whether the regional record has addresses, whether the other has, and what the log says, if any."""
        return self.op("look", plan)

    def delete(self, endpoint: str) -> Op:
        """Deletes a record by hand. Returns None."""
        return self.op("delete", endpoint)

    def empty(self, plan: int) -> Op:
        """The planner forgets the regional endpoint's addresses in a plan. Returns None."""
        return self.op("empty", plan)

    def outcomes(self, state: Zone, op: Op) -> tuple[Outcome, ...]:
        """Deterministic."""
        match op.verb, op.args:
            case "applied", _:
                return (Outcome(state, state.applied),)
            case "replace", (endpoint, plan, if_newer):
                before = getattr(state, endpoint)
                if before is not None and before < state.oldest:
                    return (Outcome(state, False),)
                if if_newer and before is not None and before >= plan:
                    return (Outcome(state, True),)
                logged = {"before": before} if self.log and endpoint == REGIONAL else {}
                return (Outcome(state._replace(**{endpoint: plan}, **logged), True),)
            case "finish", (plan,):
                return (Outcome(state._replace(applied=plan)),)
            case "clean", (before,):
                return (Outcome(state._replace(oldest=max(state.oldest, before))),)
            case "look", (plan,):
                logged = history(state, plan) if self.log else ""
                return (Outcome(state, (regional(state), addresses(state, state.other), logged)),)
            case "delete", (endpoint,):
                return (Outcome(state._replace(**{endpoint: None})),)
        return (Outcome(state._replace(emptied=op.args[0])),)


class Walk(NamedTuple):
    """What is known of an Enactor's walk: how it ended, what the endpoints had then, and what the log says of it."""

    ended: str
    regional: str
    other: str
    logged: str = ""

    @property
    def failure(self) -> str:
        """What went wrong; empty if nothing did."""
        empty = [name for name in (REGIONAL, OTHER) if getattr(self, name) == EMPTY]
        return f"the {empty[0]} endpoint is empty" if empty else "" if self.ended != REFUSED else self.ended


class Automation(NamedTuple):
    """How the automation works: what it checks when it writes, what its clean-up goes by, and what may fail."""

    planner: Planner
    dns: Dns
    if_newer: bool
    keeps: int
    by_newest: bool
    transaction: Chance | None
    plan: Chance | None
    life: Chance | None


def enact(automation: Automation) -> Program[Walk]:
    """One Enactor's walk: the newest plan, checked once, then each endpoint, then the clean-up."""
    plan = yield from section("check", newer_plan(automation))
    if plan is None:
        return (yield from seen(automation.dns, NOTHING_NEWER, plan))
    for endpoint in (OTHER, REGIONAL):
        yield delay(f"to the {endpoint} endpoint")
        if automation.life is not None and (yield automation.life.draw()) == DIED:
            return (yield from seen(automation.dns, DIED, plan))
        if not (yield from section(endpoint, replace(automation, endpoint, plan))):
            return (yield from seen(automation.dns, REFUSED, plan))
    yield from section("finish", finish(automation, plan))
    yield delay("to the clean-up")
    yield from section("clean", clean(automation, plan))
    return (yield from seen(automation.dns, APPLIED, plan))


def newer_plan(automation: Automation) -> Program[int | None]:
    """The newest plan, if it is newer than the one applied last."""
    plan = yield automation.planner.newest()
    if automation.plan is not None and (yield automation.plan.draw()) == EMPTY_PLAN:
        yield automation.dns.empty(plan)
    applied = yield automation.dns.applied()
    return plan if plan > applied else None


def replace(automation: Automation, endpoint: str, plan: int) -> Program[bool]:
    """Whether the record could be replaced; a transaction that is lost says that it could."""
    if automation.transaction is not None and (yield automation.transaction.draw()) == LOST:
        return True
    return (yield automation.dns.replace(endpoint, plan, if_newer=automation.if_newer))


def finish(automation: Automation, plan: int) -> Program[None]:
    """The plan is the one applied last."""
    yield automation.dns.finish(plan)


def clean(automation: Automation, plan: int) -> Program[None]:
    """Plans that are many generations older than the one just applied are deleted."""
    last = (yield automation.planner.newest()) if automation.by_newest else plan
    yield automation.dns.clean(last - automation.keeps)


def seen(dns: Dns, ended: str, plan: int | None) -> Program[Walk]:
    """What there is at the end."""
    regional, other, logged = yield dns.look(plan if dns.log else None)
    return Walk(ended, regional, other, logged)


def by_hand(dns: Dns) -> Program[None]:
    """Somebody deletes the record."""
    yield delay("until somebody deletes")
    yield dns.delete(REGIONAL)


def build(
    runs: int = 2,
    *,
    if_newer: bool = True,
    keeps: int = 1,
    by_newest: bool = False,
    transactions_may_be_lost: bool = False,
    plans_may_be_empty: bool = False,
    enactors_may_die: bool = False,
    deleted_by_hand: bool = False,
    log: bool = False,
) -> System:
    """`runs` walks of Enactors.

    `if_newer`: a record is replaced by a newer plan's only. `keeps`: the clean-up keeps so many generations before the
    plan that was applied, or, `by_newest`, before the newest one. `log`: what the log says is looked up.
    """
    automation = Automation(
        Planner("planner", 0),
        Dns("zone", Zone(), log=log),
        if_newer,
        keeps,
        by_newest,
        Chance("transaction", DONE, LOST) if transactions_may_be_lost else None,
        Chance("plan", GOOD_PLAN, EMPTY_PLAN) if plans_may_be_empty else None,
        Chance("enactor", LIVES, DIED) if enactors_may_die else None,
    )
    chances = [item for item in automation[-3:] if item is not None]
    somebody = [Process("somebody", by_hand, automation.dns)] if deleted_by_hand else []
    return System(
        objects=[automation.planner, automation.dns, *chances],
        processes=[*(Process(f"enactor-{number + 1}", enact, automation) for number in range(runs)), *somebody],
        properties=[
            each_result("no endpoint is left empty", lambda r: not isinstance(r, Walk) or EMPTY not in r[1:3]),
            each_result("every plan can be applied", lambda r: not isinstance(r, Walk) or r.ended != REFUSED),
        ],
        sections=["check", OTHER, REGIONAL, "finish", "clean"],
        locks=[LockScope("enactors")],
        lanes=[Lane(automation.dns, shown, lambda state: regional(state) == EMPTY)],
    )


PLACEMENTS = {
    "whole_walk": Placement.parse("enactors:check..clean"),
    "without_clean_up": Placement.parse("enactors:check..finish"),
    "writes": Placement.parse("enactors:other..finish"),
}


def writes_regional(step: Step) -> bool:
    return step.op is not None and step.op.verb == "replace" and step.op.args[0] == REGIONAL


def cleans(step: Step) -> bool:
    return step.op is not None and step.op.verb == "clean"


def deletes(step: Step) -> bool:
    return step.op is not None and step.op.verb == "delete"


_TO_CLEAN = (REGIONAL, "clean", "its write of the regional endpoint", "its clean-up")
MECHANISMS = {
    "stale-check": Mechanism(
        "an Enactor's check is out of date when it writes over a newer plan, and the clean-up deletes its plan",
        partial(build, if_newer=False),
        Window("older plan's write", writes_regional, *_TO_CLEAN),
    ),
    "clean-up-by-age": Mechanism(
        "the clean-up goes by the newest plan, and deletes the one that is in use",
        partial(build, by_newest=True),
        Window("clean-up", cleans, *_TO_CLEAN, by_others=False),
    ),
    "lost-transaction": Mechanism(
        "a write of the regional endpoint is lost, and the clean-up deletes the plan that its record is still of",
        partial(build, transactions_may_be_lost=True),
        Window("clean-up", cleans, *_TO_CLEAN, by_others=False),
    ),
    "empty-plan": Mechanism(
        "the planner makes a plan without addresses for the regional endpoint",
        partial(build, plans_may_be_empty=True),
        Window("clean-up", cleans, *_TO_CLEAN, by_others=False),
    ),
    "enactor-dies": Mechanism(
        "an Enactor dies in the middle of its walk, and the clean-up of another deletes what it left",
        partial(build, enactors_may_die=True),
        Window("clean-up", cleans, *_TO_CLEAN),
    ),
    "deleted-by-hand": Mechanism(
        "somebody deletes the regional record",
        partial(build, deleted_by_hand=True),
        Window("deletion", deletes, *_TO_CLEAN),
    ),
}


def outcome(seen: Sequence[Seen]) -> str:
    walks = [one.result for one in seen if isinstance(one.result, Walk)]
    if any(walk.regional == EMPTY for walk in walks):
        return "empty"
    return "refused" if any(walk.ended == REFUSED for walk in walks) else "in order"


def logged(seen: Sequence[Seen]) -> str:
    """What the log says of the empty record; where none is empty, what it says to the first walk."""
    walks = [one.result for one in seen if isinstance(one.result, Walk)]
    empty = [walk for walk in walks if walk.regional == EMPTY]
    return (empty or walks)[0].logged if walks else BEHIND


HYPOTHESES = Hypotheses(
    nothing=build,
    evidence=Observable(
        fields=(
            Field("ended"),
            Field("regional", says="regional endpoint {}"),
            Field("other", key="other_endpoints", says="other endpoints {}"),
        ),
    ),
    faults=(LOST, EMPTY_PLAN, DIED),
    failing="of a transaction, a plan or an Enactor",
    experiments={
        "log of the record": Experiment(
            "look up, in the log of DNS changes, the last two writes of the regional record", {"log": True}, (), logged,
            "nothing, if the log is kept", HISTORIES,
        ),
        "one walk": Experiment(
            "let one Enactor walk alone in a test region", {"runs": 1}, (0.0,), outcome, "a test region",
            ("in order", "empty", "refused"),
        ),
        "a slow one and a fast one": Experiment(
            "hold one Enactor up for a minute in a test region while two others walk", {"runs": 3}, (0.0, 20.0, 60.0),
            outcome, "a test region", ("in order", "empty", "refused"),
        ),
        "one after the other": Experiment(
            "let five Enactors walk, each when the one before is done", {"runs": 5},
            tuple(1e4 * number for number in range(5)), outcome, "a test region", ("in order", "empty", "refused"),
        ),
    },
    rule=Rule(
        "one after the other", "in order", "empty", "in order: a race; empty: a mistake of one Enactor alone",
        "the usual first question", provided="no other Enactor was at work in the region",
    ),
)  # fmt: skip
