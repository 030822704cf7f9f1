from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytestmark = pytest.mark.torch
pytest.importorskip("pytorch_lightning")

from pytorch_lightning.loggers import Logger  # noqa: E402

import skint  # noqa: E402
from jobs.training.recipe.recipe import Recipe  # noqa: E402
from jobs.training.watching import loggers  # noqa: E402
from jobs.training.watching.loggers import (  # noqa: E402
    LoggerError,
    ToLoggers,
    make_loggers,
    refuse_missing,
)

ROWS: list[dict[str, Any]] = [
    {"epoch": 1, "stage": "96px", "train_loss": 2.0, "val_loss": 1.5, "lr": 0.1},
    {"epoch": 2, "stage": "192px", "train_loss": 1.0, "val_loss": 1.2, "lr": 0.01},
]


class Told(Logger):
    """Stands for a logger of Lightning's: keeps what it was made with and told."""

    def __init__(self, *given: Any, fails: bool = False, **options: Any) -> None:
        super().__init__()
        self.given, self.options, self.fails = given, options, fails
        self.metrics: list[tuple[int | None, dict[str, float]]] = []
        self.recipe: dict[str, Any] = {}
        self.ended: list[str] = []

    @property
    def name(self) -> str:
        return "told"

    @property
    def version(self) -> str:
        return ""

    def log_hyperparams(self, params: Any, *_: Any) -> None:
        self.recipe = dict(params)

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        if self.fails:
            raise ConnectionError("no such server")
        self.metrics.append((step, metrics))

    @property
    def experiment(self) -> Any:
        return SimpleNamespace(finish=lambda: self.ended.append("finished"))

    def finalize(self, status: str) -> None:
        self.ended.append(status)


@pytest.fixture
def ctx(tmp_path: Path) -> skint.Context:
    return skint.Context.for_test(tmp_path / "attempt")


def history(rows: list[dict[str, Any]]) -> Any:
    return SimpleNamespace(rows=rows)


def test_what_is_not_installed_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loggers, "find_spec", lambda name: None if name == "sqlalchemy" else object)
    refuse_missing(["tensorboard", "wandb"])
    with pytest.raises(LoggerError, match="not installed: mlflow") as caught:
        refuse_missing(["tensorboard", "mlflow"])
    assert "pip install 'skint[mlflow]'" in str(caught.value)


def test_every_epoch_is_logged_once_and_what_came_before_a_stop_too(ctx: skint.Context) -> None:
    told = Told()
    rows = ROWS[:1]
    callback = ToLoggers([told], history(rows), ctx)
    callback.tell()
    rows.append(ROWS[1])
    callback.tell()
    callback.tell()
    callback.close()
    assert [step for step, _ in told.metrics] == [1, 2]
    assert told.metrics[1][1] == {"train_loss": 1.0, "val_loss": 1.2, "lr": 0.01}
    assert told.ended == ["success"]


def test_a_logger_that_fails_is_left_out_with_a_note(ctx: skint.Context) -> None:
    broken, whole = Told(fails=True), Told()
    callback = ToLoggers([broken, whole], history(ROWS), ctx)
    callback.tell()
    callback.close()
    assert [step for step, _ in whole.metrics] == [1, 2]
    assert broken.ended == []
    notes = [json.loads(line) for line in ctx.attempt.events.read_text().splitlines()]
    assert [note["text"] for note in notes] == [
        "Told failed and gets no more: ConnectionError: no such server"
    ]


@pytest.mark.parametrize("online", [False, True])
def test_nothing_is_sent_unless_the_environment_says_so(
    ctx: skint.Context, monkeypatch: pytest.MonkeyPatch, online: bool
) -> None:
    monkeypatch.setattr(loggers, "find_spec", lambda name: object)
    for name in ("WandbLogger", "MLFlowLogger"):
        monkeypatch.setattr(loggers, name, Told)
    for name, value in (("WANDB_MODE", "online"), ("MLFLOW_TRACKING_URI", "http://there")):
        monkeypatch.delenv(name, raising=False)
        if online:
            monkeypatch.setenv(name, value)
    made: list[Any] = make_loggers(Recipe(loggers=("wandb", "mlflow"), epochs=3), ctx)
    wandb, mlflow = made
    assert wandb.options["offline"] is not online
    assert Path(wandb.options["save_dir"]) == ctx.out / "local" / "wandb"
    local = f"sqlite:///{ctx.out.resolve()}/local/mlflow/mlflow.db"
    assert mlflow.options["tracking_uri"] == ("http://there" if online else local)
    assert wandb.recipe == mlflow.recipe == {"loggers": ["wandb", "mlflow"], "epochs": 3}
    callback = ToLoggers(made, history(ROWS), ctx)
    callback.close()
    assert wandb.ended == ["success", "finished"]


def test_tensorboard_really_writes_events_into_the_local_folder(ctx: skint.Context) -> None:
    pytest.importorskip("tensorboardX")
    made = make_loggers(Recipe(loggers=("tensorboard",)), ctx)
    callback = ToLoggers(made, history(ROWS), ctx)
    callback.tell()
    callback.close()
    (events,) = (ctx.out / "local" / "tensorboard").glob("events.out.tfevents.*")
    written = events.read_bytes()
    assert written.count(b"val_loss") == 2
    assert [p for p in ctx.out.iterdir() if p.name != "local"] == []
