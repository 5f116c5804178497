"""Programs made of op lists, and the Hypothesis strategies that draw them: what conformance is tested with."""

from typing import NamedTuple

from hypothesis import strategies as st

from dstamp_sim import Flock, GitCheckout, Process, Program, Spec, SwarmService, System

COMMITS = ("base", "head", "other")
SPECS = tuple(Spec(stamp, content) for stamp in ("base+U", "head+U", None) for content in ("base", "head"))


class Ask(NamedTuple):
    """One op to perform, by verb and arguments; what cannot be asked at that moment is left out."""

    verb: str
    args: tuple = ()


def use_flock(lock: Flock, asks: tuple[Ask, ...]) -> Program[int]:
    """Performs the asked ops with the descriptors that it has; gives how many locks it holds at its end."""
    opened, locked = [], []
    for ask in asks:
        match ask.verb:
            case "acquire" | "try_acquire":
                taken = yield lock.op(ask.verb)
                locked += [] if taken is None else [taken]
            case "open":
                opened.append((yield lock.open()))
            case "lock" if opened:
                locked.append((yield lock.lock(opened[-1])))
                opened.pop()
            case "inherit":
                locked.append((yield lock.inherit(*ask.args)))
            case "release" if locked:
                yield lock.release(locked.pop())
            case "close" if opened:
                yield lock.close(opened.pop())
            case "is_current" if opened or locked:
                yield lock.is_current((opened or locked)[-1])
            case "unlink":
                yield lock.unlink()
    return len(locked)


def use_checkout(git: GitCheckout, asks: tuple[Ask, ...]) -> Program[None]:
    """Clones, then performs the asked ops; a checkout is done part by part, until one fails."""
    yield git.clone(COMMITS[0])
    for ask in asks:
        if ask.verb == "checkout":
            yield from git.checkout(*ask.args)
        else:
            yield git.op(ask.verb, *ask.args)


def use_service(service: SwarmService, asks: tuple[Ask, ...]) -> Program[None]:
    """Deploys, then performs the asked ops; where versions are modelled, a deploy goes by what was listed last."""
    listed = None
    yield service.deploy(SPECS[0])
    for ask in asks:
        if ask.verb == "deploy":
            yield service.deploy(*ask.args, listed if service.versioned else None)
        elif ask.verb == "version":
            listed = yield service.version()
        else:
            yield service.op(ask.verb, *ask.args)


def orchestrate(service: SwarmService) -> Program[None]:
    """Swarm's orchestrator on the service: it ends every update, for better or worse."""
    yield service.wait_update()
    yield service.settle(may_fail=True)


def _asks(*choices: st.SearchStrategy[Ask], size: int) -> st.SearchStrategy[tuple[Ask, ...]]:
    return st.lists(st.one_of(*choices), min_size=1, max_size=size).map(tuple)


def _ask(verb: str, *args: st.SearchStrategy) -> st.SearchStrategy[Ask]:
    return st.builds(Ask, st.just(verb), st.tuples(*args))


_FLOCK = _asks(
    *map(_ask, ("acquire", "try_acquire", "open", "lock", "release", "close", "is_current", "unlink")),
    _ask("inherit", st.integers(1, 2)),
    size=7,
)
_GIT = _asks(
    *map(_ask, ("head", "is_dirty", "files", "fetch_tags", "add_overlay")),
    _ask("checkout", st.sampled_from(COMMITS), st.sampled_from(["git", "go-git"])),
    _ask("checkout", st.sampled_from(COMMITS), st.just("git")),
    _ask("checkout_at_once", st.sampled_from(COMMITS)),
    size=4,
)
_SWARM = (
    *map(_ask, ("version", "version", "exists", "read_spec", "remove")),
    _ask("read_stamp", st.booleans()),
    *[_ask("deploy", st.sampled_from(SPECS))] * 4,
)

_UPDATES = (Ask("version"), Ask("deploy", (SPECS[3],)), Ask("version"))


@st.composite
def flock_systems(draw: st.DrawFn, processes: int, kind: type[Flock] = Flock) -> System:
    """Processes that use one flock, up to one of which may die."""
    lock = kind("lock")
    return System(
        objects=[lock],
        processes=[Process(f"p{k}", use_flock, lock, draw(_FLOCK)) for k in range(processes)],
        crashes=draw(st.integers(0, 1)),
    )


@st.composite
def checkout_systems(draw: st.DrawFn, processes: int, kind: type[GitCheckout] = GitCheckout) -> System:
    """Processes that use one checkout, up to one of which may die."""
    git = kind("checkout")
    return System(
        objects=[git],
        processes=[Process(f"p{k}", use_checkout, git, draw(_GIT)) for k in range(processes)],
        crashes=draw(st.integers(0, 1)),
    )


@st.composite
def service_systems(
    draw: st.DrawFn, processes: int, *, orchestrated: bool, kind: type[SwarmService] = SwarmService
) -> System:
    """Processes that use one service, and where `orchestrated` its orchestrator; versions are modelled then too."""
    service = kind(
        "service conform",
        orchestrated=orchestrated,
        versioned=orchestrated and draw(st.booleans()),
        failure_action=draw(st.sampled_from(["rollback", "pause"])),
    )
    # Without an orchestrator nothing observes convergence, and the model's updates complete at once.
    asks = _asks(*_SWARM, *([_ask("wait_settled")] if orchestrated else []), size=6)
    if orchestrated:  # half of them with an update under way, and a listing of it
        asks = st.tuples(st.sampled_from([(), _UPDATES]), asks).map(lambda both: both[0] + both[1])
    users = [Process(f"p{k}", use_service, service, draw(asks)) for k in range(processes)]
    daemon = [Process("swarm", orchestrate, service, daemon=True)] if orchestrated else []
    return System(objects=[service], processes=users + daemon)
