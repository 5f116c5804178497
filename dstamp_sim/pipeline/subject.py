"""The subject of a command: a model in one setting, under one placement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dstamp_sim.core.errors import UsageError
from dstamp_sim.core.properties import LIVE
from dstamp_sim.core.system import NOTHING_MORE, Also, System
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
    also: Also = NOTHING_MORE,
) -> Subject:
    """The subject of a command's options; with `numbers_open`, numbers of copies are any unless set.

    What it is `also` asked, it is whatever `properties` name; to name what every system may be asked in time asks it.
    Raises UsageError for unknown names (of `properties` too) and values of the wrong type, ModelError if the model
    breaks a rule.
    """
    model = load_model(reference)
    return subject_of(model, settings, placement, properties, crashes, numbers_open=numbers_open, also=also)


def subject_of(
    model: Model,
    settings: Sequence[str] | None = None,
    placement: str | None = None,
    properties: Sequence[str] | None = None,
    crashes: int | None = None,
    *,
    numbers_open: bool = False,
    also: Also = NOTHING_MORE,
) -> Subject:
    """As `load_subject`, of a model that is loaded."""
    parameters = read_settings(model.factory, settings or ())
    if numbers_open:
        parameters = any_number(model.factory, parameters)
    system = model.build(parameters, placement)
    if crashes is not None:
        system = system.with_crashes(crashes)
    named = tuple(properties or ())
    asked = also._replace(live=also.live or any(prop.name in named for prop in LIVE))
    system = asked.of(system)
    system.properties_named(named)
    named = tuple(dict.fromkeys((*named, *also.names(system)))) if named else ()
    origin = Origin(model.reference, parameters, placement, {}, system.crashes, **asked._asdict())
    return Subject(model, system, origin, named)


def renamed(system: System, names: Sequence[str]) -> tuple[System, Mapping[str, str]]:
    """`system` with its processes that must end renamed, in order, to the names that the scenario starts."""
    must_end = system.must_end
    if len(names) > len(must_end):
        raise UsageError(
            f"the scenario starts {len(names)} process{'es' * (len(names) != 1)} ({', '.join(names)}), "
            f"the model has {len(must_end)} that can start ({', '.join(must_end)})"
        )
    renamed = dict(zip(must_end, names, strict=False))
    return system.with_names(renamed), renamed
