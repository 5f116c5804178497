"""abra, as far as a stamp depends on it: its order of reading (cli/app/deploy.go, pkg/recipe/git.go at 06a57de)."""

from typing import Literal

from dstamp_sim import MISSING, Program, Spec, delay, section

from .naming import BASE, small_sha
from .world import Run, World

DEPLOYED = ("created", "updated")


def check_out(world: World, commit: str, order: Literal["git", "go-git"] = "git") -> Program[bool]:
    """Move the recipe checkout to `commit`; returns whether that succeeded."""
    if world.switches.checkout_phases == "one":
        return bool((yield world.checkout.checkout_at_once(commit)))
    return (yield from world.checkout.checkout(commit, order))


def chaos_version(world: World) -> Program[str]:
    """SmallSHA of HEAD, then +U if the tree is dirty: two reads at two instants (`ChaosVersion`)."""
    head = yield world.checkout.head()
    if world.switches.abra == "regressed":
        head = BASE
    dirty = yield world.checkout.is_dirty()
    return small_sha(head or "no HEAD") + ("+U" if dirty else "")


def app_deploy(world: World, run: Run, *, chaos: bool, version: int | None = None) -> Program[tuple[str, str | None]]:
    """`abra app deploy`; returns "created", "updated" or the error it ends with, and the chaos version that it took.

    Without chaos the recipe is first brought to the version in .env, and a dirty tree is refused; under chaos
    `Recipe.Ensure` returns early. `version` makes the deploy conditional on the service's version.
    """
    stamp = None
    if chaos:
        stamp = yield from section("chaos_version", chaos_version(world))
    else:
        yield from check_out(world, BASE, "go-git")
        if (yield world.checkout.is_dirty()):
            return "the tree is dirty", None
    content = yield world.checkout.files()
    return (yield from stack_deploy(world, run, Spec(stamp, content, run.id), version)), stamp


def stack_deploy(world: World, run: Run, spec: Spec, version: int | None) -> Program[str]:
    """`docker stack deploy`: client-side and not atomic; it lists versions, then creates or updates."""
    stack = world.stack(run)
    if version is None and world.switches.stack_deploy == "two_steps":
        version = yield stack.version()
        yield delay("stack_deploy")
    return str((yield stack.deploy(spec, version)))


def non_chaos_call(world: World) -> Program[None]:
    """Any other abra command without chaos: it checks out the version in .env, and so moves HEAD."""
    yield from check_out(world, BASE, "go-git")


def stamp_on(world: World, run: Run) -> Program[str | None]:
    """The `chaos-version` label of the live service: a stamp, None (no chaos stamp), or MISSING."""
    if not world.switches.fencing:
        return (yield world.stack(run).read_stamp(lagging=world.switches.lagging_read))
    spec = yield world.stack(run).read_spec()
    if spec is None:
        return MISSING
    return spec.stamp if spec.run == run.id else f"{spec.run}'s"
