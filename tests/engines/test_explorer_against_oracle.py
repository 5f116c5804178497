"""The explorer agrees with the least clever one on a thousand random systems a week, and wrong twins of it do not."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dstamp_sim import Flock, ModelError, Process, ScheduleError, SharedObject, System, at_end, explore
from dstamp_sim.core.automaton import Automaton
from dstamp_sim.core.semantics import Local, Semantics
from dstamp_sim.engines.explore.settings import NO_REDUCTION
from dstamp_sim.engines.tables.tables import LocalKey, Tables
from tests.agreement import judged
from tests.oracle import RUNNING, Findings, State
from tests.random_systems import described, findings, random_system
from tests.todays import in_parts

FAST, ALL = 150, 1000


def check(seeds: range) -> None:
    for seed in seeds:
        system = random_system(seed)
        differences = list(_differences(system, findings(seed)))
        assert not differences, f"seed {seed}: {differences}\n{described(system)}"


@pytest.mark.parametrize("first", range(0, FAST, 50))
def test_the_explorer_agrees_with_the_oracle_on_random_systems(first: int) -> None:
    check(range(first, first + 50))


@pytest.mark.slow
@pytest.mark.parametrize("seeds", in_parts(range(FAST, ALL), 50), ids=str)
def test_the_explorer_agrees_with_the_oracle_on_more_systems(seeds: range) -> None:
    check(seeds)


def test_the_random_systems_are_not_trivial() -> None:
    tally: Counter[str] = Counter()
    for seed in range(FAST):
        tally.update(_kinds(random_system(seed), findings(seed)))
    parts = {
        "deadlock": 0.2,
        "no deadlock": 0.5,
        "violated": 0.2,
        "safe": 0.3,
        "some process waits": 0.4,
        "crashes": 0.25,
        "daemon": 0.15,
        "only daemons in a deadlock": 0.01,
        "placement": 0.25,
        "private object": 0.3,
        "several outcomes": 0.15,
        "result differs by schedule": 0.25,
        "more than 50 states": 0.5,
    }
    rare = {kind: tally[kind] for kind, part in parts.items() if tally[kind] < part * tally["systems"]}
    assert not rare, f"of {tally['systems']} systems only {rare}"


def forgets_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a dead process held stays locked."""
    monkeypatch.setattr(Flock, "on_death", SharedObject.on_death)


def keeps_private_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon finds its private objects as it left them."""

    def settle(self: Tables, key: LocalKey) -> int:
        if self.classes[key.klass].daemon and self._ends(key):
            return self.arrive(key.klass, Local(0, key.local.private))
        return self.arrive(key.klass, key.local)

    monkeypatch.setattr(Tables, "_settle", settle)


def first_outcome_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment always decides the same way."""
    honest = Semantics.look_up
    monkeypatch.setattr(Semantics, "look_up", lambda *arguments: honest(*arguments)[:1])


def daemons_may_die(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every process is killable."""
    honest = Tables.deaths

    def deaths(self: Tables) -> Any:
        found = honest(self)
        return found._replace(killable=np.ones_like(found.killable))

    monkeypatch.setattr(Tables, "deaths", deaths)


def daemons_may_wait_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that waits for ever amid its work is in no deadlock."""
    monkeypatch.setattr(Automaton, "at_beginning", lambda *_: True)


def daemons_may_wait_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that waits for ever before its first op is in a deadlock."""
    monkeypatch.setattr(Automaton, "at_beginning", lambda *_: False)


TWINS = [
    forgets_release,
    keeps_private_objects,
    first_outcome_only,
    daemons_may_die,
    daemons_may_wait_anywhere,
    daemons_may_wait_nowhere,
]


@pytest.mark.parametrize("twin", TWINS)
def test_a_wrong_twin_of_the_semantics_is_caught_by_the_comparison(twin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # The oracle searches first, with the honest semantics.
    systems = {seed: system for seed in range(FAST) if _has_hazards(system := random_system(seed))}
    expected = {seed: findings(seed) for seed in systems}
    twin(monkeypatch)
    assert any(_caught(system, expected[seed]) for seed, system in systems.items())


def _caught(system: System, expected: Findings) -> bool:
    try:
        return any(_differences(system, expected, replays=False))
    except (AssertionError, ModelError, ScheduleError, ValueError):
        return True  # its counterexample does not replay


def _has_hazards(system: System) -> bool:
    return system.crashes > 0 or any(process.daemon for process in system.processes) or _flips(system)


def _differences(system: System, expected: Findings, *, replays: bool = True) -> Iterator[str]:
    """What the explorer says otherwise than the oracle, in words; all reductions off, so counts are compared too.

    Local states are histories, as the oracle's are.
    """
    ends: set[tuple[tuple[str, Any], ...]] = set()
    collector = at_end("(collects)", lambda results: ends.add(tuple(sorted(results.items()))) or True)
    watched = replace(system, properties=(*system.properties, collector))
    report = explore(watched, keep_going=True, reductions=replace(NO_REDUCTION, by_value=False))
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
        "only daemons in a deadlock": any(_is_of_daemons(system, state) for state in found.deadlocks),
        "placement": any(instance.bound for instance in system.instances()),
        "private object": any(item.private for item in system.objects),
        "several outcomes": _flips(system),
        "result differs by schedule": len(found.results_at_end) > 1,
        "more than 50 states": found.states > 50,
    }
    yield from (kind for kind, answer in answers.items() if answer)


def _is_of_daemons(system: System, state: State) -> bool:
    instances = zip(system.instances(), state.local, strict=True)
    return all(instance.process.daemon or local.phase != RUNNING for instance, local in instances)


def _flips(system: System) -> bool:
    def coins(process: Process) -> bool:
        return "'flip'" in repr(process.args[0])

    return any(coins(process) for process in system.processes)
