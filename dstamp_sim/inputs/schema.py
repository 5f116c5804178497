"""What files may hold: pydantic schemas, with errors that name the file, the place, the value and the nearest key."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic import Field as Bound

from dstamp_sim.core.errors import DstampError, ScenarioError, WitnessError, cut, unknown
from dstamp_sim.disk.reading import place_of, read_toml

Name = Annotated[str, Bound(min_length=1, max_length=200)]
"""What runs and processes are called."""

Seconds = Annotated[float, Bound(ge=0, allow_inf_nan=False, strict=True)]
Positive = Annotated[float, Bound(gt=0, allow_inf_nan=False, strict=True)]
Instant = Annotated[datetime, Bound(strict=True)]
"""A date with its time, written as such: no number, no text, no day alone."""

_IN_FILES = (bool, int, float, str, list, dict)
"""What TOML and JSON write, but for dates."""

MOST_TOLD = 5
"""So many faults of one file are named; a file of another kind may have thousands."""


class Strict(BaseModel):
    """A table whose unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Schema = TypeVar("Schema", bound=Strict)


def read_table(path: Path, schema: type[Schema]) -> Schema:
    """The TOML file at `path` as `schema`. Raises ScenarioError naming the file, the line or key, and the remedy."""
    return checked(path, read_toml(path), schema, ScenarioError)


def checked(path: Path, content: Any, schema: type[Schema], wrong: type[DstampError]) -> Schema:
    """What `path` holds as `schema`. Raises `wrong`, naming file, place, value, rule and the nearest key."""
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        found = error.errors()
        told = [f"{path}: {_sentence(item, schema)}" for item in found[:MOST_TOLD]]
        more = [f"{path}: and {len(found) - MOST_TOLD} more"] if len(found) > MOST_TOLD else []
        raise wrong("\n".join([*told, *more])) from error


_RULES = {
    "missing": "is missing, and must be there",
    "string_type": "it must be a text, in quotes",
    "bool_type": "it must be true or false",
    "int_type": "it must be a whole number",
    "float_type": "it must be a number",
    "bool_parsing": "it must be true or false",
    "int_parsing": "it must be a whole number",
    "float_parsing": "it must be a number",
    "list_type": "it must be a list",
    "tuple_type": "it must be a list",
    "dict_type": "it must be a table",
    "model_type": "it must be a table",
    "datetime_type": "it must be a date with its time, such as 2026-01-31T10:00:00",
}
"""What a file may hold, by the name of pydantic's error; its own words are of Python."""


_COUNTS = {
    "too_short": "it must have at least {min_length} entries",
    "too_long": "it must have at most {max_length} entries",
    "string_too_short": "it must not be empty",
    "string_too_long": "it must have at most {max_length} characters",
    "string_pattern_mismatch": "it must be of the form {pattern}",
}
"""The same with what the rule says: a number, a form."""


def rule_of(error: ValidationError) -> str:
    """The rule that was broken first, and the value that broke it."""
    return _rule(error.errors()[0])


def _rule(item: Any) -> str:
    own = item["msg"].removeprefix("Value error, ").replace("Input should be", "it must be")
    counted = _COUNTS.get(item["type"])
    rule = counted.format(**item["ctx"]) if counted else _RULES.get(item["type"], own)
    return rule if item["type"] in _TELL_THE_VALUE else f"{rule} ({given(item['input'])})"


_TELL_THE_VALUE = ("missing", "value_error", "strict")
"""Errors whose rule says what was given, or that nothing was."""


def given(value: Any) -> str:
    """`given: VALUE`, as files write it, cut where it is long."""
    if isinstance(value, bool) or value is None:
        return f"given: {json.dumps(value)}"
    return f"given: {cut(value.isoformat() if isinstance(value, date | time) else repr(value))}"


def refuse_other_format(path: Path, content: Any, wanted: str, kind: str, remedy: str) -> None:
    """Raises WitnessError unless the content of a file says that it has this format."""
    found = content.get("format") if isinstance(content, dict) else None
    if found != wanted:
        told = f" ({given(found)})" if found is not None else ", for it has none"
        raise WitnessError(f"{path}: not {kind}: its format is not {wanted!r}{told}; {remedy}")


def _sentence(item: Any, schema: type[Strict]) -> str:
    if item["type"] == "extra_forbidden":
        name = str(item["loc"][-1])
        return f"at {place_of(item['loc'])}: {unknown('key', name, _keys(schema, item['loc'][:-1]))}"
    at = f"at {place_of(item['loc'])}: " if item["loc"] else ""
    return f"{at}{_rule(item)}"


def _keys(schema: Any, location: tuple[Any, ...]) -> list[str]:
    """The keys that the table at `location` may have."""
    for part in location:
        if isinstance(part, str) and part in getattr(schema, "model_fields", {}):
            schema = _table(schema.model_fields[part].annotation)
    return list(getattr(schema, "model_fields", {}))


def _table(annotation: Any) -> Any:
    """The schema inside `tuple[X, ...]`, `dict[str, X]` or `X | None`."""
    if hasattr(annotation, "model_fields"):
        return annotation
    inside = [_table(part) for part in getattr(annotation, "__args__", ())]
    return next((part for part in inside if hasattr(part, "model_fields")), annotation)


def as_written(annotation: Any, value: Any) -> Any:
    """`value` of a file as this type. Raises ValidationError: `true` is no number, a number no text, and so on."""
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    if type(value) in _IN_FILES:
        return adapter.validate_json(json.dumps(value), strict=True)  # where a name stands for a member of an enum
    return adapter.validate_python(value)


def one_clock(times: list[datetime]) -> bool:
    """Whether times can be compared: all of them have a zone, or none has."""
    return len({time.tzinfo is None for time in times}) <= 1


ONE_CLOCK = "some times have a zone and some have none: give every time its zone (10:00:00Z, 10:00:00+02:00), or none"
