"""Pods of a deploy run the pending migrations at once, and one builds an index: what left it invalid.

Facts: public pull requests hexpm/hexpm 1817 and hexpm/bob 287 (August 2026), PostgreSQL's manual (CREATE INDEX).
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
    Mechanism,
    Observable,
    Op,
    Outcome,
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

ABSENT, INVALID, VALID = "absent", "invalid", "valid"
SERVING, DEADLOCK, UNCHECKED, KILLED = "serving", "deadlock detected", "check failed", "killed"
CHECKING = frozenset({"bob"})
"""The services whose migration checks, when it has built, that the index is valid."""


class Tables(NamedTuple):
    """A service's database: the index, who builds it, the migration lock, the waiting snapshots, the recorded version.

    `build` is "" where nobody builds, "scan" while the table is read, and "wait" once the build waits for `snapshots`:
    the transactions, open since before, that wait for the builder in their turn. `recorded` is the migration's.
    """

    index: str
    build: str = ""
    locked: bool = False
    snapshots: int = 0
    recorded: bool = False


class Database(SharedObject):
    """PostgreSQL, as far as a migration that builds an index CONCURRENTLY meets it.

    - A build enters the index as invalid, reads the table, waits for all older snapshots, and marks the index valid. If
      it fails on the way, the invalid index stays.
    - IF NOT EXISTS takes an invalid index for present.
    - Only one session builds on a table. Who waits for it, or for a lock, in a transaction has a snapshot.
    - A build that waits for a snapshot whose owner waits for the builder is a deadlock: the detector ends one of them.
    """

    def is_recorded(self) -> Op:
        """Returns whether the migration is recorded."""
        return self.op("is_recorded")

    def record(self) -> Op:
        """Records the migration; returns None."""
        return self.op("record")

    def index(self) -> Op:
        """Returns whether the index is absent, invalid or valid."""
        return self.op("index")

    def open_snapshot(self) -> Op:
        """Begins a transaction that is going to wait; returns None."""
        return self.op("open_snapshot")

    def begin_build(self, *, snapshot: bool) -> Op:
        """Blocks while another session builds, ends the `snapshot`, and enters the index where there is none.

        Returns whether there was none, or that the deadlock detector ended it.
        """
        return self.op("begin_build", snapshot)

    def read_table(self) -> Op:
        """Reads the table; from then on the build waits for older snapshots. Returns None."""
        return self.op("read_table")

    def finish_build(self) -> Op:
        """Marks the index valid where no older snapshot is left.

        Returns None, or that the deadlock detector ended it.
        """
        return self.op("finish_build")

    def give_up(self) -> Op:
        """Ends a build before its time: the session is gone, the invalid index stays. Returns None."""
        return self.op("give_up")

    def lock(self, *, snapshot: bool) -> Op:
        """Blocks until the migration lock is free and takes it; with a `snapshot` it ends then.

        Returns None, or that the deadlock detector ended it. One that polls has no snapshot.
        """
        return self.op("lock", snapshot)

    def unlock(self) -> Op:
        """Lets go of the migration lock; returns None."""
        return self.op("unlock")

    def outcomes(self, state: Tables, op: Op) -> tuple[Outcome, ...]:
        """What the op does; none while it is blocked."""
        match op.verb:
            case "is_recorded":
                return (Outcome(state, state.recorded),)
            case "record":
                return (Outcome(state._replace(recorded=True)),)
            case "index":
                return (Outcome(state, state.index),)
            case "open_snapshot":
                return (Outcome(state._replace(snapshots=state.snapshots + 1)),)
            case "begin_build" if not state.build:
                own = state._replace(snapshots=state.snapshots - op.args[0])
                if state.index != ABSENT:
                    return (Outcome(own, False),)
                return (Outcome(own._replace(index=INVALID, build="scan"), True),)
            case "read_table":
                return (Outcome(state._replace(build="wait")),)
            case "finish_build" if not state.snapshots:
                return (Outcome(state._replace(index=VALID, build="")),)
            case "finish_build":
                return (Outcome(state._replace(build=""), DEADLOCK, DEADLOCK),)
            case "give_up":
                return (Outcome(state._replace(build="")),)
            case "lock" if not state.locked:
                return (Outcome(state._replace(locked=True, snapshots=state.snapshots - op.args[0])),)
            case "unlock":
                return (Outcome(state._replace(locked=False)),)
        waits_in_turn = state.build == "wait" and op.args == (True,)
        return (Outcome(state._replace(snapshots=state.snapshots - 1), DEADLOCK, DEADLOCK),) if waits_in_turn else ()


class Pod(NamedTuple):
    """What is known of a pod: how it ended, what it waited for in a transaction, and what it left in the database."""

    ended: str
    waited: str
    recorded: bool
    index: str

    @property
    def failure(self) -> str:
        """What went wrong; empty for a pod that serves."""
        return "" if self.ended == SERVING else self.ended


class Deploy(NamedTuple):
    """How migrations are run: what keeps pods apart, when one is recorded, and whether a probe kills slow pods."""

    lock: str
    records_early: bool
    probe: Chance | None


def migrate(deploy: Deploy, database: Database, service: str) -> Program[Pod]:
    """One pod's start: the pending migration, then the app."""
    waited = "nothing"
    if deploy.lock != "none":
        waited = "the lock" if deploy.lock == "blocking" else "nothing"
        if (yield from section("lock", take_lock(deploy, database))) == DEADLOCK:
            return (yield from left(database, DEADLOCK, waited))
    ended = SERVING
    if not (yield from section("look", look(database))):
        yield delay("begin")
        if deploy.lock == "none":
            waited = "the table"
        if deploy.records_early:
            yield from section("record", record(database))
        ended = yield from section("build", build_index(deploy, database))
        if ended == SERVING and service in CHECKING and (yield from section("check", check(database))) != VALID:
            ended = UNCHECKED
        if ended == SERVING and not deploy.records_early:
            yield from section("record", record(database))
    if deploy.lock != "none":
        yield database.unlock()
    return (yield from left(database, ended, waited))


