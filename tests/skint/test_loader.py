from __future__ import annotations

import gc
import pickle
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from skint.batches import ArrayPictures  # noqa: E402
from skint.gather import SLOTS  # noqa: E402
from skint.loader import (  # noqa: E402
    BatchError,
    OrderedLoader,
    ShuffledLoader,
    sample_seed,
    sample_seeds,
)
from skint.place import PlaceError  # noqa: E402
from tests.skint.loaders import copies, make, noise, pictures, same  # noqa: E402
from tests.skint.packed_sets import in_parts  # noqa: E402

pytestmark = pytest.mark.torch


class Watched(ArrayPictures):
    """Counts the gathers."""

    taken = 0

    def take(self, rows: Any, out: Any) -> Any:
        self.taken += 1
        return super().take(rows, out)


def prefetchers() -> int:
    return sum(thread.name == "skint-prefetch" for thread in threading.enumerate())


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


@pytest.mark.parametrize("prefetch", [True, False])
@pytest.mark.parametrize("taken", [0, 1, 2, 3])
def test_a_loader_goes_on_in_the_middle_of_an_epoch_as_if_it_had_never_stopped(
    taken: int, prefetch: bool
) -> None:
    whole = make(augment=noise)
    whole.set_epoch(3)
    expected = copies(whole) + copies(whole)  # the rest of epoch 3 and all of epoch 4

    first = make(augment=noise, prefetch=prefetch)
    first.set_epoch(3)
    batches = iter(first)
    begun = copies(next(batches) for _ in range(taken))
    torch.rand(7)  # whatever else draws random numbers must not matter
    second = make(augment=noise, prefetch=not prefetch)
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


@pytest.mark.parametrize("prefetch", [True, False])
def test_a_look_at_the_first_batch_costs_nothing_of_the_epoch(prefetch: bool) -> None:
    loader = make(augment=noise, prefetch=prefetch)
    whole = copies(make(augment=noise))
    first = next(iter(loader))
    assert first.rows.tolist() == whole[0][0]
    loader.set_epoch(0)
    assert loader.state_dict()["position"] == 0
    assert same(copies(loader), whole)
    assert (loader.epoch, loader.position) == (1, 0)
    # Also while the iterator of the look is still open, and without naming the epoch.
    looking = iter(loader)
    next(looking)
    assert len(copies(loader)) == len(loader)
    assert loader.epoch == 2


def test_a_loop_that_is_broken_off_begins_its_epoch_again() -> None:
    loader = make()
    for _ in range(3):
        taken = []
        for batch in loader:
            taken.append(batch.rows.tolist())
            if len(taken) == 2:
                break
        assert [row for rows in taken for row in rows] == loader.order(0)[:8].tolist()
        assert (loader.epoch, loader.position) == (0, 2)


def test_a_loaded_position_is_gone_on_from_once() -> None:
    stopped = make()
    next(iter(stopped))
    loader = make()
    unused = iter(loader)  # Lightning asks for one before it restores
    loader.load_state_dict(stopped.state_dict())
    loader.set_epoch(0)  # and names the epoch afterwards
    next(unused)
    assert loader.state_dict()["position"] == 2
    assert len(list(loader)) == len(loader)
    loader.load_state_dict(stopped.state_dict())
    loader.set_epoch(7)
    assert len(list(loader)) == len(loader)


@pytest.mark.parametrize(("count", "batches"), [(1, 1), (4, 1), (5, 1), (6, 2), (8, 2), (9, 2)])
def test_a_last_batch_of_one_sample_is_left_out(count: int, batches: int) -> None:
    loader = make(count=count)
    sizes = [len(batch.rows) for batch in loader]
    assert len(loader) == len(sizes) == batches
    assert count == 1 or min(sizes) > 1


def test_the_ordered_loader_gives_every_row_in_order_each_time() -> None:
    rows = np.array([7, 2, 9, 4, 0], dtype=np.int64)
    loader = OrderedLoader(pictures(), np.zeros(10, np.int64), rows, batch_size=2)
    for _ in range(2):
        assert [row for batch in loader for row in batch.rows.tolist()] == rows.tolist()
    assert len(loader) == 3


def test_a_row_outside_the_set_or_a_foreign_position_is_refused() -> None:
    rows = np.array([0, 10], dtype=np.int64)
    with pytest.raises(BatchError, match="outside the packed set"):
        OrderedLoader(pictures(), np.zeros(10, np.int64), rows, batch_size=2)
    with pytest.raises(PlaceError, match="another seed"):
        make(seed=2).load_state_dict(make(seed=1).state_dict())


