"""What an explanation says of what processes hold and wait for, claim by claim; `verify_holds` tests them.

Nothing is called a lock here that is not marked as one. Step numbers count from 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from dstamp_sim.analyses.claims import Claim
from dstamp_sim.analyses.speech import Speech, listed
from dstamp_sim.core.holds import Held, Parting
from dstamp_sim.core.placement import Span
from dstamp_sim.core.value import text

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class WaitsForItself(Claim):
    """In the end `held.process` waits for what it holds itself, and would go on if it let go of it."""

    held: Held

    def words(self, say: Speech) -> str:
        """`build waits for itself: it holds cache lock (taken at step 5) and wants it again`."""
        return f"{self.held.process} waits for itself: it holds {_taken(self.held, say)} and wants it again"


class StaysOpen(Claim):
    """What `held.process` holds, it took for `span`, and it has come to no section `span.last` since."""

    held: Held
    span: Span

    def words(self, say: Speech) -> str:
        """`the span cache:look..store stayed open, since store was skipped`."""
        return f"the span {self.span} stayed open, since {self.span.last} was skipped"


class EachWaits(Claim):
    """In the end who has one of `holds` waits for the next one's object, and would go on if that was let go of."""

    holds: tuple[Held, ...]

    def words(self, say: Speech) -> str:
        """`Each waits for the next: p holds one (taken at step 1) and wants other; q holds ... and wants one`."""
        pairs = zip(self.holds, (*self.holds[1:], self.holds[0]), strict=True)
        links = [f"{mine.process} holds {_taken(mine, say)} and wants {_wanted(mine, its, say)}" for mine, its in pairs]
        return f"Each waits for the next: {'; '.join(links)}"


class NoneFree(Claim):
    """`holds` are all of one object; each of `waiting` has one, and would go on if any of them was let go of."""

    holds: tuple[Held, ...]
    waiting: tuple[str, ...]

    def words(self, say: Speech) -> str:
        """`Five hold one pool each (p#1, ...), all want one more, and none is free`."""
        counts, name = Counter(held.process for held in self.holds), self.holds[0].name
        many = _number(len(counts))
        if set(counts.values()) == {1}:
            has = f"{many.capitalize()} hold one {name} each ({listed(list(counts))})"
        else:
            has = f"{name} is held {listed([f'{_times(count)} by {who}' for who, count in counts.items()])}"
        want = "all want" if len(self.waiting) == len(counts) > 1 else f"{listed(self.waiting)} {_verb(self.waiting)}"
        return f"{has}, {want} one more, and none is free"


class WaitsForHolders(Claim):
    """In the end each of `processes` waits for what `holds` are of, and would go on if these were let go of."""

    processes: tuple[str, ...]
    holds: tuple[Held, ...]

    def words(self, say: Speech) -> str:
        """`q waits for lock, which p holds (taken at step 2)`."""
        name, first = self.holds[0].name, self.holds[0]
        waits = f"{_wait(self.processes)} for {name}, which"
        if len(self.holds) > 1:
            who = listed([f"{held.process} ({say.when(held.since)})" for held in self.holds])
            return f"{waits} {who} took and hold"
        took = f"{waits} {first.process} took {say.when(first.since)}"
        if first.parting is Parting.DIED and first.until is not None:
            return f"{took} and had not given back when it died {say.when(first.until)}"
        if first.parting is Parting.RESTARTED and first.until is not None:
            return f"{took} and had not given back when it began anew {say.when(first.until)}"
        if first.process in say.trace.results:
            return f"{took} and has not given back, though it has ended"
        return f"{waits} {first.process} holds (taken {say.when(first.since)})"


class Waits(Claim):
    """In the end `processes` wait for `op`, and nobody can move; `last`: all others have ended or died."""

    processes: tuple[str, ...]
    op: str
    last: bool

    def words(self, say: Speech) -> str:
        """`worker waits for bell.hear(), and nobody is left to make that possible`."""
        who = "nobody is left to make that possible" if self.last else "nobody can make that possible any more"
        return f"{_wait(self.processes)} for {self.op}, and {who}"


class MoreWait(Claim):
    """Beside those that are told, these `processes` wait, too."""

    processes: tuple[str, ...]

    def words(self, say: Speech) -> str:
        """`two more wait`."""
        return f"{_number(len(self.processes))} more {'wait' if len(self.processes) > 1 else 'waits'}"


class CameBefore(Claim):
    """Step `step`, performed in the end, would let `process` go on; but it came before step `own` of that process."""

    process: str
    step: int
    own: int

    def words(self, say: Speech) -> str:
        """`producer's ring at step 3 would make it possible, but came before worker's listen at step 4`."""
        return f"{say.does(self.step)} would make it possible, but came before {say.does(self.own)}"


class WentTo(Claim):
    """Step `step`, performed in the end, would let `process` go on; but it let another go on, with step `other`."""

    process: str
    step: int
    other: int

    def words(self, say: Speech) -> str:
        """`producer's notify at step 7 would make it possible, but went to victim's resume at step 10`."""
        return f"{say.does(self.step)} would make it possible, but went to {say.does(self.other)}"


