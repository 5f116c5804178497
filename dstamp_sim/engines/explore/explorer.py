"""Every interleaving: the shortest bad one, or the proof that there is none. Exact, breadth first, over tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from dstamp_sim.core.errors import Interrupted, UnboundedProgram
from dstamp_sim.core.judge import Judge, changed_its_mind
from dstamp_sim.core.numbers import many
from dstamp_sim.core.properties import Property, PropertyKind
from dstamp_sim.core.schedule import Schedule
from dstamp_sim.core.semantics import Semantics, State
from dstamp_sim.core.suspended import shows_suspended
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Trace
from dstamp_sim.core.verdict import Coverage, Judgement, Report, Verdict, certify
from dstamp_sim.engines.explore.checkpoint import OF_STATES, OVER_TIME, Checkpoint, SearchCheckpoint
from dstamp_sim.engines.explore.coverage import exercised
from dstamp_sim.engines.explore.endless import endless
from dstamp_sim.engines.explore.level_judge import CopiesDistinguished, LevelJudge
from dstamp_sim.engines.explore.reduction import MOST_OBJECTS, future_of
from dstamp_sim.engines.explore.retrace import schedule_along
from dstamp_sim.engines.explore.settings import (
    ALL_REDUCTIONS,
    DEFAULT_LIMIT,
    DEFAULT_MEMORY_MB,
    HISTORY_LIMIT,
    ExploreProgress,
    Reductions,
)
from dstamp_sim.engines.explore.shortest import shortest_schedule, traps_of
from dstamp_sim.engines.explore.space import Space
from dstamp_sim.engines.explore.traps import first_trap
from dstamp_sim.engines.replay import replay_to_end
from dstamp_sim.engines.tables.closure import close
from dstamp_sim.engines.tables.quotient import quotient
from dstamp_sim.engines.tables.tables import OutOfMemory, Tables

WORTH_KNOWING = 3_000
"""The number of states from which it pays to complete the tables before the search."""

TOO_LARGE = 100_000
"""The number of states, copies told apart, from which a try with `SMALL` states is not worth it."""

WORTH_OF_ENDLESS = 200_000
"""The number of states worth visiting where a loop without bound is known: only a violation can be found."""

LOOP_LIMIT = 1_000
"""The most ops of one process in such a search, instead of `HISTORY_LIMIT`."""

VALUES_OF_ENDLESS = 2_000
"""The most states of one object in such a search: tables with a row for each grow with their square."""

SMALL, LARGE = 5_000, 3_000_000
"""How many states are visited to make a counterexample shortest: with the fewest switches, or at least shortest."""

NOT_SHORTEST = "not necessarily the fewest"
"""The end of a judgement's reason when a shorter trace may exist."""

_NO_MATTER = "the verdict is the same, it only takes longer (objects of fewer states would help)"
"""The consequence, and the remedy, where there is no partial-order reduction."""


@dataclass
class _Search:
    """One search over one space: what it found (property index to state), and why it stopped early.

    `full` are the tables before local states with equal futures were merged; `endless` as in its bounds. `no_look_back`
    says why traps were not looked for in a space that was exhausted.
    """

    space: Space
    judge: LevelJudge
    full: Tables
    found: dict[int, int] = field(default_factory=dict)
    stopped: str = ""
    endless: str | None = None
    no_look_back: str = ""
    notes: list[str] = field(default_factory=list)