def take_lock(deploy: Deploy, database: Database) -> Program[str | None]:
    if deploy.lock == "blocking":
        yield database.open_snapshot()
    return (yield database.lock(snapshot=deploy.lock == "blocking"))


def look(database: Database) -> Program[bool]:
    return (yield database.is_recorded())


def build_index(deploy: Deploy, database: Database) -> Program[str]:
    """CREATE INDEX CONCURRENTLY IF NOT EXISTS: how it ended."""
    apart = deploy.lock != "none"  # nobody else builds, so nothing is waited for
    if not apart:
        yield database.open_snapshot()
    begun = yield database.begin_build(snapshot=not apart)
    if begun == DEADLOCK:
        return DEADLOCK
    if not begun:
        return SERVING
    yield delay("build")
    yield database.read_table()
    hangs = deploy.lock == "transaction"  # the build waits for the transaction of its own pod, which no detector sees
    if hangs or (deploy.probe is not None and (yield deploy.probe.draw()) == KILLED):
        yield delay("probe")
        yield database.give_up()
        return KILLED
    return (yield database.finish_build()) or SERVING


def check(database: Database) -> Program[str]:
    return (yield database.index())


def record(database: Database) -> Program[None]:
    yield database.record()


def left(database: Database, ended: str, waited: str) -> Program[Pod]:
    index = yield database.index()
    recorded = yield database.is_recorded()
    return Pod(ended, waited, recorded, index)


def build(
    runs: int = 2,
    service: tuple[str, ...] = ("hexpm",),
    *,
    lock: str = "polled",
    index: str = ABSENT,
    records_early: bool = False,
    probe: bool = False,
) -> System:
    """`runs` pods; the last of `service` stands for all further ones.

    `lock`: none; transaction (the ordinary one: its transaction is open all the while); blocking (an advisory one that
    is waited for in a transaction); polled (an advisory one that is tried again and again, without a transaction).
    `index` is what an earlier deploy left.
    """
    services = [service[min(number, len(service) - 1)] for number in range(runs)]
    kills = Chance("liveness probe", "alive", KILLED) if probe else None
    deploy = Deploy(lock, records_early, kills)
    databases = {name: Database(f"database of {name}", Tables(index)) for name in dict.fromkeys(services)}
    return System(
        objects=[*databases.values(), *([kills] if kills else [])],
        processes=[
            Process(f"pod-{number + 1}", migrate, deploy, databases[name], name) for number, name in enumerate(services)
        ],
        properties=[
            each_result("a recorded migration has a valid index", lambda pod: not pod.recorded or pod.index == VALID),
            each_result("no pod fails its start", lambda pod: pod.ended == SERVING),
        ],
        drawn=["lock", "look", "record", "build", "check"],
        lanes=[
            Lane(database, lambda state: state.index, lambda state: state.index == INVALID)
            for database in databases.values()
        ],
    )


