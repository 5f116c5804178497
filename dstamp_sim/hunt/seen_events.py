"""What a run did to shared things in a trial, as a model says it: calls on files, flocks, phases of a checkout."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dstamp_sim.hunt.job import PreparedJob
from dstamp_sim.hunt.story import READING_CALLS
from dstamp_sim.hunt.touches import shared
from dstamp_sim.hunt.trial_outcome import HeldStep, TrialOutcome

NO_FILE = "absent"
_FLOCK = "flock:"
_HEAD = ".git/HEAD"
_REF = "ref: refs/heads/"
_GIT = re.compile(r"git (\S+)(?: .*?)?(?: (\S+))?$")


class SeenCall(NamedTuple):
    """A call on a thing, in a command. `kind` is that of the thing: a file, a lock, a checkout."""

    section: str
    kind: str
    target: str
    verb: str
    args: tuple[str, ...] = ()


class SeenEvent(NamedTuple):
    """A call, what the program could learn from it, and what it made of the file's content."""

    call: SeenCall
    learnt: Hashable
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class SeenThings:
    """What is modelled: files and checkouts by their first state, locks; and who used what is not."""

    files: Mapping[str, str]
    locks: tuple[str, ...]
    checkouts: Mapping[str, str]

    def of_calls(self, calls: Iterable[SeenCall]) -> SeenThings:
        """Those of them that calls are of."""
        used = {(call.kind, call.target) for call in calls}
        return SeenThings(
            {name: content for name, content in self.files.items() if ("file", name) in used},
            tuple(name for name in self.locks if ("lock", name) in used),
            {name: head for name, head in self.checkouts.items() if ("checkout", name) in used},
        )


def things_of(stage: PreparedJob) -> SeenThings:
    """The things that several runs of a job use, one of them writing."""
    names = sorted(shared(stage.uses))
    locks = tuple(name.removeprefix(_FLOCK) for name in names if name.startswith(_FLOCK))
    heads = {name: stage.start.shown(name).removeprefix(_REF) for name in names if f"/{name}".endswith(f"/{_HEAD}")}
    checkouts = {name.removesuffix(_HEAD).rstrip("/") or ".": head for name, head in heads.items()}
    kept = [name for name in names if ":" not in name and not name.endswith("/") and name not in (".", *locks)]
    files = {name: stage.start.shown(name) for name in kept if ".git" not in name.split("/")}
    return SeenThings(files, locks, checkouts)


def seen_events(outcome: TrialOutcome, run: str, things: SeenThings) -> Iterator[SeenEvent]:
    """What a run did to the things in a watched trial, in order."""
    last: SeenEvent | None = None
    heads = _names_of_heads(outcome.steps)
    for number, step in enumerate(outcome.steps):
        if step.run != run or step.choice.outcome < 0:
            continue
        locks = outcome.steps[number - 1].locks if number else frozenset()
        held = frozenset(name.removeprefix(_FLOCK) for who, name in locks if who == run)
        others = frozenset(name.removeprefix(_FLOCK) for who, name in locks if who != run)
        git = _GIT.match(step.command)
        if git and things.checkouts:
            found = [*_git_events(step, git, things, heads)]
        else:
            mine = _lock_events(step, run, held, things, others)
            found = sorted([*_file_events(step, things), *mine], key=lambda event: event.call.verb == "release")
        for event in found:
            if event.call.verb != "read" or last is None or event.call != last.call:  # a file is read on to its end
                yield event
            last = event


def _lock_events(
    step: HeldStep, run: str, held: frozenset[str], things: SeenThings, others: frozenset[str]
) -> Iterator[SeenEvent]:
    """The lock that a run takes, or is refused, with a step, and those that it has let go of by the end of it."""
    now = frozenset(name.removeprefix(_FLOCK) for who, name in step.locks if who == run)
    asked = step.call.object.removeprefix(_FLOCK)
    taken = step.blocks or asked in now or asked not in others
    asks = step.call.object.startswith(_FLOCK) and asked in things.locks and asked not in held
    if asks:
        yield SeenEvent(SeenCall(step.command, "lock", asked, "acquire"), taken)
    gone = {*(held - now), *([asked] if asks and taken and not step.blocks and asked not in now else [])}
    for name in sorted(gone & {*things.locks}):
        yield SeenEvent(SeenCall(step.command, "lock", name, "release"), None)


def _file_events(step: HeldStep, things: SeenThings) -> Iterator[SeenEvent]:
    """What a step does to files, that which it is foremost about last."""
    names = {touch.object: touch.how for touch in step.call.touches if touch.object in things.files}
    for name in sorted(names, key=lambda name: name == step.call.object):
        before, after = (sight.brief for sight in step.values[name])
        reads = step.call.name in READING_CALLS and names[name] == "r"
        call = SeenCall(step.command, "file", name, "read" if reads else "call", (step.call.name,))
        yield SeenEvent(call, before if reads else before != NO_FILE, before, after)


def _names_of_heads(steps: Sequence[HeldStep]) -> dict[str, str]:
    """What a checkout was asked for, by what it wrote to HEAD."""
    found = {}
    for step in steps:
        git = _GIT.match(step.command)
        if git and git[1] == "checkout" and step.call.name == "rename" and step.call.object.endswith(_HEAD):
            found[step.after] = git[2]
    return found


def _git_events(
    step: HeldStep, git: re.Match[str], things: SeenThings, heads: Mapping[str, str]
) -> Iterator[SeenEvent]:
    """The phases of a checkout, and each time that `git rev-parse` reads HEAD."""
    folder, _, name = f"/{step.call.object}".rpartition("/.git/")
    target = folder.lstrip("/") or "."
    if target not in things.checkouts:
        return

    def event(verb: str, learnt: Hashable, *args: str) -> SeenEvent:
        return SeenEvent(SeenCall(step.command, "checkout", target, verb, args), learnt)

    if git[1] == "checkout" and name == "index.lock" and step.call.name == "open" and step.call.touches[-1].how == "w":
        yield event("begin_checkout", step.before == NO_FILE, git[2])
    elif git[1] == "checkout" and step.call.name == "rename" and name == "index":
        yield event("release_index", None, git[2])
    elif git[1] == "checkout" and step.call.name == "rename" and name == "HEAD":
        yield event("end_checkout", None, git[2])
    elif git[1] == "rev-parse" and name == "HEAD" and step.call.name == "read" and not step.goes_on:
        yield event("head", heads.get(step.before, step.before.removeprefix(_REF)))
