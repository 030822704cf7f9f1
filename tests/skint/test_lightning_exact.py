"""A training that was stopped and went on has the weights and reports of one that was not."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pytorch_lightning")

import torch

from skint import StopRequested
from skint.attempt import AttemptDir, StopRequest
from skint.keyed import KeyedLoader
from skint.lightning import CHECKPOINT
from tests.skint.tiny_fit import BATCHES, EPOCHS, fit, reports, without_train

pytestmark = pytest.mark.torch

STEPS = BATCHES * EPOCHS


def stopped(
    directory: AttemptDir, folder: Path, place: tuple[str, int], how: str, **options: Any
) -> bool:
    """Fit and ask it to stop in that step; False where it came to its end before it could."""

    def at(*here: Any) -> None:
        if here != place:
            return
        if how == "term":
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            directory.request_stop(StopRequest(how, "requeue", "parked"))  # type: ignore[arg-type]

    try:
        fit(folder, at, **options)
    except StopRequested:
        return True
    return False


SETTINGS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "accumulating": {"accumulate_grad_batches": 3},
    "validating twice an epoch": {"val_check_interval": 0.5},
    "validating by steps": {"val_check_interval": 3, "check_val_every_n_epoch": None},
    "validating every other epoch": {"check_val_every_n_epoch": 2},
    "not validating": {"validates": False},
    "stepping by hand": {"manual": True},
    "counting steps": {"max_steps": STEPS - 2, "max_epochs": -1},
    "in bfloat16": {"precision": "bf16-mixed"},
}
PLACES: list[tuple[str, int]] = [
    ("train", 0),  # the first step
    ("train", 1),
    ("train", BATCHES - 1),  # the last one of an epoch
    ("train", STEPS - 1),  # of all
    ("validate", 0),
    ("validate", 2),  # the last one of the first validation
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_stop_changes_neither_weights_nor_reports(
    inside: Callable[[str], AttemptDir], tmp_path: Path, setting: str
) -> None:
    options = SETTINGS[setting]
    whole = inside("whole")
    wanted = fit(tmp_path, **options).state_dict()
    stops = 0
    for number, place in enumerate(PLACES):
        how = ("step", "term")[number % 2]
        first = inside(f"first{number}")
        if not stopped(first, tmp_path, place, how, **options):
            continue
        stops += 1
        second = inside(f"second{number}")
        model = fit(tmp_path, resume=first.out / CHECKPOINT, **options)
        for name, value in model.state_dict().items():
            assert torch.equal(value, wanted[name]), (place, how, name)
        found = without_train(reports(first) + reports(second))
        assert found == without_train(reports(whole)), (place, how)
    assert stops >= 4


def test_a_stop_at_the_end_of_an_epoch_is_lossless(
    inside: Callable[[str], AttemptDir], tmp_path: Path
) -> None:
    inside("whole")
    wanted = fit(tmp_path).state_dict()
    first = inside("first")
    assert stopped(first, tmp_path, ("train", 1), "epoch")
    inside("second")
    model = fit(tmp_path, resume=first.out / CHECKPOINT)
    assert all(torch.equal(value, wanted[name]) for name, value in model.state_dict().items())


def shuffled() -> Any:
    """What most scripts have: its order comes from torch's generator and is in no checkpoint."""
    rows = torch.randn(8 * BATCHES, 4, generator=torch.Generator().manual_seed(8))
    return torch.utils.data.DataLoader(rows, batch_size=8, shuffle=True)


def test_a_plain_loader_is_exact_where_an_epoch_is_over(
    inside: Callable[[str], AttemptDir], tmp_path: Path
) -> None:
    inside("whole")
    wanted = fit(tmp_path, loader=shuffled()).state_dict()
    first = inside("first")
    assert stopped(first, tmp_path, ("validate", 1), "step", loader=shuffled())
    inside("second")
    model = fit(tmp_path, resume=first.out / CHECKPOINT, loader=shuffled())
    assert all(torch.equal(value, wanted[name]) for name, value in model.state_dict().items())


def test_a_plain_loader_is_not_exact_within_an_epoch(
    inside: Callable[[str], AttemptDir], tmp_path: Path
) -> None:
    """As the guide says: the rest of that epoch is drawn anew."""
    inside("whole")
    wanted = fit(tmp_path, loader=shuffled()).state_dict()
    first = inside("first")
    assert stopped(first, tmp_path, ("train", 1), "step", loader=shuffled())
    inside("second")
    model = fit(tmp_path, resume=first.out / CHECKPOINT, loader=shuffled())
    assert model.trainer.global_step == STEPS
    assert not all(torch.equal(value, wanted[name]) for name, value in model.state_dict().items())


class Noisy(torch.utils.data.Dataset[Any]):
    """Draws in whichever process asks for a sample."""

    def __len__(self) -> int:
        return 8 * BATCHES

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.full((4,), float(index)) / 32 + torch.randn(4)


def keyed(workers: int) -> KeyedLoader:
    return KeyedLoader(Noisy(), batch_size=8, seed=5, num_workers=workers)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (2, 2), (2, 0)])
def test_any_dataset_is_exact_with_keyed_batches_whoever_makes_them(
    inside: Callable[[str], AttemptDir], tmp_path: Path, first: int, second: int
) -> None:
    inside("whole")
    wanted = fit(tmp_path, loader=keyed(0)).state_dict()
    attempt = inside("first")
    loader = keyed(first)
    others = multiprocessing.active_children()  # of what earlier tests have left unfinished
    assert stopped(attempt, tmp_path, ("train", BATCHES + 1), "step", loader=loader)
    # With the training: not when Python tidies up.
    assert set(multiprocessing.active_children()) <= set(others)
    inside("second")
    model = fit(tmp_path, resume=attempt.out / CHECKPOINT, loader=keyed(second))
    assert all(torch.equal(value, wanted[name]) for name, value in model.state_dict().items())


def test_the_checkpoint_is_written_as_often_as_asked_and_at_the_end(
    inside: Callable[[str], AttemptDir], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from skint.lightning import Callback

    monkeypatch.setattr("skint.lightning.SAVE_SHARE", 0)  # however long a save takes here
    inside("whole")
    wanted = fit(tmp_path).state_dict()
    lost = inside("lost")

    class MachineDown(Exception):
        pass

    def at(where: str, step: int) -> None:
        if (where, step) == ("train", 2 * BATCHES + 1):
            raise MachineDown

    with pytest.raises(MachineDown):
        fit(tmp_path, at, callback=Callback(save_every_s=0.0))
    saved = torch.load(lost.out / CHECKPOINT, weights_only=True)
    assert saved["global_step"] == 2 * BATCHES + 1
    inside("second")
    model = fit(tmp_path, resume=lost.out / CHECKPOINT, callback=Callback(save_every_s=600.0))
    assert all(torch.equal(value, wanted[name]) for name, value in model.state_dict().items())
    ended = torch.load(tmp_path / "second" / "out" / CHECKPOINT, weights_only=True)
    assert ended["global_step"] == STEPS
