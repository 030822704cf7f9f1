"""What commands answer to programs: real answers, held against the shape that they name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from orchestrator.cli import main
from orchestrator.home import VARIABLE
from orchestrator.shapes import SHAPES
from orchestrator.shapes.done import Done
from orchestrator.shapes.schema import json_schema, shape_named
from orchestrator.shapes.shape import instant

PLAN = """\
name: toy
account: demo
jobs:
  train: {run: "python train.py {n}", matrix: {n: [0, 1]}, devices: 1, limit: 1m}
"""
PROGRAM = """\
import sys, skint
for epoch in (1, 2):
    skint.report(epoch=epoch, epochs=2, val_acc=epoch / 4, val_loss=float("nan"))
"""
COMMANDS = (
    ("accounts/1", "account list"),
    ("accounts/1", "account presets"),
    ("accounts/1", "account show demo"),
    ("artifacts/1", "artifacts toy-1"),
    ("baseline/1", "baseline show toy-1"),
    ("baseline/1", "baseline show"),
    ("budget/1", "budget"),
    ("cache-ls/1", "cache ls"),
    ("cache-prune/1", "cache prune --max-size 0 --accelerator --dry-run"),
    ("cache-verify/1", "cache verify"),
    ("compare/1", "compare toy-1"),
    ("config/1", "config list"),
    ("done/1", "report toy-1 -o report.html"),
    ("doctor/1", "doctor disk files accounts"),
    ("error/1", "show nobody"),
    ("exec/1", "exec --cpu --json -- true"),
    ("ledger/1", "ledger list"),
    ("ledger/1", "ledger export --format json"),
    ("logs/1", "logs toy-1"),
    ("metrics/1", "metrics toy-1"),
    ("plan/1", "plan plan.yaml"),
    ("plan/1", "plan plan.yaml --again --account tight"),
    ("queue/1", "queue"),
    ("scheduler/1", "scheduler status"),
    ("show/1", "show toy-1"),
    ("simulate/1", "simulate plan.yaml --weeks 1"),
    ("status/1", "status"),
    ("submit/1", "submit plan.yaml"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A plan with a home, in which it was run; what was submitted is stopped in the end."""
    made = tmp_path_factory.mktemp("shapes")
    (made / "plan.yaml").write_text(PLAN)
    (made / "train.py").write_text(PROGRAM)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        patch.setenv(VARIABLE, str(made / "home"))
        assert main(["account", "add", "demo", "--preset", "simulated"]) == 0
        assert main(["account", "add", "tight", "--preset", "simulated", "--quota", "1m"]) == 0
        assert main(["ledger", "reading", "demo", "--used", "1h"]) == 0
        assert main(["run", "plan.yaml"]) == 0
    yield made
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(made / "home"))
        main(["scheduler", "stop"])


@pytest.fixture
def home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    monkeypatch.setenv(VARIABLE, str(folder / "home"))
    return folder / "home"


def validated(name: str, document: dict[str, Any]) -> None:
    """Nothing is missing, nothing is there that the shape does not name, no type is another."""
    adapter: TypeAdapter[Any] = TypeAdapter(shape_named(name))
    given = {field: value for field, value in document.items() if field != "schema"}
    made = adapter.validate_json(json.dumps(given), strict=True)
    assert json.loads(json.dumps(asdict(made))) == given


@pytest.mark.parametrize(("name", "line"), COMMANDS, ids=lambda word: word.replace("/1", ""))
def test_an_answer_has_the_shape_that_it_names(
    name: str, line: str, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = line.split()
    main([*words, *(() if "json" in line else ("--json",))])
    said = capfd.readouterr()
    document = json.loads(said.out)  # one document, and nothing else
    assert document["schema"] == name and "Traceback" not in said.err
    validated(name, document)


def test_a_plan_that_does_not_fit_is_one_document_with_the_reason(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "plan.yaml", "--again", "--account", "tight", "--json"]) == 5
    document = json.loads(capfd.readouterr().out)
    assert "reserves" in document["refused"]
    assert main(["plan", "plan.yaml", "--json"]) == 0
    known = json.loads(capfd.readouterr().out)
    assert known["refused"] is None and known["all_known"]
    assert [before["run"] for before in known["before"]] == ["toy-1"]
    assert main(["submit", "plan.yaml", "--json"]) == 0
    submitted = json.loads(capfd.readouterr().out)
    assert submitted["run"] is None and "this was run before: toy-1" in submitted["text"]


def test_what_is_no_number_is_a_word(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    main(["metrics", "toy-1", "--json"])
    jobs = json.loads(capfd.readouterr().out)["jobs"]
    assert jobs[0]["points"][1]["values"] == {"val_acc": 0.5, "val_loss": "nan"}


def test_a_validation_would_find_what_is_wrong() -> None:
    good = {"did": "cancel", "run": None, "text": ""}
    validated("done/1", good)
    for bad in ({**good, "more": 1}, {**good, "text": 1}, {"did": "cancel", "run": None}):
        with pytest.raises(ValidationError):
            validated("done/1", bad)


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_has_a_schema_with_its_name_and_says_what_its_fields_mean(name: str) -> None:
    found = json_schema(name)
    assert found["properties"]["schema"]["const"] == name
    assert name == shape_named(name).SCHEMA
    assert set(found["required"]) == set(found["properties"])
    shapes = [found, *found.get("$defs", {}).values()]
    assert all(one["additionalProperties"] is False for one in shapes if "properties" in one)


def test_every_shape_is_answered_by_a_command_that_is_tried() -> None:
    assert SHAPES.keys() == {name for name, _ in COMMANDS}


def test_docstrings_of_fields_are_in_the_schema() -> None:
    described = json_schema("done/1")["properties"]["did"]
    assert described["description"] == "The command: `cancel`."
    assert Done("cancel", None, "x").SCHEMA == "done/1"


def test_an_instant_is_utc_to_the_millisecond() -> None:
    assert instant(1_795_219_200_001) == "2026-11-21T00:00:00.001Z"
    assert instant(None) is None
