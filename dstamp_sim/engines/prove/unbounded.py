"""Any number of copies: a verdict for all of them at once, or the smallest number that fails, with its trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from dstamp_sim.core.errors import ModelError, UsageError
from dstamp_sim.core.judge import Judge
from dstamp_sim.core.properties import IN_TIME, LooksAtAll, Property, PropertyKind
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.core.serial import TWO_RUNS
from dstamp_sim.core.system import System
from dstamp_sim.core.verdict import Coverage, Judgement, Report, Verdict, certify
from dstamp_sim.engines.explore.explorer import LOOP_LIMIT, explore, unending, uninterrupted
from dstamp_sim.engines.explore.settings import HISTORY_LIMIT, ExploreProgress
from dstamp_sim.engines.prove.coverability import Controls, CoverabilityResult, Demand, TooMany, cover
from dstamp_sim.engines.tables.closure import close
from dstamp_sim.engines.tables.quotient import quotient
from dstamp_sim.engines.tables.tables import Tables

TRIED = 3
"""A property that cannot be decided for every number is tried with 1 up to this number of copies."""

TRIED_STATES = 300_000
"""How many states such a trial may visit."""

BEYOND = 8
"""Where those show nothing, it is tried with up to this number, as far as `STATES_BEYOND` reach."""

STATES_BEYOND = 20_000
"""How many states the trials with more than `TRIED` copies may visit together (a second or two)."""

_MONOTONE = frozenset({PropertyKind.ALWAYS, PropertyKind.EACH_RESULT, PropertyKind.REACHABLE})
"""What a state decides with more copies, too (a wish only if it asks for results of processes of a fixed number)."""

_WHY_NOT = {
    **dict.fromkeys(
        (PropertyKind.AT_END, PropertyKind.SERIAL), "it is asked when all have ended, and one more copy may not have"
    ),
    PropertyKind.NO_DEADLOCK: "one more copy may still be able to move",
    PropertyKind.END_POSSIBLE: "one more copy may open a way to the end, or close it",
    **dict.fromkeys(IN_TIME, "one more copy may put it off for ever"),
    PropertyKind.REACHABLE: "its predicate looks at the results of all processes, and one more copy may change "
    "its answer",
}


def prove(
    system: System,
    *,
    properties: Sequence[str] = (),
    states_beyond: int = STATES_BEYOND,
    progress: ExploreProgress | None = None,
) -> Report:
    """Judges the named properties (all, if none are named) for every number of copies of the `copies=ANY` processes.

    HOLDS is for every number, from 0 on; VIOLATED comes with the smallest number (`judgement.copies`) and a shortest
    trace of `system.with_copies(judgement.copies)`. It decides exactly `always`, `each_result`, and a `reachable` that
    asks by name for results of processes whose number is fixed. The others (`at_end`, deadlock) are not monotone: if
    named, they are refused; else they are tried with 1 to `TRIED` copies, and left UNDETERMINED if those show nothing.
    So too where the shared state is not finite or a bound is passed. The reason says "the fewest" of a number that is
    the smallest; of a trial's number it does not. `Judgement.holds_up_to` is set if all trials HOLD. Deterministic.
    Raises UsageError when nothing has `copies=ANY` or a named property does not fit, ModelError as `explore` does.
    """
    asked = system.properties_named(properties)
    if not system.any_number:
        raise UsageError("no process has copies=ANY: `explore` judges systems with a number of copies")
    proof = _Proof(system, asked, states_beyond, progress)
    for prop in asked if properties else ():
        if not proof.fits(prop):
            raise UsageError(
                f"property {prop.name!r} ({prop.kind.value}) cannot be decided for any number of copies: "
                f"{_WHY_NOT[prop.kind]}; explore a number of them"
            )
    judgements = tuple(proof.judgement(prop) for prop in asked)
    proof.judge.check()
    return Report(judgements, proof.coverage(next(iter(proof.undecided.values()), "")))


@dataclass
class _Proof:
    """One system with one copy of each process that may have any number; its tables, and the results so far.

    `controls` are None if the shared state was not known to be finite; `undecided` says why, by property. `told` are
    the demands when progress was last told.
    """

    system: System
    asked: Sequence[Property]
    states_beyond: int
    progress: ExploreProgress | None
    controls: Controls | None = None
    exercised: Counter[str] = field(default_factory=Counter)
    undecided: dict[str, str] = field(default_factory=dict)
    trials: dict[int, Report] = field(default_factory=dict)
    demands: int = 0
    moves: int = 0
    told: int = 0

    def __post_init__(self) -> None:
        try:
            self._prepare()
        except MemoryError:
            self.unknown = "memory ran out before the shared states were known"

    def _prepare(self) -> None:
        any_number = self.system.any_number
        if not self._close(LOOP_LIMIT):  # where there is a loop, its histories cost the square of their length
            self.unknown = unending(self.system.with_copies(dict.fromkeys(any_number, 2)))
            if self.unknown or (not self._close(HISTORY_LIMIT) and self._trials_decide()):
                return
        counted = (c for c, klass in enumerate(self.tables.classes) if self._name(klass.pids[0]) in any_number)
        try:
            self.controls = Controls(self.tables, frozenset(counted))
        except (TooMany, ModelError) as why:  # the programs may have met results that no schedule produces
            self.unknown = str(why)

    def _close(self, history_limit: int) -> bool:
        """Makes the tables, with one copy of each process that may have any number; returns whether they are closed."""
        one = replace(self.system.with_copies(dict.fromkeys(self.system.any_number, 1)), renamed={})
        semantics = Semantics(one, history_limit=history_limit, by_value=True)
        self.judge = Judge(semantics, self.asked)
        full = Tables(semantics, self.judge, merge=True)
        full.initial_rows()
        closed = not close(full, any_number=self.system.any_number)
        self.tables = quotient(full) if closed else full
        return closed

    def _name(self, pid: int) -> str:
        return self.tables.semantics.processes[pid].name

    def fits(self, prop: Property) -> bool:
        """Whether the property can be decided for every number: a deciding state does so with more copies too."""
        if prop.kind is not PropertyKind.REACHABLE or self.controls is None:
            return prop.kind in _MONOTONE
        try:
            for control in range(len(self.controls.rows)):
                self._reached(prop, control)
        except LooksAtAll:
            return False
        return True

    def judgement(self, prop: Property) -> Judgement:
        """The verdict on one property."""
        if not self.fits(prop):
            return self._tried(prop, _WHY_NOT[prop.kind])
        if self.controls is None:
            return self._tried(prop, self.unknown)
        try:
            answer = self._answer(self._bad(prop))
            self.exercised[prop.name] += answer.starts is None and self._is_asked(prop)
        except TooMany as why:
            return self._tried(prop, str(why))
        except MemoryError:
            return self._tried(prop, f"memory ran out after {self.told:,} minimal states or more")
        if answer.starts is None:
            return certify(prop, self.coverage(), None)
        return self._shown(prop, self._copies(answer.starts))

    def coverage(self, stopped: str = "") -> Coverage:
        """The coverage of the proof; `stopped` says why it decided nothing."""
        return Coverage(
            states=self.demands,
            transitions=self.moves,
            depth=0,
            exhausted=not stopped,
            stopped=stopped,
            exercised=dict(self.exercised),
            any_number=self.system.any_number,
        )

    def _answer(self, wanted: Iterator[Demand]) -> CoverabilityResult:
        assert self.controls is not None
        answer = cover(self.controls, wanted, self._tell)
        self.demands += answer.demands
        self.moves += answer.moves
        return answer

    def _tell(self, demands: int, moves: int) -> None:
        self.told = self.demands + demands
        if self.progress is not None:
            self.progress(self.demands + demands, self.moves + moves, 0)

    def _bad(self, prop: Property) -> Iterator[Demand]:
        """The demands whose states decide the property."""
        if prop.kind is PropertyKind.EACH_RESULT:
            bit = 1 << self.asked.index(prop)
            yield from self._at(lambda local: bool(int(self.tables.violates.data[local]) & bit))
            return
        assert self.controls is not None
        decides = self._reached if prop.kind is PropertyKind.REACHABLE else self._fails
        yield from (Demand(c, ()) for c in range(len(self.controls.rows)) if decides(prop, c))

    def _at(self, wanted: Callable[[int], bool]) -> Iterator[Demand]:
        """The demands that some process, counted or not, is in a local state that is `wanted`."""
        assert self.controls is not None
        objects, hits = len(self.tables.objects), {n for n in range(len(self.tables.keys)) if wanted(n)}
        for control, row in enumerate(self.controls.rows):
            if hits.intersection(row[objects:-1]):
                yield Demand(control, ())
            else:
                yield from (Demand(control, (local,)) for local in sorted(hits))

    def _is_asked(self, prop: Property) -> bool:
        """Whether there is a moment at which the property is asked, for some number of copies."""
        if prop.kind is not PropertyKind.EACH_RESULT:
            return True

        def asked_in(local: int) -> bool:
            name = self._name(self.tables.classes[self.tables.keys[local].klass].pids[0])
            return self.tables.has_result(local) and prop.of in (None, name)

        return self._answer(self._at(asked_in)).starts is not None

    def _fails(self, prop: Property, control: int) -> bool:
        return not self.judge.state_ok(prop, self._seen(prop, control))

    def _reached(self, prop: Property, control: int) -> bool:
        assert self.controls is not None
        columns = self.controls.rows[control][len(self.tables.objects) : -1]
        named = zip(self.controls.fixed, columns, strict=True)
        names = self.tables.semantics.names
        results = tuple((names[pid], self.tables.result(n)) for pid, n in named if self.tables.has_result(n))
        fixed = frozenset(names[pid] for pid in self.controls.fixed)
        return self.judge.results_ok(prop, results, self._seen(prop, control), fixed)

    def _seen(self, prop: Property, control: int) -> tuple[object, ...]:
        assert self.controls is not None
        slots = {id(item): slot for slot, item in enumerate(self.tables.objects)}
        row = self.controls.rows[control]
        return tuple(self.tables.states[slots[id(item)]][row[slots[id(item)]]] for item in prop.reads)

    def _copies(self, starts: Sequence[int]) -> dict[str, int]:
        """By process: how many copies the local states of an initial state are."""
        of = Counter(self._name(self.tables.classes[self.tables.keys[local].klass].pids[0]) for local in starts)
        return {name: of[name] for name in self.system.any_number}

    def _shown(self, prop: Property, copies: Mapping[str, int]) -> Judgement:
        """The judgement that these numbers of copies decide the property, with a trace."""
        counted = self.system.with_copies(copies)
        report = uninterrupted(explore(counted, properties=[prop.name], progress=self.progress))
        found = report.judgement(prop.name)
        if found.trace is None:
            return replace(
                found, reason=f"decided by {_copies_text(copies)}, but there is no trace yet: {found.reason}"
            )
        return replace(found, reason=f"{found.reason} with {_copies_text(copies)}, the fewest", copies=copies)

    def _trials_decide(self) -> bool:
        """Whether trials decide all that a proof could; they end before one that may be large.

        For a system whose states may have no end, of which a proof may take long and decide nothing.
        """
        open_ones = {prop.name for prop in self.asked if prop.kind in _MONOTONE}
        for _, report in self._trials():
            open_ones = {name for name in open_ones if report.judgement(name).trace is None}
            if not open_ones or report.coverage.states > self.states_beyond // 10:
                break
        return not open_ones

    def _tried(self, prop: Property, why: str) -> Judgement:
        """The judgement by small numbers of copies, where there is none for every number."""
        trials = dict[int, Judgement]()
        for count, report in self._trials():
            copies = dict.fromkeys(self.system.any_number, count)
            if prop.kind is PropertyKind.SERIAL and len(self.system.with_copies(copies).must_end) < TWO_RUNS:
                continue
            trials[count] = found = report.judgement(prop.name)
            if found.trace is not None:
                return replace(found, reason=f"{found.reason} with {_copies_text(copies)}", copies=copies)
        holding = takewhile(lambda count: trials[count].verdict is Verdict.HOLDS, trials)
        held = max((count for count in holding if count >= TRIED), default=0)
        open_ones = (f"; with {n} of each: {t.reason}" for n, t in trials.items() if t.verdict is not Verdict.HOLDS)
        with_them = f"; HOLDS with {min(trials)} to {held}" if held else next(open_ones)
        self.undecided[prop.name] = f"not decided for every number of copies: {why}{with_them}"
        judgement = certify(prop, self.coverage(self.undecided[prop.name]), None)
        return replace(judgement, holds_up_to=held)

    def _trials(self) -> Iterator[tuple[int, Report]]:
        """The reports of `explore` on all questions by the number of copies of each, from 1 on, up to the bounds."""
        left = self.states_beyond
        for count in range(1, BEYOND + 1):
            if count > TRIED and left <= 0:
                return
            if count not in self.trials:
                self.trials[count] = self._trial(count, TRIED_STATES if count <= TRIED else left)
            yield count, self.trials[count]
            if count > TRIED:
                left -= self.trials[count].coverage.states

    def _trial(self, count: int, limit: int) -> Report:
        system = self.system.with_copies(dict.fromkeys(self.system.any_number, count))
        asked = [prop.name for prop in self.asked]
        return uninterrupted(explore(system, properties=asked, limit=limit, keep_going=True))


def _copies_text(copies: Mapping[str, int]) -> str:
    return " and ".join(f"{count} of {name}" for name, count in copies.items())