def explore(  # noqa: PLR0913 - the options of the command
    system: System,
    *,
    properties: Sequence[str] = (),
    limit: int = DEFAULT_LIMIT,
    memory_mb: int = DEFAULT_MEMORY_MB,
    ops: int = HISTORY_LIMIT,
    keep_going: bool = False,
    reductions: Reductions = ALL_REDUCTIONS,
    progress: ExploreProgress | None = None,
    checkpoint: Checkpoint | None = None,
) -> Report:
    """Judges the named properties (all, if none are named) over every reachable state of `system`.

    Stops at the end of the breadth-first level on which a property fails; with `keep_going` it visits the whole space
    and judges every property. Counterexamples are shortest, and among those have the fewest context switches, as long
    as making them so needs few states; otherwise the judgement says what they are not. More than `limit` states or
    `memory_mb`, a process that comes to new states for more than `ops` ops, or Ctrl-C leave UNDETERMINED what was not
    decided. Deterministic. With a `checkpoint`, it keeps there what it found, and goes on with what was kept: the
    report is the same, however often it was interrupted.
    Raises ModelError if the model breaks a rule, and UsageError for a checkpoint that is damaged.
    """
    asked = system.properties_named(properties)
    at_once = tuple(prop for prop in asked if not prop.in_time)
    semantics = Semantics(system, history_limit=ops, by_value=reductions.by_value)
    bounds = _Bounds(limit, memory_mb, keep_going, ops, kept=checkpoint.of(OF_STATES) if checkpoint else None)
    try:
        report = _report(_search(semantics, at_once, reductions, bounds, progress)) if at_once else None
        if len(at_once) < len(asked):
            bounds = replace(bounds, kept=checkpoint.of(OVER_TIME) if checkpoint else None)
            return _with_those_in_time(semantics, asked, report, reductions, bounds, progress)
    except AssertionError:
        semantics.check()  # the search relies on a deterministic model
        raise
    assert report is not None, "every system has properties"
    return report


def _with_those_in_time(
    semantics: Semantics,
    asked: Sequence[Property],
    report: Report | None,
    reductions: Reductions,
    bounds: _Bounds,
    progress: ExploreProgress | None,
) -> Report:
    """All judgements: those of the report, if there is one, and those on properties in time.

    They are judged over a space of their own, without reductions; not if something failed that stops a search.
    """
    in_time = [prop for prop in asked if prop.in_time]
    if report is not None and report.verdict is Verdict.VIOLATED and not bounds.keep_going:
        coverage = replace(report.coverage, exhausted=False, stopped=FIRST_VIOLATION)
        judged = tuple(certify(prop, coverage, None) for prop in in_time)
    else:
        unreduced = Reductions(merge=False, por=False, symmetry=False, by_value=reductions.by_value)
        search = _search(semantics, (), unreduced, replace(bounds, keep_going=True), progress)
        coverage = _coverage(search)
        judged = _judged_in_time(search, in_time, coverage)
        semantics.check()
        noted = report.coverage if report else coverage
        extent = f"{many(coverage.states, 'state')}, {many(coverage.transitions, 'transition')}"
        said = f"no reductions for properties in time: {extent}"
        coverage = replace(noted, reductions=(*noted.reductions, said))
    by_name = {one.prop.name: one for one in (*(report.judgements if report else ()), *judged)}
    return Report(tuple(by_name[prop.name] for prop in asked), coverage)


def _judged_in_time(search: _Search, asked: Sequence[Property], coverage: Coverage) -> tuple[Judgement, ...]:
    """The judgements over a search without reductions; UNDETERMINED, with the reason, where a bound was reached."""
    from dstamp_sim.engines.explore.in_time import judged_in_time  # noqa: PLC0415 - SciPy takes a while to load

    why_not = search.stopped
    try:
        if not why_not:
            return judged_in_time(search.space, asked, coverage)
    except KeyboardInterrupt:
        why_not = BY_CTRL_C
    except MemoryError:
        why_not = "memory ran out as fair cycles were looked for"
    return tuple(certify(prop, replace(coverage, exhausted=False, stopped=why_not), None) for prop in asked)


def uninterrupted(report: Report) -> Report:
    """The report. Raises Interrupted if Ctrl-C ended it early: where it is one of several, the others do not follow."""
    if BY_CTRL_C in (report.coverage.stopped, *(one.reason for one in report.judgements)):
        raise Interrupted
    return report


def explore_tables(tables: Tables, *, limit: int = DEFAULT_LIMIT) -> Report:
    """As `explore`, of a system with merged tables, whose properties are judged; it does not try to close them.

    Tables that are closed have all reductions, others no partial-order reduction.
    """
    bounds = _Bounds(limit, DEFAULT_MEMORY_MB, keep_going=False)
    return uninterrupted(
        _report(_search(tables.semantics, tables.judge.properties, ALL_REDUCTIONS, bounds, made=tables))
    )


