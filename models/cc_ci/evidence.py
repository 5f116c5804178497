"""What can be observed of a run: its results, its console, and what `docker service inspect` showed at the check."""

from collections.abc import Mapping
from typing import Any, Literal

from dstamp_sim import Field, Observable

from .naming import BASE, HEAD, RECIPE, commit_of, small_sha
from .world import RunResult

Verdict = Literal["pass", "fail"]

UpdateStatus = Literal[
    "unset", "updating", "paused", "completed", "rollback_started", "rollback_paused", "rollback_completed"
]


def is_of_the_intended_commit(result: RunResult, stamp: str | None) -> bool:
    """Whether a stamp is of the commit that the run wanted."""
    return stamp is not None and commit_of(stamp) == small_sha(result.intended)


def _stamp_agrees(result: RunResult, observed: str) -> bool:
    """`right` stands for any stamp of the intended commit."""
    return is_of_the_intended_commit(result, result.stamp) if observed == "right" else result.stamp == observed


def _computed_agrees(result: RunResult, observed: str) -> bool:
    """The same of the last chaos version that the console shows."""
    return is_of_the_intended_commit(result, result.computed) if observed == "right" else result.computed == observed


def contradiction(results: Mapping[str, Any], log: Mapping[str, Any]) -> str:
    """Why results and console of one run cannot both be true: another ref, or a verdict that the stamp belies."""
    ref, intended = str(results.get("ref", "")), log.get("ref")
    if ref and intended is not None and small_sha(ref) != small_sha(intended):
        return f"its results name ref {ref!r}, its log {intended!r}"
    upgrade, stamp = results.get("upgrade"), log.get("stamp")
    if stamp is not None and upgrade in ("pass", "fail") and (upgrade == "pass") != (stamp == "right"):
        return f"its results say that upgrade {upgrade}ed, its log that the stamp was {stamp!r}"
    return ""


def _other_recipe(recipe: str) -> str:
    return "" if recipe == RECIPE else f"the model is of {RECIPE} (models/cc_ci/naming.py)"


def _other_head(ref: str) -> str:
    same = len(ref) >= len(small_sha(HEAD)) and (HEAD.startswith(ref) or ref.startswith(HEAD))
    return "" if same else f"the model's head is {HEAD}, its base {BASE} (models/cc_ci/naming.py)"


EVIDENCE = Observable(
    fields=(
        Field("recipe", compared=False, foreign=_other_recipe),
        Field("ref", compared=False, foreign=_other_head),
        Field("pr", int, compared=False),
        Field("level", int),
        Field("install", Verdict, key="stages.install", compared=False),
        Field("upgrade", Verdict, key="stages.upgrade"),
        Field("stamp", agrees=_stamp_agrees, says="stamp `{}`"),
        Field("computed", agrees=_computed_agrees, says="chaos version `{}` in the console", needs={"console": True}),
        Field("spec_stamp", key="fingerprint.spec_stamp", says="Spec stamped `{}`", needs={"inspect": True}),
        Field(
            "previous_stamp",
            key="fingerprint.previous_stamp",
            says="PreviousSpec stamped `{}`",
            needs={"inspect": True},
        ),
        Field(
            "update_status",
            UpdateStatus,
            key="fingerprint.update_status",
            says="UpdateStatus `{}`",
            needs={"inspect": True},
        ),
    ),
    log_lines=(
        r"taking chaos version: (?P<computed>[0-9a-f]{7,40}(?:\+U)?)",
        r"chaos commit '(?P<stamp>[^']+)', not the intended PR-head '(?P<ref>[^']+)' \(HC1\)",
        r"(?P<reached>secret not generated)",
    ),
    contradiction=contradiction,
)
"""The console's lines are abra's log of the chaos version that it takes (cli/app/deploy.go:372), HC1's failure text,
and abra's check of secrets; `previous_stamp = "absent"`: there was no PreviousSpec."""
