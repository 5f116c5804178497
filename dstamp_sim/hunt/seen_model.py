"""From recording to model: what the trials of a bounded space showed, as a model file that `dstamp explore` runs.

Each run becomes a process that does what it was seen to do, by what it had learnt until then. What no trial showed is
marked: a content that a call never met becomes `UNSEEN`, as is what a run returns that learns what it never did.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dstamp_sim.hunt.job import Job, PreparedJob
from dstamp_sim.hunt.search import Bounds, Search
from dstamp_sim.hunt.seen_events import SeenCall, SeenEvent, SeenThings, seen_events, things_of
from dstamp_sim.hunt.trial_outcome import End, TrialOutcome


@dataclass
class SeenBranch:
    """What a run does next: a call, what that made of each content, and what follows what is learnt; or it ends."""

    call: SeenCall | None = None
    made: dict[str, str] = field(default_factory=dict)
    then: dict[Hashable, SeenBranch] = field(default_factory=dict)
    exit: int | None = None

    @property
    def changes(self) -> bool:
        """Whether its call was seen to change a content."""
        return any(before != after for before, after in self.made.items())

    def add(self, events: Sequence[SeenEvent], code: int | None) -> bool:
        """Adds a run of a trial; False where the same learnt things were followed by something else before."""
        if not events:
            fits = self.call is None and self.exit in (None, code)
            self.exit = code if fits and code is not None else self.exit
            return fits or code is None
        event, *rest = events
        if self.exit is not None or (self.call is not None and self.call != event.call):
            return False
        if self.made.setdefault(event.before, event.after) != event.after:
            return False
        self.call = event.call
        return self.then.setdefault(event.learnt, SeenBranch()).add(rest, code)

    def calls(self) -> Iterator[SeenCall]:
        """Every call from here on."""
        if self.call is not None:
            yield self.call
        for then in self.then.values():
            yield from then.calls()

    def learnt(self, events: Sequence[SeenEvent]) -> list[str]:
        """What a run of a trial learnt where it could have learnt something else."""
        found, at = [], self
        for event in events:
            found += [word_of(event.learnt)] if len(at.then) > 1 else []
            at = at.then.get(event.learnt, SeenBranch())
        return found


def word_of(learnt: Hashable) -> str:
    """What was learnt, in a word."""
    return str(learnt) if not isinstance(learnt, bool) else "yes" if learnt else "no"


@dataclass
class SeenModel:
    """All that trials showed: what each run does, which ends passed and failed; `odd` trials did not fit.

    `found` is the end of what a hunt found.
    """

    job: Job
    things: SeenThings
    runs: dict[str, SeenBranch]
    passed: set[tuple[str, ...]] = field(default_factory=set)
    failed: set[tuple[str, ...]] = field(default_factory=set)
    found: tuple[str, ...] = ()
    trials: int = 0
    odd: int = 0


def model_of(stage: PreparedJob, bounds: Bounds, failing: TrialOutcome | None) -> SeenModel:
    """What every schedule within the bounds shows, as far as their seconds go; `failing` is what a hunt found."""
    trials: list[TrialOutcome] = []
    Search(stage, bounds, every=trials).run()
    things = things_of(stage)
    runs = stage.job.runs
    model = SeenModel(stage.job, things, {run: SeenBranch() for run in runs}, trials=len(trials))
    seen = [
        (out, {run: [*seen_events(out, run, things)] for run in runs})
        for out in ([failing] if failing else []) + trials
        if out.end not in (End.DIVERGED, End.UNDECIDED) and all(step.choice.outcome >= 0 for step in out.steps)
    ]
    model.things = things.of_calls(event.call for _, events in seen for mine in events.values() for event in mine)
    fitting = [one for one in seen if all(model.runs[run].add(one[1][run], one[0].exits.get(run)) for run in runs)]
    model.odd = len(seen) - len(fitting)
    for out, events in fitting:
        if len(out.exits) == len(runs):
            end = _end(model, out, events)
            (model.failed if out.fails else model.passed).add(end)
            if out is failing:
                model.found = end
    return model


def _end(model: SeenModel, out: TrialOutcome, events: Mapping[str, Sequence[SeenEvent]]) -> tuple[str, ...]:
    """What the runs return, and what is in each file at the end."""
    results = [result_of(out.exits[run], model.runs[run].learnt(events[run])) for run in model.runs]
    left = dict(model.things.files)
    for step in out.steps:
        left |= {name: after.brief for name, (_, after) in step.values.items() if name in left}
    return (*results, *left.values())


def result_of(code: int, learnt: Iterable[str]) -> str:
    """What a run returns in the model: its exit code, and what it learnt where it could have learnt something else."""
    return f"exit {code}" + "".join(f", {word}" for word in learnt)
