"""The keyed loader of any dataset: the same batches whoever makes them, and after a stop."""

from __future__ import annotations

import random
from typing import Any

import pytest

pytest.importorskip("torch")

import numpy as np
import torch

from skint.keyed import KeyedLoader
from skint.place import PlaceError

pytestmark = pytest.mark.torch

SAMPLES, BATCH = 23, 4


class Noisy:
    """Draws from all three generators."""

    def __len__(self) -> int:
        return SAMPLES

    def __getitem__(self, index: int) -> tuple[int, float, float, torch.Tensor]:
        return index, random.random(), float(np.random.rand()), torch.rand(2)


def loader(**options: Any) -> KeyedLoader:
    return KeyedLoader(Noisy(), **{"batch_size": BATCH, "seed": 3, **options})


def listed(batches: Any) -> list[Any]:
    return [[part.tolist() for part in batch] for batch in batches]


def test_an_epoch_has_every_sample_once_in_another_order() -> None:
    one = loader()
    first, second = listed(one), listed(one)
    for epoch in (first, second):
        assert sorted(index for batch in epoch for index in batch[0]) == list(range(SAMPLES))
    assert first != second
    assert len(one) == len(first) == 6


def test_batches_are_the_same_with_processes_and_without() -> None:
    alone, helped = loader(), loader(num_workers=2)
    for _ in range(2):
        assert listed(helped) == listed(alone)


@pytest.mark.parametrize("workers", [0, 2])
def test_it_goes_on_with_the_next_batch_that_was_not_taken(workers: int) -> None:
    whole = loader()
    wanted = listed(whole) + listed(whole)
    first = loader(num_workers=workers)
    found: list[Any] = []
    for epoch in range(2):
        first.set_epoch(epoch)
        for batch in first:
            found += listed([batch])
            if len(found) == 8:
                break
    second = loader(num_workers=workers)
    second.load_state_dict(first.state_dict())
    batches = iter(second)  # as Lightning does: before it names the epoch
    second.set_epoch(1)
    assert found + listed(batches) == wanted


def test_ones_own_random_numbers_are_left_alone() -> None:
    def drawn() -> list[float]:
        return [random.random(), float(np.random.rand()), float(torch.rand(()))]

    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    wanted = drawn()
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    listed(loader())
    assert drawn() == wanted


def test_the_rows_of_a_fold_and_whole_batches_only() -> None:
    rows = np.array([2, 3, 5, 7, 11, 13, 17])
    one = loader(indices=rows, drop_last=True)
    (batch,) = listed(one)
    assert len(one) == 1 and len(batch[0]) == BATCH and set(batch[0]) < set(rows.tolist())


def test_without_shuffling_the_order_is_the_datasets() -> None:
    found = listed(loader(shuffle=False))
    assert [index for batch in found for index in batch[0]] == list(range(SAMPLES))


def test_several_processes_share_the_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [key.indices for key in loader().keys(0)]
    shares = []
    for rank in range(4):
        monkeypatch.setattr("skint.keyed._processes", lambda rank=rank: (rank, 4))
        shares.append([key.indices for key in loader().keys(0)])
        assert len(loader()) == 2
    turns = [share[turn] for turn in range(2) for share in shares]
    assert turns == [*whole, *whole[:2]]


def test_the_position_of_another_loader_is_refused() -> None:
    one = loader()
    next(iter(one))
    with pytest.raises(PlaceError, match="another batch size"):
        loader(batch_size=5).load_state_dict(one.state_dict())
    with pytest.raises(PlaceError, match="another seed"):
        loader(seed=4).load_state_dict(one.state_dict())


def test_a_dataset_that_gives_batches_is_asked_for_them() -> None:
    class Table:
        def __len__(self) -> int:
            return SAMPLES

        def __getitems__(self, indices: list[int]) -> list[int]:
            return [100 + index for index in indices]

    found = listed([[batch] for batch in KeyedLoader(Table(), batch_size=BATCH, seed=0)])
    assert sorted(value for (batch,) in found for value in batch) == list(range(100, 123))
