"""The plan of docs/custom.md trains the module and the data that stand beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

pytest.importorskip("pytorch_lightning")

import skint

pytestmark = pytest.mark.torch

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "custom.md").read_text("utf-8")


def test_the_first_plan_of_the_page_trains_as_it_stands_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.fit.job import fit
    from jobs.fit.params import Params

    plan, program = re.findall(r"```(?:yaml|python)\n(.*?)```", PAGE, flags=re.DOTALL)[:2]
    # Another name than in the tests of the page's scripts: a module is imported once.
    (tmp_path / "page_task.py").write_text(program)
    params = yaml.safe_load(plan.replace("my_task:", "page_task:"))["jobs"]["fit"]["with"]
    ctx = skint.Context.for_test(tmp_path / "attempt", base=tmp_path)
    monkeypatch.setenv("SKINT_ATTEMPT_DIR", str(ctx.attempt.path))
    fit(Params(**{**params, "epochs": 2}), ctx)
    result = json.loads((ctx.out / "result.json").read_text())
    assert (result["metric"], result["epochs"], result["n"]) == ("val_loss", 2, 100)
