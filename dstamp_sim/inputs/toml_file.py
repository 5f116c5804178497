"""TOML files checked against a pydantic schema, with errors that name the file, the place and the nearest key."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from dstamp_sim.core.errors import ScenarioError, unknown


class Strict(BaseModel):
    """A table whose unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Schema = TypeVar("Schema", bound=Strict)


def read_toml(path: Path, schema: type[Schema]) -> Schema:
    """The content of `path` as `schema`. Raises ScenarioError with the file, the line or key, and the remedy."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: not TOML: {error}") from error
    try:
        return schema.model_validate(raw)
    except ValidationError as error:
        raise ScenarioError("\n".join(f"{path}: {_sentence(item, schema)}" for item in error.errors())) from error


def _sentence(item: Any, schema: type[Strict]) -> str:
    place = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        name = str(item["loc"][-1])
        return f"at {place}: {unknown('key', name, _keys(schema, item['loc'][:-1]))}"
    return f"at {place}: {item['msg']}" + (f" (given: {item['input']!r})" if item["type"] != "missing" else "")


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
