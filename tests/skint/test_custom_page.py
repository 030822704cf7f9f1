"""The programs of docs/custom.md run as they stand there, and go on where they were stopped."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("pytorch_lightning")

import torch

import skint
from skint import StopRequested
from skint.attempt import AttemptDir, StopRequest

pytestmark = pytest.mark.torch

PAGE = Path(__file__).resolve().parents[2] / "docs" / "custom.md"
TASK, SCRIPT, LOOP, JOB = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), flags=re.S)
PLANS = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), flags=re.S)

Enter = Callable[..., AttemptDir]

torch.set_num_threads(1)


@pytest.fixture
def enter(inside: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Enter:
    """Puts this process into an attempt, with the environment that its program has."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_task.py").write_text(TASK)
    monkeypatch.delitem(sys.modules, "my_task", raising=False)  # that of the test before

    def make(name: str, previous: AttemptDir | None = None) -> AttemptDir:
        attempt = inside(name)
        assert isinstance(attempt, AttemptDir)
        monkeypatch.setenv("SKINT_OUT", str(attempt.out))
        monkeypatch.delenv("SKINT_PREVIOUS", raising=False)
        if previous is not None:
            monkeypatch.setenv("SKINT_PREVIOUS", str(previous.out))
        return attempt

    return make


def run(program: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    torch.manual_seed(0)
    exec(compile(program, str(PAGE), "exec"), names)
    return names


def epochs(attempt: AttemptDir) -> list[int]:
    lines = [json.loads(line) for line in attempt.events.read_text().splitlines()]
    return [line["values"]["epoch"] for line in lines if line["kind"] == "report"]


def same(one: Any, other: Any) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_plain_loop_goes_on_with_the_next_epoch(enter: Enter) -> None:
    enter("whole")
    wanted = run(LOOP)["model"].state_dict()
    first = enter("first")
    run(LOOP.replace("range(first, 5)", "range(first, 3)"))  # its machine goes down
    second = enter("second", previous=first)
    found = run(LOOP)["model"].state_dict()
    assert epochs(first) + epochs(second) == [1, 2, 3, 4, 5]
    assert same(wanted, found)


def test_a_loop_of_a_job_stops_within_an_epoch_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = run(JOB)
    train, params = names["train"], names["Params"](steps=400)

    def weights(ctx: skint.Context) -> Any:
        torch.manual_seed(0)
        train(params, ctx)
        return torch.load(ctx.out / "weights.pt")

    wanted = weights(skint.Context.for_test(tmp_path / "whole"))
    first = skint.Context.for_test(tmp_path / "first")
    said = first.report

    def stop_after(**values: Any) -> None:
        said(**values)
        first.attempt.request_stop(StopRequest("step", "requeue", "parked"))

    monkeypatch.setattr(first, "report", stop_after)
    with pytest.raises(StopRequested):
        weights(first)
    second = skint.Context.for_test(tmp_path / "second", previous=first.out)
    assert same(wanted, weights(second))


def test_a_lightning_script_stops_and_goes_on(
    enter: Enter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # Lightning keeps checkpoints of its own where it is
    quiet = SCRIPT.replace("max_epochs=5", "max_epochs=5, enable_progress_bar=False, logger=False")
    enter("whole")
    wanted = run(quiet)["trainer"].lightning_module.state_dict()
    first = enter("first")
    first.request_stop(StopRequest("epoch", "requeue", "parked"))
    with pytest.raises(StopRequested):
        run(quiet)
    second = enter("second", previous=first)
    found = run(quiet)["trainer"].lightning_module.state_dict()
    assert epochs(first) + epochs(second) == [1, 2, 3, 4, 5]
    assert same(wanted, found)


def test_the_job_fit_takes_the_same_module(enter: Enter, tmp_path: Path) -> None:
    from jobs.fit.job import fit
    from jobs.fit.params import Params

    attempt = enter("fit")
    params = yaml.safe_load(PLANS[0])["jobs"]["fit"]["with"]
    ctx = skint.Context.for_test(attempt.path, base=tmp_path, fold=1, folds=3)
    fit(Params(**params), ctx)
    assert json.loads((ctx.out / "result.json").read_text())["n"] == 100
    assert epochs(attempt) == [1, 2, 3, 4, 5, 5]