class OneOrder(Claim):
    """Holds of several objects that form a circle, which there is not if all take them in one order."""

    holds: tuple[Held, ...]

    def words(self, say: Speech) -> str:
        """`With one order for all, such as fork 0 before fork 1, there is no such cycle`."""
        names = sorted({held.name for held in self.holds})
        return f"With one order for all, such as {' before '.join(names)}, there is no such cycle"


class HeldInVain(Claim):
    """`held` was held when its process performed step `write`, which did not help, for `why`."""

    held: Held
    write: int
    why: Claim

    def words(self, say: Speech) -> str:
        """`b held lock, which did not help: a took it only at step 6`."""
        return f"{self.held.process} held {self.held.name}, which did not help: {self.why.words(say)}"


class HeldAllTheWhile(Claim):
    """`held` was held when another process performed step `write`, which did not help, for `why`."""

    held: Held
    write: int
    why: Claim

    def words(self, say: Speech) -> str:
        """`a held lock all the while, but b never asked for it`."""
        return f"{self.held.process} held {self.held.name} all the while, but {self.why.words(say)}"


class BothHeld(Claim):
    """Two processes held the same object with different tokens when step `moment` was performed."""

    first: Held
    second: Held
    moment: int

    def words(self, say: Speech) -> str:
        """`a and b both held file, but not the same one: a number 1, b number 2`."""
        which = ", ".join(f"{held.process} number {text(held.hold.token)}" for held in (self.first, self.second))
        return (
            f"{self.first.process} and {self.second.process} both held {self.first.name}, but not the same one: {which}"
        )


class TookOnly(Claim):
    """`held` was taken after step `first`, at which its process did not hold the object."""

    held: Held
    first: int

    def words(self, say: Speech) -> str:
        """`a took it only at step 6`."""
        return f"{self.held.process} took it only {say.when(self.held.since)}"


class HadLetGo(Claim):
    """`held` was let go of before step `first`, at which its process did not hold the object."""

    held: Held
    first: int

    def words(self, say: Speech) -> str:
        """`a had let go of it at step 3, before its write`."""
        when = say.when(self.held.until or 0)
        return f"{self.held.process} had let go of it {when}, before its {say.act(self.first)}"


class LetGoBetween(Claim):
    """`held` was let go of between steps `first` and `last` of its process."""

    held: Held
    first: int
    last: int

    def words(self, say: Speech) -> str:
        """`a let go of it at step 3, between its read and its write`."""
        between = f"between its {say.act(self.first)} and its {say.act(self.last)}"
        return f"{self.held.process} let go of it {say.when(self.held.until or 0)}, {between}"


class HadLapsed(Claim):
    """`held` was worth nothing from step `held.until` on: letting go of it would have changed nothing any more."""

    held: Held

    def words(self, say: Speech) -> str:
        """`a's lease had lapsed with time's lapse at step 3`."""
        return f"{self.held.process}'s {self.held.name} had lapsed with {say.does(self.held.until or 0)}"


class Refused(Claim):
    """Step `step` asked for what another time it would have taken, did not get it, and its process went on."""

    step: int

    def words(self, say: Speech) -> str:
        """`a did not get it at step 4, and went on`."""
        return f"{say.of(self.step)} did not get it {say.when(self.step)}, and went on"


class HeldAnother(Claim):
    """`held`, which is of another object than `name`, was held at step `step`; up to there `name` was not touched."""

    held: Held
    name: str
    step: int

    def words(self, say: Speech) -> str:
        """`a never asked for it, and held other, which is another`."""
        return f"{self.held.process} never asked for it, and held {self.held.name}, which is another"


class NeverAsked(Claim):
    """Up to step `last`, `process` performed no op on `name`."""

    process: str
    name: str
    last: int

    def words(self, say: Speech) -> str:
        """`a never asked for it`."""
        return f"{self.process} never asked for it"


class AsksForNone(Claim):
    """The program of `daemon` has no op on a lock, as far as it was gone through."""

    daemon: str

    def words(self, say: Speech) -> str:
        """`clock asks for no lock`."""
        return f"{self.daemon} asks for no lock"


class NeitherUnder(Claim):
    """`name` was not held by who performed step `write`, nor by the other from step `opens` to `closes` throughout."""

    name: str
    opens: int
    write: int
    closes: int

    def words(self, say: Speech) -> str:
        """`Neither a's window nor b's write was under lock`."""
        writer = f"{say.of(self.write)}'s {say.act(self.write)}"
        return f"Neither {say.of(self.opens)}'s window nor {writer} was under {self.name}"


class NoLockHeld(Claim):
    """None of `processes` held anything that is marked as a lock up to step `last`."""

    processes: tuple[str, ...]
    last: int

    def words(self, say: Speech) -> str:
        """`No lock was held`."""
        return "No lock was held"


def _taken(held: Held, say: Speech) -> str:
    return f"{held.name} (taken {say.when(held.since)})"


def _wanted(mine: Held, its: Held, say: Speech) -> str:
    """The object that a process waits for; its op if it holds something of that object already."""
    return say.trace.waiting.get(mine.process, its.name) if mine.name == its.name else its.name


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{_number(count)} times")


def _wait(who: Sequence[str]) -> str:
    return f"{listed(who)} {'wait' if len(who) > 1 else 'waits'}"


def _verb(who: Sequence[str]) -> str:
    return "want" if len(who) > 1 else "wants"
