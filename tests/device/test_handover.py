"""Batches on the device are those of the CPU, however far it is behind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from skint.handover import PinnedCopy, Stay
from skint.loader import Batch, OrderedLoader, ShuffledLoader
from tests.device.given import Given

pytestmark = pytest.mark.device

BEHIND_CYCLES = 20_000_000
"""About ten milliseconds: the copies of several batches then wait, and their buffers with them."""
COUNT, SIZE_PX = 90, 24


def kept(loader: ShuffledLoader | OrderedLoader, given: Given) -> list[Batch]:
    """All batches of an epoch; those of a device as they came, while it is kept busy."""
    found = []
    for batch in loader:
        if given.is_real and batch.images.is_cuda:
            found.append(batch)
            torch.cuda._sleep(BEHIND_CYCLES)
        else:  # the buffer is used again
            found.append(batch._replace(images=batch.images.clone()))
    return found


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float16", "float32"])
@pytest.mark.parametrize("channels_last", [True, False], ids=["channels last", "channels first"])
def test_each_batch_arrives_as_it_was_made(dtype: str, channels_last: bool, given: Given) -> None:
    noise = np.random.default_rng(3)
    images = noise.integers(0, 256, (COUNT, SIZE_PX, SIZE_PX, 3)).astype(dtype)
    labels = {
        "kind": noise.integers(0, 5, COUNT),
        "weight": noise.normal(size=COUNT).astype("float32"),
    }
    rows = np.arange(COUNT)

    def loaders(device: str) -> list[ShuffledLoader | OrderedLoader]:
        shuffled = ShuffledLoader(
            images, labels, rows, batch_size=8, seed=1, device=device, channels_last=channels_last
        )
        ordered = OrderedLoader(
            images, labels, rows, batch_size=8, device=device, channels_last=channels_last
        )
        return [shuffled, ordered]

    for here, there in zip(loaders("cpu"), loaders(given.kind), strict=True):
        wanted, found = kept(here, given), kept(there, given)
        assert len(wanted) == len(found) == len(there)
        for one, other in zip(wanted, found, strict=True):
            assert other.images.device.type == other.labels["kind"].device.type == given.kind
            assert other.rows.device.type == "cpu"
            assert one.images.stride() == other.images.stride()
            assert torch.equal(one.images, other.images.cpu())
            assert torch.equal(one.rows, other.rows)
            for name, column in one.labels.items():
                assert torch.equal(column, other.labels[name].cpu())


def test_copies_are_made_from_pinned_memory(
    given: Given, record_property: Callable[[str, object], None]
) -> None:
    images = np.zeros((16, 8, 8, 3), dtype="uint8")
    loader = OrderedLoader(images, None, np.arange(16), batch_size=8, device=given.kind)
    list(loader)
    handover = loader.source.handover
    record_property("hand-over", type(handover).__name__)
    assert isinstance(handover, PinnedCopy if given.is_real else Stay)
    buffers = loader.source.idle[0].pixels
    assert all(buffer.is_pinned() for buffer in buffers) == given.is_real
