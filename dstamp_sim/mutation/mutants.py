"""Which changes of a model do its properties notice? Each change is explored as the model itself is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from importlib.util import decode_source
from typing import Any

from dstamp_sim.core.errors import DstampError, UnboundedProgram
from dstamp_sim.core.placement import PROCESS_EXIT, Placement, Span
from dstamp_sim.core.semantics import Semantics
from dstamp_sim.core.system import System
from dstamp_sim.core.value import text
from dstamp_sim.core.verdict import Report, Verdict
from dstamp_sim.engines.explore.explorer import explore, uninterrupted
from dstamp_sim.inputs.changed_source import changed_source
from dstamp_sim.inputs.model_file import sources
from dstamp_sim.mutation.edits import edits_of
from dstamp_sim.pipeline.progress import Progress
from dstamp_sim.pipeline.subject import Subject

STATES_OF_A_MUTANT, OPS_OF_A_MUTANT = 5_000, 300
"""How many states a mutant may have, and ops one of its processes; beyond, it is undecided.

Many mutants of a model that goes round fill something without end, and that is soon seen.
"""


class Fate(StrEnum):
    """What became of a mutant."""

    NOTICED = "noticed"
    REFUSED = "refused"
    SAME = "not noticed: same outcomes"
    OTHER = "not noticed: other outcomes"
    OPEN = "not decided"


@dataclass(frozen=True)
class Mutant:
    """A model with one thing changed: where, what, what became of it, and why.

    `by` are the properties whose verdict is another than the model's, where it is noticed; `why` says why it was
    refused or is not decided.
    """

    where: str
    change: str
    fate: Fate
    by: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Mutation:
    """All mutants of a model; `undecided` are those of its properties that are not decided, and so notice nothing."""

    name: str
    mutants: tuple[Mutant, ...]
    properties: tuple[str, ...]
    undecided: tuple[str, ...]

    @property
    def noticed_by(self) -> Mapping[str, int]:
        """By property: how many mutants it notices."""
        counts = Counter(name for mutant in self.mutants for name in mutant.by)
        return {name: counts[name] for name in self.properties}

    def of(self, fate: Fate) -> tuple[Mutant, ...]:
        """The mutants with this fate."""
        return tuple(mutant for mutant in self.mutants if mutant.fate is fate)


def find_mutants(asked: Subject, *, limit: int = STATES_OF_A_MUTANT, progress: Progress | None = None) -> Mutation:
    """Explores the model and each mutant of it, and says which are noticed. Deterministic.

    A mutant is noticed where a property is decided, and not as it is for the model. Where none is, the outcomes are
    compared: the results and the shared states of all ends and standstills. Raises ModelError as `explore` does.
    """
    changes = [*_changes_of_source(asked), *_changes_of_placement(asked.system)]
    judge = _Judge(asked, limit)
    found = list[Mutant]()
    for number, (where, change, block, build) in enumerate(changes, start=1):
        with block:
            found.append(judge.judged(where, change, build))
        if progress is not None:
            progress(number, len(changes))
    return Mutation(asked.name, tuple(found), tuple(judge.verdicts), judge.undecided)


_Change = tuple[str, str, AbstractContextManager[None], Callable[[], System]]
"""Where, what, inside of which block the changed system is built and explored, and how it is built."""


def _changes_of_source(asked: Subject) -> Iterator[_Change]:
    """The changes of each file of a model, each in memory."""
    root = asked.model.path
    for file, written in sources(root):
        for edit in edits_of(decode_source(written)):
            where = f"{file.relative_to(root.parent)}:{edit.line}"
            yield where, edit.change, changed_source(file, edit.source), asked.origin.build


def _changes_of_placement(system: System) -> Iterator[_Change]:
    """Each span of the placement ended a section earlier, or begun a section later; one that is short left out."""
    spans, sections = system.placement.spans, list(system.sections)
    for index, span in enumerate(spans):
        first, last = (
            sections.index(span.first),
            len(sections) if span.last == PROCESS_EXIT else sections.index(span.last),
        )
        shorter = (
            [replace(span, first=sections[first + 1]), replace(span, last=sections[last - 1])] if first < last else []
        )
        for instead in [[one] for one in shorter] or [list[Span]()]:
            laid = Placement(system.placement.name, (*spans[:index], *instead, *spans[index + 1 :]))
            told = f"{span} is {instead[0] if instead else 'left out'}"
            yield "placement", told, nullcontext(), partial(system.with_locks, laid)


class _Judge:
    """Compares mutants with the model: its verdicts, and its outcomes once a mutant needs them."""

    def __init__(self, asked: Subject, limit: int) -> None:
        self._limit, self._asked = limit, asked
        report = self._explored(asked.system)
        judged = {one.prop.name: one.verdict for one in report.judgements}
        self.undecided = tuple(name for name, verdict in judged.items() if verdict is Verdict.UNDETERMINED)
        self.verdicts = {name: verdict for name, verdict in judged.items() if verdict is not Verdict.UNDETERMINED}
        self._outcomes = _outcomes_of(asked.system, limit)

    def _explored(self, system: System) -> Report:
        asked = self._asked.properties
        return uninterrupted(explore(system, properties=asked, limit=self._limit, ops=OPS_OF_A_MUTANT, keep_going=True))

    def _told(self, why: str) -> str:
        """The reason without the line of a mutant that it begins with: it is no line of the model."""
        file = self._asked.model.path
        return re.sub(rf"^({re.escape(str(file.absolute()))}|{re.escape(str(file))})\S*: ", "", why)

    def judged(self, where: str, change: str, build: Callable[[], System]) -> Mutant:
        """The fate of one mutant."""
        try:
            system = build()
            report = self._explored(system)
            now = [one for one in report.judgements if one.prop.name in self.verdicts]
            decided = [one for one in now if one.verdict is not Verdict.UNDETERMINED]
            by = tuple(one.prop.name for one in decided if one.verdict is not self.verdicts[one.prop.name])
            if by:
                return Mutant(where, change, Fate.NOTICED, by)
            if len(decided) < len(now):
                why = next(one.reason for one in now if one.verdict is Verdict.UNDETERMINED)
                return Mutant(where, change, Fate.OPEN, why=self._told(why))
            outcomes = _outcomes_of(system, self._limit)
        except DstampError as error:
            return Mutant(where, change, Fate.REFUSED, why=self._told(str(error)))
        if outcomes is None or self._outcomes is None:
            return Mutant(where, change, Fate.OPEN, why="the outcomes are too many to compare")
        return Mutant(where, change, Fate.SAME if outcomes == self._outcomes else Fate.OTHER)


def _outcomes_of(system: System, limit: int) -> frozenset[Any] | None:
    """The results and shared states of all ends and standstills, in words; None if there are too many states.

    In words, as a copy of a model has types of its own.
    """
    semantics = Semantics(system, history_limit=OPS_OF_A_MUTANT, by_value=True)
    seen = dict.fromkeys(semantics.initials())
    waiting, found = list(seen), set[Any]()
    try:
        for state in waiting:  # it grows
            after = [semantics.perform(state, move) for move in semantics.moves(state)]
            if not after or semantics.ended(state):
                results = tuple((name, *_worded(result)) for name, result in sorted(semantics.results(state).items()))
                found.add((results, tuple(map(_worded, state.shared))))
            new = [one for one in dict.fromkeys(after) if one not in seen]
            seen.update(dict.fromkeys(new))
            waiting += new
            if len(seen) > limit:
                return None
    except UnboundedProgram:
        return None
    return frozenset(found)


def _worded(value: object) -> tuple[str, str]:
    return type(value).__qualname__, text(value)