def test_what_was_read_ahead_but_not_taken_is_not_counted() -> None:
    images, rows = Watched(pictures(40)), np.arange(40, dtype=np.int64)
    loader = ShuffledLoader(images, rows, rows, batch_size=4, seed=1)
    batches = iter(loader)
    next(batches)
    end = time.monotonic() + 300
    while images.taken < SLOTS:  # until the thread has read as far as it may
        assert time.monotonic() < end
    assert loader.state_dict()["position"] == 1
    del batches
    gc.collect()
    assert prefetchers() == 0
    assert loader.state_dict()["position"] == 1


@pytest.mark.parametrize("name", ["seed", "batch_size", "samples"])
def test_a_position_of_another_loader_is_refused(name: str) -> None:
    loader = make()
    next(iter(loader))
    state = loader.state_dict()
    with pytest.raises(PlaceError, match=f"another {name.replace('_', ' ')}"):
        make().load_state_dict(state | {name: 7})
    other = make(batch_size=2, count=8)
    other.load_state_dict(state | {"position": 0, "epoch": 5})  # a beginning fits any batch
    assert other.epoch == 5


@pytest.mark.parametrize("prefetch", [True, False])
def test_an_iteration_that_is_left_or_fails_leaves_no_thread_behind(prefetch: bool) -> None:
    def fails(image: Any) -> Any:
        raise RuntimeError("no such augmentation")

    for _ in make(prefetch=prefetch):
        break
    with pytest.raises(RuntimeError, match="no such augmentation"):
        list(make(prefetch=prefetch, augment=fails))
    gc.collect()
    assert prefetchers() == 0


def test_a_set_in_parts_gives_the_same_batches_as_an_array(tmp_path: Path) -> None:
    images = in_parts(tmp_path, pictures(), 3).images()
    rows = np.arange(10, dtype=np.int64)
    part = ShuffledLoader(images, rows % 3, rows, batch_size=4, seed=1, augment=noise)
    assert same(copies(part), copies(make(augment=noise)))


def test_a_loader_of_a_set_on_disk_can_be_pickled(tmp_path: Path) -> None:
    images = in_parts(tmp_path, pictures(500), 100).images()
    rows = np.arange(500, dtype=np.int64)
    loader = ShuffledLoader(images, rows % 3, rows, batch_size=40, seed=1, augment=noise)
    next(iter(loader))
    carried = pickle.dumps(loader)
    assert len(carried) < np.asarray(images).nbytes
    assert same(copies(pickle.loads(carried)), copies(loader))


def test_a_mask_in_the_place_of_rows_is_refused() -> None:
    with pytest.raises(BatchError, match="not a mask"):
        OrderedLoader(pictures(), None, np.arange(10) > 3, batch_size=2)  # type: ignore[arg-type]


def test_seeds_of_samples_do_not_collide() -> None:
    keys = {sample_seed(s, e, r) for s in range(8) for e in range(8) for r in range(64)}
    assert len(keys) == 8 * 8 * 64


class Shift:
    """An augmentation of whole batches: each picture gets a number of its seed added."""

    def __init__(self) -> None:
        self.threads: set[str] = set()

    def batch(self, images: Any, seeds: Any) -> None:
        self.threads.add(threading.current_thread().name)
        for image, seed in zip(images, seeds.tolist(), strict=True):
            image += seed % 97 + 1


@pytest.mark.parametrize("prefetch", [True, False])
def test_whole_batches_are_augmented_where_they_are_read_by_the_seeds_of_their_samples(
    prefetch: bool,
) -> None:
    shift = Shift()
    loader = make(augment=shift, prefetch=prefetch)
    loader.set_epoch(2)
    seen = []
    for batch in loader:
        for image, row in zip(batch.images, batch.rows.tolist(), strict=True):
            plain = torch.from_numpy(pictures()[row]).permute(2, 0, 1)
            assert torch.equal(image, plain + sample_seed(1, 2, row) % 97 + 1)
            seen.append(row)
    assert sorted(seen) == list(range(10))
    assert shift.threads == {"skint-prefetch" if prefetch else threading.current_thread().name}


def test_seeds_of_many_samples_are_those_of_each_and_evenly_spread() -> None:
    rows = np.arange(4096, dtype=np.int64)
    seeds = sample_seeds(5, 7, rows)
    assert seeds[:9].tolist() == [sample_seed(5, 7, row) for row in range(9)]
    bits = (seeds[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    # Each bit is set in half of them: ±5 standard deviations of a fair coin.
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 5 * 0.5 / 4096**0.5
