"""What can be observed of a run: declared by a model, read from evidence and run folders, held against results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from dstamp_sim.core.errors import ModelError, unknown

GENERIC = ("id", "time", "time_means", "until", "company", "other", "source", "setup", "reached")
"""Keys of evidence that mean the same for every model, and so are not a model's to declare."""


class Unknown(Enum):
    """The one value that stands for what nobody knows."""

    UNKNOWN = "unknown"


UNKNOWN = Unknown.UNKNOWN
"""What a missing observation stands for unless its field says otherwise: any value agrees with it."""

Compare = Callable[[Any, Any], bool]
"""Whether a simulated result is as it was observed."""


@dataclass(frozen=True)
class Field:
    """One thing that can be observed of a run.

    `name` is its name in a result, and the key of results.json and the group of log lines that have it. `key` is where
    an evidence file has it (`stages.upgrade`: in the table `stages`); its name where left empty. `kind` is its type, as
    an annotation. `agrees` says whether a result is as observed; where left out, the result's attribute of this name
    has to be equal. What is not `compared` only says which run it was. `says` words it, with `{}` for the value.
    `missing` is the value of a run that does not say it. `needs` are the factory's parameters with which a result has
    it, where it otherwise lacks it.
    """

    name: str
    kind: Any = str
    key: str = ""
    agrees: Compare | None = None
    compared: bool = True
    says: str = ""
    missing: Any = UNKNOWN
    needs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> tuple[str, ...]:
        """Where an evidence file has it: the tables, then the key."""
        return tuple((self.key or self.name).split("."))

    def of(self, result: Any, observed: Any) -> bool:
        """Whether `result` is as `observed` says."""
        if self.agrees is not None:
            return self.agrees(result, observed)
        return bool(getattr(result, self.name, None) == observed)

    def worded(self, value: Any) -> str:
        """An observation in a few words."""
        return (self.says or f"{self.name} {{}}").format(value)


def no_contradiction(results: Mapping[str, Any], log: Mapping[str, Any]) -> str:
    """That results and log name different values for one field; empty where they do not. A log has only text."""
    both = [name for name in results if name in log and str(results[name]) != str(log[name])]
    return f"its results name {both[0]} {results[both[0]]!r}, its log {log[both[0]]!r}" if both else ""


@dataclass(frozen=True)
class Observable:
    """What can be observed of the runs and the probes of a model.

    `log_lines` are patterns for lines of a run's log; their named groups are fields, and the last line that matches
    counts. `contradiction` is asked of what results and log say of one run, each by field: why not both can be true, or
    an empty text. Raises ModelError where two fields have one name or key, or one has a key that is not the model's.
    """

    fields: tuple[Field, ...] = ()
    log_lines: tuple[str, ...] = ()
    contradiction: Callable[[Mapping[str, Any], Mapping[str, Any]], str] = no_contradiction

    def __post_init__(self) -> None:
        """Names and keys are told apart."""
        names, keys = Counter(one.name for one in self.fields), Counter(one.path for one in self.fields)
        twice = [*(n for n, count in names.items() if count > 1), *(".".join(k) for k, c in keys.items() if c > 1)]
        if twice:
            raise ModelError(f"evidence: the field {twice[0]!r} is declared twice")
        taken = [one.path[0] for one in self.fields if one.path[0] in GENERIC]
        if taken:
            raise ModelError(f"evidence: {taken[0]!r} means the same for every model; give the field another key")

    def field(self, name: str) -> Field:
        """The field called `name`. Raises ModelError naming the nearest one."""
        found = next((one for one in self.fields if one.name == name), None)
        if found is None:
            raise ModelError(f"evidence: {unknown('field', name, (one.name for one in self.fields))}")
        return found

    def compared(self, seen: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
        """What of `seen` can be held against a result, by name, with what a missing one stands for."""
        values = {one.name: seen.get(one.name, one.missing) for one in self.fields if one.compared}
        return tuple(sorted((name, value) for name, value in values.items() if value is not UNKNOWN))

    def agrees(self, result: Any, observed: Iterable[tuple[str, Any]]) -> bool:
        """Whether a result is as it was observed, in every field; a run without a result is as nothing that was."""
        return result is not None and all(self.field(name).of(result, value) for name, value in observed)

    def needs(self, names: Iterable[str]) -> dict[str, Any]:
        """The factory's parameters with which results have all these fields."""
        return {key: value for name in names for key, value in self.field(name).needs.items()}

    def worded(self, seen: Mapping[str, Any]) -> str:
        """Observations in a few words, in the order of the fields."""
        return ", ".join(one.worded(seen[one.name]) for one in self.fields if one.name in seen)
