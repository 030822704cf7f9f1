"""Rows of a packed set as batches: their pixels, their labels, and the buffers they stand in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from skint.gather import SLOTS  # noqa: E402
from skint.loader import BatchError, LoaderError, OrderedLoader, ShuffledLoader  # noqa: E402
from tests.skint.blob_set import blob_set  # noqa: E402
from tests.skint.loaders import copies, make, noise, pictures, same  # noqa: E402
from tests.skint.packed_sets import smooth  # noqa: E402

pytestmark = pytest.mark.torch


def test_a_batch_survives_the_next_one_and_no_memory_is_allocated_for_later_ones() -> None:
    rows = np.arange(10, dtype=np.int64)
    loader = OrderedLoader(pictures(), rows, rows, batch_size=2)
    pointers, previous, copy = [], None, None
    for batch in loader:
        if previous is not None:
            assert torch.equal(previous, copy)
        previous, copy = batch.images, batch.images.clone()
        pointers.append(batch.images.data_ptr())
    assert len(set(pointers)) == SLOTS < len(pointers)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_wide_pixels_keep_their_values(dtype: str) -> None:
    images = pictures(dtype=dtype) * np.array(200, dtype=dtype)
    rows = np.arange(10, dtype=np.int64)
    (batch,) = OrderedLoader(images, rows, rows, batch_size=10)
    assert batch.images.dtype == torch.float32
    assert np.array_equal(batch.images.permute(0, 2, 3, 1).numpy(), images.astype(np.float32))


def test_two_iterations_at_a_time_do_not_write_into_each_other() -> None:
    rows = np.arange(10, dtype=np.int64)
    loader = OrderedLoader(pictures(), rows, rows, batch_size=2)
    for one, two in zip(loader, loader, strict=True):
        assert torch.equal(one.images, two.images)
        assert one.images.data_ptr() != two.images.data_ptr()


def test_several_targets_come_by_their_names() -> None:
    rows = np.arange(10, dtype=np.int64)
    columns: dict[str, Any] = {
        "kind": rows % 3,
        "hot": np.eye(10, dtype=np.uint8),
        "depth": rows / 4,
    }
    loader = ShuffledLoader(pictures(), columns, rows, batch_size=4, seed=1, augment=noise)
    for batch in loader:
        assert list(batch.labels) == ["kind", "hot", "depth"]
        assert torch.equal(batch.labels["kind"], batch.rows % 3)
        assert torch.equal(batch.labels["hot"].argmax(1), batch.rows)
        assert torch.equal(batch.labels["depth"], batch.rows / 4)


def test_pictures_without_labels_get_minus_one() -> None:
    (batch,) = OrderedLoader(pictures(), None, np.arange(10), batch_size=10)
    assert batch.labels.tolist() == [-1] * 10 and batch.labels.dtype == torch.int64


def test_what_is_done_to_the_rows_of_a_batch_does_not_reach_the_loader() -> None:
    rows = np.array([3, 1, 2], dtype=np.int32)
    rows.flags.writeable = False
    loader = OrderedLoader(pictures(), None, rows, batch_size=2)  # type: ignore[arg-type]
    for batch in loader:
        batch.rows.zero_()
    assert [row for batch in loader for row in batch.rows.tolist()] == [3, 1, 2]


def test_pictures_of_different_sizes_make_no_batch(tmp_path: Path) -> None:
    images = blob_set(tmp_path, smooth(3)).images()
    with pytest.raises(BatchError, match="different sizes"):
        OrderedLoader(images, None, np.arange(3), batch_size=2)


def test_labels_of_another_number_are_refused_by_name() -> None:
    rows = np.arange(10, dtype=np.int64)
    with pytest.raises(LoaderError, match="9 labels, 10 pictures") as error:
        OrderedLoader(pictures(), {"a": rows, "b": rows[:9]}, rows, batch_size=2)
    assert error.value.where == "b"


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_masks_come_with_their_pictures_but_not_with_augmentation(dtype: str) -> None:
    rows = np.arange(10, dtype=np.int64)
    masks = pictures()[..., 0].astype(dtype)
    for batch in OrderedLoader(pictures(), {"outline": masks}, rows, batch_size=4):
        assert torch.equal(batch.labels["outline"].long(), batch.images[:, 0].long())
    with pytest.raises(LoaderError, match="masks"):
        ShuffledLoader(pictures(), {"m": masks}, rows, batch_size=4, seed=1, augment=noise)


@pytest.mark.parametrize("channels_last", [True, False])
def test_the_channels_stand_in_memory_as_asked(channels_last: bool) -> None:
    last, first = torch.channels_last, torch.contiguous_format
    for batch in make(channels_last=channels_last):
        assert batch.images.shape[1:] == (3, 4, 5)
        wanted = last if channels_last else first
        assert batch.images.is_contiguous(memory_format=wanted)
    assert same(copies(make(channels_last=channels_last)), copies(make()))
