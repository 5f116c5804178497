"""A Docker Swarm service: Spec, PreviousSpec, UpdateStatus, version index, rollback, removal and re-creation."""

from __future__ import annotations

from typing import Literal, NamedTuple

from dstamp_sim.core.op import Op
from dstamp_sim.core.shared_object import Outcome, SharedObject

MISSING = "missing"
OUT_OF_SEQUENCE = "update out of sequence"
NOT_FOUND = "service not found"
NAME_CONFLICT = "name conflicts with an existing object"

Status = Literal["updating", "paused", "completed", "rollback_started", "rollback_paused", "rollback_completed"]
FailureAction = Literal["rollback", "pause"]


class Spec(NamedTuple):
    """What a service is told to be: its labels chaos-version (None: no chaos stamp) and run, its tasks' content."""

    stamp: str | None
    content: str
    run: str = ""


UNDER_WAY = ("updating", "rollback_started")
"""The states of UpdateStatus that will change by themselves."""

MIXED = "mixed"
"""As the content of a service's tasks: a failed update left tasks of both."""


class Service(NamedTuple):
    """A live service, as `docker service inspect` shows it; `id` and `version` stay 0 where they are not modelled.

    `tasks` is the content that its tasks run where that is not Spec's (`MIXED` where they run several). `unseen`: an
    update (or rollback) goes on of which UpdateStatus tells nothing, since its own Spec was deployed again meanwhile.
    """

    id: int
    version: int
    spec: Spec
    previous: Spec | None
    status: Status | None
    tasks: str | None = None
    unseen: bool = False


class Swarm(NamedTuple):
    """The state: the service (None: there is none) and the cluster's version index."""

    service: Service | None = None
    version_index: int = 0


