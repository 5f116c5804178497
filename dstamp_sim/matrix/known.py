"""What is known of a cell without exploring it: a smaller cell's story fails here too, or a proof is for any number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from dstamp_sim.core.errors import ScheduleError
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.made_again import differences
from dstamp_sim.core.properties import Property, PropertyKind
from dstamp_sim.core.schedule import Choice, Schedule
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace
from dstamp_sim.core.verdict import Coverage, Verdict, certify
from dstamp_sim.engines.prove.unbounded import prove
from dstamp_sim.engines.replay import attempts, replay_to_end
from dstamp_sim.pipeline.subject import Subject

SHOWN_BY_A_RUN = frozenset(
    {PropertyKind.ALWAYS, PropertyKind.EACH_RESULT, PropertyKind.AT_END, PropertyKind.NO_DEADLOCK}
)
"""What one run shows to fail, at a small price."""

_OF_EVERY_NUMBER = frozenset({PropertyKind.ALWAYS, PropertyKind.EACH_RESULT})
"""What a proof settles for each number on its own: a `reachable` is reached with enough copies only."""

_LEFT = 100
"""How many ops each process may perform after a story, or before it."""


def carried(system: System, prop: Property, story: str) -> Trace | None:
    """A trace of `system` that violates `prop`, made of the story of a smaller one; None if the story makes none.

    Nothing is taken for granted: the choices that are possible here are performed, then each process goes on alone as
    long as it can (once more with the processes that the story does not move first); what decides is replayed strictly.
    """
    told = Schedule.parse(story)
    names = Semantics(system).names
    moves = [_renamed(choice, names) for choice in told]
    extra = [name for name in system.must_end if name not in {choice.process for choice in moves}]
    after = list(_alone(chain(system.must_end, names)))
    for before in ([], list(_alone(extra))):
        try:
            found = attempts(system, prop)(Schedule((*before, *moves, *after, *after), start=told.start))
        except ScheduleError:  # the story begins with an object that is not here
            return None
        if found is not None:
            return _checked(system, prop, found)
    return None


def _renamed(choice: Choice, names: Sequence[str]) -> Choice:
    """The choice of the process that is alone of its kind in the smaller system, and the first of several here."""
    first = f"{choice.process}#1"
    return choice._replace(process=first) if choice.process not in names and first in names else choice


def _alone(names: Iterable[str]) -> Iterator[Choice]:
    return (Choice(name) for name in names for _ in range(_LEFT))


def _checked(system: System, prop: Property, schedule: Schedule) -> Trace | None:
    """The trace of a schedule, if a strict replay ends in a state that violates the property."""
    semantics = Semantics(system)
    trace, state = replay_to_end(semantics, schedule)
    judge = Judge(semantics, [prop])
    violated = any(True for _ in judge.decides(state))
    judge.check()
    verdict = certify(prop, Coverage(0, 0, 0, exhausted=False), trace).verdict
    return trace if violated and verdict is Verdict.VIOLATED else None


def is_case_of(counted: Subject, every: Subject) -> bool:
    """Whether a proof about `every`, in which numbers are open, is about `counted` too, and worth trying.

    It is about it only if nothing else differs: a factory may make another system of a number than of `ANY`. And what
    is asked must be named, and of a kind that a proof settles for each number.
    """
    system, general = counted.system, every.system
    kinds = {prop.kind for prop in system.properties_named(counted.properties)}
    if not counted.properties or not kinds <= _OF_EVERY_NUMBER or not general.any_number:
        return False
    numbers = {process.name: process.copies for process in system.processes if isinstance(process.copies, int)}
    copies = {name: numbers[name] for name in general.any_number if name in numbers}
    return len(copies) == len(general.any_number) and not any(differences(general.with_copies(copies), system))


def holds_for_all(every: Subject) -> bool:
    """Whether all that is asked HOLDS for every number."""
    report = prove(every.system, properties=every.properties, states_beyond=0)
    return {judgement.verdict for judgement in report.judgements} == {Verdict.HOLDS}
