"""What can be observed of a run: declared by a model, read from evidence and run folders, compared with results."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from dstamp_sim.core.errors import ModelError, unknown
from dstamp_sim.core.place import here
from dstamp_sim.core.typed import items, texts

GENERIC = ("id", "time", "time_means", "until", "company", "other", "source", "setup", "reached")
"""Keys of evidence that mean the same for every model, so a model cannot declare them."""


class Unknown(Enum):
    """The one value that stands for an unknown one."""

    UNKNOWN = "unknown"


UNKNOWN = Unknown.UNKNOWN
"""The default for a missing observation: any value agrees with it."""

Compare = Callable[[Any, Any], bool]
"""Whether a simulated result agrees with the observed one."""


def _of_the_model(_: Any) -> str:
    """The default: a run is the model's, whatever it has."""
    return ""


@dataclass(frozen=True)
class Field:
    """One thing that can be observed of a run.

    `name` is its name in a result, its key in results.json and its group in log lines. `key` is where an evidence file
    has it (`stages.upgrade`: in the table `stages`); its name if left empty. `kind` is its type, as an annotation.
    `agrees` says whether a result is as observed; if left out, the result's attribute of this name has to be equal.
    A field that is not `compared` only says which run it was. `says` words it, with `{}` for the value. `missing` is
    the value of a run that does not say it. `needs` are the factory's parameters without which a result lacks it.
    `foreign` says why a run with such a value is none of the model's, as one of another commit; empty if it is.
    """

    name: str
    kind: Any = str
    key: str = ""
    agrees: Compare | None = None
    compared: bool = True
    says: str = ""
    missing: Any = UNKNOWN
    needs: Mapping[str, Any] = field(default_factory=dict)
    foreign: Callable[[Any], str] = _of_the_model

    @property
    def path(self) -> tuple[str, ...]:
        """Its place in an evidence file: the tables, then the key."""
        return tuple((self.key or self.name).split("."))

    def of(self, result: Any, observed: Any) -> bool:
        """Whether `result` agrees with `observed`."""
        if self.agrees is not None:
            return self.agrees(result, observed)
        return bool(getattr(result, self.name, None) == observed)

    def worded(self, value: Any) -> str:
        """An observation in a few words."""
        return (self.says or f"{self.name} {{}}").format(value)


def no_contradiction(results: Mapping[str, Any], log: Mapping[str, Any]) -> str:
    """The message that results and log differ in one field; empty if they agree. A log has only text."""
    both = [name for name in results if name in log and str(results[name]) != str(log[name])]
    return f"its results name {both[0]} {results[both[0]]!r}, its log {log[both[0]]!r}" if both else ""


def _check_pattern(pattern: str) -> None:
    """Raises ModelError for a pattern of log lines that is none, or that names no field."""
    try:
        named = re.compile(pattern).groupindex
    except (re.error, TypeError) as error:
        raise ModelError(f"{here()}evidence: log_lines has {pattern!r}, which is no pattern: {error}") from error
    if not named:
        raise ModelError(
            f"{here()}evidence: log_lines has {pattern!r}, which names no field: write (?P<field>...) in it"
        )


@dataclass(frozen=True)
class Observable:
    """What can be observed of the runs and the probes of a model.

    `log_lines` are patterns for lines of a run's log; their named groups are fields, and the last line that matches
    counts. `contradiction` takes what results and log say of one run, by field, and returns why both cannot be true, or
    an empty text. Raises ModelError if two fields have one name or key, or one has a key that is not the model's.
    """

    fields: tuple[Field, ...] = ()
    log_lines: tuple[str, ...] = ()
    contradiction: Callable[[Mapping[str, Any], Mapping[str, Any]], str] = no_contradiction

    def __post_init__(self) -> None:
        """Checks the fields and the lines; names and keys are distinct."""
        object.__setattr__(self, "fields", items("evidence", "fields", self.fields, Field, "Fields"))
        object.__setattr__(self, "log_lines", texts("evidence", "log_lines", self.log_lines))
        names, keys = Counter(one.name for one in self.fields), Counter(one.path for one in self.fields)
        twice = [*(n for n, count in names.items() if count > 1), *(".".join(k) for k, c in keys.items() if c > 1)]
        if twice:
            raise ModelError(f"{here()}evidence: the field {twice[0]!r} is declared twice")
        taken = [one.path[0] for one in self.fields if one.path[0] in GENERIC]
        if taken:
            raise ModelError(
                f"{here()}evidence: {taken[0]!r} means the same for every model; choose another key for the field"
            )
        for pattern in self.log_lines:
            _check_pattern(pattern)

    def field(self, name: str) -> Field:
        """The field called `name`. Raises ModelError with the nearest name."""
        found = next((one for one in self.fields if one.name == name), None)
        if found is None:
            raise ModelError(f"evidence: {unknown('field', name, (one.name for one in self.fields))}")
        return found

    def compared(self, seen: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
        """The observations in `seen` that can be compared with a result, by name, with defaults for missing ones."""
        values = {one.name: seen.get(one.name, one.missing) for one in self.fields if one.compared}
        return tuple(sorted((name, value) for name, value in values.items() if value is not UNKNOWN))

    def agrees(self, result: Any, observed: Iterable[tuple[str, Any]]) -> bool:
        """Whether a result agrees with the observations in every field; a run without a result agrees with none.

        Raises ModelError if a result has some of the fields and lacks another.
        """
        fields = [(self.field(name), value) for name, value in observed]
        lacking = [one.name for one, _ in fields if one.agrees is None and not hasattr(result, one.name)]
        if 0 < len(lacking) < len(fields):
            raise ModelError(
                f"evidence: the field {lacking[0]!r} is compared, but a {type(result).__name__} has no attribute "
                f"{lacking[0]!r}: add it to the result, or declare the field with compared=False or agrees=..."
            )
        return result is not None and all(one.of(result, value) for one, value in fields)

    def foreign(self, seen: Mapping[str, Any]) -> str:
        """The first reason why a run of which this was seen is none of the model's; empty if it is."""
        told = (f"{one.name} {seen[one.name]!r}: {why}" for one in self.fields
                if one.name in seen and (why := one.foreign(seen[one.name])))  # fmt: skip
        return next(told, "")

    def needs(self, names: Iterable[str]) -> dict[str, Any]:
        """The factory's parameters that make results have all these fields."""
        return {key: value for name in names for key, value in self.field(name).needs.items()}

    def worded(self, seen: Mapping[str, Any]) -> str:
        """Observations in a few words, in the order of the fields."""
        return ", ".join(one.worded(seen[one.name]) for one in self.fields if one.name in seen)
