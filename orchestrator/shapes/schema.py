"""The JSON Schema of what a command answers with `--json`."""

from __future__ import annotations

import importlib
from typing import Any

from orchestrator.shapes import SHAPES

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def shape_named(name: str) -> type[Any]:
    """The dataclass behind a name with its version, `status/1`. KeyError if there is none."""
    module, _, kind = SHAPES[name].partition(":")
    found: type[Any] = getattr(importlib.import_module(module), kind)
    return found


def json_schema(name: str) -> dict[str, Any]:
    """The whole document, with the name that stands in it. KeyError if there is none."""
    from pydantic import TypeAdapter

    found = TypeAdapter(shape_named(name)).json_schema(mode="serialization")
    own = {"const": name, "description": "The name of this shape and its version."}
    return {
        "$schema": DIALECT,
        **found,
        "title": name,
        "properties": {"schema": own, **found.get("properties", {})},
        "required": ["schema", *found.get("properties", {})],
    }
