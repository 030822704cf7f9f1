from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from skint.batches import BatchError, batches
from tests.skint.test_images import in_parts, pictures


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


def test_no_rows_are_no_batches() -> None:
    assert list(batches(pictures(), np.array([], dtype=np.int64), batch_size=4)) == []


@pytest.mark.parametrize("rows", [[0, 11], [-1]])
def test_a_row_outside_is_refused_before_the_first_batch(rows: list[int]) -> None:
    with pytest.raises(BatchError, match="outside"):
        batches(pictures(), np.array(rows), batch_size=2)


def test_a_batch_of_nothing_is_refused() -> None:
    with pytest.raises(BatchError, match="at least one"):
        batches(pictures(), np.arange(3), batch_size=0)
