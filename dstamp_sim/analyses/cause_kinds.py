"""The cause of a failure: the one thing without which it would not have happened, as a colleague would name it.

Nothing here knows a model. A cause mattered when the system was performed differently (`what_if`). Its story is the
first of these that applies:

- *death*: a process died, and all is well if it does not;
- *environment*: a process had written a field itself, and read there what a daemon wrote since;
- *lapse*: a daemon took back what another process had written, or changed what it held;
- *overwritten*: a process had written a field itself, and read there what another wrote since;
- *stale*: it acted on what it had read, though another had changed that meanwhile (who waited for that change comes
  after all that is single);
- *chance*: one of several outcomes that its environment decides; the usual one, its first, only where nothing else is;
- *early*: it did not wait for what another wrote later, and neither did others that did the same;
- *order*: two steps of different processes on one field, which in the other order do no harm;
- *own*: what it read it had written itself, or nobody had, and no other process is needed;
- *together*: the fewest deaths, or things that daemons took back, each of which is enough alone; or the fewest orders
  of two steps that do no harm the other way round, all at once;
- *turn*: nothing single; but with one process after the other all is well;
- *did*: a step of a daemon that could be left out; or the step with which it came about, where that comes about with
  one process after the other, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from dstamp_sim.analyses.conflicts import DependencyKind
from dstamp_sim.analyses.fields import Location
from dstamp_sim.analyses.held import RaceWindow
from dstamp_sim.analyses.reruns import Rerun
from dstamp_sim.analyses.what_if import Remedy


class CauseKind(Enum):
    """The kinds of cause, the most telling first."""

    DEATH = "death"
    ENVIRONMENT = "environment"
    LAPSE = "lapse"
    OVERWRITTEN = "overwritten"
    STALE = "stale"
    CHANCE = "chance"
    EARLY = "early"
    ORDER = "order"
    OWN = "own"
    TOGETHER = "together"
    TURN = "turn"
    DID = "did"


@dataclass(frozen=True)
class Cause:
    """The decisive step `read` and the field that it read, the writer of that, and the window around it.

    `opens` is the process's own step before: its write that was lost, or the reading that went stale; `closes` the step
    at which it looked again or acted. Step numbers count from 0; None where there is no such step. A reading that came
    too early has its `write` later, and beside it the readings of `others` that did the same. `reruns` were performed,
    and the failure was gone; without any, `remedy` is the answer with which it was. `parts` are causes that make a
    difference only together.
    """

    story: CauseKind
    location: Location | None
    opens: int | None
    write: int | None
    read: int
    closes: int
    remedy: Remedy | None = None
    others: tuple[int, ...] = ()
    reruns: tuple[Rerun, ...] = ()
    kind: DependencyKind | None = None
    parts: tuple[Cause, ...] = ()

    @property
    def window(self) -> RaceWindow | None:
        """From `opens` to `closes`, with the write inside; None where there is none."""
        if self.story not in (CauseKind.ENVIRONMENT, CauseKind.OVERWRITTEN, CauseKind.STALE):
            return None
        return None if self.opens is None or self.write is None else RaceWindow(self.opens, self.write, self.closes)
