"""On two devices, which here are two processes on the CPU: a real worker under a real shim."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pytorch_lightning")

import skint.shim
from orchestrator.baselines.agreement import Correct, read_correct
from orchestrator.baselines.fold_view import CORRECT
from skint.attempt import AttemptDir, Task
from tests.jobs.fit.conftest import STAGED, STAGES

pytestmark = pytest.mark.torch


TELLER = {**STAGES[1], "module": "points_task:Teller", "data": "points_task:Numbered"}


def test_two_processes_train_together_and_the_first_publishes(
    tmp_path: Path, task_folder: Path
) -> None:
    devices = ("simulated-0", "simulated-1")
    # Beside the plan: no process may take it for the module of that name that it needs.
    (task_folder / "queue.py").write_text("raise ImportError('not this one')\n")
    task = Task(
        f"{tmp_path.name}.two",
        1,
        "run",
        "fit",
        uses="fit",
        params={**STAGED, "stages": [STAGES[0], TELLER]},
        cwd=str(task_folder),
        devices=devices,
        device_count=len(devices),
        cpus=2,
    )
    attempt = AttemptDir(tmp_path / "two")
    attempt.create(task)
    command = [sys.executable, "-S", "-P", skint.shim.__file__, str(attempt.path)]
    assert subprocess.run(command, timeout=300).returncode == 0
    end = attempt.read_exit()
    assert end is not None and end.reason == "done", attempt.log.read_text()
    lines = [json.loads(line) for line in attempt.events.read_text().splitlines()]
    reported = [line["values"]["epoch"] for line in lines if line["kind"] == "report"]
    assert reported == [1, 2, 3, 4, 4]
    assert sum(line["kind"] == "note" for line in lines) == 1
    # 64 samples in batches of 8, of which each process takes half.
    assert [line["step"] for line in lines if line["kind"] == "checkpoint"][-1] == 4 * 8 // 2
    with (attempt.out / "metrics.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3", "4"]
    published = {path.name for path in (attempt.out / "checkpoints").iterdir()}
    assert published == {"copy.ckpt", "best.ckpt"}
    # 23 held-out samples, of which one process has one twice.
    with np.load(attempt.out / "predictions.npz") as arrays:
        assert arrays["ids"].tolist() == list(range(100, 123))
        right = (arrays["probabilities"].argmax(1) == arrays["target"]).sum()
    found = read_correct(str(attempt.out / CORRECT))
    assert isinstance(found, Correct) and found.right.bit_count() == right
