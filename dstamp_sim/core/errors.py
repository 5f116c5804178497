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
├── WorkerDied              a worker process crashed, or ended by itself
└── Disagreement            the real parts did what the model does not allow (carries the step and the op)
"""

import difflib
import re
import signal
import traceback
from collections.abc import Iterable
from pathlib import Path

from dstamp_sim.core.escaping import harmless

PACKAGE_FOLDER = Path(__file__).parents[1]
"""The folder of the package."""


class DstampError(Exception):
    """Anything this package raises on purpose; its text is meant for the user, and the same in every run."""

    def __init__(self, text: str = "") -> None:
        super().__init__(harmless(_within(without_addresses(text))))


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


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, as the handler of a command raises it: a model may raise a KeyboardInterrupt, too."""


class WorkerDied(DstampError):
    """A worker process crashed, or ended by itself: no verdict."""


class Disagreement(DstampError):
    """The real parts did what the model does not allow."""


def blamed(error: BaseException, place: object, who: str) -> ModelError:
    """The ModelError for what `who`, a model's code, did at `place`: it raised an error, or it called sys.exit.

    Anything else is raised again: Ctrl-C, lack of memory, and errors of this package.
    """
    if is_ctrl_c(error) or isinstance(error, MemoryError) or (isinstance(error, DstampError) and _said_here(error)):
        raise error
    if isinstance(error, SystemExit):
        return ModelError(f"{place}: {who} called sys.exit({error.code!r}): nothing in a model may end dstamp")
    return ModelError(f"{place}: {who} raised {shown(error)}")


def is_ctrl_c(error: object) -> bool:
    """Whether somebody pressed Ctrl-C. Where Python's own handler waits for that, it cannot be told from a model's."""
    if isinstance(error, Interrupted):
        return True
    return isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _said_here(error: BaseException) -> bool:
    """Whether this package raised the error, and not a model that borrowed its class."""
    frames = traceback.extract_tb(error.__traceback__)
    return not frames or Path(frames[-1].filename).is_relative_to(PACKAGE_FOLDER)


def shown(error: object) -> str:
    """`repr(error)` without addresses, with the file if it has one, or the name of its type if even that fails."""
    try:
        told = f"{type(error).__name__}({str(error)!r})" if isinstance(error, OSError) else repr(error)
        return without_addresses(told)
    except Exception:  # an exception of a model may do anything
        return type(error).__name__


_MOST = 4_000
"""The most characters of a message: a screen's worth of a value, and what is said before and after it."""


def _within(text: str) -> str:
    """A message, without its middle if that is a value of thousands of characters."""
    half = _MOST // 2
    return text if len(text) <= _MOST else f"{text[:half]} … ({len(text) - _MOST:,} characters) … {text[-half:]}"


_ADDRESS = re.compile(" at 0x[0-9A-Fa-f]{6,}(?=[>,])")


def without_addresses(text: str) -> str:
    """`text` without what Python adds to the names of things that have no other: where in memory they lie."""
    return _ADDRESS.sub("", text) if " at 0x" in text else text


_LACKS_MEMORY = ("can't start new thread", "Cannot allocate memory", "failed to map segment")
"""How Python and the loader of libraries say that memory ran out, if that is no MemoryError."""


def lacks_memory(error: BaseException) -> bool:
    """Whether the error says that memory ran out."""
    told = isinstance(error, ImportError | OSError | RuntimeError) and any(why in str(error) for why in _LACKS_MEMORY)
    return told or isinstance(error, MemoryError)


def cut(name: str, most: int = 80) -> str:
    """A name that a user gave, without its middle if it is longer than a line."""
    return harmless(name if len(name) <= most else f"{name[: most // 2]}…{name[-most // 2 :]}")


_ALIKE = 0.6
"""How alike two names are, from 0 to 1, so that one may be a slip for the other."""


def unknown(kind: str, name: str, valid: Iterable[str], most: int | None = None) -> str:
    """The sentence for a name that is not one of `valid`, with what is said `instead`."""
    return f"unknown {kind} {cut(name)!r}{instead(name, valid, most)}"


def instead(name: str, valid: Iterable[str], most: int | None = None) -> str:
    """What follows in a sentence on a name that is not one of `valid`: a near one if there is one, and the valid ones.

    Of more than `most` valid names, only the most alike are listed.
    """
    name = cut(name)
    choices = sorted(map(cut, valid))
    by_likeness = sorted(choices, key=lambda choice: -_likeness(name, choice))
    guess = f"; did you mean {by_likeness[0]!r}?" if choices and _likeness(name, by_likeness[0]) >= _ALIKE else ""
    if most is not None and len(choices) > most:
        return f"{guess} (the nearest of {len(choices)}: {', '.join(by_likeness[:most])})"
    return f"{guess} (valid: {', '.join(choices) or 'none'})"


def _likeness(name: str, other: str) -> float:
    """How alike two names are, 1 for the same; of paths, that of the least alike part that both have.

    That both end with `.py` makes no two alike.
    """
    mine, its = (reversed(text.removesuffix(".py").split("/")) for text in (name, other))
    parts = zip(mine, its, strict=False)
    return min(difflib.SequenceMatcher(None, one, another, autojunk=False).ratio() for one, another in parts)
