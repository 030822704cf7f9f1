from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from skint.batches import ArrayPictures, BatchError, FirstPass, batches, split
from tests.skint.packed_sets import in_parts, pictures


@pytest.mark.parametrize("prefetch", [True, False])
def test_each_row_comes_once_in_the_given_order(tmp_path: Path, prefetch: bool) -> None:
    pixels = pictures()
    order = np.random.default_rng(0).permutation(11)
    for images in (pixels, in_parts(tmp_path, pixels, 4).images()):
        seen = 0
        for batch, rows in batches(images, order, batch_size=4, prefetch=prefetch):
            assert rows.tolist() == order[seen : seen + 4].tolist()
            assert np.array_equal(batch, pixels[rows])
            seen += len(rows)
        assert seen == 11


class Announced(ArrayPictures):
    """Keeps what it was told, and what it was asked for, in order."""

    def __init__(self, pixels: NDArray[Any]) -> None:
        super().__init__(pixels)
        self.said: list[tuple[str, list[int]]] = []

    def announce(self, rows: Any) -> None:
        self.said.append(("will need", rows.tolist()))

    def take(self, rows: Any, out: Any) -> Any:
        self.said.append(("take", rows.tolist()))
        return super().take(rows, out)


def test_the_disk_is_told_of_a_batch_while_the_one_before_is_gathered() -> None:
    images = Announced(pictures())
    list(batches(images, np.arange(11), batch_size=5, prefetch=False))
    first, second, third = list(range(5)), list(range(5, 10)), [10]
    assert images.said == [
        ("will need", first),
        ("will need", second),
        ("take", first),
        ("will need", third),
        ("take", second),
        ("take", third),
    ]


def test_what_has_been_read_once_is_not_announced_again() -> None:
    images = Announced(pictures())
    first_pass = FirstPass(images, 11)
    for _epoch in range(2):
        assert len(list(first_pass.ahead(split(np.arange(11), 3)))) == 4
    assert len(images.said) == 4


def test_what_does_not_fit_into_memory_is_announced_always() -> None:
    images = Announced(pictures())
    images.shape = (11, 2**20, 2**20, 64)
    first_pass = FirstPass(images, 11)
    for _epoch in range(3):
        list(first_pass.ahead(split(np.arange(11), 3)))
    assert len(images.said) == 12


def test_no_rows_are_no_batches() -> None:
    assert list(batches(pictures(), np.array([], dtype=np.int64), batch_size=4)) == []


@pytest.mark.parametrize("rows", [[0, 11], [-1]])
def test_a_row_outside_is_refused_before_the_first_batch(rows: list[int]) -> None:
    with pytest.raises(BatchError, match="outside"):
        batches(pictures(), np.array(rows), batch_size=2)


def test_a_batch_of_nothing_is_refused() -> None:
    with pytest.raises(BatchError, match="at least one"):
        batches(pictures(), np.arange(3), batch_size=0)
