"""Batches that several processes compute together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from skint.loader import LoaderError, OrderedLoader, ShuffledLoader  # noqa: E402

pytestmark = pytest.mark.torch

COUNT = 21
PIXELS = np.random.default_rng(0).integers(0, 256, (COUNT, 4, 5, 3)).astype(np.uint8)


def noise(image: Any) -> Any:
    return (image.float() + torch.rand(image.shape) * 64).clamp(0, 255).to(image.dtype)


def shuffled(part: tuple[int, int] = (0, 1), rows: int = COUNT, batch_size: int = 8) -> Any:
    return ShuffledLoader(
        PIXELS,
        np.arange(COUNT) % 3,
        np.arange(rows),
        batch_size=batch_size,
        seed=1,
        augment=noise,
        part=part,
    )


def taken(loader: Any) -> list[dict[int, tuple[bytes, int]]]:
    """By batch: what was given for each row."""
    return [
        {
            int(row): (image.contiguous().numpy().tobytes(), int(label))
            for row, image, label in zip(batch.rows, batch.images, batch.labels, strict=True)
        }
        for batch in loader
    ]


@pytest.mark.parametrize("ranks", [2, 4])
def test_together_processes_see_the_batches_of_one(ranks: int) -> None:
    whole = taken(shuffled())
    parts = [taken(shuffled((rank, ranks))) for rank in range(ranks)]
    # Of four processes each would get one sample of the last batch or two: it is left out.
    assert [len(batch) for batch in whole] == [8, 8, 5]
    assert {len(part) for part in parts} == {3 if ranks == 2 else 2} == {len(shuffled((0, ranks)))}
    for number, batches in enumerate(zip(*parts, strict=True)):
        sizes = [len(batch) for batch in batches]
        assert sum(sizes) == len(whole[number]) == shuffled().size_of(number)
        assert max(sizes) - min(sizes) <= 1
        assert {row: given for batch in batches for row, given in batch.items()} == whole[number]


def test_a_part_goes_on_in_the_middle_of_an_epoch() -> None:
    loader = shuffled((1, 2))
    batches = iter(loader)
    next(batches)
    other = shuffled((1, 2))
    other.load_state_dict(loader.state_dict())
    assert taken(other) == taken(shuffled((1, 2)))[1:]


def test_every_row_is_validated_and_no_process_is_left_with_nothing() -> None:
    for rows in (7, 8, 9, 10):
        parts = [
            [
                batch.rows.tolist()
                for batch in OrderedLoader(
                    PIXELS, None, np.arange(rows), batch_size=4, part=(rank, 3)
                )
            ]
            for rank in range(3)
        ]
        assert len({len(part) for part in parts}) == 1
        assert all(batch for part in parts for batch in part)
        assert {row for part in parts for batch in part for row in batch} == set(range(rows))


@pytest.mark.parametrize(("rows", "batch_size"), [(21, 7), (3, 8)])
def test_what_has_no_equal_parts_is_refused(rows: int, batch_size: int) -> None:
    with pytest.raises(LoaderError, match="each of 2 processes takes an equal part"):
        shuffled((0, 2), rows, batch_size)
