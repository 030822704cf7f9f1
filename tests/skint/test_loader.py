from __future__ import annotations

import gc
import pickle
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")

from skint.batches import ArrayPictures  # noqa: E402
from skint.gather import SLOTS  # noqa: E402
from skint.handover import HandoverError, PinnedCopy, Stay, handover_to  # noqa: E402
from skint.loader import (  # noqa: E402
    Batch,
    BatchError,
    LoaderError,
    OrderedLoader,
    ShuffledLoader,
    sample_seed,
    sample_seeds,
)
from skint.place import PlaceError  # noqa: E402
from tests.skint.blob_set import blob_set  # noqa: E402
from tests.skint.test_images import in_parts, smooth  # noqa: E402

pytestmark = pytest.mark.torch


def pictures(count: int = 10, dtype: str = "uint8") -> NDArray[Any]:
    """(count, 4, 5, 3); every picture is different."""
    return np.random.default_rng(0).integers(0, 256, (count, 4, 5, 3)).astype(dtype)


def noise(image: Any) -> Any:
    """An augmentation that draws from torch's generator, as torchvision's do."""
    return (image.float() + torch.rand(image.shape) * 64).clamp(0, 255).to(image.dtype)


def make(
    seed: int = 1, augment: Any = None, count: int = 10, batch_size: int = 4, **options: Any
) -> ShuffledLoader:
    rows = np.arange(count, dtype=np.int64)
    return ShuffledLoader(
        pictures(count),
        rows % 3,
        rows,
        batch_size=batch_size,
        seed=seed,
        augment=augment,
        **options,
    )


class Watched(ArrayPictures):
    """Counts the gathers."""

    taken = 0

    def take(self, rows: Any, out: Any) -> Any:
        self.taken += 1
        return super().take(rows, out)


def prefetchers() -> int:
    return sum(thread.name == "skint-prefetch" for thread in threading.enumerate())


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
    with pytest.raises(BatchError, match="outside the packed set"):
        OrderedLoader(pictures(), np.zeros(10, np.int64), rows, batch_size=2)
    with pytest.raises(PlaceError, match="another seed"):
        make(seed=2).load_state_dict(make(seed=1).state_dict())


def test_what_was_read_ahead_but_not_taken_is_not_counted() -> None:
    images, rows = Watched(pictures(40)), np.arange(40, dtype=np.int64)
    loader = ShuffledLoader(images, rows, rows, batch_size=4, seed=1)
    batches = iter(loader)
    next(batches)
    end = time.monotonic() + 60
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


def test_two_iterations_at_a_time_do_not_write_into_each_other() -> None:
    rows = np.arange(10, dtype=np.int64)
    loader = OrderedLoader(pictures(), rows, rows, batch_size=2)
    for one, two in zip(loader, loader, strict=True):
        assert torch.equal(one.images, two.images)
        assert one.images.data_ptr() != two.images.data_ptr()


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


def test_a_mask_in_the_place_of_rows_is_refused() -> None:
    with pytest.raises(BatchError, match="not a mask"):
        OrderedLoader(pictures(), None, np.arange(10) > 3, batch_size=2)  # type: ignore[arg-type]


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
