"""Every claim of every explanation is true, of random systems and of every model; wrong twins of them are caught."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from dstamp_sim import Choice, System, Verdict, explore
from dstamp_sim.analyses.causes import Story
from dstamp_sim.analyses.claims import (
    Alone,
    CameOut,
    Circle,
    Claim,
    Depends,
    Did,
    Died,
    Early,
    Fails,
    Found,
    Lapsed,
    Lost,
    Overwrote,
    Read,
    Returned,
    Serially,
    Stale,
    StillFrom,
    TriedAndSafe,
    Undid,
)
from dstamp_sim.analyses.explain import Explanation, explain
from dstamp_sim.analyses.trace_record import Record
from dstamp_sim.analyses.trials import Came, Moved, Told, Trial
from dstamp_sim.analyses.verify import against
from tests.analyses.hold_twins import HOLD_TWINS
from tests.analyses.story_models import STORIES
from tests.analyses.story_systems import failing
from tests.expected_models import build, manifest

SAYS = tomllib.loads(Path(__file__).with_name("stories.toml").read_text(encoding="utf-8"))

NOT_SO = ("not", "so")
"""A value that is nowhere."""


def told(seeds: Iterator[int]) -> Iterator[tuple[int, Record, Explanation]]:
    """The explanations of the failing systems of these seeds."""
    for seed in seeds:
        found = failing(seed)
        if found is not None:
            yield seed, Record(*found), explain(*found)


def test_every_claim_about_random_systems_is_true_and_its_wrong_twins_are_caught():
    caught = check(150)
    assert {"Alone", "CameOut", "Did", "Died", "Fails", "Read", "Stale", "TriedAndSafe"} <= set(caught)


@pytest.mark.slow
def test_every_claim_about_5000_random_systems_is_true_and_every_kind_has_wrong_twins_that_are_caught():
    caught = check(5000)
    print(f"wrong twins caught: {dict(caught)}")  # noqa: T201 - figures to read, not to assert
    assert set(caught) >= {kind.__name__ for kind in TWINS}


def check(systems: int) -> Counter[str]:
    """Explains so many failing systems: no claim was dropped, and no wrong twin passes; how many were caught."""
    caught: Counter[str] = Counter()
    for seed, record, why in islice(told(iter(range(10**9))), systems):
        assert why.dropped == (), f"seed {seed}"
        for claim in why.claims:
            for twin in wrong_twins(claim, record):
                assert against(twin, record), f"seed {seed}: {twin} passes"
                caught[type(claim).__name__] += 1
    return caught


def wrong_twins(claim: Claim, record: Record) -> Iterator[Claim]:
    """Claims that are like a true one, and cannot be true too: off by a step, another writer, another order."""
    yield from (TWINS | HOLD_TWINS)[type(claim)](claim, record)


def _off(number: int, record: Record) -> list[int]:
    """The steps beside a step."""
    return [n for n in (number - 1, number + 1) if 0 <= n < len(record.trace.steps)]


def _writers(number: int | None, before: int) -> list[int | None]:
    """Everybody else who could have written what step `before` found, and nobody."""
    return [n for n in (None, *range(before)) if n != number]


def _other_trials(trial: Trial, record: Record) -> Iterator[Trial]:
    """The same with the trace's own choices, with one choice more, and with a change that it is not."""
    yield replace(trial, choices=(*trial.choices, Choice("nobody")))
    match trial.change:
        case Moved():
            yield replace(trial, change=replace(trial.change, later=not trial.change.later))
        case Came():
            yield replace(trial, change=replace(trial.change, outcome=replace(trial.change.outcome, result=NOT_SO)))
        case Told(step, outcome) if outcome is not None:
            performance, choice = record.performance, record.trace.steps[step].choice
            was = performance.semantics.outcomes(performance.states[step], performance.pid(choice.process))
            yield Trial(Told(step, was[choice.outcome]), record.trace.schedule.choices)
            return
    yield replace(trial, choices=record.trace.schedule.choices)


