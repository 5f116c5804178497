"""The candidate mechanisms (DOMAIN.md), each a variant of one model that switches on just what it needs."""

from functools import partial
from typing import Any

from dstamp_sim import Mechanism, Step, Window

from .system import cc_ci


def _deploys_in(section: str) -> Any:
    return lambda step: section in step.sections and step.op is not None and step.op.verb == "deploy"


def _moves_head(step: Step) -> bool:
    return step.op is not None and "checkout" in step.op.verb and "deploy_app" in step.sections


def _rolls_back(step: Step) -> bool:
    return step.label == "update failed, rolling back"


def _window(writer: str, wrote: Any, *, by_others: bool = True) -> Window:
    """Between a run's redeploy and its check."""
    return Window(writer, wrote, "chaos_redeploy", "check_hc1", "its redeploy", "its check", by_others)


def _checkout_window(writer: str, wrote: Any, *, by_others: bool = True) -> Window:
    """Between a run's re-checkout and abra's reading of HEAD for the redeploy."""
    return Window(writer, wrote, "checkout_head", "chaos_version", "its re-checkout", "abra's HEAD read", by_others)


_BASE_DEPLOY = _window("other run's base deploy", _deploys_in("deploy_app"))
_OWN_REDEPLOY = _window("wrong redeploy", lambda step: "chaos_redeploy" in step.sections, by_others=False)
_BASE_CHECKOUT = _checkout_window("other run's base checkout", _moves_head)
_ROLLBACK = _window("rollback", _rolls_back)

# A mechanism with shared checkouts deploys the base pinned, so that only a redeploy can write a wrong chaos stamp, and
# asks for that alone. Those whose cause lies in one run need only one.
_CHECKOUT: dict[str, Any] = {"checkout": "shared", "base_deploy": "pinned", "question": "wrong_commit"}

_TABLE: dict[str, tuple[str, Window, dict[str, Any]]] = {
    "stack-race": (
        "a peer's base deploy lands between my redeploy and my check, on the shared stack",
        _BASE_DEPLOY,
        {},
    ),
    "checkout-race": (
        "a peer checks out the base in the shared checkout between my re-checkout and abra's HEAD read",
        _BASE_CHECKOUT,
        _CHECKOUT,
    ),
    "torn-checkout": (
        "abra reads HEAD while a checkout is half done",
        _BASE_CHECKOUT,
        _CHECKOUT | {"checkout_phases": "two", "overlay": False},
    ),
    "swarm-rollback": (
        "swarm itself, between my redeploy and my check: Spec goes back to PreviousSpec",
        _ROLLBACK,
        {"runs": 1, "update_may_fail": "always"},
    ),
    "load-rollback": (
        "swarm itself, as the host is loaded by another run",
        _ROLLBACK,
        {"pr": (1, 2, 3, 4, 5, 6, 7, 8), "update_may_fail": "under_load"},
    ),
    "env-recheckout": (
        "my own non-chaos abra call moves HEAD back after the re-checkout",
        _checkout_window("non-chaos call of its own", lambda step: "non_chaos_call" in step.sections, by_others=False),
        {"runs": 1, "env_recheckout": True},
    ),
    "redeploy-not-applied": (
        "the redeploy fails, the error is swallowed, and the base's stamp stays",
        _window("failed redeploy", lambda step: step.label == "error", by_others=False),
        {"runs": 1, "redeploy_may_fail": True, "errors": "swallowed"},
    ),
    "stale-stack": (
        "the stack of an earlier, aborted run is still there",
        _OWN_REDEPLOY,
        {"runs": 1, "stale_stack": True},
    ),
    "recreate": (
        "a janitor removes the stack, a peer creates it at the base",
        _BASE_DEPLOY,
        {"janitor": True, "over_existing": "refuse"},
    ),
    "early-read": (
        "the check reads before the redeploy registered",
        _window("early read", lambda step: step.label == "read too early", by_others=False),
        {"runs": 1, "lagging_read": True},
    ),
    "overlay-dirt": (
        "an untracked overlay adds +U to a right commit",
        _OWN_REDEPLOY,
        {"runs": 1, "comparison": "exact"},
    ),
    "short-sha": (
        "8 against 12 digits compared wrongly",
        _OWN_REDEPLOY,
        {"runs": 1, "comparison": "digits", "overlay": False},
    ),
    "abra-regression": ("abra itself stamps wrong", _OWN_REDEPLOY, {"runs": 1, "abra": "regressed"}),
}

# On which questions (hypotheses.QUESTIONS) each depends, and in which part of the system its fault lies.
_OPEN: dict[str, tuple[tuple[str, ...], str]] = {
    "stack-race": (("base",), ""),
    "checkout-race": (("base, a stack each",), ""),
    "torn-checkout": (("base, no overlay, a stack each",), ""),
    "swarm-rollback": (("base, a stack each", "wait", "failure action"), ""),
    "load-rollback": (("base, a stack each", "wait", "failure action"), ""),
    "env-recheckout": (("base, a stack each", "fault"), "harness"),
    "redeploy-not-applied": (("base, a stack each",), ""),
    "stale-stack": (("base, a stack each",), ""),
    "recreate": (("base",), ""),
    "early-read": (("base, a stack each", "wait"), ""),
    "overlay-dirt": (("fault",), "harness"),
    "short-sha": (("fault",), "harness"),
    "abra-regression": (("base, a stack each", "fault"), "abra"),
}

# An update that may fail under load may fail: the counter of the load has no end for any number of runs, so the
# impossible is proved without it.
_WITHIN = {"load-rollback": partial(cc_ci, **_TABLE["swarm-rollback"][2])}

MECHANISMS = {
    name: Mechanism(story, partial(cc_ci, **setting), window, *_OPEN[name], _WITHIN.get(name))
    for name, (story, window, setting) in _TABLE.items()
}
