"""docs/reference/json.md: the shapes of what commands answer with `--json`."""

from __future__ import annotations

from typing import Any

from docs.making.schemas import Schema, answer_keys, referred
from docs.making.tables import head, rows
from orchestrator.cli.commands.schema import answers
from orchestrator.shapes import SHAPES
from orchestrator.shapes.schema import json_schema


def json_page() -> list[str]:
    lines = head(
        "What commands answer to programs",
        "`--json` prints one document on standard output, with the name and the version of its",
        "shape. A field that is taken away or changes its meaning makes another version; a new one",
        "does not. Times are ISO 8601 in UTC; amounts are milliseconds of the account's unit.",
        "`skint schema NAME` prints the JSON Schema.",
    )
    links = [(f"[`{name}`](#{name.replace('/', '')})", answered(name)) for name in sorted(SHAPES)]
    lines += rows(("shape", "answered by"), links)
    shown: set[str] = set()
    for name in sorted(SHAPES):
        schema = json_schema(name)
        lines += [f"## {name}", ""]
        if schema.get("description"):
            lines += [str(schema["description"]).replace("\n", " "), ""]
        lines += answer_keys({**schema, "properties": without_name(schema)})
        defs = schema.get("$defs", {})
        for below in dict.fromkeys(referred(without_name(schema), defs)):
            text = f"{below}: {sorted(defs[below].get('properties', {}))}"
            if text not in shown and defs[below].get("properties"):
                shown.add(text)
                lines += [f"### {below} of {name}", "", *answer_keys(defs[below])]
    return lines


def without_name(schema: Schema) -> dict[str, Any]:
    return {key: said for key, said in schema["properties"].items() if key != "schema"}


def answered(name: str) -> str:
    said = answers(name)
    return f"`{said}`" if said.startswith("skint ") else said