TWINS = {
    Fails: lambda c, _: [replace(c, step=n) for n in (c.step - 1, c.step + 1)],
    Found: lambda c, _: [replace(c, value=NOT_SO)],
    Read: lambda c, _: [replace(c, value=NOT_SO), *(replace(c, writer=n) for n in _writers(c.writer, c.step))],
    Overwrote: lambda c, _: [replace(c, value=NOT_SO), *(replace(c, over=n) for n in range(c.step) if n != c.over)],
    Lost: lambda c, r: [replace(c, writes=(*c.writes[:-1], (n, c.writes[-1][1]))) for n in _off(c.writes[-1][0], r)],
    StillFrom: lambda c, r: [replace(c, own=n) for n in _off(c.own, r)],
    Stale: lambda c, r: [
        replace(c, value=NOT_SO), replace(c, now=NOT_SO), replace(c, write=c.read), replace(c, acts=c.write),
        replace(c, answer=r.performance.semantics.outcomes(
            r.performance.states[c.read], r.performance.pid(r.of(c.read)))[r.trace.steps[c.read].choice.outcome]),
    ],
    Early: lambda c, _: [replace(c, value=NOT_SO), replace(c, now=NOT_SO), replace(c, result=NOT_SO)],
    Died: lambda c, r: [replace(c, step=n) for n in _off(c.step, r) if r.trace.steps[n].op is not None],
    Undid: lambda c, _: [replace(c, now=NOT_SO), *(replace(c, over=n) for n in range(c.step) if n != c.over)],
    Lapsed: lambda c, r: [replace(c, since=n) for n in _off(c.since, r) if r.of(n) != r.of(c.since)],
    CameOut: lambda c, _: [replace(c, result=NOT_SO), replace(c, other=replace(c.other, result=NOT_SO))],
    Did: lambda c, _: [replace(c, value=NOT_SO)],
    Returned: lambda c, _: [replace(c, value=NOT_SO)],
    Circle: lambda c, r: [
        Circle(c.name, c.links[:-1]),
        *(Circle(c.name, (Depends(replace(c.links[0].edge, target=n), c.links[0].value), *c.links[1:]))
          for n in _off(c.links[0].edge.target, r)),
    ],
    Alone: lambda c, _: [replace(c, helpers=(*c.helpers, "nobody")), replace(c, choices=c.choices[:-1])],
    Serially: lambda c, _: [replace(c, processes=c.processes[::-1])],
    TriedAndSafe: lambda c, r: [replace(c, trials=(twin,)) for trial in c.trials for twin in _other_trials(trial, r)],
}  # fmt: skip


def named(why: Explanation) -> bool:
    """Whether something single is said to have decided it: a cause, or what is held."""
    by_holds = why.waits is not None and why.waits.by_holds
    return by_holds or (why.cause is not None and why.cause.story is not Story.TURN)


@pytest.mark.parametrize("name", STORIES)
def test_what_is_said_of_a_small_model_is_so_word_for_word(name):
    why = story(STORIES[name]())
    assert {"sentence": why.sentence, "proof": why.proof} == SAYS[name]


def story(system: System) -> Explanation:
    """Why the first failing property of a system fails; nothing was dropped."""
    judgement = next(j for j in explore(system).judgements if j.trace is not None)
    why = explain(system, judgement.trace, about=judgement.prop)
    assert why.dropped == ()
    return why


def test_every_small_model_has_a_named_cause():
    assert all(named(story(made())) for made in STORIES.values())


def test_every_claim_about_every_model_is_true_and_95_percent_of_their_failures_have_a_named_cause():
    causes = []
    for entry in manifest():
        if entry["verdict"] != Verdict.VIOLATED.value:
            continue
        system = build(entry)
        for judgement in explore(system, keep_going=True).judgements:
            if judgement.trace is not None and judgement.verdict is Verdict.VIOLATED:
                why = explain(system, judgement.trace, about=judgement.prop)
                assert why.dropped == (), entry
                causes.append(named(why))
    print(f"{sum(causes)} of {len(causes)} failures of the models have a named cause")  # noqa: T201 - to read
    assert len(causes) > 20
    assert sum(causes) >= 0.95 * len(causes)