class SwarmService(SharedObject):
    """One service of one stack (DOMAIN, "Docker Swarm").

    - A deploy creates or updates. With `versioned`, an update with a stale version fails with `update out of sequence`,
      one of a removed service (also if it was created again) and a create over an existing name fail too, and every
      change takes the next version;
      without, versions and ids are not modelled (they grow without bound).
    - Every update sets PreviousSpec = Spec, clears UpdateStatus, and cancels a running update to another Spec.
    - A label-only change (same content) replaces Spec and starts no task, unless an update is under way: then that
      goes on. An update to what the tasks still run completes at once, and cannot fail (docs/held-against-reality.md).
    - The very Spec that an update is under way to, deployed again, does not cancel it, but clears UpdateStatus: the
      update goes on `unseen`. Its end is told nowhere, and if it fails nothing is rolled back or paused.
    - A failed update rolls back: Spec = PreviousSpec, *labels included*, PreviousSpec absent, `rollback_started` then
      `rollback_completed`; a failed rollback pauses. With `failure_action="pause"` the new Spec stays.
    - Removal forgets the service; a re-created one has a new id.

    `orchestrated=False` completes every update at once, for models where nothing observes convergence. Otherwise a
    daemon performs `settle`: that is when an update (or rollback) succeeds or, with `may_fail`, does not. (So an
    orchestrated service is never `private`: no daemon reaches what is another's.)
    """

    def __init__(
        self,
        name: str,
        initial: Swarm = Swarm(),  # noqa: B008 - immutable
        *,
        orchestrated: bool = False,
        versioned: bool = False,
        failure_action: FailureAction = "rollback",
        private: bool = False,
    ) -> None:
        super().__init__(name, initial, private=private)
        self.orchestrated = orchestrated
        self.versioned = versioned
        self.failure_action = failure_action

    def version(self) -> Op:
        """Returns the service's version, or None when there is no service: the listing with which a deploy begins."""
        return self.op("version")

    def exists(self) -> Op:
        """Returns whether there is a service."""
        return self.op("exists")

    def deploy(self, spec: Spec, version: int | None = None) -> Op:
        """Creates or updates; returns "created", "updated", `OUT_OF_SEQUENCE`, `NAME_CONFLICT` or `NOT_FOUND`."""
        return self.op("deploy", spec, version)

    def read_stamp(self, *, lagging: bool = False) -> Op:
        """Returns the stamp in Spec's labels, or `MISSING`; a lagging read may see PreviousSpec during an update."""
        return self.op("read_stamp", lagging)

    def inspect(self) -> Op:
        """Returns the stamps of Spec and PreviousSpec ("absent" without one), and UpdateStatus ("unset").

        None without a service.
        """
        return self.op("inspect")

    def read_spec(self) -> Op:
        """Returns the whole Spec, or None when there is no service."""
        return self.op("read_spec")

    def wait_settled(self) -> Op:
        """Blocks while UpdateStatus says that something is under way; returns it (None: unset, or no service)."""
        return self.op("wait_settled")

    def wait_update(self) -> Op:
        """Blocks until an update or a rollback is under way: what the orchestrator waits for. Returns None."""
        return self.op("wait_update")

    def settle(self, *, may_fail: bool) -> Op:
        """The orchestrator ends what is under way, for better or, with `may_fail`, for worse; returns UpdateStatus."""
        return self.op("settle", may_fail)

    def remove(self) -> Op:
        """Removes the service; returns whether there was one."""
        return self.op("remove")

    def outcomes(self, state: Swarm, op: Op) -> tuple[Outcome, ...]:
        """Deterministic but for a settling update that may fail and a lagging read."""
        service = state.service
        match op.verb, op.args:
            case "version", ():
                return (Outcome(state, service.version if service else None),)
            case "exists", ():
                return (Outcome(state, service is not None),)
            case "deploy", (Spec() as spec, version):
                return (self._deployed(state, spec, version),)
            case "read_stamp", (lagging,):
                return tuple(Outcome(state, stamp, label) for stamp, label in _stamps(service, lagging=bool(lagging)))
            case "inspect", ():
                return (Outcome(state, _fingerprint(service)),)
            case "read_spec", ():
                return (Outcome(state, service.spec if service else None),)
            case "wait_settled", ():
                status = service.status if service else None
                return () if status in UNDER_WAY else (Outcome(state, status),)
            case "wait_update", ():
                return (Outcome(state),) if under_way(service) else ()
            case "settle", (may_fail,):
                return self._settled(state, may_fail=bool(may_fail))
            case "remove", ():
                return (Outcome(state._replace(service=None), service is not None),)
        raise self.unknown_verb(op)

    def _deployed(self, state: Swarm, spec: Spec, version: object) -> Outcome:
        old = state.service
        if self.versioned and version != (old.version if old else None):
            return Outcome(state, _refusal(old, version))
        if old is None:
            index = state.version_index + 1 if self.versioned else 0
            return Outcome(self._stored(state, Service(index, 0, spec, None, None)), "created")
        return Outcome(self._stored(state, self._updated(old, spec)), "updated")

    def _updated(self, old: Service, spec: Spec) -> Service:
        if spec == old.spec and under_way(old):
            return old._replace(previous=spec, status=None, unseen=True)
        running = old.tasks or old.spec.content
        if not self.orchestrated:
            return Service(old.id, 0, spec, old.spec, None if spec.content == running else "completed")
        if spec.content == running:
            return Service(old.id, 0, spec, old.spec, "completed" if under_way(old) else None)
        return Service(old.id, 0, spec, old.spec, "updating", running)

    def _settled(self, state: Swarm, *, may_fail: bool) -> tuple[Outcome, ...]:
        service = state.service
        if service is None or not under_way(service):
            return (Outcome(state, service.status if service else None, "superseded"),)
        if service.unseen:
            return _settled_unseen(state, service, may_fail=may_fail)
        rolling_back = service.status == "rollback_started"
        well = service._replace(status="rollback_completed" if rolling_back else "completed", tasks=None)
        ends = [(well, "rolled back" if rolling_back else "converged")]
        if may_fail:
            ends.append(self._failed(service))
        return tuple(Outcome(self._stored(state, end), end.status, label) for end, label in ends)

    def _stored(self, state: Swarm, service: Service) -> Swarm:
        """The swarm with a changed service: every change takes the next version."""
        index = state.version_index + 1 if self.versioned else 0
        return Swarm(service._replace(version=index), index)

    def _failed(self, service: Service) -> tuple[Service, str]:
        if service.status == "rollback_started":
            return service._replace(status="rollback_paused"), "rollback failed"
        mixed = service._replace(tasks=MIXED)
        if self.failure_action == "pause" or service.previous is None:
            return mixed._replace(status="paused"), "update failed, paused"
        back = mixed._replace(spec=service.previous, previous=None, status="rollback_started")
        return back, "update failed, rolling back"


def _settled_unseen(state: Swarm, service: Service, *, may_fail: bool) -> tuple[Outcome, ...]:
    """The orchestrator finds UpdateStatus unset and changes nothing of the service, however the tasks fared."""
    ends = [(service._replace(tasks=None, unseen=False), "converged")]
    if may_fail:
        ends.append((service._replace(tasks=MIXED, unseen=False), "update failed, unseen"))
    return tuple(Outcome(state._replace(service=end), None, label) for end, label in ends)


def _refusal(old: Service | None, version: object) -> str:
    """Why an update by a stale listing fails; a service's id is its first version, and an update names the id."""
    if version is None:
        return NAME_CONFLICT
    return OUT_OF_SEQUENCE if old is not None and isinstance(version, int) and version >= old.id else NOT_FOUND


def _fingerprint(service: Service | None) -> tuple[str, str, str] | None:
    if service is None:
        return None
    previous = "absent" if service.previous is None else service.previous.stamp or "no chaos stamp"
    return service.spec.stamp or "no chaos stamp", previous, service.status or "unset"


def under_way(service: Service | None) -> bool:
    """Whether an update or a rollback goes on, seen in UpdateStatus or not."""
    return service is not None and (service.unseen or service.status in UNDER_WAY)


def _stamps(service: Service | None, *, lagging: bool) -> list[tuple[str | None, str]]:
    if service is None:
        return [(MISSING, "")]
    stamps = [(service.spec.stamp, "")]
    if lagging and service.status == "updating" and service.previous is not None:
        stamps.append((service.previous.stamp, "read too early"))
    return stamps
