"""A run on real parts with real concurrency, and then an order of its ops in which the model explains the results."""

from __future__ import annotations

import random
import selectors
import time
from dataclasses import replace
from typing import Any

from dstamp_sim.conformance.linearise import TimedOp, linearise
from dstamp_sim.conformance.play import Bench, Part
from dstamp_sim.conformance.workers import BLOCKED, Worker
from dstamp_sim.core.errors import Disagreement
from dstamp_sim.core.op import DELAY, ENTER, EXIT, GAVE_UP, Op, Program
from dstamp_sim.core.placement import lay_over
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.core.shared_object import SharedObject
from dstamp_sim.core.system import Instance, System
from dstamp_sim.core.trace import Step, Trace
from dstamp_sim.core.value import text


def run_freely(system: System, bench: Bench, *, seed: int, delay_s: float) -> Trace:
    """The trace of a run with real concurrency: every process goes on as soon as its op has ended.

    Delays last up to `delay_s` seconds, drawn with `seed`; the rest is the machine's. The trace is an order of the ops
    that respects real time and in which the model returns every process's results; it replays through `replay`.
    Raises Disagreement when there is none.
    """
    run = _Free(system, bench, random.Random(seed), delay_s)
    events = run.run()
    semantics = Semantics(system)
    found = linearise(semantics, events)
    if found is None:
        ops = "; ".join(f"{event.process} {event.op} -> {text(event.result)}" for event in sorted(events, key=_ended))
        raise Disagreement(f"no order of the ops explains the processes' results: {ops}")
    state, steps = semantics.initial(), list[Step]()
    for move, time_s in found:
        after = semantics.perform(state, move)
        steps.append(semantics.step(state, move, after, time_s))
        state = after
    return replace(semantics.trace(steps, state), starts_s=dict.fromkeys(semantics.names, 0.0))


def _ended(event: TimedOp) -> float:
    return event.ended_s


class _Life:
    """One process of a free run: its program so far, and its worker."""

    def __init__(self, instance: Instance, worker: Worker) -> None:
        self.instance, self.worker = instance, worker
        self.body = self._start()
        self.op: Op | None = None

    def _start(self) -> Program[Any]:
        process = self.instance.process
        return lay_over(process.program(*process.args), self.instance.bound)

    def advance(self, result: Any) -> None:
        """Runs on to the next op that touches something or takes time; None when the program returned."""
        try:
            self.op = self.body.send(result)
            while self.op.target is None and self.op.verb in (ENTER, EXIT):
                self.op = self.body.send(None)
        except StopIteration:
            self.op = None

    def again(self) -> None:
        """Restarts, as a daemon does."""
        self.body = self._start()
        self.advance(None)


class _Free:
    """A run whose processes are not held at a barrier."""

    def __init__(self, system: System, bench: Bench, generator: random.Random, delay_s: float) -> None:
        self.bench, self.generator, self.delay_s = bench, generator, delay_s
        self.lives = [_Life(instance, bench.hire(instance.name)) for instance in system.instances()]
        self.selector = selectors.DefaultSelector()
        self.events: list[TimedOp] = []
        self.begun = time.monotonic()

    def run(self) -> list[TimedOp]:
        for life in self.lives:
            life.advance(None)
            self.selector.register(life.worker, selectors.EVENT_READ, life)
            self._go_on(life)
        with self.selector:
            while any(life.op is not None for life in self.lives if not life.instance.process.daemon):
                for key, _ in self.selector.select():
                    self._answered(key.data)
        return self.events

    def _go_on(self, life: _Life) -> None:
        """Sends the next op, or ends the process."""
        op = life.op
        if op is None and life.instance.process.daemon:
            life.again()
            op = life.op
        if op is None:
            self.selector.unregister(life.worker)
            began = time.monotonic()
            life.worker.leave()
            self._note(life, None, None, began, time.monotonic())
        elif op.target is None:
            life.worker.send("", DELAY, (self.generator.uniform(0, self.delay_s),), wait=True)
        else:
            part = self._part(op.target)
            args = part.real_args(life.instance.name, op, self.generator.choice(["well", "failed"]))
            assert args is not None, "descriptors are not handed on in a free run"
            life.worker.send(op.target.name, op.verb, args, wait=not op.patience)

    def _answered(self, life: _Life) -> None:
        op = life.op
        assert op is not None
        raw, began, ended = life.worker.receive()
        target = op.target
        result: Any = None
        if target is not None:
            gave_up = raw == BLOCKED  # it was asked not to wait
            result = GAVE_UP if gave_up else self._part(target).model_result(life.worker.pid, op, raw, ())
        self._note(life, op, result, began, ended)
        life.advance(result)
        self._go_on(life)

    def _part(self, target: SharedObject) -> Part:
        part: Part = self.bench.parts[target.name]
        return part

    def _note(self, life: _Life, op: Op | None, result: Any, began: float, ended: float) -> None:
        self.events.append(TimedOp(life.instance.name, op, result, began - self.begun, ended - self.begun))
