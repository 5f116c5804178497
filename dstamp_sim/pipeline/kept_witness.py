"""Kept witnesses, judged: performed again step by step; else searched for near the old schedule, or refused."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from dstamp_sim.analyses.judged_trace import judged_trace
from dstamp_sim.core.errors import DstampError, WitnessError, WitnessGone, unknown
from dstamp_sim.core.properties import Property
from dstamp_sim.core.schedule import Schedule
from dstamp_sim.core.system import System
from dstamp_sim.core.verdict import Judgement, Verdict
from dstamp_sim.engines.explore.explorer import explore
from dstamp_sim.engines.nearby import Wanted, nearby
from dstamp_sim.engines.replay import attempts, replay
from dstamp_sim.inputs.witness_file import Origin, Witness, WitnessContent, read_witness, witness_parts

SEARCHED_STATES = 300_000
"""How many states are searched for a property whose witness can no longer be performed."""


@dataclass(frozen=True)
class Again:
    """A kept witness still shows its violation: the system, the property, a schedule, and how it was found."""

    origin: Origin
    system: System
    prop: Property
    schedule: Schedule
    reason: str


def judged_again(file: Path) -> Again | None:
    """The violation in `file`, where it still happens; None if every step still does and nothing is violated.

    A witness that its model no longer performs shows nothing: the property is searched for near its schedule and by
    exploring `SEARCHED_STATES` states. Raises WitnessError, with the step that is gone and the remedy, if no
    violation is found, if the model can no longer be built, and if it has no such property.
    """
    kept, system = _rebuilt(file)
    prop = property_about(system, kept.about, file)
    try:
        read_witness(file, replay)
    except WitnessGone as gone:
        again = _searched(file, gone, kept, system, prop)
        return replace(again, reason=f"{again.reason}; {gone}. {_anew(again, file)}")
    schedule = _still(system, prop, Schedule.parse(kept.schedule))
    return None if schedule is None else Again(kept.origin, system, prop, schedule, f"again, as {file} keeps it")


def _still(system: System, prop: Property, schedule: Schedule) -> Schedule | None:
    """The schedule up to where it decides the property; all of a lasso that breaks one in time. None if it does not."""
    if not prop.in_time:
        return attempts(system, prop)(schedule)
    fails = {judged.prop.name for judged in judged_trace(system, replay(system, schedule)) if judged.fails}
    return schedule if prop.name in fails else None


def performed_again(file: Path) -> tuple[Witness, System]:
    """The witness in `file`, its every step performed again, and its system.

    Raises WitnessError if it cannot be: with the step that is gone, where its property was found instead (near it,
    or by exploring `SEARCHED_STATES` states) or its verdict now, and the remedy.
    """
    kept, system = _rebuilt(file)
    try:
        return read_witness(file, replay)
    except WitnessGone as gone:
        if kept.about not in {prop.title for prop in system.checked_properties}:  # a replay is of no property
            raise WitnessError(f"{gone}. {remedy(file)}") from gone
        again = _searched(file, gone, kept, system, property_about(system, kept.about, file))
        still = f"{again.prop.title}: {'reached' if again.prop.is_wish else 'it fails'} {again.reason}"
        raise WitnessError(f"{gone}. {still}, by {again.schedule}. {_anew(again, file)}") from gone


def _rebuilt(file: Path) -> tuple[WitnessContent, System]:
    """What `file` says, and its system. Raises WitnessError, with the remedy, if the model cannot be built again."""
    kept = witness_parts(file)
    try:
        return kept, kept.origin.build()
    except DstampError as error:
        raise WitnessError(f"{file}: its model cannot be built as it was: {error}. {remedy(file)}") from error


def property_about(system: System, about: str, file: Path) -> Property:
    """The property that a witness is about. Raises WitnessError, with the nearest one, if its model has none."""
    known = {prop.title: prop for prop in system.checked_properties}
    if about not in known:
        why = f"is about {about!r}, which is not a property of its model: {unknown('property', about, known)}"
        raise WitnessError(f"{file}: {why}. {remedy(file)}")
    return known[about]


def _searched(file: Path, gone: WitnessGone, kept: WitnessContent, system: System, prop: Property) -> Again:
    """The property found in another way; raises WitnessError, with its verdict now, where it is not found."""
    was = Schedule.parse(kept.schedule)
    steps = tuple(Wanted(*pair) for pair in zip(was, kept.does, strict=False))
    start = {name: n for name, n in was.start if name in system.several and n < len(system.several[name].initials)}
    schedule = nearby(system.with_start(start), prop, steps)
    if schedule is not None:
        return Again(kept.origin, system, prop, schedule, "again, near what it kept")
    judgement = explore(system, properties=[prop.name], limit=SEARCHED_STATES).judgement(prop.name)
    if judgement.trace is None:
        raise WitnessError(f"{gone}. {_now(kept.origin, judgement, recording(kept.origin, prop, file.parent))}")
    return Again(kept.origin, system, prop, judgement.trace.schedule, "again, found by exploring")


def _anew(again: Again, file: Path) -> str:
    """The remedy for a witness whose property was found in another way."""
    return f"Record it anew: {recording(again.origin, again.prop, file.parent)}"


def _now(origin: Origin, judgement: Judgement, command: str) -> str:
    """The verdict of the property now, and what to do with the file."""
    prop, now = judgement.prop, f"{judgement.prop.title}: {judgement.verdict.value} now ({judgement.reason})"
    if judgement.verdict is Verdict.UNDETERMINED:
        return f"{now}, and not found again. Look at that step, then delete the file or record anew: {command}"
    if prop.is_wish:
        return f"{now}. Retire it: delete the file"
    settings = "".join(f", {name}={value!r}" for name, value in origin.parameters.items())
    laid = f", {origin.placement!r}" if origin.placement else ""
    deaths = f", crashes={origin.crashes}" if origin.crashes else ""
    proof = f"assert_holds(system_of({origin.model!r}{laid}{deaths}{settings}), {prop.name!r})"
    return f"{now}. Retire it: delete the file, and keep {proof} in its place"


def remedy(file: Path) -> str:
    """The remedy for a witness that does not fit its model."""
    return f"Delete {file.name}, or record it anew with `dstamp explore`"


def recording(origin: Origin, prop: Property, folder: Path) -> str:
    """The command that records a witness of the property anew."""
    words = ["dstamp", "prove" if origin.copies else "explore", origin.model]
    for name, value in origin.parameters.items():
        words += ["--set", f"{name}={','.join(map(str, value)) if isinstance(value, list | tuple) else value}"]
    words += ["--placement", origin.placement] if origin.placement else []
    words += ["--crashes", str(origin.crashes)] if origin.crashes else []
    return shlex.join([*words, "--property", prop.name, "--out", str(folder)])
