"""Settings: one dataclass is what is read, what is checked, and the JSON schema that the bus holds them against."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import typing
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
_TYPES: dict[type[Any], str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_SECRET = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$"


class SettingsError(Exception):
    """The settings cannot be used; says which one, why, and what would be right."""


class Secret:
    """A setting that names a secret, `env:NAME` or `file:PATH`: found where the adapter runs, never printed."""

    def __init__(self, reference: str) -> None:
        self._reference = reference

    def __repr__(self) -> str:
        return f"Secret({self._reference})"

    def reveal(self) -> str:
        """The secret itself, for the system behind only. Looked up each time, so that it can be changed."""
        kind, _, name = self._reference.partition(":")
        try:
            return os.environ[name] if kind == "env" else Path(name).read_text(encoding="utf-8").removesuffix("\n")
        except (KeyError, OSError):
            raise SettingsError(f"the secret {self._reference} is not there") from None


def setting(description: str, default: Any = dataclasses.MISSING) -> Any:
    """A field of the settings: `str`, `int`, `float`, `bool` or `Secret`; without a default it must be given."""
    return dataclasses.field(default=default, metadata={"description": description})


def schema(settings: type[Any]) -> str:
    """The JSON schema (2020-12) of the settings."""
    types = typing.get_type_hints(settings)
    properties: dict[str, Any] = {}
    for field in dataclasses.fields(settings):
        kind = types[field.name]
        properties[field.name] = {"description": field.metadata["description"]}
        properties[field.name] |= {"type": "string", "pattern": _SECRET} if kind is Secret else {"type": _TYPES[kind]}
        if field.default is not dataclasses.MISSING:
            properties[field.name]["default"] = field.default
    return json.dumps(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": properties,
            "required": [field.name for field in dataclasses.fields(settings) if field.default is dataclasses.MISSING],
            "additionalProperties": False,
        }
    )


def parse(settings: type[T], text: str) -> T:
    """Reads settings as the bus hands them over."""
    try:
        given = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise SettingsError(f"the settings are no JSON: line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise SettingsError("the settings are nested too deeply") from None
    if not isinstance(given, dict):
        raise SettingsError("the settings are no JSON object")
    types = typing.get_type_hints(settings)
    fields = {field.name: field for field in dataclasses.fields(settings)}  # type: ignore[arg-type]
    if unknown := sorted(given.keys() - fields.keys()):
        raise SettingsError(f"unknown setting `{unknown[0]}` (there are: {', '.join(fields)})")
    missing = [name for name, field in fields.items() if name not in given and field.default is dataclasses.MISSING]
    if missing:
        raise SettingsError(f"the setting `{missing[0]}` is missing: {fields[missing[0]].metadata['description']}")
    return settings(**{name: _value(name, types[name], value) for name, value in given.items()})


def _value(name: str, kind: type[Any], value: Any) -> Any:
    # The value itself is not repeated: it may be a secret written in the wrong place.
    if kind is Secret:
        if isinstance(value, str) and re.fullmatch(_SECRET, value):
            return Secret(value)
        raise SettingsError(f"the setting `{name}` names a secret as env:NAME or file:PATH, never in clear")
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:  # `True` is no integer here
        raise SettingsError(f"the setting `{name}` is no {_TYPES[kind]}")
    return value
