"""How a batch gets to its device, and when its buffer is free again."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from skint.gather import SLOTS  # noqa: E402
from skint.handover import HandoverError, PinnedCopy, Stay, handover_to  # noqa: E402
from skint.loader import OrderedLoader  # noqa: E402
from tests.skint.loaders import pictures  # noqa: E402

pytestmark = pytest.mark.torch


class Events:
    """Stands for `torch.cuda`: its events tell a slow device that a copy is due."""

    def __init__(self, available: bool = True) -> None:
        self.available = available
        self.recorded = self.waited = 0

    def is_available(self) -> bool:
        return self.available

    def Event(self) -> Events:
        return self

    def record(self) -> None:
        self.recorded += 1

    def synchronize(self) -> None:
        self.waited += 1


class SlowDevice(Stay):
    """Reads a buffer only when it is waited for, as an asynchronous copy may."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, Any]] = []
        self.waited = 0

    def send(self, tensor: Any) -> Any:
        there = torch.zeros_like(tensor)
        self.sent.append((tensor, there))

        def wait() -> None:
            self.waited += 1
            there.copy_(tensor)

        return there, wait


@pytest.mark.parametrize("prefetch", [True, False])
def test_a_buffer_is_not_filled_again_before_the_device_has_read_it(prefetch: bool) -> None:
    device = SlowDevice()
    rows = np.arange(20, dtype=np.int64)
    loader = OrderedLoader(pictures(20), rows, rows, batch_size=2, prefetch=prefetch, device=device)
    batches = list(loader)
    assert device.waited >= len(batches) - SLOTS
    for tensor, there in device.sent[device.waited :]:
        there.copy_(tensor)
    assert torch.equal(
        torch.cat([batch.images for batch in batches]),
        torch.from_numpy(pictures(20)).permute(0, 3, 1, 2),
    )


def test_cuda_gets_one_copy_a_batch_from_pinned_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda, pinned = Events(), []
    device = handover_to("cuda:0", cuda)
    assert isinstance(device, PinnedCopy) and device.device == torch.device("cuda:0")
    empty = torch.empty

    def without_cuda(*shape: Any, pin_memory: bool = False, **kind: Any) -> Any:
        pinned.append(pin_memory)
        return empty(*shape, **kind)

    monkeypatch.setattr(torch, "empty", without_cuda)
    device.device = torch.device("cpu")
    rows = np.arange(20, dtype=np.int64)
    batches = list(OrderedLoader(pictures(20), rows, rows, batch_size=2, device=device))
    assert pinned == [True] * SLOTS
    assert cuda.recorded == len(batches) == 10
    assert cuda.waited == 10 - SLOTS


def test_a_loader_for_cuda_can_be_pickled() -> None:
    rows = np.arange(10, dtype=np.int64)
    device = PinnedCopy(torch.device("cuda:0"))
    loader = OrderedLoader(pictures(), None, rows, batch_size=4, device=device)
    assert pickle.loads(pickle.dumps(loader)).source.handover.device == torch.device("cuda:0")


def test_a_device_that_torch_does_not_see_is_refused() -> None:
    with pytest.raises(HandoverError, match="does not see"):
        handover_to("cuda", Events(available=False))


def test_another_device_gets_an_ordinary_copy() -> None:
    (batch,) = OrderedLoader(pictures(), None, np.arange(10), batch_size=10, device="meta")
    assert batch.images.device.type == "meta" and batch.images.shape == (10, 3, 4, 5)
    assert batch.labels.device.type == "meta" and batch.rows.device.type == "cpu"
