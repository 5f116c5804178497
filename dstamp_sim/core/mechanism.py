"""A mechanism: a named variant of a model that might explain what was observed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.experiment import Experiment
from dstamp_sim.core.observable import Observable
from dstamp_sim.core.system import System
from dstamp_sim.core.trace import Step
from dstamp_sim.core.typed import texts


@dataclass(frozen=True)
class Window:
    """Where in a run the wrong write must fall, so that its absence can be reported.

    It opens with the process's last step of section `opens` that changed something, and closes with its last step of
    section `closes`. `writer` says in words who writes, `wrote` recognises the write; `by_others` demands that another
    process wrote. `opening` and `closing` are the ends in words.
    """

    writer: str
    wrote: Callable[[Step], bool]
    opens: str
    closes: str
    opening: str
    closing: str
    by_others: bool = True


@dataclass(frozen=True)
class Mechanism:
    """One candidate: who writes the wrong stamp and when (`story`), the factory of its variant, and its window.

    `open` are the names of the questions (see `Hypotheses`) on whose answers it depends; `part` is the part of the
    system in which its fault lies: if the evidence says that this part never changed, the fault is in every run.
    `within` is the factory of a variant, easier to judge, that can do all that this one can: impossible there means
    impossible here.
    """

    story: str
    factory: Callable[..., System]
    window: Window
    open: tuple[str, ...] = ()
    part: str = ""
    within: Callable[..., System] | None = None

    def __post_init__(self) -> None:
        """Checks the names of the questions."""
        object.__setattr__(self, "open", texts("Mechanism", "open", self.open))


@dataclass(frozen=True)
class Question:
    """What the evidence leaves open: the readings, each with its parameters of the factory.

    A reading's name is a few words. `part` names the part of the system that changed if any but the first reading is
    true. `source` says where the readings come from.
    """

    readings: Mapping[str, Mapping[str, Any]]
    source: str
    part: str = ""


@dataclass(frozen=True)
class Rule:
    """How somebody plans to read an experiment: `outcome` for the mechanisms that need company, `other` for the rest.

    A mechanism needs company if `other` never comes of it in this experiment. `says` is the rule in words, `provided`
    the condition in the experiment under which `other` refutes them.
    """

    experiment: str
    outcome: str
    other: str
    says: str
    source: str
    provided: str = ""


def _op_and_object(step: Step) -> str:
    """What a step leaves behind if the model does not say: what it changed."""
    return f"{step.op.target.name}: {step.op.verb}" if step.op is not None and step.op.target and step.changes else ""


@dataclass(frozen=True)
class Hypotheses:
    """What a model declares so that its mechanisms can be judged against evidence.

    `nothing` is the factory without any fault, `evidence` declares what can be observed of its runs. Factories take
    `runs` and, by each name in `identity`, a tuple with a value per run; these are fields of the evidence, which an
    observed run may leave unknown. `apart` are the parameters with which runs share nothing by their identity: readings
    that have them are of mechanisms that need no such sharing. `probes` are factories of systems with one process, by
    the probe's id. `faults` are the outcome labels that count as something having failed, `failing` says in words of
    what. `rule` is a way to read an experiment that is judged. `leaves` says in words what a step of a run leaves for
    somebody who looks later, such as a line of a log; empty if nothing.
    """

    nothing: Callable[..., System]
    evidence: Observable
    questions: Mapping[str, Question] = field(default_factory=dict)
    identity: tuple[str, ...] = ()
    apart: Mapping[str, Any] = field(default_factory=dict)
    probes: Mapping[str, Callable[..., System]] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    failing: str = ""
    experiments: Mapping[str, Experiment] = field(default_factory=dict)
    rule: Rule | None = None
    leaves: Callable[[Step], str] = _op_and_object

    def __post_init__(self) -> None:
        """An identity is a number or a text: where it is not known, others are made up."""
        for what in ("identity", "faults"):
            object.__setattr__(self, what, texts("Hypotheses", what, getattr(self, what)))
        for name in self.identity:
            kind = self.evidence.field(name).kind
            if kind not in (int, str):
                raise ModelError(
                    f"identity: the field {name!r} is of the kind {kind}, but an identity is an int or a str"
                )

    def kind(self, identity: str) -> type:
        """Whether an identity is a number (int) or a text (str)."""
        kind: type = self.evidence.field(identity).kind
        return kind
