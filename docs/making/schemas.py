"""JSON Schemas as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from docs.making.tables import rows

Schema = Mapping[str, Any]
MOST = 6
"""Choices that are listed where a type is."""


def answer_keys(schema: Schema) -> list[str]:
    """As `keys`, of what a command answers: nothing has a default, and null is said."""
    body = [
        (f"`{key}`", type_of(said) + " or null" * is_nullable(said), said.get("description", ""))
        for key, said in schema["properties"].items()
    ]
    return rows(("field", "type", "meaning"), body)


def is_nullable(said: Schema) -> bool:
    return any(one.get("type") == "null" for one in said.get("anyOf", ()))


def keys(schema: Schema) -> list[str]:
    body = [
        (f"`{key}`", type_of(said), default_of(said), said.get("description", ""))
        for key, said in schema["properties"].items()
    ]
    return rows(("key", "type", "default", "meaning"), body)


def type_of(said: Schema) -> str:
    """A JSON Schema's type in words."""
    if "$ref" in said:
        return str(said["$ref"]).rpartition("/")[2]
    if "const" in said:
        return f"`{said['const']}`"
    if "enum" in said:
        return ", ".join(f"`{one}`" for one in said["enum"])
    for several in ("anyOf", "oneOf"):
        if several in said:
            kinds = [type_of(one) for one in said[several] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds)) if len(kinds) <= MOST else "text"
    if "allOf" in said:
        return type_of(said["allOf"][0])
    kind = said.get("type", "anything")
    kinds = [one for one in ([kind] if isinstance(kind, str) else kind) if one != "null"]
    words = {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "true or false",
        "array": "list",
        "object": "mapping",
    }
    named = " or ".join(words.get(one, one) for one in kinds)
    if kinds == ["array"] and isinstance(said.get("items"), dict):
        return f"list of {type_of(said['items'])}"
    if kinds == ["string"] and "path" in str(said.get("format", "")):
        return "path"
    low, high = said.get("minimum"), said.get("maximum")
    if low is not None or high is not None:
        named += f", {'' if low is None else f'{low:g}'}…{'' if high is None else f'{high:g}'}"
    return named


def default_of(said: Schema) -> str:
    value = said.get("default")
    if value is None or value == "" or value == [] or value == {}:
        return ""
    text = str(value).lower() if isinstance(value, bool) else value
    return f"`{text}`"


def referred(data: Any, defs: Schema) -> Iterator[str]:
    """The definitions that something names, and those that these name."""
    if isinstance(data, Mapping):
        if "$ref" in data:
            name = str(data["$ref"]).rpartition("/")[2]
            yield name
            yield from referred(defs[name], defs)
        data = list(data.values())
    if isinstance(data, list):
        for one in data:
            yield from referred(one, defs)