def unending(system: System) -> str:
    """What goes on without end in a brief search of `system`, with its line; empty if nothing does."""
    semantics = Semantics(system, history_limit=HISTORY_LIMIT, by_value=True)
    brief = _Bounds(WORTH_KNOWING, DEFAULT_MEMORY_MB, keep_going=True)
    search = _prepared(_tables(semantics, (), ALL_REDUCTIONS), (), ALL_REDUCTIONS, brief.memory_mb, known=False)
    _run(search, (), brief, None)
    if search.stopped == BY_CTRL_C:
        raise Interrupted
    return endless(search.space, HISTORY_LIMIT) if search.space.count > brief.states else ""


def _report(search: _Search) -> Report:
    search.full.judge.check()
    coverage = _coverage(search)
    asked = search.full.judge.properties
    judgements = tuple(_judgement(search, index, prop, coverage) for index, prop in enumerate(asked))
    search.full.semantics.check()
    return Report(judgements, coverage)


@dataclass(frozen=True)
class _Bounds:
    """How far a search may go, and whether it goes on when a property is decided.

    `endless` names what goes on without end, for which `states` is kept small; empty if nothing is known, None if
    nobody looked. `kept` is where it is kept how far the search came.
    """

    states: int
    memory_mb: int
    keep_going: bool
    ops: int = HISTORY_LIMIT
    endless: str | None = None
    kept: SearchCheckpoint | None = None


def _search(
    semantics: Semantics,
    asked: Sequence[Property],
    reductions: Reductions,
    bounds: _Bounds,
    progress: ExploreProgress | None = None,
    made: Tables | None = None,
) -> _Search:
    """Searches, at first without the knowledge that reductions need: it costs more than a small space is worth.

    With tables that are `made`, it does with what these know.
    """
    first = bounds if made else replace(bounds, states=min(bounds.states, WORTH_KNOWING), kept=None)
    try:
        tables = made or _tables(semantics, asked, reductions)
        search = _prepared(tables, asked, reductions, bounds.memory_mb, known=tables.closed)
        _run(search, asked, first, progress)
        if first.states < bounds.states and search.space.count > first.states and search.stopped != BY_CTRL_C:
            try:
                search, bounds = _informed(search, asked, reductions, bounds)
            except KeyboardInterrupt:
                search.stopped = BY_CTRL_C
                return search
            except MemoryError:
                search.stopped = _memory_ran_out(search)
                return search
            _run(search, asked, bounds, progress)
    except CopiesDistinguished as distinguished:
        search = _search(semantics, asked, replace(reductions, symmetry=False), bounds, progress, made)
        search.notes.append(f"symmetry off: copies are told apart by {distinguished}")
    return search


def _informed(
    brief: _Search, asked: Sequence[Property], reductions: Reductions, bounds: _Bounds
) -> tuple[_Search, _Bounds]:
    """A search with the knowledge that reductions need, if available, and bounds for loops without end."""
    semantics = brief.full.semantics
    unending = endless(brief.space, bounds.ops) if bounds.endless is None else bounds.endless
    bounds = replace(bounds, endless=unending)
    if unending:
        bounds = replace(bounds, states=min(bounds.states, WORTH_OF_ENDLESS))
        semantics = Semantics(semantics.system, history_limit=min(LOOP_LIMIT, bounds.ops), by_value=reductions.by_value)
    tables = _tables(semantics, asked, reductions)
    asks = (reductions.merge or reductions.por) and not unending
    why_not = close(tables) if asks else ""
    search = _prepared(tables, asked, reductions, bounds.memory_mb, known=asks and not why_not)
    search.endless = unending
    search.notes += [f"no partial-order reduction: {why_not}; {_NO_MATTER}"] if reductions.por and why_not else []
    return search, bounds


def _tables(semantics: Semantics, asked: Sequence[Property], reductions: Reductions) -> Tables:
    tables = Tables(semantics, Judge(semantics, asked), merge=reductions.merge)
    tables.initial_rows()
    return tables


def _prepared(
    full: Tables, asked: Sequence[Property], reductions: Reductions, memory_mb: int, *, known: bool
) -> _Search:
    """A search at its start; if its tables are known to be closed, with merged futures and stubborn sets."""
    tables = quotient(full) if reductions.merge and known else full
    can_wait = reductions.por and len(full.semantics.names) > 1 and len(tables.objects) <= MOST_OBJECTS
    future = future_of(tables, asked) if can_wait and known else None
    symmetry = reductions.symmetry and any(len(klass.pids) > 1 for klass in tables.classes)
    space = Space(tables, symmetry, future, memory_mb << 20)
    return _Search(space, LevelJudge(space, full.judge), full)


