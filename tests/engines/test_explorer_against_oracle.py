"""The explorer agrees with the least clever one on a thousand random systems, and wrong twins of it do not."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from dstamp_sim import Outcome, Process, System, at_end, explore
from dstamp_sim.core.semantics import Local, Semantics, State
from dstamp_sim.engines import explorer
from dstamp_sim.engines.explorer import NO_REDUCTION
from tests.agreement import judged
from tests.oracle import Findings, search
from tests.random_systems import described, random_system

SEEDS = 1000
CHUNK = 50


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_the_explorer_agrees_with_the_oracle_on_random_systems(first: int) -> None:
    for seed in range(first, first + CHUNK):
        system = random_system(seed)
        expected = search(system)
        differences = list(_differences(system, expected))
        assert not differences, f"seed {seed}: {differences}\n{described(system)}"


def test_the_random_systems_are_not_trivial() -> None:
    tally: Counter[str] = Counter()
    for seed in range(0, SEEDS, 5):
        tally.update(_kinds(random_system(seed), search(random_system(seed))))
    parts = {
        "deadlock": 0.2,
        "no deadlock": 0.5,
        "violated": 0.2,
        "safe": 0.3,
        "some process waits": 0.4,
        "crashes": 0.25,
        "daemon": 0.15,
        "placement": 0.25,
        "private object": 0.3,
        "several outcomes": 0.15,
        "result differs by schedule": 0.25,
        "more than 50 states": 0.5,
    }
    rare = {kind: tally[kind] for kind, part in parts.items() if tally[kind] < part * tally["systems"]}
    assert not rare, f"of {tally['systems']} systems only {rare}"


class ForgetsRelease(Semantics):
    """What a dead process held stays locked."""

    def _die(self, state: State, pid: int) -> State:
        return super()._die(state, pid)._replace(shared=state.shared)


class KeepsPrivateObjects(Semantics):
    """A daemon finds its private objects as it left them."""

    def _apply(self, state: State, pid: int, target: Any, outcome: Outcome) -> State:
        after = super()._apply(state, pid, target, outcome)
        if target is None or not target.private or not self.processes[pid].daemon:
            return after
        private = tuple(
            outcome.state if item is target else old
            for item, old in zip(self.private, state.local[pid].private, strict=True)
        )
        local = list(after.local)
        local[pid] = Local(local[pid].node, private)
        return after._replace(local=tuple(local))


class FirstOutcomeOnly(Semantics):
    """The environment always decides the same way."""

    def outcomes(self, state: State, pid: int) -> tuple[Outcome, ...]:
        return super().outcomes(state, pid)[:1]


class DaemonsMayDie(Semantics):
    """Every process is killable."""

    def may_die(self, state: State, pid: int) -> bool:
        node = self.node(state, pid)
        return node is not None and not node.ended and state.deaths < self.system.crashes


class MovesTheLastFirst(Semantics):
    """The last process moves first: only the order of moves differs, so nothing may be found wrong with it."""

    def moves(self, state: State) -> Iterator[Any]:
        yield from sorted(super().moves(state), reverse=True)


@pytest.mark.parametrize("twin", [ForgetsRelease, KeepsPrivateObjects, FirstOutcomeOnly, DaemonsMayDie])
def test_a_wrong_twin_of_the_semantics_is_caught_by_the_comparison(
    twin: type[Semantics], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer, "Semantics", twin)
    systems = (system for system in map(random_system, range(SEEDS)) if _has_hazards(system))
    assert any(any(_differences(system, search(system), replays=False)) for system in systems)


def test_a_twin_that_moves_processes_in_another_order_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorer, "Semantics", MovesTheLastFirst)
    for seed in range(60):
        system = random_system(seed)
        assert not list(_differences(system, search(system), replays=False)), f"seed {seed}\n{described(system)}"


def _has_hazards(system: System) -> bool:
    return system.crashes > 0 or any(process.daemon for process in system.processes) or _flips(system)


def _differences(system: System, expected: Findings, *, replays: bool = True) -> Iterator[str]:
    """What the explorer says otherwise than the oracle, in words; all reductions off, so counts are compared too."""
    ends: set[tuple[tuple[str, Any], ...]] = set()
    collector = at_end("(collects)", lambda results: ends.add(tuple(sorted(results.items()))) or True)
    watched = replace(system, properties=(*system.properties, collector))
    report = explore(watched, keep_going=True, reductions=NO_REDUCTION)
    pairs: list[tuple[str, Any, Any]] = [
        ("exhausted", report.coverage.exhausted, True),
        ("states", report.coverage.states, expected.states),
        ("transitions", report.coverage.transitions, expected.transitions),
        ("results at end", ends, expected.results_at_end),
    ]
    for what, got, wanted in (*pairs, *judged(system, report, expected, replays=replays)):
        if got != wanted:
            yield f"{what}: {got}, but the oracle has {wanted}"


def _kinds(system: System, found: Findings) -> Iterator[str]:
    """The kinds that a system is of, for the tally."""
    wrong = [name for name, verdict in found.verdicts.items() if verdict == "VIOLATED"]
    answers = {
        "systems": True,
        "deadlock": bool(found.deadlocks),
        "no deadlock": not found.deadlocks,
        "violated": any(p.name in wrong and not p.is_wish for p in system.properties),
        "safe": not found.deadlocks and not any(p.name in wrong and not p.is_wish for p in system.properties),
        "some process waits": found.blocked_states > 0,
        "crashes": system.crashes > 0,
        "daemon": any(process.daemon for process in system.processes),
        "placement": any(instance.bound for instance in system.instances()),
        "private object": any(item.private for item in system.objects),
        "several outcomes": _flips(system),
        "result differs by schedule": len(found.results_at_end) > 1,
        "more than 50 states": found.states > 50,
    }
    yield from (kind for kind, answer in answers.items() if answer)


def _flips(system: System) -> bool:
    def coins(process: Process) -> bool:
        return "'flip'" in repr(process.args[0])

    return any(coins(process) for process in system.processes)
