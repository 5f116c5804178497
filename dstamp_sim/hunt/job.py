"""What is hunted: a start state, runs by name, a check; and how a trial of it is judged."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dstamp_sim.core.errors import UsageError
from dstamp_sim.hunt.folding import NOT_FOLDED, Folding
from dstamp_sim.hunt.nursery import Birth
from dstamp_sim.hunt.played_lock import LockedStretches, PlayedLock
from dstamp_sim.hunt.supervisor import Supervisor
from dstamp_sim.hunt.touches import Uses
from dstamp_sim.hunt.tree import Tree
from dstamp_sim.hunt.trial import ENV, CallChooser
from dstamp_sim.hunt.trial_outcome import End, TrialOutcome

MOST_RUNS = 4
NAME = "[A-Za-z_][A-Za-z0-9_]*"
"""What a run may be called, as a regular expression."""


@dataclass(frozen=True)
class Job:
    """What is hunted, as the user wrote it. `folder` is what the scratch folder holds before the setup.

    Without a check the end state must be one that a serial order gives, but for what `ignore` matches.
    `any_exit` leaves exit codes to the check. Raises UsageError where it makes no sense.
    """

    runs: Mapping[str, str]
    setup: str = ""
    check: str | None = None
    folder: Tree = field(default_factory=lambda: Tree({}))
    ignore: tuple[str, ...] = ()
    any_exit: bool = False

    def __post_init__(self) -> None:
        if not 2 <= len(self.runs) <= MOST_RUNS:
            raise UsageError(
                f"hunt: two to four runs are needed, not {len(self.runs)}: write --run NAME=COMMAND for each"
            )
        for name in self.runs:
            if not re.fullmatch(NAME, name):
                raise UsageError(f"hunt: run {name!r}: a name has letters, digits and _ only")
        if self.ignore and self.check is not None:
            raise UsageError("hunt: --ignore would be ignored: with --check it is the check that judges")

    def digest(self) -> str:
        """A digest of everything that was written."""
        parts = [dict(self.runs), self.setup, self.check, sorted(self.ignore), self.any_exit]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


Ended = tuple[Tree, tuple[tuple[str, int], ...]]


@dataclass
class PreparedJob:
    """A job whose setup was performed: where its trials are played, and what its serial orders gave.

    `drifting` are files that differ when the same order is played twice, as they hold times: they are not compared.
    `programs` are the files outside that trials executed; `lock` is one that the supervisor plays in each trial.
    """

    job: Job
    supervisor: Supervisor
    start: Tree
    uses: Uses = field(default_factory=dict)
    serial: list[Ended] = field(default_factory=list)
    drifting: tuple[str, ...] = ()
    folding: Folding = NOT_FOLDED
    kept: dict[str, str] = field(default_factory=dict)
    programs: set[str] = field(default_factory=set)
    lock: LockedStretches = field(default_factory=dict)

    def play(
        self,
        choose: CallChooser,
        *,
        only: str | None = None,
        learn: bool = False,
        serial: bool = False,
        watch: bool = False,
    ) -> TrialOutcome:
        """The outcome of one trial, judged. `only` one run plays alone; to `learn`, every call is held.

        Of a `serial` trial, a run that sleeps may go on before the others do.
        """
        runs = self.job.runs if only is None else {only: self.job.runs[only]}
        birth = Birth(self.start, runs, self.job.check if only is None else None, ENV)
        self.supervisor.trials += 1
        with self.supervisor.trial(birth, None if learn else self.uses, self.folding, watch=watch) as trial:
            trial.lock = PlayedLock(self.lock)
            out = trial.play(choose, sleepers_wait=not serial)
            if out.end is End.GOOD and only is None and self.serial:
                self._judge(out)
                if out.fails:
                    out.why += _last_words(trial.text_of, out)
        self.programs |= out.programs
        return out

    def _judge(self, out: TrialOutcome) -> None:
        """Makes an outcome bad that no serial order gives: an exit code, or without a check the end state."""
        known = {name: {dict(exits).get(name) for _, exits in self.serial} for name in self.job.runs}
        odd = [name for name, code in out.exits.items() if code not in known[name] and not self._died(out, name)]
        if odd and not self.job.any_exit:
            out.end = End.BAD
            out.why = " and ".join(f"{name} ends with {_exit(out.exits[name])}" for name in odd)
            return
        if self.job.check is None and not any(step.choice.outcome < 0 for step in out.steps):
            differ = [(self.differences(out.tree, tree), tree) for tree, _ in self.serial]
            if all(names for names, _ in differ):
                names, tree = min(differ, key=lambda pair: len(pair[0]))
                words = f"{names[0]} is {out.tree.shown(names[0])}, not {tree.shown(names[0])}"
                out.end, out.why = End.BAD, f"no serial order leaves this: {words}"

    def differences(self, one: Tree, two: Tree) -> list[str]:
        """The names that differ, but for those that are not compared."""
        globs = (*self.job.ignore, *self.drifting)
        return one.without(globs).differences(two.without(globs))

    @staticmethod
    def _died(out: TrialOutcome, name: str) -> bool:
        return any(step.run == name and step.choice.outcome < 0 for step in out.steps)


def _exit(code: int) -> str:
    return f"code {code}" if code >= 0 else f"signal {-code}"


def _last_words(text_of: object, out: TrialOutcome) -> str:
    """The last line that each run printed that ended with a code."""
    assert callable(text_of)
    words = []
    for name, code in out.exits.items():
        lines = str(text_of(f"/run/{name}.out")).strip().splitlines()
        if code and lines:
            words.append(f"; {name}: {lines[-1][:120]}")
    return "".join(words)


def prepared(job: Job, supervisor: Supervisor) -> PreparedJob:
    """The job with its setup performed. Raises UsageError where the setup fails."""
    birth = Birth(job.folder, {"setup": job.setup or "true"}, None, ENV, held=False)
    with supervisor.trial(birth) as trial:
        out = trial.run_freely()
        if out.exits["setup"]:
            said = trial.text_of("/run/setup.out").strip()[-500:]
            raise UsageError(f"hunt: the setup ends with {_exit(out.exits['setup'])}: {said}")
        return PreparedJob(job, supervisor, out.tree)
