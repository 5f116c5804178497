"""The subject of a command: a model in one setting, under one placement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dstamp_sim.core.system import System
from dstamp_sim.inputs.model_file import Model, any_number, load_model, read_settings
from dstamp_sim.inputs.witness_file import Origin


@dataclass(frozen=True)
class Subject:
    """A loaded model, its system as set, and the origin from which a witness builds that system again."""

    model: Model
    system: System
    origin: Origin


def load_subject(
    reference: str,
    *,
    settings: Sequence[str] = (),
    placement: str | None = None,
    properties: Sequence[str] = (),
    crashes: int | None = None,
    numbers_open: bool = False,
) -> Subject:
    """The subject of a command's options; with `numbers_open`, numbers of copies are any unless set.

    Raises UsageError for unknown names (of `properties` too) and values of the wrong type, ModelError if the model
    breaks a rule.
    """
    model = load_model(reference)
    parameters = read_settings(model.factory, settings)
    if numbers_open:
        parameters = any_number(model.factory, parameters)
    system = model.build(parameters, placement)
    if crashes is not None:
        system = system.with_crashes(crashes)
    system.properties_named(properties)
    return Subject(model, system, Origin(reference, parameters, placement, {}, system.crashes))
