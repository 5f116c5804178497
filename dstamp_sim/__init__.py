"""dstamp_sim: one protocol model, run by many engines, to find, prove and explain races in shared environments.

The names below are the public API. A model is a Python file whose factory (`build` unless another is named) returns a
`System`; see the README for one. What runs a system (`explore`, `run_timed`, …) is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dstamp_sim.core.errors import (
    DstampError,
    ModelError,
    PlacementError,
    ScenarioError,
    ScheduleError,
    UsageError,
    WitnessError,
)
from dstamp_sim.core.experiment import Experiment, Seen
from dstamp_sim.core.mechanism import Hypotheses, Mechanism, Question, Rule, Window
from dstamp_sim.core.observable import UNKNOWN, Field, Observable, Unknown
from dstamp_sim.core.op import GAVE_UP, Op, Program, delay, section, sleep
from dstamp_sim.core.placement import PROCESS_EXIT, REJECTED, Placement, Span
from dstamp_sim.core.properties import (
    NO_LIVELOCK,
    NOBODY_STARVES,
    Property,
    always,
    always_eventually,
    at_end,
    each_result,
    eventually,
    leads_to,
    reachable,
    serial,
)
from dstamp_sim.core.scenario import Arrivals, Distribution, Scenario, Shape, Timing
from dstamp_sim.core.schedule import CRASH, Choice, Schedule
from dstamp_sim.core.shared_object import Outcome, SharedObject
from dstamp_sim.core.system import ANY, AnyNumber, Copies, Fairness, Lane, Process, System
from dstamp_sim.core.trace import Change, Step, Trace
from dstamp_sim.core.verdict import Coverage, Judgement, Report, Verdict
from dstamp_sim.objects.chance import Chance, Counter
from dstamp_sim.objects.channel import Channel
from dstamp_sim.objects.condition import Condition
from dstamp_sim.objects.git_checkout import GitCheckout, Worktree
from dstamp_sim.objects.inside import Inside
from dstamp_sim.objects.lease import Lease
from dstamp_sim.objects.locks import Flock, LockScope, Mutex
from dstamp_sim.objects.register import Register
from dstamp_sim.objects.rwlock import RWLock
from dstamp_sim.objects.semaphore import Semaphore
from dstamp_sim.objects.store import Store, Version
from dstamp_sim.objects.swarm_service import MISSING, Service, Spec, Swarm, SwarmService
from dstamp_sim.objects.waiting_line import WaitingLine
from dstamp_sim.objects.work_queue import Delivery, Queue

if TYPE_CHECKING:
    from dstamp_sim.analyses.explain import Explanation, explain
    from dstamp_sim.analyses.minimise import minimise
    from dstamp_sim.engines.explore.explorer import explore
    from dstamp_sim.engines.prove.unbounded import prove
    from dstamp_sim.engines.replay import attempts, replay
    from dstamp_sim.engines.sampling.sampler import Sample, sample
    from dstamp_sim.engines.timed.sweep import Swept, sweep
    from dstamp_sim.engines.timed.timed import run_timed
    from dstamp_sim.incident.incident import judge_incident as judge
    from dstamp_sim.incident.loaded import load_incident
    from dstamp_sim.inputs.model_file import Model, load_model
    from dstamp_sim.inputs.scenario_file import read_scenario
    from dstamp_sim.lock_review.review import Review
    from dstamp_sim.lock_review.review import review_model as review
else:
    _WHERE = {
        "Explanation": "analyses.explain:Explanation",
        "Model": "inputs.model_file:Model",
        "Review": "lock_review.review:Review",
        "Sample": "engines.sampling.sampler:Sample",
        "Swept": "engines.timed.sweep:Swept",
        "attempts": "engines.replay:attempts",
        "explain": "analyses.explain:explain",
        "explore": "engines.explore.explorer:explore",
        "judge": "incident.incident:judge_incident",
        "load_incident": "incident.loaded:load_incident",
        "load_model": "inputs.model_file:load_model",
        "minimise": "analyses.minimise:minimise",
        "prove": "engines.prove.unbounded:prove",
        "read_scenario": "inputs.scenario_file:read_scenario",
        "replay": "engines.replay:replay",
        "review": "lock_review.review:review_model",
        "run_timed": "engines.timed.timed:run_timed",
        "sample": "engines.sampling.sampler:sample",
        "sweep": "engines.timed.sweep:sweep",
    }

    def __getattr__(name: str) -> Any:
        """A public name that is loaded when it is first used. Raises AttributeError for any other."""
        if name not in _WHERE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, _, inside = _WHERE[name].partition(":")
        return getattr(import_module(f"{__name__}.{module}"), inside)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


__all__ = [
    "ANY",
    "CRASH",
    "GAVE_UP",
    "MISSING",
    "NOBODY_STARVES",
    "NO_LIVELOCK",
    "PROCESS_EXIT",
    "REJECTED",
    "UNKNOWN",
    "AnyNumber",
    "Arrivals",
    "Chance",
    "Change",
    "Channel",
    "Choice",
    "Condition",
    "Copies",
    "Counter",
    "Coverage",
    "Delivery",
    "Distribution",
    "DstampError",
    "Experiment",
    "Explanation",
    "Fairness",
    "Field",
    "Flock",
    "GitCheckout",
    "Hypotheses",
    "Inside",
    "Judgement",
    "Lane",
    "Lease",
    "LockScope",
    "Mechanism",
    "Model",
    "ModelError",
    "Mutex",
    "Observable",
    "Op",
    "Outcome",
    "Placement",
    "PlacementError",
    "Process",
    "Program",
    "Property",
    "Question",
    "Queue",
    "RWLock",
    "Register",
    "Report",
    "Review",
    "Rule",
    "Sample",
    "Scenario",
    "ScenarioError",
    "Schedule",
    "ScheduleError",
    "Seen",
    "Semaphore",
    "Service",
    "Shape",
    "SharedObject",
    "Span",
    "Spec",
    "Step",
    "Store",
    "Swarm",
    "SwarmService",
    "Swept",
    "System",
    "Timing",
    "Trace",
    "Unknown",
    "UsageError",
    "Verdict",
    "Version",
    "WaitingLine",
    "Window",
    "WitnessError",
    "Worktree",
    "always",
    "always_eventually",
    "at_end",
    "attempts",
    "delay",
    "each_result",
    "eventually",
    "explain",
    "explore",
    "judge",
    "leads_to",
    "load_incident",
    "load_model",
    "minimise",
    "prove",
    "reachable",
    "read_scenario",
    "replay",
    "review",
    "run_timed",
    "sample",
    "section",
    "serial",
    "sleep",
    "sweep",
]

__version__ = "0.1.0"
