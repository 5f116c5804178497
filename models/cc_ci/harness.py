"""The CI harness: one run from fetch_recipe to teardown, a section for each of its functions."""

from dstamp_sim import MISSING, Program, delay, section

from . import abra
from .naming import BASE, commit_of, small_sha
from .world import Fingerprint, Run, RunResult, World

NOT_CHAOS = "no chaos commit on the service (HC1)"
GONE = "no service at the check"
NOT_MINE = "another run has deployed since (run id)"


def run_stages(world: World, run: Run) -> Program[RunResult]:
    """STAGES=install,upgrade: deploy the base, check out the PR head again, chaos_redeploy, HC1, teardown."""
    if world.switches.fault_in == "some" and (yield world.fault_chance.draw()) == "lacks the fault":
        world = world.without_fault()
    if world.switches.update_may_fail == "under_load":
        yield world.load.add(1)
    result = yield from stages(world, run)
    if world.switches.update_may_fail == "under_load":
        yield world.load.add(-1)
    return result


def stages(world: World, run: Run) -> Program[RunResult]:
    """The stages in order; returns the run's result. A run that never deployed has nothing to tear down."""
    yield from section("fetch_recipe", fetch_recipe(world, run))
    deployed, version = yield from section("deploy_app", deploy_app(world, run))
    if deployed not in abra.DEPLOYED and world.switches.errors == "raise":
        return RunResult(0, "fail", None, run.ref, f"deploy_app: {deployed}")
    failure, computed = yield from section("perform_upgrade", perform_upgrade(world, run, version))
    if failure:
        result = RunResult(1, "fail", None, run.ref, failure)
    else:
        early = yield from read_and_wait(world, run)
        checked = yield from section("check_hc1", check_hc1(world, run))
        result = checked._replace(early=early)
    if world.switches.console:
        result = result._replace(computed=computed, calls_between=world.switches.env_recheckout)
    yield from section("teardown", teardown(world, run))
    return result


def fetch_recipe(world: World, run: Run) -> Program[None]:
    """Clone the mirror at the ref (a checkout that exists is moved there), then fetch tags, which never moves HEAD."""
    yield delay("fetch_recipe")
    if not (yield world.checkout.clone(run.ref)):
        yield from abra.check_out(world, run.ref)


def deploy_app(world: World, run: Run) -> Program[tuple[str, int | None]]:
    """Deploy the base version; returns abra's word, and the service's version then if the redeploy will require it."""
    yield delay("deploy_app")
    if world.switches.over_existing == "refuse" and (yield world.stack(run).exists()):
        return "already deployed", None
    if world.switches.base_deploy == "chaos":
        yield from abra.check_out(world, BASE)
        deployed, _ = yield from chaos_deploy(world, run)
    else:
        deployed, _ = yield from abra.app_deploy(world, run, chaos=False)
    version = (yield world.stack(run).version()) if world.switches.compare_and_set else None
    return deployed, version


def chaos_deploy(world: World, run: Run, version: int | None = None) -> Program[tuple[str, str | None]]:
    """Put the overlay into the tree, if there is one, and deploy what lies there; returns abra's word and the stamp."""
    if world.switches.overlay:
        yield world.checkout.add_overlay()
    return (yield from abra.app_deploy(world, run, chaos=True, version=version))


def perform_upgrade(world: World, run: Run, version: int | None) -> Program[tuple[str, str | None]]:
    """Check out the PR head again and redeploy it; returns why it failed (or empty), and abra's chaos version."""
    moved = yield from section("checkout_head", checkout_head(world, run))
    if not moved and world.switches.errors == "raise":
        return "checkout_head: index.lock exists", None
    if world.switches.env_recheckout:
        yield from section("non_chaos_call", abra.non_chaos_call(world))
    redeployed, computed = yield from section("chaos_redeploy", chaos_redeploy(world, run, version))
    if redeployed not in abra.DEPLOYED and world.switches.errors == "raise":
        return f"chaos_redeploy: {redeployed}", computed
    return "", computed


def checkout_head(world: World, run: Run) -> Program[bool]:
    """The re-checkout of the PR head, by the git command."""
    yield delay("checkout_head")
    return (yield from abra.check_out(world, run.ref))


def chaos_redeploy(world: World, run: Run, version: int | None) -> Program[tuple[str, str | None]]:
    """`abra app deploy --chaos -c`: bypasses deploy_app, and so the lock that deploy_app takes."""
    yield delay("chaos_redeploy")
    if world.switches.redeploy_may_fail and (yield world.redeploy_chance.draw()) == "error":
        return "error", None
    return (yield from chaos_deploy(world, run, version))


def wait_converged(world: World, run: Run) -> Program[None]:
    """Until all replicas run (with start-first the old task keeps them green), or until UpdateStatus has settled."""
    yield delay("wait_converged")
    if world.switches.converge == "settled":
        yield world.stack(run).wait_settled()


def check_hc1(world: World, run: Run) -> Program[RunResult]:
    """HC1: the commit stamped on the live service must be the intended PR head."""
    stamp = yield from abra.stamp_on(world, run)
    failure = hc1_failure(world, run, stamp)
    read = None if failure in (NOT_CHAOS, GONE, NOT_MINE) else stamp
    result = RunResult(1 if failure else 4, "fail" if failure else "pass", read, run.ref, failure)
    if world.switches.inspect and (seen := (yield world.stack(run).inspect())) is not None:
        result = result._replace(spec_stamp=seen[0], previous_stamp=seen[1], update_status=seen[2])
    return result


def hc1_failure(world: World, run: Run, stamp: str | None) -> str:
    """HC1's failure text for a stamp; empty when it passes."""
    if stamp is None:
        return NOT_CHAOS
    if stamp == MISSING:
        return GONE
    if stamp.endswith("'s"):
        return NOT_MINE
    seen, wanted = {
        "commit": (commit_of(stamp), small_sha(run.ref)),
        "exact": (stamp, small_sha(run.ref)),
        "digits": (commit_of(stamp), run.ref),
    }[world.switches.comparison]
    return "" if seen == wanted else f"chaos commit '{stamp}', not the intended PR-head '{run.ref}' (HC1)"


def teardown(world: World, run: Run) -> Program[None]:
    """`docker stack rm`."""
    yield delay("teardown")
    yield world.stack(run).remove()


def orchestrate(world: World, stack: str) -> Program[None]:
    """Swarm's orchestrator on one service: it ends each update, for better or worse (a daemon)."""
    service = world.services[stack]
    yield service.wait_update()
    yield delay("update")
    may_fail = world.switches.update_may_fail == "always"
    if world.switches.update_may_fail == "under_load":
        may_fail = (yield world.load.read()) > 1
    yield service.settle(may_fail=may_fail)


def sweep_stacks(world: World, stack: str) -> Program[bool]:
    """A janitor that removes the stack, once, whenever it pleases."""
    yield delay("janitor")
    return bool((yield world.services[stack].remove()))


def read_and_wait(world: World, run: Run) -> Program[Fingerprint | None]:
    """The wait for convergence; returns the fingerprint right after the redeploy, if it is read."""
    early = (yield world.stack(run).inspect()) if world.switches.inspect_early else None
    yield from section("wait_converged", wait_converged(world, run))
    return early
