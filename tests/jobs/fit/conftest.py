"""A user's folder with a task in it, and attempts at training it in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import skint
from tests.jobs.fit.small_task import TASK

STAGES = [
    {"name": "copy", "module": "points_task:Copier", "epochs": 2, "hand_on": "encoder."},
    {"name": "judge", "module": "points_task:Judge", "epochs": 2, "monitor": "val_acc"},
]
STAGED: dict[str, Any] = {"data": "points_task:Data", "seed": 1, "stages": STAGES}

Train = Callable[..., skint.Context]


@pytest.fixture(scope="session")
def task_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests: a module is imported once in a process."""
    folder = tmp_path_factory.mktemp("task")
    (folder / "points_task.py").write_text(TASK)
    return folder


@pytest.fixture
def train(tmp_path: Path, task_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """Makes a new attempt and runs `fit` in it; what it raises comes through."""
    from jobs.fit.job import fit
    from jobs.fit.params import Params

    monkeypatch.setattr("skint.lightning.LOOK_S", 0.0)

    def run(name: str, params: dict[str, Any], **options: Any) -> skint.Context:
        previous: skint.Context | None = options.pop("previous", None)
        ctx = skint.Context.for_test(
            tmp_path / name,
            base=task_folder,
            previous=previous.out if previous else None,
            **options,
        )
        monkeypatch.setenv("SKINT_ATTEMPT_DIR", str(ctx.attempt.path))
        fit(Params(**params), ctx)
        return ctx

    return run
