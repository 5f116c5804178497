"""What the incident's evidence leaves open, how its probes went, and what could be tried next."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import Any

from dstamp_sim import (
    Chance,
    Counter,
    Experiment,
    GitCheckout,
    Hypotheses,
    Process,
    Program,
    Question,
    Rule,
    Seen,
    Step,
    SwarmService,
    System,
)

from . import abra
from .evidence import EVIDENCE, is_of_the_intended_commit
from .mechanisms import cc_ci
from .naming import BASE, HEAD, RECIPE, small_sha
from .system import is_run
from .world import Run, RunResult, Switches, World

APART: dict[str, Any] = {"stack": "per_run", "pr": (1,)}
"""A stack each: whose pull request a run is of does not matter then."""

_HARNESS: dict[str, Any] = {"stack": "shared", "pr": (1,)}
"""The runs of an experiment: of one pull request, and so on one stack, as the harness does it."""

_CHAOS: dict[str, Any] = {"base_deploy": "chaos", "overlay": True}
_BARE: dict[str, Any] = {"base_deploy": "chaos", "overlay": False}
_PINNED: dict[str, Any] = {"base_deploy": "pinned", "overlay": False}

_SOURCE = "DOMAIN, abra and the harness [pub]"

# An overlay makes the harness deploy the base with chaos [pub], so a pinned base with an overlay is no reading. A
# mechanism is judged where no other acts: all but those of the stack are judged for runs with a stack each.
QUESTIONS = {
    "base": Question({"chaos, with overlay": _CHAOS, "chaos, no overlay": _BARE, "pinned": _PINNED}, _SOURCE),
    "base, a stack each": Question(
        {
            "chaos, with overlay": _CHAOS | APART,
            "chaos, no overlay": _BARE | APART,
            "pinned": _PINNED | APART,
        },
        _SOURCE,
    ),
    "base, no overlay, a stack each": Question({"chaos": _BARE | APART, "pinned": _PINNED | APART}, _SOURCE),
    "wait": Question(
        {"replicas run": {"converge": "replicas"}, "update settled": {"converge": "settled"}},
        "DOMAIN, abra and the harness [pub]",
    ),
    "failure action": Question(
        {"rollback": {"failure_action": "rollback"}, "pause": {"failure_action": "pause"}}, "DOMAIN, Docker Swarm"
    ),
    "fault": Question(
        {
            "in every run": {"fault_in": "all"} | APART,
            "in some runs only": {"fault_in": "some"} | APART,
        },
        "nothing is said of the harness's version in each run",
        part="fault",
    ),
}


def _probe(program: Any) -> Any:
    """A factory of one isolated reproduction: a scratch checkout, of the switches only abra's."""

    def factory(**switches: Any) -> System:
        abra_is = "good" if switches.get("fault_in") == "some" else switches.get("abra", "good")
        checkout = GitCheckout("scratch checkout")
        chances = Chance("redeploy", "applied", "error"), Chance("fault", "has the fault", "lacks the fault")
        world = World(Switches(abra=abra_is, overlay=False), checkout, {}, Counter("load"), *chances)
        return System(objects=[checkout], processes=[Process("probe", program, world, Run(RECIPE, 1, HEAD))])

    return factory


def _manual_checkouts(world: World, run: Run) -> Program[RunResult]:
    yield world.checkout.clone(run.ref)
    yield from abra.check_out(world, BASE)
    yield from abra.check_out(world, run.ref)
    return (yield from _stamped(world, run))


def _real_base_deploy(world: World, run: Run) -> Program[RunResult]:
    yield world.checkout.clone(run.ref)
    yield from abra.non_chaos_call(world)
    yield from abra.check_out(world, run.ref)
    return (yield from _stamped(world, run))


def _fetch_recipe_replica(world: World, run: Run) -> Program[RunResult]:
    yield world.checkout.clone(run.ref)
    yield world.checkout.fetch_tags()
    yield from abra.non_chaos_call(world)
    yield from abra.check_out(world, run.ref)
    return (yield from _stamped(world, run))


def _stamped(world: World, run: Run) -> Program[RunResult]:
    """The chaos version is computed, then `secret not generated` ends it: nothing is deployed, nothing is checked."""
    stamp = yield from abra.chaos_version(world)
    return RunResult(0, "fail", stamp, run.ref, "secret not generated")