def _run(search: _Search, asked: Sequence[Property], bounds: _Bounds, progress: ExploreProgress | None) -> None:
    """Expand level after level until a property is decided, the space is exhausted, or a bound is reached."""
    try:
        search.stopped = _levels(search, asked, bounds, progress)
        if not search.stopped:
            _look_back(search, asked)
    except KeyboardInterrupt:
        search.stopped = BY_CTRL_C
    except UnboundedProgram as unbounded:
        search.stopped = bounds.endless or str(unbounded)
    except OutOfMemory:
        search.stopped = f"the limit of {search.space.memory_bytes >> 20:,} MB was reached"
    except MemoryError:
        search.stopped = _memory_ran_out(search)


def _memory_ran_out(search: _Search) -> str:
    """Why a search stopped for which there is no more memory; what it needed to go on is given back."""
    used = search.space.bytes_in_use >> 20
    search.space.end_search()
    return f"memory ran out as the states took {used:,} MB"


def _levels(search: _Search, asked: Sequence[Property], bounds: _Bounds, progress: ExploreProgress | None) -> str:
    space = search.space
    if bounds.kept is not None and bounds.kept.take_up(space):
        for begin, end in pairwise(space.levels[:-1]):
            _settled(search, asked, begin, end, keep_going=bounds.keep_going, deadlock=False)
            _settled(search, asked, begin, end, keep_going=bounds.keep_going, deadlock=True)
    while space.levels[-2] < space.levels[-1]:
        begin, end = space.levels[-2:]
        if _settled(search, asked, begin, end, keep_going=bounds.keep_going, deadlock=False):
            return FIRST_VIOLATION
        at = max(begin, space.expanded)
        while at < end:
            at = space.expand(at, min(end, at + bounds.states))
            if progress is not None:
                progress(space.count, space.transitions, len(space.levels) - 1)
            if bounds.kept is not None:
                bounds.kept.note(space, ends=space.count > bounds.states)
            if bounds.endless and max(map(len, space.tables.states), default=0) > VALUES_OF_ENDLESS:
                return bounds.endless
            if space.count > bounds.states:
                return bounds.endless or f"the limit of {bounds.states:,} states was reached{_suspect(space)}"
        if _settled(search, asked, begin, end, keep_going=bounds.keep_going, deadlock=True):
            return FIRST_VIOLATION
        space.close_level()
    return ""


def _look_back(search: _Search, asked: Sequence[Property]) -> None:
    """Looks for traps in the exhausted space, if that was asked: they are known only when all is."""
    for index, prop in enumerate(asked):
        if prop.asks_ahead and not prop.in_time:
            search.judge.exercised[prop.name] += search.space.count
            try:
                trap = first_trap(search.space)
            except KeyboardInterrupt:
                search.no_look_back = BY_CTRL_C
            except MemoryError:
                search.no_look_back = "memory ran out as traps were looked for"
            else:
                search.found.update({} if trap is None else {index: trap})


BY_CTRL_C = "interrupted"
FIRST_VIOLATION = "stopped at the first violation (--keep-going visits the whole space)"


def _settled(
    search: _Search, asked: Sequence[Property], begin: int, end: int, *, keep_going: bool, deadlock: bool
) -> bool:
    """Judges a level (deadlocks once it is expanded); whether a property failed or every wish was reached."""
    for index, state in search.judge.decided(begin, end, deadlock=deadlock).items():
        search.found.setdefault(index, state)
    if keep_going:
        return False
    failed = any(not asked[index].is_wish for index in search.found)
    return failed or (len(search.found) == len(asked) and not deadlock)


def _suspect(space: Space) -> str:
    """A hint at the line that one process passed most often, if that looks like a loop."""
    automata = dict.fromkeys(space.tables.semantics.automata)
    place, count = max((automaton.most_passed() for automaton in automata), key=lambda item: item[1])
    return f"; {place} was passed {count:,} times by one process: has that loop a bound?" if count >= 10 else ""


