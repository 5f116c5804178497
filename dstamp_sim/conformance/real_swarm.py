"""`SwarmService` by a real Docker Engine in swarm mode, with a toy service of one task."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import repeat
from typing import Any

from dstamp_sim.conformance.keeper import IMAGE, Engine, NoEngine
from dstamp_sim.conformance.workers import BLOCKED
from dstamp_sim.core.op import Op
from dstamp_sim.core.shared_object import Outcome
from dstamp_sim.objects.swarm_service import (
    MISSING,
    MIXED,
    NAME_CONFLICT,
    NOT_FOUND,
    OUT_OF_SEQUENCE,
    UNDER_WAY,
    Service,
    Spec,
    Swarm,
    SwarmService,
    under_way,
)

NOW = "now"
"""The listing of a deploy: one made by the deploy itself."""

_NS = 1_000_000_000
_POLL_S = 0.02
_SETTLE_S = 30.0
"""How long the orchestrator may take for an expected change."""

_MONITOR_S = 1
"""How long a modelled orchestrator watches for a failure: a later one does not end an update."""

# A task waits for its order: run (it becomes healthy, and so `running`) or fail. Orders are files named after tasks.
_TASK = """
told() { [ -e "/control/$TASK.$1" ]; }
until told run; do told fail && exit 1; usleep 20000; done
touch /ready
exec sleep 1000000
"""

_REPLICAS = 2
"""Settings of a service with modelled convergence: otherwise swarm calls a rollback completed before its task runs."""


class ServiceHand:
    """Performs the verbs of a service in one process by the HTTP API: as `docker stack deploy` does."""

    def __init__(
        self, engine: Engine, stack: str, *, orchestrated: bool, failure_action: str, replicas: int | None = None
    ) -> None:
        self.engine, self.stack, self.name = engine, stack, f"{stack}_app"
        self.orchestrated, self.failure_action = orchestrated, failure_action
        self.replicas = replicas or (_REPLICAS if orchestrated else 1)
        self._client: Any = None

    @property
    def client(self) -> Any:
        """This process's own client: it does not survive a fork."""
        if self._client is None:
            self._client = self.engine.client()
        return self._client

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_client": None}

    def perform(self, verb: str, args: tuple[Any, ...], *, wait: bool) -> Any:
        """Returns (id, version) for a version; blocks by polling."""
        match verb, args:
            case "deploy", (spec, listed):
                return self._deploy(spec, listed)
            case "settle", (hint,):
                return self._settle(hint)
            case "remove", ():
                return self._remove()
            case "wait_settled" | "wait_update", ():
                return self._wait(wait=wait, for_update=verb == "wait_update")
        found = self.inspect()
        match verb:
            case "version":
                return self._list()
            case "exists":
                return found is not None
            case "read_stamp":
                return MISSING if found is None else self.spec(found["Spec"]).stamp
            case "read_spec":
                return None if found is None else self.spec(found["Spec"])
        raise NotImplementedError(f"no verb {verb!r}")

    def inspect(self) -> Any:
        """The service as the engine shows it; None if there is none."""
        from docker.errors import NotFound  # noqa: PLC0415 - optional: only the real parts need it

        try:
            return self.client.inspect_service(self.name)
        except NotFound:
            return None

    def spec(self, real: Any) -> Spec:
        """The model's part of a real Spec."""
        labels = real["Labels"]
        content = self._environment(real["TaskTemplate"])["CONTENT"]
        return Spec(labels.get(self.label("chaos-version")), content, labels.get(self.label("run"), ""))

    @staticmethod
    def _environment(task: Any) -> dict[str, str]:
        return dict(item.split("=", 1) for item in task["ContainerSpec"]["Env"])

    def label(self, key: str) -> str:
        """The full name of a service label."""
        return f"coop-cloud.{self.stack}.{key}"

    def _deploy(self, spec: Spec, listed: Any) -> str:
        """`listed` is the result of a listing, (id, version) or None; `NOW` for a listing of this very moment.

        In the second case a client that comes too late lists again, which makes the whole one atomic op, as models
        without versions have it. `docker stack deploy` itself does not try again.
        """
        if listed != NOW:
            return self._request(spec, listed)
        while (gave := self._request(spec, self._list())) in (OUT_OF_SEQUENCE, NAME_CONFLICT, NOT_FOUND):
            pass
        return gave

    def _list(self) -> tuple[str, int] | None:
        found = self.inspect()
        return None if found is None else (found["ID"], found["Version"]["Index"])

    def _request(self, spec: Spec, listed: Any) -> str:
        from docker.errors import APIError  # noqa: PLC0415 - as above

        try:
            if listed is None:
                self.client.create_service(**self._real(spec))
                if self.orchestrated:
                    self._run_first_tasks()
                return "created"
            self.client.update_service(*listed, **self._real(spec))
        except APIError as error:
            for known in (OUT_OF_SEQUENCE, NAME_CONFLICT):
                if known in str(error):
                    return known
            if error.status_code == 404:
                return NOT_FOUND
            raise
        return "updated"

    def _real(self, spec: Spec) -> dict[str, Any]:
        """The service as a stack deploy makes it of a compose file: labels for the stamp, the task for the content."""
        labels = {"com.docker.stack.namespace": self.stack, self.label("chaos"): str(spec.stamp is not None).lower()}
        if spec.stamp is not None:
            labels[self.label("chaos-version")] = spec.stamp
        if spec.run:
            labels[self.label("run")] = spec.run
        watch = _MONITOR_S * _NS if self.orchestrated else _NS // 1000
        update = {"Parallelism": 1, "Monitor": watch, "Order": "start-first"}
        return {
            "name": self.name,
            "labels": labels,
            "task_template": {
                "ContainerSpec": self._container(spec),
                "RestartPolicy": {"Condition": "none"},
                "Networks": [{"Target": "host"}],
            },
            "mode": {"Replicated": {"Replicas": self.replicas}},
            "update_config": update | {"FailureAction": self.failure_action},
            "rollback_config": update | {"FailureAction": "pause"},
        }

    def _container(self, spec: Spec) -> dict[str, Any]:
        container: dict[str, Any] = {
            "Image": IMAGE,
            "Env": [f"CONTENT={spec.content}", "TASK={{.Task.ID}}"],
            "StopSignal": "SIGKILL",
            "Init": False,
        }
        if not self.orchestrated:
            return container | {"Command": ["/bin/busybox", "sleep", "1000000"]}
        probe = {"Test": ["CMD", "/bin/busybox", "test", "-e", "/ready"], "Interval": _NS // 10, "Retries": 1_000_000}
        control = {"Type": "bind", "Source": "/run/control", "Target": "/control"}
        return container | {"Command": ["/bin/busybox", "sh", "-c", _TASK], "Healthcheck": probe, "Mounts": [control]}

    def status(self) -> str | None:
        """The state in UpdateStatus; None if it is unset or there is no service."""
        found = self.inspect()
        return None if found is None else found.get("UpdateStatus", {}).get("State")

    def under_way(self) -> bool:
        """Whether an update or a rollback goes on, even if UpdateStatus does not show it: then a new task waits."""
        return self.status() in UNDER_WAY or bool(self.waiting_tasks())

    def _wait(self, *, wait: bool, for_update: bool) -> Any:
        def over() -> bool:
            return self.under_way() if for_update else self.status() not in UNDER_WAY

        while not over():
            if not wait:
                return BLOCKED
            time.sleep(_POLL_S)
        return None if for_update else self.status()

    def _settle(self, hint: str) -> str | None:
        """Lets the new tasks run, or one of them fail, and waits for the orchestrator's reaction.

        An update fails in its second task: what the first one changed must then be rolled back, which takes a task too.
        """
        before = self.status()
        if not self.under_way():
            return before
        well = repeat("run")
        # A rollback of a task that has changed is one task; so is the rest of an update that began with tasks of both.
        orders = well if "failed" not in hint else iter(["fail"] if self.content() == MIXED else ["run", "fail"])
        if before is None:
            return self._settle_unseen(orders)
        return self._order_until(orders, lambda: None if (after := self.status()) == before else str(after))

    def _settle_unseen(self, orders: Iterator[str]) -> str | None:
        """The same without UpdateStatus: until every task serves, all have the new content, or one has failed.

        The watch must be over: the model has no deploy during it.
        """

        def failures() -> int:
            return sum(task["Status"]["State"] == "failed" for task in self._tasks("shutdown"))

        def ended() -> str | None:
            new = self.content() == self.spec(self.inspect()["Spec"]).content
            return "ended" if self._all_serve() and (new or failures() > before) else None

        before = failures()
        self._order_until(orders, ended)
        time.sleep(_MONITOR_S)
        return self.status()

    def _all_serve(self) -> bool:
        states = [task["Status"]["State"] for task in self._tasks("running", "ready")]
        return states == ["running"] * self.replicas

    def content(self) -> str | None:
        """The content of the serving tasks: `MIXED` if they differ, None if none serves."""
        serving = [task for task in self._tasks("running") if task["Status"]["State"] == "running"]
        found = {self._environment(task["Spec"])["CONTENT"] for task in serving}
        return MIXED if len(found) > 1 else next(iter(found), None)

    def _tasks(self, *desired: str) -> Any:
        from docker.errors import NotFound  # noqa: PLC0415 - as above

        try:
            return self.client.tasks({"service": self.name, "desired-state": list(desired)})
        except NotFound:  # no service
            return []

    def _run_first_tasks(self) -> None:
        """Lets the tasks of a new service run: the model's creation has no separate convergence."""
        self._order_until(repeat("run"), lambda: "yes" if self._all_serve() else None)

    def _order_until(self, orders: Iterator[str], done: Callable[[], str | None]) -> str:
        """Sends each waiting task one of the orders, while there are any, until `done()` is set; returns that."""
        until = time.monotonic() + _SETTLE_S
        while (what := done()) is None:
            for task, order in zip(self.waiting_tasks(), orders, strict=False):
                self.order(order, task)
            if time.monotonic() > until:
                raise TimeoutError(f"{self.name} is still {self.status()} after {_SETTLE_S:g} s")
            time.sleep(_POLL_S)
        return what

    def waiting_tasks(self) -> list[str]:
        """The service's tasks that should run and have no order yet, oldest first."""
        assert self.engine.control is not None
        tasks = self._tasks("running", "ready")
        ordered_to = {path.stem for path in self.engine.control.iterdir()}
        ordered = sorted(tasks, key=lambda task: (task["CreatedAt"], task["ID"]))
        return [task["ID"] for task in ordered if task["ID"] not in ordered_to]

    def order(self, order: str, task: str) -> None:
        """Tells a task to run or to fail."""
        assert self.engine.control is not None
        (self.engine.control / f"{task}.{order}").touch()

    def _remove(self) -> bool:
        from docker.errors import NotFound  # noqa: PLC0415 - as above

        try:
            self.client.remove_service(self.name)
        except NotFound:
            return False
        return True


class RealSwarmService:
    """The counterpart of a `SwarmService`: a separate service, in one engine with others."""

    def __init__(self, target: SwarmService, engine: Engine, tag: str = "") -> None:
        self.target, self._engine = target, engine
        self.stack = re.sub(r"[^A-Za-z0-9_.-]+", "-", target.name.split()[-1]) + tag
        self.labels: dict[str, str] = {}
        """The label with the live service's stamp, as it was at the last look."""
        self._hand = self.hand("")
        if target.orchestrated and engine.control is None:
            raise NoEngine(f"{target.name!r}: the tasks of a foreign engine cannot be made to fail")
        if self._hand.inspect() is not None:
            raise NoEngine(
                f"the engine at {engine.address} has a service {self._hand.name!r} already: it is not touched"
            )
        self._listed: dict[Any, Any] = {}  # the model's version by the real (id, version)
        initial: Swarm = target.initial  # type: ignore[assignment]  # any hashable in the base class
        if initial.service is not None:
            self._hand.perform("deploy", (initial.service.spec, None), wait=True)

    def hand(self, process: str) -> ServiceHand:
        """The hand that performs its verbs in the worker of a process."""
        return ServiceHand(
            self._engine, self.stack, orchestrated=self.target.orchestrated, failure_action=self.target.failure_action
        )

    def real_args(self, process: str, op: Op, hint: str) -> tuple[Any, ...] | None:
        """A listed version as the real one; for the orchestrator, the wanted outcome."""
        match op.verb, op.args:
            case "deploy", (spec, version):
                return (spec, self._real_version(version))
            case "settle", (may_fail,):
                return (hint if may_fail else "",)
        return ()

    def _real_version(self, version: Any) -> Any:
        if not self.target.versioned:
            return NOW
        return next((real for real, known in self._listed.items() if known == version), None)

    def model_result(self, worker_pid: int, op: Op, raw: Any, outcomes: Sequence[Outcome]) -> Hashable:
        """A real version as the model's: the first sight ties them to each other."""
        given: Hashable = raw
        if op.verb != "version" or raw is None:
            return given
        if not self.target.versioned:
            return 0
        if raw not in self._listed:
            allowed = [outcome.result for outcome in outcomes if outcome.result not in self._listed.values()]
            self._listed[raw] = allowed[0] if allowed else f"a new version {raw[1]}"
        known: Hashable = self._listed[raw]
        return known

    def died(self, worker_pid: int) -> None:
        """Does nothing: a request that was sent is carried out."""

    def look(self, process: str) -> Hashable:
        """Spec, PreviousSpec; with a modelled orchestrator also UpdateStatus, and the tasks' content if it changes."""
        found = self._hand.inspect()
        if found is None:
            return None
        stamp = self._hand.label("chaos-version")
        self.labels = {key: value for key, value in found["Spec"]["Labels"].items() if key == stamp}
        previous = found.get("PreviousSpec")
        specs = (self._hand.spec(found["Spec"]), previous and self._hand.spec(previous))
        if not self.target.orchestrated:
            return specs
        status = found.get("UpdateStatus", {}).get("State")
        return (*specs, status, self._hand.content(), self._hand.under_way())

    def seen(self, state: Any) -> Hashable:
        """The same of a model's state; versions are compared when they are read."""
        service: Service | None = state.service
        if service is None:
            return None
        specs = (service.spec, service.previous)
        if not self.target.orchestrated:
            return specs
        return (*specs, service.status, service.tasks or service.spec.content, under_way(service))

    def close(self) -> None:
        """Removes the service."""
        self._hand.perform("remove", (), wait=False)
        self._hand.client.close()
