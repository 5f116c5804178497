"""The subject of a command: a model in one setting, under one placement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dstamp_sim.core.properties import PropertyKind
from dstamp_sim.core.system import System
from dstamp_sim.inputs.model_file import Model, any_number, load_model, read_settings
from dstamp_sim.inputs.witness_file import Origin


@dataclass(frozen=True)
class Subject:
    """A loaded model, its system as set, and the origin from which a witness builds that system again."""

    model: Model
    system: System
    origin: Origin
    properties: tuple[str, ...] = ()
    """The names of the properties to judge; none: all of them."""

    @property
    def name(self) -> str:
        """The model's reference, and the placement of its locks."""
        return f"{self.origin.model}, lock placement {self.system.placement.name}"


def load_subject(
    reference: str,
    settings: Sequence[str] | None = None,
    placement: str | None = None,
    properties: Sequence[str] | None = None,
    crashes: int | None = None,
    *,
    numbers_open: bool = False,
    serial: bool = False,
) -> Subject:
    """The subject of a command's options; with `numbers_open`, numbers of copies are any unless set.

    With `serial`, it is also asked for a serial order of its runs, whatever `properties` name.
    Raises UsageError for unknown names (of `properties` too) and values of the wrong type, ModelError if the model
    breaks a rule.
    """
    model = load_model(reference)
    parameters = read_settings(model.factory, settings or ())
    if numbers_open:
        parameters = any_number(model.factory, parameters)
    system = model.build(parameters, placement)
    if crashes is not None:
        system = system.with_crashes(crashes)
    named = tuple(properties or ())
    system = system.with_serial() if serial else system
    system.properties_named(named)
    if serial and named:
        orders = [prop.name for prop in system.properties if prop.kind is PropertyKind.SERIAL]
        named = tuple(dict.fromkeys((*named, *orders)))
    origin = Origin(reference, parameters, placement, {}, system.crashes, serial=serial)
    return Subject(model, system, origin, named)
