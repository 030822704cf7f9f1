from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from jobs.training.objective import held_out
from jobs.training.objective.held_out import HeldOut

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("on_device_bytes", [0, 2**26])
def test_batches_come_back_whole_by_row_and_each_row_once(
    monkeypatch: pytest.MonkeyPatch, on_device_bytes: int
) -> None:
    monkeypatch.setattr(held_out, "ON_DEVICE_BYTES", on_device_bytes)
    collected = HeldOut()
    for part in ([7, 2], [9, 2], [4]):
        rows = torch.tensor(part)
        outputs = torch.stack([rows * 10, rows * 100], dim=1).half()
        collected.add(rows, outputs, {"a": rows * 2, "b": torch.stack([rows, -rows], dim=1)})
    rows, outputs, labels = collected.whole()
    assert rows.tolist() == [2, 4, 7, 9]
    assert outputs.dtype == torch.float32
    assert outputs.tolist() == [[row * 10, row * 100] for row in (2, 4, 7, 9)]
    assert labels["a"].tolist() == [4, 8, 14, 18]
    assert labels["b"].tolist() == [[row, -row] for row in (2, 4, 7, 9)]
