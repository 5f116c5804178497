"""The cells of a matrix: what is asked of each, and what was found."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from pydantic import Field

from dstamp_sim.analyses.confidence import limits_of
from dstamp_sim.core.errors import Interrupted, UsageError
from dstamp_sim.core.system import ANY, NOTHING_MORE, Also
from dstamp_sim.core.verdict import Judgement, Report, Verdict, combined
from dstamp_sim.disk.reading import LARGEST_NUMBER
from dstamp_sim.engines.explore.explorer import uninterrupted
from dstamp_sim.inputs.model_file import Model, load_model, made_by
from dstamp_sim.matrix.axes import MatrixSetting
from dstamp_sim.matrix.known import SHOWN_BY_A_RUN, carried, holds_for_all, is_case_of
from dstamp_sim.pipeline.explore import ExploreOptions
from dstamp_sim.pipeline.prove import ProveOptions
from dstamp_sim.pipeline.sample import SampleOptions, judged
from dstamp_sim.pipeline.subject import Subject, subject_of

CellOptions = ExploreOptions | ProveOptions | SampleOptions
"""How each cell is asked."""

CellCount = Annotated[int, Field(ge=0, le=LARGEST_NUMBER, strict=True)]
"""A count of a cell, as it may stand in a file."""

CellShare = Annotated[float, Field(ge=0, le=1, strict=True)]
"""A share, as it may stand in a file."""


@dataclass(frozen=True)
class MatrixCell:
    """What was found for one setting: `values` are those of the axes, in their order.

    `broken` is the property with the shortest counterexample, and `steps` the length of that; `copies` are the
    numbers in it, where the question was for every number; `why` says why the cell
    is UNDETERMINED: the reason of the first property that is. `refused` is set instead if the model does not take the
    setting: nothing was asked.

    `how`: why it was not explored, if it was not: nothing was counted then, and a shorter story than `steps` may exist.
    `story`: the schedule that violates `broken`, where larger settings may be tried with it.

    Of a sample: `failing` of `schedules` violate a property, and with 95 % confidence a share between `low` and `high`
    of all that are drawn so; `broken` is the one that most of them violate, `steps` the length of its story.
    """

    values: tuple[str, ...]
    verdict: Verdict
    states: CellCount = 0
    transitions: CellCount = 0
    exhausted: Annotated[bool, Field(strict=True)] = False
    broken: str = ""
    steps: CellCount = 0
    copies: str = ""
    why: str = ""
    refused: str = ""
    schedules: CellCount = 0
    failing: CellCount = 0
    low: CellShare = 0.0
    high: CellShare = 1.0
    how: str = ""
    story: str = ""

    def told(self) -> dict[str, Any]:
        """Its fields by name; what was not counted, as nothing was explored, is None."""
        counted = dict.fromkeys(("states", "transitions", "exhausted")) if self.how else {}
        return asdict(self) | counted


@dataclass(frozen=True)
class MatrixSubject:
    """What a matrix is about: the model, what the cells share, and how each is asked."""

    reference: str
    setting: MatrixSetting
    properties: tuple[str, ...]
    crashes: int | None
    asking: CellOptions
    also: Also = NOTHING_MORE

    def smaller(self, values: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """By axis: the values of the cells from which something may be known of this one, so that it is not explored.

        With `--keep-going` each is explored, as the whole space was asked for.
        """
        explored = isinstance(self.asking, ExploreOptions) and not self.asking.keep_going
        return self.setting.one_less(values) if explored else {}

    def found(self, values: tuple[str, ...], smaller: Mapping[str, MatrixCell]) -> MatrixCell:
        """The cell with these values, asked, or known from `smaller`. Raises ModelError if the model breaks a rule."""
        settings, placement = self.setting.of(values)
        try:
            subject = self._subject(load_model(self.reference), settings, placement, self.properties)
            if isinstance(self.asking, SampleOptions):
                return _sampled(values, subject, self.asking)
            known = self._replayed(values, subject, smaller) or self._proved(values, subject, smaller)
            return known or _summed_up(values, uninterrupted(self.asking.report(subject)))
        except UsageError as error:
            return MatrixCell(values, Verdict.UNDETERMINED, refused=str(error))

    def _replayed(
        self, values: tuple[str, ...], asked: Subject, smaller: Mapping[str, MatrixCell]
    ) -> MatrixCell | None:
        """The cell in which the story of a smaller one violates the same property."""
        props = {prop.name: prop for prop in asked.system.properties_named(asked.properties)}
        for axis, cell in smaller.items():
            prop = props.get(cell.broken) if cell.story else None
            if prop is None or (trace := carried(asked.system, prop, cell.story)) is None:
                continue
            how = cell.how or f"replayed from {axis}={cell.values[self.setting.place(axis)]}"
            steps, story = len(trace.steps), str(trace.schedule)
            return MatrixCell(values, Verdict.VIOLATED, broken=prop.name, steps=steps, how=how, story=story)
        return None

    def _proved(self, values: tuple[str, ...], asked: Subject, smaller: Mapping[str, MatrixCell]) -> MatrixCell | None:
        """The cell of which a proof for any number says that it HOLDS; the second one along a parameter tries it."""
        for axis, cell in smaller.items():
            at, how = self.setting.place(axis), f"proved for any number of {axis}"
            second = not cell.how and not self.setting.one_less(cell.values).get(axis)
            if cell.verdict is not Verdict.HOLDS or not (second or cell.how == how) or self.also != NOTHING_MORE:
                continue
            settings, placement = self.setting.of((*values[:at], ANY.value, *values[at + 1 :]))
            with suppress(UsageError):
                every = self._subject(asked.model, settings, placement, self.properties)
                if is_case_of(asked, every) and (cell.how == how or holds_for_all(every)):
                    return MatrixCell(values, Verdict.HOLDS, how=how)
        return None

    def _subject(
        self, model: Model, settings: Sequence[str], placement: str | None, properties: Sequence[str]
    ) -> Subject:
        return subject_of(
            model, settings, placement, properties, self.crashes,
            numbers_open=self.asking.numbers_open, also=self.also,
        )  # fmt: skip

    def check_properties(self, values: tuple[str, ...]) -> None:
        """Raises UsageError for the name of a property that the model does not have, if it takes these values."""
        settings, placement = self.setting.of(values)
        try:
            subject = self._subject(load_model(self.reference), settings, placement, ())
        except UsageError:
            return
        subject.system.properties_named(self.properties)

    def key(self, values: tuple[str, ...], source: str) -> str:
        """A digest of all that the cell's content depends on; `source` is the model's fingerprint."""
        settings, placement = self.setting.of(values)
        asked = [self.reference, settings, placement, self.properties, self.crashes, self.also, str(self.asking)]
        return hashlib.sha256(json.dumps([source, asked, made_by()]).encode()).hexdigest()[:32]


def _summed_up(values: tuple[str, ...], report: Report) -> MatrixCell:
    failing = [j for j in report.judgements if j.verdict is Verdict.VIOLATED]
    shortest = min(failing, key=lambda j: len(j.trace.steps) if j.trace else sys.maxsize, default=None)
    open_one = next((j for j in report.judgements if j.verdict is Verdict.UNDETERMINED), None)
    undecided = open_one is not None and report.verdict is Verdict.UNDETERMINED
    return MatrixCell(
        values,
        report.verdict,
        report.coverage.states,
        report.coverage.transitions,
        report.coverage.exhausted,
        shortest.prop.name if shortest else "",
        len(shortest.trace.steps) if shortest and shortest.trace else 0,
        _copies(shortest) if shortest else "",
        f"{open_one.prop.title}: {open_one.reason}" if undecided and open_one else "",
        story=_story(shortest),
    )


def _story(judgement: Judgement | None) -> str:
    """The schedule of a judgement's trace, where another system may be tried with it."""
    told = judgement and judgement.trace and judgement.prop.kind in SHOWN_BY_A_RUN
    return str(judgement.trace.schedule) if told and judgement and judgement.trace else ""


def _sampled(values: tuple[str, ...], asked: Subject, options: SampleOptions) -> MatrixCell:
    drawn = options.drawn(asked)
    if drawn.stopped == "interrupted":
        raise Interrupted
    found = judged(asked.system, drawn, asked.properties)
    failing = [j for j in found if j.verdict is Verdict.VIOLATED]
    independent = drawn.independent and drawn.schedules
    low, high = limits_of(drawn.failing, drawn.schedules) if independent else (0.0, 1.0)
    worst = max(failing, key=lambda j: drawn.decided[j.prop.name], default=None)
    return MatrixCell(
        values,
        combined([j.verdict for j in found]),
        broken=worst.prop.name if worst else "",
        steps=len(worst.trace.steps) if worst and worst.trace else 0,
        why=drawn.stopped,
        schedules=drawn.schedules,
        failing=drawn.failing,
        low=low,
        high=high,
    )


def _copies(judgement: Judgement) -> str:
    return ", ".join(f"{name}={count}" for name, count in (judgement.copies or {}).items())
