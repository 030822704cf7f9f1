"""The JSON Schema of a plan, for editors: keys, types and meanings, parameters by `uses`.

It is made from what checks plans (`spec`, the built-in jobs' parameters, the stop rules), and says
less: whether files, accounts and programs are there, what needs what, and which parameters must be
given only `skint plan` knows.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from notifiers import catalog, manner
from orchestrator.events.verdict import Answer
from orchestrator.graph import OWN_RULE
from orchestrator.plans.describe import builtin_jobs, describe_builtin
from orchestrator.plans.spec import JobSpec, PlanSpec
from orchestrator.stop_rules.defaults import DEFAULTS, Mode, Option

DIALECT = "http://json-schema.org/draft-07/schema#"
"""The newest that every editor knows."""
_DURATION = {"type": "string", "pattern": r"^\s*[0-9].*[a-zA-Z]\s*$"}
_MEMORY = {"type": "string", "pattern": r"^\s*[0-9.]+\s*[kKmMgGtT]i?[bB]?\s*$"}
_JOB_NAME = r"^[a-z][a-z0-9_-]{0,39}$"
Schema = dict[str, Any]


def plan_schema() -> Schema:
    """The whole document."""
    models = {name: describe_builtin(name).model for name in builtin_jobs()}
    given = [(model, "validation") for model in models.values() if model is not None]
    names, found = models_json_schema(given, ref_template="#/$defs/{model}")  # type: ignore[arg-type]
    defs: Schema = dict(found.get("$defs", {}))
    parameters = {
        job: names[model, "validation"]["$ref"].rpartition("/")[2]
        for job, model in models.items()
        if model is not None
    }
    for name in parameters.values():
        # What has to be given may stand under `matrix` as well; `with:` may have nothing below it.
        kept = {key: value for key, value in defs[name].items() if key != "required"}
        defs[name] = {**kept, "type": ["object", "null"]}
    defs["entry"] = _entry(parameters)
    defs["stop"] = _stop()
    plan = _object(PlanSpec)
    plan["properties"]["jobs"] = {
        **plan["properties"]["jobs"],
        "propertyNames": {"pattern": _JOB_NAME},
        "additionalProperties": {"$ref": "#/$defs/entry"},
        "minProperties": 1,
    }
    plan["properties"]["notify"] = {
        **plan["properties"]["notify"],
        "properties": {name: _settings(name) for name in catalog.BUILT_IN},
        "additionalProperties": False,
    }
    return {"$schema": DIALECT, "title": "skint plan", **plan, "$defs": defs}


def field_docs(model: type) -> Mapping[str, str]:
    """The docstring below each field of a class, in one line."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=text)):
                found[name] = " ".join(str(text).split())
    return found


def _object(model: type[BaseModel]) -> Schema:
    """The keys of a class as a plan writes them, each with its meaning."""
    made = model.model_json_schema(mode="validation")
    docs = field_docs(model)
    properties = {}
    for name, info in model.model_fields.items():
        key = info.alias or name
        said = {k: v for k, v in made["properties"][key].items() if k != "title"}
        # An empty key is as good as none, so that lines below it can be commented out.
        properties[key] = {"description": docs[name], **_or_nothing(said)}
    return {
        "type": "object",
        "description": model.__doc__ or "",
        "properties": properties,
        "required": made.get("required", []),
        "additionalProperties": False,
    }


def _or_nothing(said: Schema) -> Schema:
    if "anyOf" in said:
        known = [one for one in said["anyOf"] if one != {"type": "null"}]
        return {**said, "anyOf": [*known, {"type": "null"}]}
    if isinstance(said.get("type"), str) and "enum" not in said and "const" not in said:
        return {**said, "type": [said["type"], "null"]}
    return said


def _entry(parameters: Mapping[str, str]) -> Schema:
    entry = _object(JobSpec)
    properties = entry["properties"]
    for key, form in (("limit", _DURATION), ("grace", _DURATION), ("mem", _MEMORY)):
        said = properties[key]["description"]
        properties[key] = {"description": said, "anyOf": [form, {"type": "null"}]}
    properties["uses"] = {
        "description": properties["uses"]["description"],
        "anyOf": [*_jobs(), {"type": "string", "pattern": ":"}, {"type": "null"}],
    }
    properties["stop"] = {
        "description": properties["stop"]["description"],
        "type": ["array", "null"],
        "items": {"$ref": "#/$defs/stop"},
    }
    return {
        **entry,
        "oneOf": [{"required": ["uses"]}, {"required": ["run"]}],
        "allOf": [
            {
                "if": {"properties": {"uses": {"const": job}}, "required": ["uses"]},
                "then": {"properties": {"with": {"$ref": f"#/$defs/{name}"}}},
            }
            for job, name in parameters.items()
        ],
    }


def _jobs() -> Iterator[Schema]:
    for name in builtin_jobs():
        yield {"const": name, "description": summary_of(name)}


def summary_of(job: str) -> str:
    """What a built-in job does, in a line."""
    module = importlib.import_module(builtin_jobs()[job].partition(":")[0])
    return (module.__doc__ or "").partition("\n")[0]


def _stop() -> Schema:
    """A rule by its name, or with options."""
    how = {
        "mode": {"enum": list(get_args(Mode)), "description": "whether it acts, asks or warns"},
        "default": {"enum": list(get_args(Answer)), "description": "where nobody answers"},
        "after": {**_DURATION, "description": "how long an answer is waited for"},
    }
    rules = {
        rule.name: {
            "type": ["object", "null"],
            "properties": {**how, **{option.name: _option(option) for option in rule.options}},
            "additionalProperties": False,
            "required": [option.name for option in rule.options if option.default is None],
        }
        for rule in DEFAULTS.values()
    }
    given = {"type": "object", "minProperties": 1, "maxProperties": 1}
    return {
        "anyOf": [
            {"enum": list(DEFAULTS)},
            {"type": "string", "pattern": OWN_RULE},
            {**given, "properties": rules, "patternProperties": {OWN_RULE: {}},
             "additionalProperties": False},
        ]
    }  # fmt: skip


def _option(option: Option) -> Schema:
    said: Schema = {
        "type": "number",
        "minimum": option.low,
        "maximum": option.high,
        "description": f"{option.unit} {option.meaning}",
    }
    return said if option.default is None else {**said, "default": option.default}


def _settings(notifier: str) -> Schema:
    """The settings that every service has; its own are checked by `skint plan`."""
    return {
        "type": ["object", "null"],
        "properties": {} if notifier in ("console", "memory") else dict.fromkeys(manner.KEYS, True),
    }
