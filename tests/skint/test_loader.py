from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")

from skint.loader import (  # noqa: E402
    SLOTS,
    Batch,
    LoaderError,
    OrderedLoader,
    ShuffledLoader,
    sample_seed,
)

pytestmark = pytest.mark.torch


def pictures(count: int = 10, dtype: str = "uint8") -> NDArray[Any]:
    """(count, 4, 5, 3); every picture is different."""
    return np.random.default_rng(0).integers(0, 256, (count, 4, 5, 3)).astype(dtype)


def noise(image: Any) -> Any:
    """An augmentation that draws from torch's generator, as torchvision's do."""
    return (image.float() + torch.rand(image.shape) * 64).clamp(0, 255).to(image.dtype)


def make(seed: int = 1, augment: Any = None, count: int = 10) -> ShuffledLoader:
    rows = np.arange(count, dtype=np.int64)
    return ShuffledLoader(pictures(count), rows % 3, rows, batch_size=4, seed=seed, augment=augment)


def copies(batches: Iterable[Batch]) -> list[tuple[list[int], Any]]:
    return [(batch.rows.tolist(), batch.images.clone()) for batch in batches]


def same(left: list[tuple[list[int], Any]], right: list[tuple[list[int], Any]]) -> bool:
    return [rows for rows, _ in left] == [rows for rows, _ in right] and all(
        torch.equal(a, b) for (_, a), (_, b) in zip(left, right, strict=True)
    )


def test_an_epoch_has_every_row_once_with_its_own_picture_and_label() -> None:
    images = pictures()
    seen = []
    for batch in make():
        for image, label, row in zip(batch.images, batch.labels, batch.rows, strict=True):
            assert torch.equal(image, torch.from_numpy(images[int(row)]).permute(2, 0, 1))
            assert int(label) == int(row) % 3
            seen.append(int(row))
    assert sorted(seen) == list(range(10))
    assert seen != sorted(seen)


def test_order_differs_between_epochs_and_seeds_and_repeats_itself_for_the_same_key() -> None:
    orders = [make(seed).order(epoch).tolist() for seed in (1, 2) for epoch in (0, 1)]
    assert len({tuple(order) for order in orders}) == 4
    assert make(2).order(1).tolist() == orders[3]


@pytest.mark.parametrize("taken", [0, 1, 2, 3])
def test_a_loader_goes_on_in_the_middle_of_an_epoch_as_if_it_had_never_stopped(taken: int) -> None:
    whole = make(augment=noise)
    whole.set_epoch(3)
    expected = copies(whole) + copies(whole)  # the rest of epoch 3 and all of epoch 4

    first = make(augment=noise)
    first.set_epoch(3)
    batches = iter(first)
    begun = copies(next(batches) for _ in range(taken))
    torch.rand(7)  # whatever else draws random numbers must not matter
    second = make(augment=noise)
    second.load_state_dict(first.state_dict())
    assert same(begun + copies(second) + copies(second), expected)


def test_augmentation_depends_on_the_sample_and_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    plain, noisy = copies(make()), copies(make(augment=noise))
    assert torch.equal(torch.get_rng_state(), before)
    assert [rows for rows, _ in plain] == [rows for rows, _ in noisy]
    assert not any(torch.equal(a, b) for (_, a), (_, b) in zip(plain, noisy, strict=True))
    # The same sample in the same epoch, met in another batch of a smaller subset.
    rows = np.arange(3, 10, dtype=np.int64)
    part = ShuffledLoader(pictures(), np.arange(10) % 3, rows, batch_size=2, seed=1, augment=noise)
    by_row = {row: image for ids, images in noisy for row, image in zip(ids, images, strict=True)}
    for ids, images in copies(part):
        for row, image in zip(ids, images, strict=True):
            assert torch.equal(image, by_row[row])


def test_naming_the_current_epoch_keeps_the_position_and_a_new_one_starts_over() -> None:
    loader = make()
    next(iter(loader))
    loader.set_epoch(0)
    assert len(list(loader)) == len(loader) - 1
    assert loader.state_dict() == {"seed": 1, "epoch": 1, "position": 0}
    next(iter(loader))
    loader.set_epoch(7)
    assert len(list(loader)) == len(loader)


@pytest.mark.parametrize(("count", "batches"), [(1, 1), (4, 1), (5, 1), (6, 2), (8, 2), (9, 2)])
def test_a_last_batch_of_one_sample_is_left_out(count: int, batches: int) -> None:
    loader = make(count=count)
    sizes = [len(batch.rows) for batch in loader]
    assert len(loader) == len(sizes) == batches
    assert count == 1 or min(sizes) > 1


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


def test_the_ordered_loader_gives_every_row_in_order_each_time() -> None:
    rows = np.array([7, 2, 9, 4, 0], dtype=np.int64)
    loader = OrderedLoader(pictures(), np.zeros(10, np.int64), rows, batch_size=2)
    for _ in range(2):
        assert [row for batch in loader for row in batch.rows.tolist()] == rows.tolist()
    assert len(loader) == 3


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_wide_pixels_keep_their_values(dtype: str) -> None:
    images = pictures(dtype=dtype) * np.array(200, dtype=dtype)
    rows = np.arange(10, dtype=np.int64)
    (batch,) = OrderedLoader(images, rows, rows, batch_size=10)
    assert batch.images.dtype == torch.float32
    assert np.array_equal(batch.images.permute(0, 2, 3, 1).numpy(), images.astype(np.float32))


def test_a_row_outside_the_set_or_a_foreign_position_is_refused() -> None:
    rows = np.array([0, 10], dtype=np.int64)
    with pytest.raises(LoaderError, match="outside the packed set"):
        OrderedLoader(pictures(), np.zeros(10, np.int64), rows, batch_size=2)
    with pytest.raises(LoaderError, match="another seed"):
        make(seed=2).load_state_dict(make(seed=1).state_dict())


def test_seeds_of_samples_do_not_collide() -> None:
    keys = {sample_seed(s, e, r) for s in range(8) for e in range(8) for r in range(64)}
    assert len(keys) == 8 * 8 * 64
