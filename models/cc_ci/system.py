"""The system of the incident for any setting of the switches."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from inspect import Parameter, signature
from itertools import groupby
from typing import Any, TypeGuard

from dstamp_sim import (
    ANY,
    AnyNumber,
    Chance,
    Copies,
    Counter,
    GitCheckout,
    Lane,
    LockScope,
    Process,
    Property,
    Service,
    SharedObject,
    Spec,
    Swarm,
    SwarmService,
    System,
    UsageError,
    Worktree,
    each_result,
    reachable,
)

from .harness import GONE, NOT_CHAOS, orchestrate, run_stages, sweep_stacks
from .naming import BASE, HEAD, RECIPE, commit_of, small_sha
from .placements import PLACEMENTS
from .world import Run, RunResult, Switches, World

SECTIONS = (
    "fetch_recipe",
    "deploy_app",
    "checkout_head",
    "chaos_redeploy",
    "wait_converged",
    "check_hc1",
    "teardown",
)


def _domain(world: World, who: object) -> str | None:
    """Whose app-domain flock a process takes; none if its stack is its own: that lock would keep nobody out."""
    return who.stack if isinstance(who, Run) and world.switches.stack == "shared" else None


LOCKS = (
    LockScope("app-domain", of=_domain),
    LockScope("recipe", of=lambda _, who: who.recipe if isinstance(who, Run) else None),
    LockScope("host"),
)


def cc_ci(
    runs: Copies = 2,
    pr: tuple[int, ...] = (1,),
    ref: tuple[str, ...] = (HEAD,),
    *,
    question: str = "safe",
    stale_stack: bool = False,
    janitor: bool = False,
    **switches: Any,
) -> System:
    """`runs` runs of one recipe; the last of `pr` and of `ref` stands for all further runs.

    `runs=ANY` is any number of runs of each pair of `pr` and `ref`.
    `question` names the properties to judge (see `questions`), `switches` are those of `Switches`.
    """
    setting = Switches(**switches)
    others_reach_it = setting.orchestrated or janitor
    told_apart = setting.fencing or (setting.stack == "per_run" and others_reach_it)
    if told_apart and isinstance(runs, AnyNumber):
        raise UsageError(
            "runs=any: runs with an id each (fencing, or stack=per_run with an orchestrator or janitor) differ, "
            "so there is only a number"
        )
    group = group_runs(runs, pr, ref, told_apart=told_apart)
    world = build_world(setting, [run.stack for run, _ in group], stale=stale_stack, told_apart=told_apart)
    asked = questions(runs)
    if question not in asked:
        raise UsageError(f"question={question!r} is none of {', '.join(asked)}")
    return System(
        objects=objects_of(world),
        processes=processes_of(world, group, janitor=janitor),
        properties=asked[question],
        sections=SECTIONS,
        drawn=["perform_upgrade", "non_chaos_call", "chaos_version"],
        locks=LOCKS,
        placement=PLACEMENTS["deploy_app"],
        lanes=lanes_of(world),
    )


cc_ci.__signature__ = signature(cc_ci).replace(  # type: ignore[attr-defined]  # inspect reads it
    parameters=[
        *(p for p in signature(cc_ci).parameters.values() if p.kind is not Parameter.VAR_KEYWORD),
        *(Parameter(f.name, Parameter.KEYWORD_ONLY, default=f.default, annotation=f.type) for f in fields(Switches)),
    ]
)


def group_runs(runs: Copies, prs: Sequence[int], refs: Sequence[str], *, told_apart: bool) -> list[tuple[Run, Copies]]:
    """The runs in order, equal neighbours counted; every run is its own where they are told apart by an id."""
    if isinstance(runs, AnyNumber):
        each_pair = group_runs(max(len(prs), len(refs)), prs, refs, told_apart=False)
        return [(run, ANY) for run in dict.fromkeys(run for run, _ in each_pair)]
    each = [
        Run(
            RECIPE,
            prs[min(index, len(prs) - 1)],
            refs[min(index, len(refs) - 1)],
            f"run-{index + 1}" if told_apart else "",
        )
        for index in range(runs)
    ]
    return [(run, len(list(same))) for run, same in groupby(each)]


def build_world(switches: Switches, stacks: Sequence[str], *, stale: bool, told_apart: bool) -> World:
    """The shared objects; with `stale`, an aborted run has left its stack at the base.

    A stack per run is a service that is private, or, where runs are told apart, a service for each of their names.
    """
    left = Swarm(Service(0, 0, Spec(f"{BASE}+U", BASE), None, None)) if stale else Swarm()
    services = {
        stack: SwarmService(
            f"service {stack}",
            left,
            orchestrated=switches.orchestrated,
            versioned=switches.stack_deploy == "two_steps",
            failure_action=switches.failure_action,
            private=switches.stack == "per_run" and not told_apart,
        )
        for stack in dict.fromkeys(stacks)
    }
    checkout = GitCheckout("recipe checkout", private=switches.checkout == "per_run")
    fault = Chance("fault", "has the fault", "lacks the fault", private=True)
    return World(switches, checkout, services, Counter("load"), Chance("redeploy", "applied", "error"), fault)


def objects_of(world: World) -> list[SharedObject]:
    """Those that this setting touches."""
    extra: list[SharedObject] = []
    if world.switches.update_may_fail == "under_load":
        extra.append(world.load)
    if world.switches.redeploy_may_fail:
        extra.append(world.redeploy_chance)
    if world.switches.fault_in == "some":
        extra.append(world.fault_chance)
    return [*world.services.values(), world.checkout, *extra]


def processes_of(world: World, group: Sequence[tuple[Run, Copies]], *, janitor: bool) -> list[Process]:
    """The runs, one class per (pr, ref); an orchestrator per service where one is needed; the janitor if wanted."""
    names = ["run"] if len(group) == 1 else [f"run-{index + 1}" for index in range(len(group))]
    processes = [
        Process(name, run_stages, world, run, copies=count) for name, (run, count) in zip(names, group, strict=True)
    ]
    stacks = list(world.services)
    if world.services[stacks[0]].orchestrated:
        processes += [Process(f"swarm {stack}", orchestrate, world, stack, daemon=True) for stack in stacks]
    if janitor:
        processes.append(Process("janitor", sweep_stacks, world, stacks[0], killable=False))
    return processes


def questions(runs: Copies) -> dict[str, list[Property]]:
    """What can be asked: whether the harness is safe, single parts of that, and which red clusters are reachable.

    Of any number of runs, nothing that counts them.
    """
    wrong_commit = each_result("HC1 reads no wrong commit", lambda r: not (is_run(r) and r.wrong_commit))
    false_alarm = each_result("HC1 passes every right commit", lambda r: not is_run(r) or not is_false_alarm(r))
    unstamped = each_result("HC1 finds a chaos stamp", lambda r: not is_run(r) or r.failure != NOT_CHAOS)
    live = each_result("the stack is there at the check", lambda r: not is_run(r) or r.failure != GONE)
    asked = {
        "safe": [wrong_commit, false_alarm, unstamped],
        "wrong_commit": [wrong_commit],
        "live_stack": [live],
        "base_stamp": [reachable("a check reads the base's stamp", lambda results: base_stamps(results) >= 1)],
    }
    if isinstance(runs, AnyNumber):
        return asked
    return asked | {
        "all_red": [reachable("all checks read the base's stamp", lambda results: base_stamps(results) == runs)],
        "all_but_one_red": [
            reachable("all checks but one read the base's stamp", lambda results: base_stamps(results) == runs - 1)
        ],
    }


def is_run(result: object) -> TypeGuard[RunResult]:
    """Whether a result is that of a run (not a janitor's, nor a refused run's)."""
    return isinstance(result, RunResult)


def is_false_alarm(result: RunResult) -> bool:
    """Whether HC1 failed on a stamp of the right commit."""
    return result.stamp is not None and not result.wrong_commit and result.upgrade == "fail"


def base_stamps(results: Mapping[str, object]) -> int:
    """How many checks read `eb96de94+U`."""
    return sum(is_run(result) and result.stamp == f"{BASE}+U" for result in results.values())


def lanes_of(world: World) -> list[Lane]:
    """What timelines show: each service's stamp, and HEAD of each checkout."""
    stamps = [Lane(service, show_stamp, is_wrong_stamp) for service in world.services.values()]
    return [*stamps, Lane(world.checkout, show_head, is_wrong_head)]


def show_stamp(state: Swarm) -> str | None:
    """The stamp on the live service."""
    if state.service is None:
        return None
    return state.service.spec.stamp or "no chaos stamp"


def is_wrong_stamp(state: Swarm) -> bool:
    """Whether the live service carries another commit than the PR head's."""
    return state.service is not None and commit_of(state.service.spec.stamp or "") != small_sha(HEAD)


def show_head(state: Worktree) -> str | None:
    """HEAD, and what the files are of where they are of another commit."""
    if state.head is None or state.tree == state.head:
        return state.head and small_sha(state.head)
    return f"{small_sha(state.head)} (files {small_sha(state.tree or '')})"


def is_wrong_head(state: Worktree) -> bool:
    """Whether HEAD is at another commit than the PR head."""
    return state.head is not None and small_sha(state.head) != small_sha(HEAD)
