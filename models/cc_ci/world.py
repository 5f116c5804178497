"""What the runs share: the switches where two readings exist, the runs' identities, and the objects."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from dstamp_sim import Chance, Counter, GitCheckout, SwarmService

from .naming import app_domain, commit_of, small_sha


@dataclass(frozen=True)
class Switches:
    """Where DOMAIN.md leaves two readings or a mechanism needs a fault. The defaults are the harness without faults."""

    checkout: Literal["shared", "per_run"] = "per_run"
    """One recipe checkout for all runs, or one each."""
    checkout_phases: Literal["one", "two"] = "one"
    """Whether others can see a checkout half done."""
    base_deploy: Literal["chaos", "pinned"] = "chaos"
    """Whether the base is deployed with chaos (and stamped), or pinned (abra checks it out itself, no chaos stamp)."""
    overlay: bool = True
    """Whether an untracked compose.ccci.yml lies in the tree of a chaos deploy."""
    converge: Literal["replicas", "settled"] = "replicas"
    """Whether the wait ends when all replicas run, or only when UpdateStatus has settled."""
    failure_action: Literal["rollback", "pause"] = "rollback"
    update_may_fail: Literal["never", "always", "under_load"] = "never"
    """Whether a new task may fail: never, any time, or only while two runs or more load the host."""
    stack_deploy: Literal["at_once", "two_steps"] = "at_once"
    """Whether `docker stack deploy` lists versions first and may so be out of sequence."""
    over_existing: Literal["update", "refuse"] = "update"
    """What deploy_app does when the stack is already deployed."""
    errors: Literal["raise", "swallowed"] = "raise"
    """Whether a failed checkout or deploy ends the run, or is passed over."""
    redeploy_may_fail: bool = False
    env_recheckout: bool = False
    """Whether the run makes a non-chaos abra call after its re-checkout, which moves HEAD to the version in .env."""
    lagging_read: bool = False
    """Whether the check may read before the redeploy registered."""
    comparison: Literal["commit", "exact", "digits"] = "commit"
    """How HC1 compares: commits without +U and to eight digits, the whole texts, or all digits."""
    abra: Literal["good", "regressed"] = "good"
    """Whether abra stamps HEAD, or the version in .env."""
    fault_in: Literal["all", "some"] = "all"
    """Whether a fault of harness or abra (env_recheckout, comparison, abra) is in every run, or missing in some."""
    inspect: bool = False
    """Whether the check also reads Spec, PreviousSpec and UpdateStatus."""
    inspect_early: bool = False
    """Whether they are read right after the redeploy, too."""
    console: bool = False
    """Whether what the run left is read: in its console, the chaos version of the redeploy; and its harness."""
    stack: Literal["shared", "per_run"] = "shared"
    fencing: bool = False
    """Whether a run stamps its id on the service and requires it at the check."""
    compare_and_set: bool = False
    """Whether the redeploy requires the service version that the run's base deploy left."""

    @property
    def orchestrated(self) -> bool:
        """Whether anything observes that updates take time or fail, so that an orchestrator is needed."""
        read = self.inspect or self.inspect_early
        return read or self.converge == "settled" or self.update_may_fail != "never" or self.lagging_read


class Run(NamedTuple):
    """Who a run is: recipe, pull request, ref; `id` is set only where a design needs to tell equal runs apart."""

    recipe: str
    pr: int
    ref: str
    id: str = ""

    @property
    def stack(self) -> str:
        """The name of its swarm stack: its app domain's first label (and its id, where it has one)."""
        return app_domain(self.recipe, self.pr, self.ref).partition(".")[0] + (f"-{self.id}" if self.id else "")


Fingerprint = tuple[str, str, str]
"""What `docker service inspect` shows: the stamps of Spec and PreviousSpec, and UpdateStatus."""


class RunResult(NamedTuple):
    """What a run reports: level, upgrade verdict, the stamp that HC1 read, the commit it wanted, and what failed.

    `computed` is the chaos version that abra took for the redeploy; `calls_between`, whether the run's harness has a
    call of abra between re-checkout and redeploy. `early` is the service's fingerprint right after the redeploy; the
    last three are the one at the check.
    """

    level: int
    upgrade: Literal["pass", "fail"]
    stamp: str | None
    intended: str
    failure: str = ""
    computed: str | None = None
    calls_between: bool | None = None
    early: Fingerprint | None = None
    spec_stamp: str | None = None
    previous_stamp: str | None = None
    update_status: str | None = None

    @property
    def wrong_commit(self) -> bool:
        """Whether HC1 read a stamp, and it was of another commit than the intended one."""
        return self.stamp is not None and commit_of(self.stamp) != small_sha(self.intended)

    def brief(self) -> str:
        """The upgrade's verdict and the stamp that was read."""
        return " · ".join(word for word in (self.upgrade, self.stamp) if word)


@dataclass(frozen=True, eq=False)
class World:
    """The objects of one system, as programs reach them."""

    switches: Switches
    checkout: GitCheckout
    services: Mapping[str, SwarmService]
    load: Counter
    redeploy_chance: Chance
    fault_chance: Chance

    def without_fault(self) -> "World":
        """The same objects, for a run of a harness and an abra without the fault."""
        clean = replace(self.switches, env_recheckout=False, comparison="commit", abra="good")
        return replace(self, switches=clean)

    def stack(self, run: Run) -> SwarmService:
        """The service of a run's stack."""
        return self.services[run.stack]
