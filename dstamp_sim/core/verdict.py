"""What an engine found out. Verdicts are never booleans, and only `certify` makes HOLDS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from dstamp_sim.core.numbers import many
from dstamp_sim.core.place import Place
from dstamp_sim.core.properties import Property, PropertyKind
from dstamp_sim.core.trace import Trace


class Verdict(Enum):
    """HOLDS is proved, VIOLATED has a witness, UNDETERMINED is neither. Not to be used as a truth value."""

    HOLDS = "HOLDS"
    VIOLATED = "VIOLATED"
    UNDETERMINED = "UNDETERMINED"

    def __bool__(self) -> bool:
        raise TypeError("a Verdict is not a bool: compare it with Verdict.HOLDS")

    @property
    def exit_code(self) -> int:
        """The exit code of the command line: 0 HOLDS, 1 VIOLATED, 3 UNDETERMINED (2 is a usage error)."""
        return {Verdict.HOLDS: 0, Verdict.VIOLATED: 1, Verdict.UNDETERMINED: 3}[self]


@dataclass(frozen=True)
class Coverage:
    """How much of the space was visited. `exhausted` is true only when every reachable state was expanded.

    `stopped` says why not; `exercised` counts, by property, the moments at which it was asked. `reductions` says which
    were on, what they saved, and which were impossible. `any_number` names the processes that may have any number of
    copies: the space then covers every number, and `states` are the minimal states that were examined backwards. The
    lists name behaviours that never occurred: declared sections that no process entered, ops that some process waited
    for and never performed, and lines with a yield that no process passed. `nobody`: there is no process at all;
    `nobody_must_end`: all are daemons; `standstill`: there is moreover a state in which all wait for ever before their
    first ops.
    """

    states: int
    transitions: int
    depth: int
    exhausted: bool
    stopped: str = ""
    exercised: dict[str, int] = field(default_factory=dict)
    reductions: tuple[str, ...] = ()
    any_number: tuple[str, ...] = ()
    sections_never_entered: tuple[str, ...] = ()
    ops_never_performed: tuple[str, ...] = ()
    lines_never_passed: tuple[Place, ...] = ()
    nobody: bool = False
    nobody_must_end: bool = False
    standstill: bool = False


@dataclass(frozen=True)
class Judgement:
    """One property's verdict, why, and the trace that shows it (a counterexample, or the witness of a `reachable`).

    `minimal`: the trace is a shortest one, and among those has the fewest context switches; else it may be neither. For
    any number of copies, `copies` are the numbers in the trace (see `System.with_copies`); and where the verdict is
    UNDETERMINED, `holds_up_to` is the number of each up to which it HOLDS (0: not known).
    """

    prop: Property
    verdict: Verdict
    reason: str
    trace: Trace | None = None
    minimal: bool = True
    copies: Mapping[str, int] | None = None
    holds_up_to: int = 0


@dataclass(frozen=True)
class Report:
    """An engine's report on a system: a judgement per property, and the coverage behind them."""

    judgements: tuple[Judgement, ...]
    coverage: Coverage

    @property
    def verdict(self) -> Verdict:
        """VIOLATED if any property is, HOLDS if all do, UNDETERMINED otherwise."""
        return combined([judgement.verdict for judgement in self.judgements])

    @property
    def trace(self) -> Trace | None:
        """The first counterexample."""
        return next((j.trace for j in self.judgements if j.verdict is Verdict.VIOLATED), None)

    def judgement(self, name: str) -> Judgement:
        """The judgement on the property called `name`; KeyError if it was not asked."""
        found = {judgement.prop.name: judgement for judgement in self.judgements}
        return found[name]


def combined(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on several properties together; UNDETERMINED when there are none."""
    if Verdict.VIOLATED in verdicts:
        return Verdict.VIOLATED
    return Verdict.HOLDS if verdicts and set(verdicts) == {Verdict.HOLDS} else Verdict.UNDETERMINED


def _steps(trace: Trace) -> str:
    return many(len(trace.steps), "step")


_STANDSTILL = (
    "every process is a daemon, and all come to wait for ever before their first ops: the model does not say whether "
    "that is how it should end (a process that is no daemon must end)"
)


def certify(prop: Property, coverage: Coverage, witness: Trace | None) -> Judgement:
    """The judgement that `coverage` and a possible `witness` allow: the only maker of HOLDS.

    A witness decides at once (for `reachable` it makes HOLDS). Without one, the space must have been exhausted and the
    property asked at least once; anything else is UNDETERMINED.
    """
    wanted = prop.kind is PropertyKind.REACHABLE
    if witness is not None:
        verdict = Verdict.HOLDS if wanted else Verdict.VIOLATED
        return Judgement(prop, verdict, _shown(prop, witness), witness)
    if not coverage.exhausted:
        return Judgement(prop, Verdict.UNDETERMINED, coverage.stopped or "the space was not exhausted")
    if wanted:
        return Judgement(prop, Verdict.VIOLATED, _nowhere(coverage))
    asked = coverage.exercised.get(prop.name, 0)
    if asked == 0:
        return Judgement(prop, Verdict.UNDETERMINED, _never_asked(prop))
    if coverage.nobody and prop.kind in (PropertyKind.NO_DEADLOCK, PropertyKind.END_POSSIBLE):
        return Judgement(prop, Verdict.HOLDS, "says nothing here: there is no process")
    if prop.kind is PropertyKind.NO_DEADLOCK and coverage.standstill:
        return Judgement(prop, Verdict.UNDETERMINED, _STANDSTILL)
    if prop.kind is PropertyKind.END_POSSIBLE and coverage.nobody_must_end:
        return Judgement(prop, Verdict.HOLDS, "says nothing here: every process is a daemon, and none has to end")
    if prop.in_time:
        return Judgement(prop, Verdict.HOLDS, f"on every fair behaviour of {_all_states(coverage)}")
    return Judgement(prop, Verdict.HOLDS, _everywhere(coverage))


def _never_asked(prop: Property) -> str:
    """Why a property that was never exercised says nothing."""
    if prop.kind is PropertyKind.NOBODY_STARVES:
        return "vacuous: no lock ever makes anybody wait"
    if prop.kind is PropertyKind.NO_LIVELOCK:
        return "vacuous: every process is a daemon, and none has to end"
    if prop.start is not None:
        return "vacuous: its premise is true in no reachable state"
    return "never exercised: no moment at which it is asked was reached"


def _shown(prop: Property, witness: Trace) -> str:
    """What a witness shows, and how long it is."""
    if witness.loop is None:
        return f"{'reached' if prop.is_wish else 'fails'} after {_steps(witness)}"
    rounds = len(witness.steps) - witness.loop
    if not rounds:
        return f"put off for ever: after {many(witness.loop, 'step')} nobody moves any more"
    return f"put off for ever: {many(witness.loop, 'step')}, then a cycle of {many(rounds, 'step')}"


def _everywhere(coverage: Coverage) -> str:
    if coverage.any_number:
        return f"for every number of copies of {', '.join(coverage.any_number)}"
    return f"in {_all_states(coverage)}"


def _nowhere(coverage: Coverage) -> str:
    if coverage.any_number:
        return f"for no number of copies of {', '.join(coverage.any_number)}"
    return "not in the one reachable state" if coverage.states == 1 else f"in none of {_all_states(coverage)}"


def _all_states(coverage: Coverage) -> str:
    return "the one reachable state" if coverage.states == 1 else f"all {coverage.states:,} reachable states"
