"""The parameters of a job against what the job says it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from orchestrator.plans.complaints import UNKNOWN_KEY, Complaint, complaints_of, nearest, shown
from orchestrator.plans.describe import JobType
from orchestrator.plans.document import Keys
from orchestrator.plans.keys import seen_from
from skint.errors import SkintError

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict,),
    "null": (type(None),),
}
_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


def check_params(
    kind: JobType, given: Mapping[str, Any], base: Path
) -> tuple[dict[str, Any], list[Complaint]]:
    """Parameters as plain data, with the defaults, and what is wrong with them.

    A built-in job's class says it all. Of a user's, which lives in another environment, only the
    JSON schema is here: unknown and missing keys and simple types; its worker says the rest.
    """
    missing = list(_missing_paths(kind, given, base))
    if kind.model is None:
        return dict(given), [*_by_schema(kind.schema, given), *missing]
    try:
        params = kind.model.model_validate(_absolute(kind, given, base))
    except ValidationError as error:
        found = complaints_of(error, kind.model)
        said = {complaint.keys for complaint in missing}
        return {}, [*missing, *(one for one in found if one.keys not in said)]
    except SkintError as error:
        return {}, [*missing, Complaint((), error.what, error.got, error.wanted)]
    data = params.model_dump(mode="json")
    # Paths stay as written: the plan's folder may be somewhere else where the job runs.
    data |= {name: given[name] for name in kind.paths if name in given}
    return data, missing


def _absolute(kind: JobType, given: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """Paths from the plan's folder, since a class may check that they exist."""
    fields = kind.paths
    return {
        name: str(seen_from(base, value)) if name in fields and isinstance(value, str) else value
        for name, value in given.items()
    }


def _missing_paths(kind: JobType, given: Mapping[str, Any], base: Path) -> Iterator[Complaint]:
    """A built-in job only reads the paths it is given; a user's says so by the format."""
    for name, form in kind.paths.items():
        value = given.get(name)
        if not isinstance(value, str) or (kind.model is None and form == "path"):
            continue
        path = seen_from(base, value)
        noun = {"directory-path": "folder", "file-path": "file"}.get(form, "file or folder")
        there = {"directory-path": path.is_dir, "file-path": path.is_file}.get(form, path.exists)
        if not there():
            folder = path.parent.name if path.parent != base else "the plan's folder"
            near = nearest(path.name, _names_in(path.parent))
            wanted = f"a {noun} that exists; in {folder}: {near}"
            yield Complaint((name,), f"there is no such {noun}", value, wanted)


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:
        return []


def _by_schema(schema: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[Complaint]:
    fields: Mapping[str, Any] = schema.get("properties", {})
    for name, value in given.items():
        if name not in fields:
            if schema.get("additionalProperties", False) is False:
                yield Complaint((name,), UNKNOWN_KEY, name, nearest(name, fields))
            continue
        allowed = _allowed_types(fields[name])
        choices = fields[name].get("enum")
        if choices is not None and value not in choices:
            wanted = ", ".join(map(str, choices))
            yield Complaint((name,), "this value does not fit", shown(value), f"one of: {wanted}")
        elif allowed and not any(_fits(value, kind) for kind in allowed):
            wanted = " or ".join(_WORDS[kind] for kind in allowed)
            yield Complaint((name,), "this value does not fit", shown(value), wanted)
    for name in schema.get("required", ()):
        if name not in given:
            yield Complaint((name,), "this key is missing", "nothing", f"{name}: VALUE")


def _allowed_types(field: Mapping[str, Any]) -> list[str]:
    """Simple types only; empty where the schema says something we leave to the worker."""
    choices = field.get("anyOf", [field])
    names = [choice.get("type") for choice in choices]
    return [] if any(name not in _TYPES for name in names) else names


def _fits(value: Any, kind: str) -> bool:
    if kind in ("integer", "number") and isinstance(value, bool):
        return False
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[kind])


def at(keys: Keys, matrix: Mapping[str, int], complaint: Complaint) -> Keys:
    """Where in the plan a complaint about a parameter belongs: `with`, or the matrix's value."""
    name = complaint.keys[0] if complaint.keys else None
    if name in matrix and complaint.what == UNKNOWN_KEY:
        return (*keys, "matrix", str(name))
    if isinstance(name, str) and name in matrix:
        return (*keys, "matrix", name, matrix[name])
    return (*keys, "with", *complaint.keys)