def _color(result: Any) -> str:
    """A run's outcome in a word."""
    if not is_run(result):
        return "did not end"
    if result.upgrade == "pass":
        return "green"
    return "drift" if result.wrong_commit else "other failure"


COLORS = ("green", "drift", "other failure", "did not end")
_RED = {"red": ("drift", "other failure")}
_RED_PART = {"green": ("result=green",), "red": ("result=drift", "result=other failure")}
COUNTS = ("no drift", "some drift", "all drift")
STAMPS = ("absent", f"{small_sha(BASE)}+U", f"{small_sha(HEAD)}+U", small_sha(BASE), small_sha(HEAD))
STATUSES = (
    "unset", "updating", "paused", "completed", "rollback_started", "rollback_paused", "rollback_completed",
)  # fmt: skip
UNSTAMPED, NOT_THERE = "no chaos stamp", "no service"
TAKEN = ("the head", "the base", "no chaos version")


def _first(seen: Sequence[Seen]) -> str:
    return _color(seen[0].result)


def _count(seen: Sequence[Seen]) -> str:
    drifts = sum(_color(one.result) == "drift" for one in seen)
    return "no drift" if drifts == 0 else "all drift" if drifts == len(seen) else "some drift"


MOMENTS = ("early", "late")
"""Right after the redeploy, and at the check."""

FINGERPRINT: Mapping[str, tuple[str, ...]] = {
    "spec": (*STAMPS[1:], UNSTAMPED),
    "previous": (*STAMPS, UNSTAMPED),
    "status": STATUSES,
}


def _moments(result: Any) -> Mapping[str, Any]:
    """The fingerprints of a run by moment; None where the service was not there, or the run ended before."""
    if not is_run(result):
        return {}
    late = result.spec_stamp and (result.spec_stamp, result.previous_stamp, result.update_status)
    return {"early": result.early, "late": late}


def _inspected(seen: Sequence[Seen], moments: Sequence[str]) -> Mapping[str, str]:
    """The color of the first run, and the service's fingerprint at these moments."""
    result = seen[0].result
    found = _moments(result)
    return {"result": _color(result)} | {
        f"{moment} {part}": value
        for moment in moments
        for part, value in zip(FINGERPRINT, found.get(moment) or (NOT_THERE,) * 3, strict=True)
    }


