"""The JSON Schema of a plan: it knows what a plan may say, and accepts every plan that is right."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs import BUILTIN
from orchestrator.cli import main
from orchestrator.plans.describe import describe_builtin
from orchestrator.plans.document import read_yaml
from orchestrator.plans.json_schema import field_docs, plan_schema
from orchestrator.plans.spec import JobSpec, PlanSpec
from orchestrator.shapes import SHAPES
from orchestrator.stop_rules import RULES
from skint.errors import NOT_FOUND
from tests.test_docs import PLANS, ROOT

SCHEMA = plan_schema()


def keys(properties: dict[str, Any]) -> set[str]:
    return set(properties)


def test_it_has_every_key_of_a_plan_each_with_its_meaning() -> None:
    entry = SCHEMA["$defs"]["entry"]["properties"]
    assert keys(SCHEMA["properties"]) == {i.alias or n for n, i in PlanSpec.model_fields.items()}
    assert keys(entry) == {i.alias or n for n, i in JobSpec.model_fields.items()}
    assert [key for key, said in entry.items() if len(said["description"]) < 20] == []
    assert field_docs(PlanSpec)["account"] == "What accelerator jobs are charged to."


def test_it_has_every_parameter_of_every_built_in_job() -> None:
    for job in BUILTIN:
        (then,) = [
            one["then"]
            for one in SCHEMA["$defs"]["entry"]["allOf"]
            if one["if"]["properties"]["uses"]["const"] == job
        ]
        name = then["properties"]["with"]["$ref"].removeprefix("#/$defs/")
        model = describe_builtin(job).model
        assert model is not None
        assert keys(SCHEMA["$defs"][name]["properties"]) == set(model.model_fields), job


def test_it_has_every_stop_rule_with_its_options() -> None:
    named, own, given = SCHEMA["$defs"]["stop"]["anyOf"]
    assert set(named["enum"]) == set(RULES) == keys(given["properties"])
    assert "rise" in given["properties"]["broken"]["properties"]
    assert own["pattern"] == ":"


def references(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        yield from (value for key, value in data.items() if key == "$ref")
        data = list(data.values())
    if isinstance(data, list):
        for value in data:
            yield from references(value)


def test_every_reference_in_it_leads_somewhere() -> None:
    names = {reference.removeprefix("#/$defs/") for reference in references(SCHEMA)}
    assert names
    assert names <= set(SCHEMA["$defs"])


def wrongs(text: str) -> list[str]:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft7Validator(SCHEMA)
    return [error.message for error in validator.iter_errors(read_yaml(text).data)]


def test_it_is_a_schema_and_every_plan_of_ours_fits_it() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    examples = {str(path): path.read_text() for path in Path(ROOT, "examples").glob("*/plan.yaml")}
    assert examples
    found = {
        place: wrong for place, text in {**PLANS, **examples}.items() if (wrong := wrongs(text))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("jobs: {a: {uses: scan, with: {sorce: x}}}", "sorce"),
        ("jobs: {a: {use: scan}}", "use"),
        ("jobs: {a: {uses: train, limit: 5}}", "5"),
        ("jobs: {a: {uses: train, stop: [{broken: {rise: 0}}]}}", "rise"),
        ("nme: x\njobs: {a: {run: x}}", "nme"),
        ("jobs: {a: {run: x, at-edge: parc}}", "parc"),
        ("jobs: {a: {uses: scann}}", "scann"),
        ("jobs: {a: {run: x, uses: scan}}", "uses"),
        ("jobs: {a: {uses: train, with: {epochs: many}}}", "many"),
        ("jobs: {A: {run: x}}", "A"),
        ("jobs: {a: {run: x}}\nnotify: {slac: {}}", "slac"),
    ],
)
def test_it_refuses_what_a_plan_may_not_say(text: str, word: str) -> None:
    assert any(re.search(word, wrong) for wrong in wrongs(text))


def test_what_is_commented_out_below_a_key_leaves_the_plan_right() -> None:
    assert wrongs("jobs:\n  a:\n    uses: scan\n    with:\n    limit:\n    needs:\nnotify:\n") == []


def test_schemas_are_printed_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA
    assert main(["schema", "--list"]) == 0
    listed = capsys.readouterr().out
    assert [name for name in ("plan", *SHAPES) if f"\n{name} " not in listed] == []
    for name in SHAPES:
        assert main(["schema", name]) == 0
        assert json.loads(capsys.readouterr().out)["title"] == name
    assert main(["schema", "status"]) == 0
    capsys.readouterr()
    assert main(["schema", "statsu"]) == NOT_FOUND
    assert "did you mean status?" in capsys.readouterr().err
