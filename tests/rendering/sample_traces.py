"""Traces to draw: the incident's runs on one service, timed by hand, and small untimed ones."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dstamp_sim import (
    Choice,
    Flock,
    Lane,
    Process,
    Program,
    Register,
    Schedule,
    System,
    delay,
    explore,
    replay,
    section,
)
from dstamp_sim.core.op import Op
from dstamp_sim.core.semantics import Semantics, timed
from dstamp_sim.core.trace import Step, Trace
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.pipeline.explained import annotations_of, explained
from dstamp_sim.rendering.timeline.annotations import Annotations

BASE, HEAD = "eb96de94+U", "7ae7b0f7+U"
ORIGIN = datetime(2026, 6, 5, 2, 0)
STARTS_S = {
    "184": 17 * 60.0,
    "m2b-discourse": 5 * 86400 + 18 * 3600 + 54 * 60.0,
    "m2p-discourse": 5 * 86400 + 22 * 3600 + 44 * 60.0,
    "ab-discourse-7ae7b0f-oldmain": 5 * 86400 + 22 * 3600 + 48 * 60.0,
}
MINUTES = {
    "clone": 1.5,
    "base deploy": 4.0,
    "converge base": 2.5,
    "checkout": 0.1,
    "abra": 0.5,
    "converge": 5.5,
    "remove": 1.5,
}


def run(service: Register, flock: Flock) -> Program[str]:
    yield from section("fetch_recipe", _wait("clone"))
    yield from section("deploy_app", _deploy(service, flock))
    stamp = yield from section("upgrade", _upgrade(service))
    yield from section("teardown", _wait("remove"))
    return "pass" if stamp == HEAD else f"fail: {stamp}"


def _wait(*names: str) -> Program[None]:
    for name in names:
        yield delay(name)


def _deploy(service: Register, flock: Flock) -> Program[None]:
    held = yield flock.acquire()
    yield delay("base deploy")
    yield service.write(BASE)
    yield delay("converge base")
    yield flock.release(held)


def _upgrade(service: Register) -> Program[Any]:
    yield from section("checkout_head", _wait("checkout"))
    yield from section("chaos_redeploy", _redeploy(service))
    yield from section("wait_converged", _wait("converge"))
    return (yield from section("check_hc1", _read(service)))


def _redeploy(service: Register) -> Program[None]:
    yield delay("abra")
    yield service.write(HEAD)


def _read(service: Register) -> Program[Any]:
    return (yield service.read())


def cluster(count: int) -> tuple[System, Lane]:
    """So many runs on one service, behind one flock."""
    service, flock = Register("service disc-1a2b3c"), Flock("app-domain lock disc-1a2b3c")
    system = System(
        objects=[service, flock],
        processes=[Process("run", run, service, flock, copies=count)],
    )
    return system, Lane(service, lambda state: state, lambda state: state == BASE)


def in_time(system: System, starts_s: Mapping[str, float], minutes: Mapping[str, float] = MINUTES) -> Trace:
    """The trace of a system whose processes start at `starts_s`; a delay is performed when it has passed."""
    semantics, steps = Semantics(system), list[Step]()
    state, now = semantics.initial(), dict.fromkeys(range(len(semantics.names)), 0.0)
    now.update({pid: starts_s[name] for pid, name in enumerate(semantics.names)})
    ready = {pid: at + _length_s(semantics, state, pid, minutes) for pid, at in now.items()}
    at = 0.0
    while moves := [move for move in semantics.moves(state) if move.outcome == 0]:
        move = min(moves, key=lambda m: (max(ready[m.pid], at), m.pid))
        at = max(ready[move.pid], at)
        after = semantics.perform(state, move)
        steps.append(semantics.step(state, move, after, at))
        state = after
        ready[move.pid] = at + _length_s(semantics, state, move.pid, minutes)
    return timed(semantics.trace(steps, state), dict(starts_s))


def _length_s(semantics: Semantics, state: Any, pid: int, minutes: Mapping[str, float]) -> float:
    node = semantics.node(state, pid)
    delayed = node is not None and node.op is not None and node.op.verb == "delay"
    return 60 * minutes[str(node.op.args[0])] * (1 + 0.07 * pid) if delayed else 0.0  # type: ignore[union-attr]  # delayed: it has an op


def incident() -> tuple[Trace, list[Lane]]:
    system, lane = cluster(4)
    system = system.with_names({f"run#{n + 1}": name for n, name in enumerate(STARTS_S)})
    return in_time(system, STARTS_S), [lane]


def eight_runs() -> tuple[Trace, list[Lane]]:
    system, lane = cluster(8)
    return in_time(system, {f"run#{n + 1}": 150.0 * n for n in range(8)}), [lane]


def two_runs() -> tuple[Trace, list[Lane]]:
    """Untimed: the second run's base deploy falls between the first's redeploy and its check."""
    system, lane = cluster(2)
    return replay(system, Schedule.parse("run#1*9 run#2*4 run#1*3 run#2*8")), [lane]


def annotated(reference: str) -> tuple[Trace, list[Lane], Annotations]:
    """The first counterexample of a model, with its lanes and what its explanation points at."""
    system = load_model(reference).build({}, None)
    judgement = next(j for j in explore(system).judgements if j.trace is not None)
    assert judgement.trace is not None
    why = explained(system, judgement.trace, about=judgement.prop)
    return judgement.trace, list(system.lanes), annotations_of(judgement.trace, why)


def lost_update() -> Trace:
    """The bank of models/classic, untimed and without sections or lanes."""
    balance = Register("balance", 100)

    def withdraw(amount: int) -> Program[bool]:
        seen = yield balance.read()
        yield balance.write(seen - amount)
        return True

    system = System(objects=[balance], processes=[Process("customer", withdraw, 60, copies=2)])
    return replay(system, "customer#1 customer#2 customer#1 customer#2")


def deadlock(crashes: int = 0) -> Trace:
    """Two processes that take two locks in opposite order; with a crash, a third dies holding one."""
    one, two = Flock("lock one"), Flock("lock two")

    def take(first: Flock, second: Flock) -> Program[None]:
        yield first.acquire()
        yield second.acquire()

    processes = [Process("left", take, one, two), Process("right", take, two, one)]
    if crashes:
        processes.insert(0, Process("first", take, one, two))
    system = System(objects=[one, two], processes=processes, crashes=crashes)
    return replay(system, "first*2 first! left right" if crashes else "left right")


def long(steps: int) -> Trace:
    """One process that writes ever on, and another that reads at the end."""
    value = Register("value", 0)

    def write() -> Program[None]:
        for number in range(steps - 1):
            yield value.write(number % 7)

    def read() -> Program[Any]:
        return (yield value.read())

    system = System(objects=[value], processes=[Process("writer", write), Process("reader", read)])
    return replay(system, f"writer*{steps - 1} reader")


HOSTILE = ("x" * 300, "$\\frac{a}{$ $x$", 'fire 🔥 & <b>"é" ü 日本', "two\nlines\tand \x07 a bell \ud800")


def orchestrated() -> tuple[Trace, list[Lane]]:
    """Timed: a daemon rolls back what a run wrote, while the run sleeps."""
    service = Register("service", HEAD)

    def watch() -> Program[None]:
        yield delay("clone")
        yield service.write(BASE)
        yield service.wait_for(HEAD)

    def redeploy() -> Program[Any]:
        yield delay("converge")
        return (yield from section("check_hc1", _read(service)))

    processes = [Process("run", redeploy), Process("swarm orchestrator", watch, daemon=True)]
    system = System(objects=[service], processes=processes)
    return in_time(system, {"run": 0.0, "swarm orchestrator": 0.0}), [Lane(service, str, lambda s: s == BASE)]


def hostile() -> Trace:
    """Names of processes, sections, objects, locks and values that want to break a picture."""
    return replay(hostile_system(), [Choice(f"p{name}") for name in HOSTILE for _ in range(4)])


def hostile_system(processes: int = len(HOSTILE)) -> System:
    """The system of that trace, or of as many of its processes."""
    value, flock = Register(HOSTILE[0], HOSTILE[3]), Flock(HOSTILE[1])

    def act(text: str) -> Program[str]:
        held = yield flock.acquire()
        yield from section(text, section(HOSTILE[2], _ops([value.write(text), value.read()])))
        yield flock.release(held)
        return text

    return System(objects=[value, flock], processes=[Process(f"p{name}", act, name) for name in HOSTILE[-processes:]])


def _ops(ops: Sequence[Op]) -> Program[Any]:
    result = None
    for op in ops:
        result = yield op
    return result