def _parts(moments: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    seen = {f"{m} {part}": (*values, NOT_THERE) for m in moments for part, values in FINGERPRINT.items()}
    return {"result": COLORS} | seen


def _red(seen: Sequence[Seen]) -> list[RunResult]:
    """The results of the runs that drifted; of all where none did, for what they left is looked at."""
    ended = [one.result for one in seen if is_run(one.result)]
    return [result for result in ended if _color(result) == "drift"] or ended


def _consoles(seen: Sequence[Seen]) -> str:
    return _taken(sorted({_took(result) for result in _red(seen)}) or TAKEN[-1:])


def _harness(seen: Sequence[Seen]) -> str:
    return HARNESS[any(result.calls_between for result in _red(seen))]


def _taken(took: Sequence[str]) -> str:
    return f"abra took {' or '.join(took)} in the drifted runs"


CONSOLES = tuple(_taken(sorted(some)) for n in (1, 2, 3) for some in combinations(TAKEN, n))
HARNESS = ("no call between them", "a call between them")
OVERLAPS = ("some drifted run was alone", "every drifted run overlapped another")


def _took(result: RunResult) -> str:
    if result.computed is None:
        return "no chaos version"
    return "the head" if is_of_the_intended_commit(result, result.computed) else "the base"


def _overlaps(seen: Sequence[Seen]) -> str:
    """Whether each drifted run overlapped another run (of whatever stack)."""
    red = [one for one in seen if _color(one.result) == "drift"]
    lonely = [one for one in red if not any(one is not o and _overlap(one, o) for o in seen)]
    return OVERLAPS[0] if lonely else OVERLAPS[1]


def _overlap(one: Seen, other: Seen) -> bool:
    return one.start_s < other.end_s and other.start_s < one.end_s


EXPERIMENTS: Mapping[str, Experiment] = {
    "isolated run": Experiment(
        "one real run on an idle host (the document's own test)",
        _HARNESS | {"runs": 1}, (0.0,), _first, "a run", COLORS, words=_RED,
    ),
    "ten isolated runs": Experiment(
        "ten real runs on an idle host, one after the other", _HARNESS | {"runs": 10},
        tuple(9000.0 * i for i in range(10)), _count, "ten runs", COUNTS,
    ),
    "two at a barrier": Experiment(
        "two runs of one ref started together on an idle host", _HARNESS | {"runs": 2}, (0.0, 0.0), _count, "two runs",
        COUNTS,
    ),
    "isolated run, pause": Experiment(
        "one run on an idle host with failure_action: pause",
        _HARNESS | {"runs": 1, "failure_action": "pause"}, (0.0,), _first, "a run and a changed compose file",
        COLORS, words=_RED,
    ),
    "isolated run, inspected": Experiment(
        "one run on an idle host; Spec, PreviousSpec and UpdateStatus are read after the redeploy and at the check",
        _HARNESS | {"runs": 1, "inspect": True, "inspect_early": True}, (0.0,), partial(_inspected, moments=MOMENTS),
        "a run and three lines in the harness", parts=_parts(MOMENTS), words=_RED_PART,
    ),
    "two at a barrier, inspected": Experiment(
        "two runs of one ref started together; Spec, PreviousSpec and UpdateStatus are read at the first one's check",
        _HARNESS | {"runs": 2, "inspect": True}, (0.0, 0.0), partial(_inspected, moments=("late",)),
        "two runs and two lines in the harness", parts=_parts(("late",)), words=_RED_PART,
    ),
    "load without sharing": Experiment(
        "one run while three of other pull requests load the host",
        _HARNESS | {"runs": 4, "pr": (1, 2, 3, 4)}, (0.0, 0.0, 0.0, 0.0), _first, "four runs", COLORS, words=_RED,
    ),
    "consoles of the red runs": Experiment(
        "look up, in the kept consoles of the red runs, which chaos version abra took for the redeploy",
        {"console": True}, (), _consoles, "nothing: the logs are there", CONSOLES,
    ),
    "harness of the red runs": Experiment(
        "read the harness, as the red runs had it, for a call of abra between re-checkout and redeploy",
        {"console": True}, (), _harness, "nothing: the code is there", HARNESS,
    ),
    "times of the cluster": Experiment(
        "look up when each run of the cluster started and ended",
        {}, (), _overlaps, "nothing, if the logs carry times", OVERLAPS,
    ),
}  # fmt: skip


def leaves(step: Step) -> str:
    """What a step of another run leaves on the host."""
    if step.op is None or not step.changes:
        return ""
    where, by = step.op.target.name, f" ({step.section})" if step.section else ""
    if isinstance(step.op.target, SwarmService):
        kept = {"deploy": "a version in docker service inspect", "remove": "a removal in docker events"}
        return f"{where}: {kept[step.op.verb]}{by}" if step.op.verb in kept else ""
    if isinstance(step.op.target, GitCheckout) and any(one.before.head != one.after.head for one in step.changes):
        return f"{where}: an entry in its reflog{by}"
    return ""


HYPOTHESES = Hypotheses(
    nothing=cc_ci,
    evidence=EVIDENCE,
    questions=QUESTIONS,
    identity=("pr",),
    apart=APART,
    probes={
        "manual-checkouts": _probe(_manual_checkouts),
        "real-base-deploy": _probe(_real_base_deploy),
        "fetch_recipe-replica": _probe(_fetch_recipe_replica),
    },
    faults=(
        "update failed, rolling back",
        "update failed, paused",
        "update failed, unseen",
        "rollback failed",
        "error",
        "read too early",
    ),
    failing="of an update, a redeploy or a read",
    experiments=EXPERIMENTS,
    leaves=leaves,
    rule=Rule(
        "isolated run", "green", "drift",
        "isolated green: a concurrency artifact of the clustered runs; drift: something else, read the console",
        "STATUS-dstamp.md, under test",
        "the host was idle and nothing else used the stack or the checkout",
    ),
)  # fmt: skip
