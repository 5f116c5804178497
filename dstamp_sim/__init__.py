"""dstamp_sim: one protocol model, run by many engines, to find, prove and explain races in shared environments.

The names below are the public API. A model is a Python file whose factory (`build` unless another is named) returns a
`System`; see the README for one.
"""

from dstamp_sim.core.errors import (
    DstampError,
    ModelError,
    PlacementError,
    ScenarioError,
    ScheduleError,
    UsageError,
    WitnessError,
)
from dstamp_sim.core.mechanism import Experiment, Hypotheses, Mechanism, Question, Rule, Seen, Window
from dstamp_sim.core.op import Op, Program, delay, section
from dstamp_sim.core.placement import PROCESS_EXIT, REJECTED, Placement, Span
from dstamp_sim.core.properties import Property, always, at_end, each_result, reachable
from dstamp_sim.core.schedule import CRASH, Choice, Schedule
from dstamp_sim.core.shared_object import Outcome, SharedObject
from dstamp_sim.core.system import ANY, AnyNumber, Copies, Lane, Process, System
from dstamp_sim.core.trace import Change, Step, Trace
from dstamp_sim.core.verdict import Coverage, Judgement, Report, Verdict
from dstamp_sim.engines.explore.explorer import explore
from dstamp_sim.engines.prove.unbounded import prove
from dstamp_sim.engines.replay import replay
from dstamp_sim.objects.chance import Chance, Counter
from dstamp_sim.objects.git_checkout import GitCheckout, Worktree
from dstamp_sim.objects.inside import Inside
from dstamp_sim.objects.locks import Flock, LockScope, Mutex
from dstamp_sim.objects.register import Register
from dstamp_sim.objects.swarm_service import MISSING, Service, Spec, Swarm, SwarmService

__all__ = [
    "ANY",
    "CRASH",
    "MISSING",
    "PROCESS_EXIT",
    "REJECTED",
    "AnyNumber",
    "Chance",
    "Change",
    "Choice",
    "Copies",
    "Counter",
    "Coverage",
    "DstampError",
    "Experiment",
    "Flock",
    "GitCheckout",
    "Hypotheses",
    "Inside",
    "Judgement",
    "Lane",
    "LockScope",
    "Mechanism",
    "ModelError",
    "Mutex",
    "Op",
    "Outcome",
    "Placement",
    "PlacementError",
    "Process",
    "Program",
    "Property",
    "Question",
    "Register",
    "Report",
    "Rule",
    "ScenarioError",
    "Schedule",
    "ScheduleError",
    "Seen",
    "Service",
    "SharedObject",
    "Span",
    "Spec",
    "Step",
    "Swarm",
    "SwarmService",
    "System",
    "Trace",
    "UsageError",
    "Verdict",
    "Window",
    "WitnessError",
    "Worktree",
    "always",
    "at_end",
    "delay",
    "each_result",
    "explore",
    "prove",
    "reachable",
    "replay",
    "section",
]

__version__ = "0.1.0"