def waits(step: Step) -> bool:
    return step.op is not None and step.op.verb == "open_snapshot"


def gives_up(step: Step) -> bool:
    return step.op is not None and step.op.verb == "give_up"


def records(step: Step) -> bool:
    return step.op is not None and step.op.verb == "record"


_BUILDS = ("build", "build", "the build's begin", "its end")
MECHANISMS = {
    "no-lock": Mechanism(
        "nothing keeps pods apart: another pod's build and mine wait for each other, and the database ends one",
        partial(build, lock="none"),
        Window("other pod's build", waits, *_BUILDS),
    ),
    "blocking-lock": Mechanism(
        "another pod waits for the migration lock in a transaction, for which my build waits in its turn",
        partial(build, lock="blocking"),
        Window("other pod's wait for the lock", waits, *_BUILDS),
    ),
    "ordinary-lock": Mechanism(
        "the lock's own transaction stays open, and the build inside it waits for that until the pod is killed",
        partial(build, lock="transaction"),
        Window("end by the probe", gives_up, *_BUILDS, by_others=False),
    ),
    "killed-midway": Mechanism(
        "the liveness probe kills a pod that builds, and the next one takes the invalid index for present",
        partial(build, probe=True),
        Window("end by the probe", gives_up, *_BUILDS, by_others=False),
    ),
    "left-invalid": Mechanism(
        "an earlier deploy left the index invalid, and IF NOT EXISTS takes it for present",
        partial(build, index=INVALID),
        Window("record", records, *_BUILDS, by_others=False),
    ),
    "recorded-early": Mechanism(
        "the migration is recorded before its index is valid, and the pod is killed in between",
        partial(build, records_early=True, probe=True),
        Window("end by the probe", gives_up, *_BUILDS, by_others=False),
    ),
}


def one_pod(seen: Sequence[Seen]) -> str:
    return "no result" if seen[0].result is None else seen[0].result.ended


def pods(seen: Sequence[Seen]) -> str:
    failed = sum(one.result is None or bool(one.result.failure) for one in seen)
    return "all serve" if not failed else "some fail" if failed < len(seen) else "all fail"


def log(seen: Sequence[Seen]) -> str:
    waits = sorted({one.result.waited for one in seen if one.result is not None and one.result.waited != "nothing"})
    return f"pods waited for {' and '.join(waits)}" if waits else "no pod waited"


HYPOTHESES = Hypotheses(
    nothing=build,
    evidence=Observable(
        fields=(
            Field("service", compared=False),
            Field("ended"),
            Field("waited", says="waited for {}"),
            Field("recorded", bool, says="recorded: {}"),
            Field("index", says="index {}"),
        ),
    ),
    identity=("service",),
    faults=(KILLED,),
    failing="of a probe",
    experiments={
        "database log": Experiment(
            "look up, in the log of the database, what each session waited for when the deadlock was detected",
            {}, (), log, "nothing: the log is there",
            ("no pod waited", "pods waited for the lock", "pods waited for the table"),
        ),
        "one pod": Experiment(
            "deploy one pod alone on a copy of the database without the index", {"runs": 1, "service": ("hexpm",)},
            (0.0,), one_pod, "a copy of the database", (SERVING, DEADLOCK, UNCHECKED, KILLED),
        ),
        "two pods at once": Experiment(
            "deploy two pods at once on a copy of the database without the index",
            {"runs": 2, "service": ("hexpm",)}, (0.0, 0.0), pods, "a copy of the database",
            ("all serve", "some fail", "all fail"),
        ),
    },
    rule=Rule(
        "one pod", SERVING, KILLED, "one pod serves: a race of pods; it is killed: the probe is too impatient",
        "the usual first try", provided="nothing else was open on the copy",
    ),
)  # fmt: skip
