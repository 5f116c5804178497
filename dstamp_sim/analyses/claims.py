"""What an explanation says, claim by claim. A claim knows its words, here and nowhere else; `verify` tests it.

A claim is found by one means (accesses, conflicts, causes) and verified by another: nothing is said that was not.
Step numbers count from 0; None stands for the start of the trace where a writer is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Self, dataclass_transform

from dstamp_sim.analyses.conflicts import Cycle, Dependency, DependencyKind
from dstamp_sim.analyses.fields import Location, noun, set_to, value_text, with_value
from dstamp_sim.analyses.reruns import Intervention, Rerun, changes_said
from dstamp_sim.analyses.speech import Speech, came_out, listed
from dstamp_sim.core.holds import Held
from dstamp_sim.core.op import Op
from dstamp_sim.core.schedule import Choice
from dstamp_sim.core.shared_object import Outcome
from dstamp_sim.core.value import text


@dataclass_transform(frozen_default=True)
class Claim:
    """One thing that an explanation says of a trace. Subclasses are frozen dataclasses, with their own `words`.

    Each is made one with its first claim: a story needs few of the forty, and making all takes longer than telling it.
    """

    def __new__(cls, *_values: Any, **_by_name: Any) -> Self:
        """A claim of a class that is a dataclass by now."""
        if not is_dataclass(cls):
            dataclass(frozen=True)(cls)
        return super().__new__(cls)

    def words(self, say: Speech) -> str:
        """The claim without a full stop: as a clause, or as a sentence of its own where it begins with a capital."""
        raise NotImplementedError

    def steps_named(self) -> Iterator[int]:
        """The numbers of the steps that it speaks of: its fields that are whole numbers, and those of its parts."""
        return _numbers_in(self)


def _numbers_in(part: Any) -> Iterator[int]:
    for field in fields(part):
        value = getattr(part, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if field.type in ("int", "int | None", "tuple[int, ...]"):
                yield from () if item is None else (item,)
            elif field.type == "tuple[tuple[int, Any], ...]":
                yield item[0]
            elif isinstance(item, Claim | Dependency | Held | Rerun | Intervention):
                yield from _numbers_in(item)


class Fails(Claim):
    """A property fails (a wish is reached) with step `step`, not before; -1: in the initial state.

    `process` is whose result breaks it; None if no single result does.
    """

    property: str
    process: str | None
    wish: bool
    step: int

    def words(self, say: Speech) -> str:
        """`'one at a time' fails at step 3`."""
        when = say.when(self.step) if self.step >= 0 else "at the start"
        return f"{self.property!r} {'is reached' if self.wish else 'fails'} {when}"


class Began(Claim):
    """An object that may begin in several states began with `value`."""

    target: str
    value: Any

    def words(self, say: Speech) -> str:
        """`From the start x was 2 (it may begin otherwise)`."""
        return f"From the start {self.target} was {text(self.value)} (it may begin otherwise)"


class AtOnce(Claim):
    """Before any step an object has the value, or the process of that name has returned it."""

    name: str
    value: Any
    returned: bool

    def words(self, say: Speech) -> str:
        """`it begins with stock -1`; `job returns 'bad' without any op`."""
        if self.returned:
            return f"{self.name} returns {value_text(self.value)} without any op"
        return f"it begins with {with_value(Location(self.name, ()), self.value)}"


class Saw(Claim):
    """Step `step` read `value` in `place`."""

    step: int
    place: Location
    value: Any

    def words(self, say: Speech) -> str:
        """`b's read at step 3 saw x 1`."""
        return say.found(self.step, self.place, self.value)


class Read(Claim):
    """Step `step` read `value` in `place`, which step `writer` had written last; None: nobody, from the start."""

    step: int
    place: Location
    value: Any
    writer: int | None

    def words(self, say: Speech) -> str:
        """`b's read at step 3 saw x 1, which a's write at step 2 had written`."""
        if self.writer is not None and say.takes(self.writer, self.place):
            return f"{say.does(self.step)} found {self.place.target} taken by {say.who(self.writer, self.step)}"
        found = say.found(self.step, self.place, self.value)
        if self.writer is None:
            return f"{found}, as it was from the start"
        return found + _by(self.value, say.who(self.writer, self.step))


class Overwrote(Claim):
    """Step `step` wrote over the `value` of step `over` in `place`: nobody wrote there between the two."""

    step: int
    place: Location
    value: Any
    over: int

    def words(self, say: Speech) -> str:
        """`b's write at step 2 wrote over the 1 of a's write at step 1`."""
        return f"{say.does(self.step)} wrote over the {value_text(self.value)} of {say.who(self.over, self.step)}"


class Lost(Claim):
    """Step `step` read `value` in `place`, where its process had written before, and others had written since.

    `writes` are all those writes, the process's own first, with what each left there.
    """

    step: int
    place: Location
    writes: tuple[tuple[int, Any], ...]

    def words(self, say: Speech) -> str:
        """`a's read at step 3 saw x 2, which b's write at step 2 had written over the 1 of a's own write at step 1`."""
        (own, was), *between, (last, value) = self.writes
        who, mine = say.who(last, self.step), say.who(own, self.step)
        if say.takes(last, self.place):
            return f"{say.does(self.step)} found {self.place.target} taken by {who}, after {mine}"
        found = (
            f"{say.found(self.step, self.place, value)}, which {who} had {'removed' if value is None else 'written'}"
        )
        over = f"the {value_text(was)} of {mine}" if was is not None else f"what {mine} had removed"
        if not between:
            return f"{found} over {over}"
        if all(left == was for _, left in between):
            return f"{found} in place of {over}"
        number, left = next((n, left) for n, left in between if left != was)
        wrote = "removed" if left is None else f"written {value_text(left)} over"
        return f"{found}; {say.does(number)} had {wrote} {over}"


class StillFrom(Claim):
    """Step `step` read `value` in `place`, which step `own` of its process had written last: old beside new."""

    step: int
    place: Location
    value: Any
    own: int

    def words(self, say: Speech) -> str:
        """`a's read at step 5 found the tree still 1 from that checkout: a torn read`."""
        found = f"{say.does(self.step)} found {noun(self.place)} still {value_text(self.value)}"
        return f"{found} from that {say.act(self.own)}: a torn read"


class Stale(Claim):
    """Step `read` found `value` in `place`, step `write` left `now` there, and step `acts` acted on `value` still.

    Told `answer` by step `read` (None: had it been blocked there), its process would not have performed that step.
    """

    read: int
    place: Location
    value: Any
    write: int
    now: Any
    acts: int
    answer: Outcome | None

    def words(self, say: Speech) -> str:
        """`a's read at step 1 found x 0, b's write at step 2 made it 1, and a's write at step 3 still acted on 0`."""
        found = f"{say.does(self.read)} found {with_value(self.place, self.value)}"
        then = f"{say.does(self.write)} {_made(self.now)}"
        acted = f"{say.does(self.acts)} still acted on {'that' if self.value is None else value_text(self.value)}"
        return f"{found}, {then}, and {acted}"


class Early(Claim):
    """Steps `reads` of several processes found `value` in `place` and were told `result`; step `write` then left `now`.

    Nobody else wrote there between them.
    """

    reads: tuple[int, ...]
    place: Location
    value: Any
    result: Any
    write: int
    now: Any

    def words(self, say: Speech) -> str:
        """`a's read at step 1 returned 0, too early: it found x 0, which b's write made 1 only at step 2`."""
        first, *others = self.reads
        gave = "came" if self.result is None else f"returned {value_text(self.result)},"
        who = listed([say.does(first), *(f"{say.of(n)}'s {say.when(n)}" for n in others)])
        found = f"{'they' if others else 'it'} found {with_value(self.place, self.value)}"
        writer = f"{say.of(self.write)}'s {say.act(self.write)}"
        if isinstance(self.value, bool) or self.value is None:
            return f"{who} {gave} too early: {found}; {writer} {_made(self.now)} only {say.when(self.write)}"
        then = "removed" if self.now is None else f"made {value_text(self.now)}"
        return f"{who} {gave} too early: {found}, which {writer} {then} only {say.when(self.write)}"


class Died(Claim):
    """Step `step` is a death; `op` is what its process was to perform."""

    step: int
    op: Op

    def words(self, say: Speech) -> str:
        """`run died at step 3, before its config.write(2)`."""
        step = say.trace.steps[self.step]
        what = step.section if step.section and self.op.is_delay else str(self.op)
        return f"{say.of(self.step)} died {say.when(self.step)}, before its {what}"


class Undid(Claim):
    """Step `step` left `now` in `place`, over the `value` that step `over` of another process had written."""

    step: int
    place: Location
    value: Any
    now: Any
    over: int

    def words(self, say: Speech) -> str:
        """`ttl's write at step 4 set owner to 0, which first's compare_and_set at step 1 had set to 1`."""
        if self.now is None:
            removed = f"{say.does(self.step)} removed {with_value(self.place, self.value)}"
            return f"{removed}, which {say.does(self.over)} had written"
        made = f"{say.does(self.step)} {set_to(self.place, self.now)}"
        return f"{made}, which {say.does(self.over)} had {_had_set(self.value)}"


class Lapsed(Claim):
    """Step `step` changed `target`, which another process held since step `since` and did not let go of before."""

    step: int
    target: str
    since: int

    def words(self, say: Speech) -> str:
        """`time's lapse at step 3 changed lease, which run#1 held since its acquire at step 1`."""
        held = f"which {say.of(self.since)} held since its {say.at(self.since)}"
        return f"{say.does(self.step)} changed {self.target}, {held}"


class CameOut(Claim):
    """Step `step` came out with `result` and `label`, one of several outcomes; `other` was possible too."""

    step: int
    result: Any
    label: str
    other: Outcome

    def words(self, say: Speech) -> str:
        """`ann's debit at step 15: draw returned 'twice', where it could as well have returned 'once'`."""
        step = say.trace.steps[self.step]
        verb = step.op.verb if step.op else ""
        came = came_out(self.result, self.label)
        could = f"{came}, where it could as well have returned {came_out(self.other.result, self.other.label)}"
        if step.section is None:
            return f"{step.process}'s {verb} {say.when(self.step)} returned {could}"
        return f"{step.process}'s {step.section} {say.when(self.step)}: {verb} returned {could}"


class Did(Claim):
    """Step `step` left `value` in `place`."""

    step: int
    place: Location
    value: Any

    def words(self, say: Speech) -> str:
        """`a's write at step 3 set x to 'b'`."""
        if self.value is None:
            return f"{say.does(self.step)} removed {noun(self.place)}"
        return f"{say.does(self.step)} {set_to(self.place, self.value)}"


class Returned(Claim):
    """Process `process` returned `value` with step `step`."""

    step: int
    value: Any

    def words(self, say: Speech) -> str:
        """`a returned 'bad' with its read at step 3`."""
        return f"{say.of(self.step)} returned {value_text(self.value)} with its {say.at(self.step)}"


class Depends(Claim):
    """A dependency of one process on another: a reading of what it wrote, or a write over what it wrote or had seen."""

    edge: Dependency
    value: Any

    def words(self, say: Speech) -> str:
        """`b's write overwrote x, which a's read had seen (steps 1, 2)`."""
        edge = self.edge
        first, second = (f"{say.of(n)}'s {say.act(n)}" for n in (edge.source, edge.target))
        steps = f"(steps {edge.source + 1}, {edge.target + 1})"
        if edge.kind is DependencyKind.RW:
            return f"{second} overwrote {noun(edge.location)}, which {first} had seen {steps}"
        if edge.kind is DependencyKind.WW:
            over = f"overwrote {with_value(edge.location, self.value)}, which {first} wrote"
            if isinstance(self.value, bool) or self.value is None:
                over = f"overwrote {noun(edge.location)}, which {first} had {_had_set(self.value)}"
            return f"{second} {over} {steps}"
        read = say.found(edge.target, edge.location, self.value).replace(f" {say.when(edge.target)}", "", 1)
        return f"{read}, which {first} {'removed' if self.value is None else 'wrote'} {steps}"


class Circle(Claim):
    """Dependencies that lead from one run back to itself through another, called `name` in the literature."""

    name: str
    links: tuple[Depends, ...]

    def words(self, say: Speech) -> str:
        """`Lost update: ...; ...`."""
        return f"{self.name[0].upper()}{self.name[1:]}: {'; '.join(link.words(say) for link in self.links)}"


class Alone(Claim):
    """The same comes of `choices`, which are moves of a single run and of the daemons `helpers` only, or of these."""

    fails: Fails
    helpers: tuple[str, ...]
    choices: Sequence[Choice]

    def words(self, say: Speech) -> str:
        """`No cycle: a single run suffices, with time`."""
        if all(choice.process in self.helpers for choice in self.choices):
            return f"No cycle: {listed(self.helpers)} alone {'suffice' if len(self.helpers) > 1 else 'suffices'}"
        helped = f", with {listed(self.helpers)}" if self.helpers else ""
        return f"No cycle: a single run suffices{helped}"


class Serially(Claim):
    """The same comes of `choices`, where the processes go on in turn: see `InTurn`."""

    fails: Fails
    processes: tuple[str, ...]
    choices: Sequence[Choice]

    def words(self, say: Speech) -> str:
        """`No cycle: it comes about with one after the other, too: a, then b`."""
        return f"No cycle: it comes about with one after the other, too: {', then '.join(self.processes)}"


class TriedAndSafe(Claim):
    """Each of the reruns came out without the failure `fails` and without one that the trace does not have."""

    fails: Fails
    reruns: tuple[Rerun, ...]

    def words(self, say: Speech) -> str:
        """`Tried and safe: customer#2's write before customer#1's read`."""
        tried = "It would not have come about with" if self.fails.wish else "Tried and safe:"
        return f"{tried} {changes_said(self.reruns, say)}"


def circle(cycle: Cycle, value: Callable[[Dependency], Any]) -> Circle:
    """The claim that a cycle is; `value` says what the source of a dependency wrote."""
    return Circle(cycle.name, tuple(Depends(edge, value(edge)) for edge in cycle.edges))


def _by(value: Any, who: str) -> str:
    """Who had written what was found, after it."""
    if value is None:
        return f": {who} had removed it"
    return f": {who} had made it so" if isinstance(value, bool) else f", which {who} had written"


def _had_set(value: Any) -> str:
    return "removed" if value is None else f"set to {value_text(value)}"


def _made(value: Any) -> str:
    return "removed it" if value is None else f"made it {value_text(value)}"
