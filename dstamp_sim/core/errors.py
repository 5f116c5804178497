"""What can go wrong, one class per kind of culprit.

DstampError                 anything this package raises on purpose
├── UsageError              an option, a name or a value of the user's
│   ├── PlacementError      a placement that does not fit the system
│   └── ScenarioError       a scenario or evidence file
├── ModelError              a model breaks a rule (carries the model's file and line)
│   └── UnboundedProgram    a program performed more ops than an exploration can keep
├── ScheduleError           a schedule does not fit the system (carries the step)
│   └── WitnessError        a witness file belongs to another model, or was edited
│       └── WitnessGone     a witness that its model no longer performs (carries the step)
└── Disagreement            the real parts did what the model does not allow (carries the step and the op)
"""

import difflib
from collections.abc import Iterable


class DstampError(Exception):
    """Anything this package raises on purpose; its text is meant for the user."""


class UsageError(DstampError):
    """An option, a name or a value of the user's does not fit."""


class PlacementError(UsageError):
    """A placement names unknown locks or sections, or its spans overlap."""


class ScenarioError(UsageError):
    """A scenario or evidence file is malformed or incomplete."""


class ModelError(DstampError):
    """A model breaks a rule; the message starts with the model's file and line."""


class UnboundedProgram(ModelError):
    """A program performed more ops than an exploration can remember."""


class ScheduleError(DstampError):
    """A schedule does not fit the system at one of its steps; `performed` are the steps before it."""

    def __init__(self, text: str, performed: int = 0) -> None:
        super().__init__(text)
        self.performed = performed


class WitnessError(ScheduleError):
    """A witness file belongs to another model, or was edited."""


class WitnessGone(WitnessError):
    """A witness that its model no longer performs; the message has the file and the first step that differs."""


class Disagreement(DstampError):
    """The real parts did what the model does not allow."""


def blamed(error: BaseException, place: object, who: str) -> ModelError:
    """The ModelError for what `who`, a model's code, did at `place`: it raised an error, or it called sys.exit.

    Anything else is raised again: Ctrl-C, lack of memory, and errors of this package.
    """
    if isinstance(error, KeyboardInterrupt | MemoryError | DstampError):
        raise error
    if isinstance(error, SystemExit):
        return ModelError(f"{place}: {who} called sys.exit({error.code!r}): nothing in a model may end dstamp")
    return ModelError(f"{place}: {who} raised {shown(error)}")


def shown(error: BaseException) -> str:
    """`repr(error)`, or the name of its type where even that fails."""
    try:
        return repr(error)
    except Exception:  # an exception of a model may do anything
        return type(error).__name__


def cut(name: str, most: int = 80) -> str:
    """A name that a user gave, without its middle if it is longer than a line."""
    return name if len(name) <= most else f"{name[: most // 2]}…{name[-most // 2 :]}"


def unknown(kind: str, name: str, valid: Iterable[str]) -> str:
    """The sentence for a name that is not one of `valid`: the value, the nearest valid name, the valid ones."""
    choices = sorted(valid)
    name = cut(name)
    near = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
    guess = f"; did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(choices) if choices else "none"
    return f"unknown {kind} {name!r}{guess} (valid: {listed})"
