"""Going on from what an attempt left, whatever became of it."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

pytest.importorskip("pytorch_lightning")

import torch

import skint
from jobs.train.job import train
from jobs.training.checkpoints.checkpoint import VERSION
from jobs.training.checkpoints.resume import resume_point
from jobs.training.recipe.checked import CheckedRecipe
from skint.attempt import AttemptDir, StopRequest
from skint.checkpoint import BEFORE, CHECKPOINT, is_whole
from skint.outputs import hash_outputs
from tests.jobs.small_set import context, small_set
from tests.jobs.training.small_net import request_stop_at
from tests.skint.conftest import Attempt, attempt  # noqa: F401  # a fixture

pytestmark = pytest.mark.torch

NETS = "tests.jobs.training.small_net"
FIELDS: dict[str, Any] = {
    "model": f"{NETS}:Net", "epochs": 3, "batch_size": 7, "augment": "light", "keep_every": 1
}  # fmt: skip
STEPS = 4

Run = Callable[..., skint.Context]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("packed"))


@pytest.fixture
def run(tmp_path: Path, packed: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Train fold 0 in `tmp_path / name`; a request to stop may end it."""
    monkeypatch.setattr("skint.lightning.LOOK_S", 0.0)
    # A checkpoint after every step, however long a step takes here.
    monkeypatch.setattr("skint.lightning.SAVE_SHARE", 0)
    monkeypatch.setattr("jobs.training.fitting.stages.SAVE_EVERY_S", 0.0)

    def run(name: str, previous: Path | None = None, **fields: Any) -> skint.Context:
        ctx = context(tmp_path / name, packed, devices=("simulated-0",), previous=previous)
        monkeypatch.setenv("SKINT_ATTEMPT_DIR", str(ctx.attempt.path))
        try:
            train(CheckedRecipe(**{**FIELDS, **fields}), ctx)
        except skint.StopRequested:
            assert ctx.stop_requested() is not None
        return ctx

    return run


@pytest.fixture
def parked(run: Run, tmp_path: Path) -> skint.Context:
    """Stopped after its sixth step."""
    request_stop_at(AttemptDir(tmp_path / "parked"), STEPS + 2)
    return run("parked")


def published(ctx: skint.Context) -> dict[str, str]:
    hashes = hash_outputs(ctx.out)
    return {
        name: hashes[name] for name in hashes if "last.ckpt" not in name and "epoch-" not in name
    }


def notes(ctx: skint.Context) -> list[str]:
    lines = [json.loads(line) for line in ctx.attempt.events.read_text().splitlines()]
    return [line["text"] for line in lines if line["kind"] == "note"]


def test_it_goes_on_where_the_newest_checkpoint_is(parked: skint.Context, tmp_path: Path) -> None:
    ctx = context(tmp_path / "next", tmp_path / "unused", previous=parked.out)
    point = resume_point(ctx, VERSION)
    assert point is not None
    assert (point.stage, point.epoch, point.step) == (0, 1, STEPS + 2)
    assert point.path == ctx.out / CHECKPOINT and is_whole(point.path)
    assert not ctx.attempt.events.exists()
    names = {path.name for path in point.path.parent.iterdir()}
    assert names == {"last.ckpt", "best.ckpt", "epoch-0001.ckpt"}


def test_without_an_earlier_attempt_it_begins_anew(run: Run, tmp_path: Path) -> None:
    assert resume_point(context(tmp_path / "a", tmp_path / "unused"), VERSION) is None
    empty = tmp_path / "empty"
    empty.mkdir()
    ctx = context(tmp_path / "b", tmp_path / "unused", previous=empty)
    assert resume_point(ctx, VERSION) is None and not ctx.attempt.events.exists()