def _judgement(search: _Search, index: int, prop: Property, coverage: Coverage) -> Judgement:
    if index not in search.found:
        if prop.in_time:
            coverage = replace(coverage, exhausted=False, stopped="not asked of a space with reductions")
        elif prop.asks_ahead and search.no_look_back:
            coverage = replace(coverage, exhausted=False, stopped=search.no_look_back)
        elif why_not := search.full.judge.why_not(prop):
            coverage = replace(coverage, exhausted=False, stopped=why_not)
        return certify(prop, coverage, None)
    trace, shortest, minimal = _witness(search, index, prop)
    judged = replace(certify(prop, coverage, trace), minimal=minimal)
    return judged if shortest else replace(judged, reason=f"{judged.reason}, {NOT_SHORTEST}")


def _witness(search: _Search, index: int, prop: Property) -> tuple[Trace, bool, bool]:
    """A trace that decides a property, replayed and judged again; whether it is shortest, and has fewest switches."""
    semantics = search.space.tables.semantics
    judge, space = Judge(semantics, [prop]), search.space

    def decides(state: State) -> bool:
        return any(True for _ in judge.decides(state))

    too_large = (space.orbits() if space.symmetry else space.count) > TOO_LARGE or space.levels[1] > SMALL
    near = traps_of(semantics, SMALL).__contains__ if prop.asks_ahead and not too_large else decides
    schedule = None if too_large else shortest_schedule(semantics, near, SMALL)
    shortest = minimal = schedule is not None
    if schedule is None:
        bounds = _Bounds(LARGE, 2048, keep_going=False, endless=search.endless)
        exact = _search(semantics, [prop], Reductions(merge=False, por=False), bounds)
        shortest = 0 in exact.found
        schedule = _along(exact, exact.found[0], prop) if shortest else _along(search, search.found[index], prop)
    trace, end = replay_to_end(semantics, schedule)
    if not decides(end):
        if prop.asks_ahead:
            assert judge.ahead.is_trap(end) is None, f"{schedule} does not lead into a trap"
            return trace, shortest, minimal
        raise changed_its_mind(prop, "differently when the trace that decides it was performed again")
    return trace, shortest, minimal


def _along(search: _Search, state: int, prop: Property) -> Schedule:
    return schedule_along(search.space, search.space.path(state), to_the_last_op=prop.kind is PropertyKind.NO_DEADLOCK)


def _coverage(search: _Search) -> Coverage:
    space, seen = search.space, exercised(search.space, search.full)
    semantics, sections = search.full.semantics, seen.sections()
    return Coverage(
        states=space.count,
        transitions=space.transitions,
        depth=len(set(space.levels)) - 2,  # the last level of an exhausted space is empty
        exhausted=not search.stopped,
        stopped=search.stopped,
        exercised=dict(search.judge.exercised),
        reductions=tuple(search.notes + _reductions(search)),
        sections_never_entered=tuple(name for name in semantics.system.sections if name not in sections),
        ops_never_performed=tuple(seen.ops_never_performed()),
        lines_never_passed=tuple(seen.lines_never_passed()),
        nobody=not semantics.names,
        nobody_must_end=not semantics.system.must_end,
        standstill=bool(space.stuck) and not semantics.system.must_end,
    )


def _histories(semantics: Semantics) -> Iterator[str]:
    """Where local states are histories, as suspended programs could not be compared by value."""
    if not shows_suspended():
        yield "local states are histories, as this Python does not show suspended programs: loops may have no end"
    for automaton, process in dict(zip(semantics.automata, semantics.processes, strict=True)).items():
        for what, place in automaton.not_by_value.items():
            yield f"local states of {process.name} with {what} are histories, as that has no value ({place})"


def _reductions(search: _Search) -> list[str]:
    """Which reductions were on, and what they saved."""
    space, notes = search.space, list[str]()
    full, made = len(search.full.keys), len(space.tables.keys)
    if space.tables.merge:
        notes.append(
            "local steps merged" + (f"; {full:,} local states are {made:,} by their futures" if made < full else "")
        )
    notes += _histories(search.full.semantics)
    if space.symmetry:
        notes.append(f"symmetry of copies: these states stand for {space.orbits():,}")
    if space.future is not None:
        notes.append(f"partial-order reduction: at {many(space.reduced, 'state')} some processes could wait")
    return notes