@pytest.mark.parametrize("damage", ["cut short", "a flipped bit", "empty", "gone"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    run: Run, parked: skint.Context, damage: str
) -> None:
    last = parked.out / CHECKPOINT
    content = last.read_bytes()
    step = torch.load(parked.out / BEFORE, weights_only=False)["global_step"]
    assert step == STEPS + 1
    if damage == "gone":
        last.unlink()
    elif damage == "a flipped bit":
        place = len(content) // 2
        last.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    else:
        last.write_bytes(b"" if damage == "empty" else content[: len(content) // 2])
    second = run("second", previous=parked.out)
    said = [note for note in notes(second) if "checkpoint" in note]
    wanted = "the newest checkpoint is damaged: goes on from the one before (epoch 1, step 5)"
    assert said == ([] if damage == "gone" else [wanted])
    assert published(second) == published(run("whole"))


@pytest.mark.parametrize("damage", ["damaged", "of another version"])
def test_where_nothing_is_of_use_it_begins_anew_and_says_so(
    run: Run, parked: skint.Context, damage: str
) -> None:
    for name in (CHECKPOINT, BEFORE):
        path = parked.out / name
        if damage == "damaged":
            path.write_bytes(path.read_bytes()[:5000])
        else:
            state = torch.load(path, weights_only=False)
            state["skint"]["version"] += 1
            torch.save(state, path)
    second = run("second", previous=parked.out)
    assert f"the earlier attempt's checkpoint is {damage}: starts from the beginning" in notes(
        second
    )
    assert published(second) == published(run("whole"))


def test_checkpoints_that_are_kept_are_those_of_every_so_many_epochs(
    run: Run, parked: skint.Context
) -> None:
    second = run("second", previous=parked.out)
    folder = second.out / "checkpoints"
    kept = sorted(path.name for path in folder.glob("epoch-*"))
    assert kept == ["epoch-0001.ckpt", "epoch-0002.ckpt", "epoch-0003.ckpt"]
    third = torch.load(folder / kept[-1], weights_only=False)["state_dict"]
    last = torch.load(second.out / CHECKPOINT, weights_only=False)["state_dict"]
    assert all(torch.equal(third[name], last[name]) for name in last)
    other = run("other", keep_every=2)
    assert [p.name for p in (other.out / "checkpoints").glob("epoch-*")] == ["epoch-0002.ckpt"]


def test_a_stop_that_comes_before_the_first_step_keeps_what_there_is(
    run: Run, parked: skint.Context, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    AttemptDir(tmp_path / "second").request_stop(StopRequest("step", "requeue", "parked"))
    second = run("second", previous=parked.out)
    third = run("third", previous=second.out)
    steps = torch.load(second.out / CHECKPOINT, weights_only=False)["global_step"]
    assert steps == STEPS + 2
    assert published(third) == published(run("whole"))


def test_what_did_not_fit_once_is_not_tried_again(run: Run, tmp_path: Path) -> None:
    """Neither in the next stage nor in the next attempt."""
    stages = {
        "stages": [{"epochs": 1}, {"epochs": 1}],
        "epochs": 12,  # of which the stages say nothing
        "model": f"{NETS}:Tight",
        "keep_every": None,
    }
    said = notes(run("whole", **stages))
    refused = [note for note in said if note.startswith("out of memory")]
    in_training, *in_validation = refused
    assert "with 7 pictures at once, in step 0" in in_training and "parts of 3" in in_training
    assert len(in_validation) == 2 and "goes on with 1" in in_validation[-1]
    request_stop_at(AttemptDir(tmp_path / "first"), 5)
    first = run("first", **stages)
    second = run("second", previous=first.out, **stages)
    again = [note for note in notes(first) + notes(second) if note.startswith("out of memory")]
    assert len(again) == len(refused)


def test_processes_that_are_told_to_end_or_killed_are_gone_on_from(
    run: Run,
    packed: Path,
    attempt: Callable[..., Attempt],  # noqa: F811
) -> None:
    """With real workers: TERM in the middle of a step, then kill -9 in the middle of the next."""
    fields = {**FIELDS, "model": f"{NETS}:Slow", "workers": 2, "epochs": 6}
    common: dict[str, Any] = {
        "uses": "train",
        "params": {**fields, "keep_every": None},
        "inputs": {"packed": (str(packed),)},
        "fold": 0,
        "folds": 3,
        "devices": ("simulated-0",),
        "cwd": str(Path(__file__).parents[4]),
    }

    def reports(one: Attempt) -> int:
        return len(one.events("report"))

    first = attempt(**common)
    shim = first.start()
    first.wait_until(lambda: reports(first) >= 1 or first.directory.exit.exists())
    shim.send_signal(signal.SIGTERM)
    end = first.end()
    assert end.reason == "stopped", first.log()
    (saved,) = first.events("checkpoint")

    second = attempt(**common, previous=str(first.directory.out))
    shim = second.start()
    second.wait_until(lambda: reports(second) >= 2 or second.directory.exit.exists())
    family = psutil.Process(shim.pid).children(recursive=True)
    loading = [one for one in family if any("skint.workers" in word for word in one.cmdline())]
    assert len(loading) == 2, second.log()
    for process in family:
        if process not in loading:
            process.send_signal(signal.SIGKILL)
    assert psutil.wait_procs(loading, timeout=300)[1] == []
    assert second.end().reason != "done"
    assert second.events("checkpoint") == []
    kept = torch.load(second.directory.out / CHECKPOINT, weights_only=False)
    assert kept["global_step"] == saved["step"] > 0

    third = run("third", previous=second.directory.out, **(fields | {"workers": 0}))
    whole = run("whole", **(fields | {"workers": 0}))
    assert published(third) == published(whole)


@pytest.mark.parametrize("kept_epoch", [1, 2])
def test_the_best_epoch_is_one_whose_weights_are_there(
    run: Run, parked: skint.Context, kept_epoch: int
) -> None:
    """An attempt that is killed may have kept better weights than its last checkpoint knows of."""
    state = torch.load(parked.out / CHECKPOINT, weights_only=False)
    (history,) = (held for held in state["callbacks"].values() if "best_epoch" in held)
    history["rows"][0]["val_acc"] = 2.0  # what none of the epochs to come can be
    torch.save(state, parked.out / CHECKPOINT)
    best = parked.out / "checkpoints" / "best.ckpt"
    torch.save({**torch.load(best), "epoch": kept_epoch}, best)
    second = run("second", previous=parked.out)
    result = json.loads((second.out / "result.json").read_text())
    weights = torch.load(second.out / "checkpoints" / "best.ckpt")
    assert weights["epoch"] == result["best_epoch"]
    assert (result["best_epoch"] == 1) == (kept_epoch == 1)
