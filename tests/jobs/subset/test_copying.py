from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.subset.copying import copy_rows
from skint.dataset import PackedSet, PackedWriter, Sample, Target
from skint.dataset.blob_writer import BlobWriter
from skint.dataset.blobs import BlobImages
from skint.moments import channel_sums

ROWS = np.array([4, 0, 3])
LABEL = Target("label", "class", ("a", "b"))


def samples(count: int) -> list[Sample]:
    return [
        Sample(n, f"n{n}", f"{n}.png", page=n, targets={"label": "ab"[n % 2]}) for n in range(count)
    ]


def pictures(count: int, size: int = 6) -> np.ndarray:
    return np.random.default_rng(size).integers(0, 256, (count, size, size, 3)).astype(np.uint8)


def copied(folder: Path, data: PackedSet) -> PackedSet:
    seen: list[int] = []
    part = copy_rows(data, ROWS, folder, data.meta.targets, {"job": "test"}, seen.append)
    assert seen == list(range(1, len(ROWS) * max(1, len(data.meta.sizes)) + 1))
    assert part.damaged_blocks() == ()
    assert [sample.name for sample in part.samples] == ["n4", "n0", "n3"]
    assert [sample.id for sample in part.samples] == [0, 1, 2]
    assert part.meta.mean == data.moments(ROWS)[0]
    for picture, row in zip(part.images(), ROWS.tolist(), strict=True):
        assert np.array_equal(picture, data.images()[row])
    return part


def test_masks_go_with_their_pictures(tmp_path: Path) -> None:
    masks = np.arange(5 * 36, dtype=np.uint16).reshape(5, 6, 6)
    shape = (5, 6, 6, 3)
    writer = PackedWriter(tmp_path / "data", shape=shape, dtype="uint8", masks={"area": "uint16"})
    with writer:
        for row, picture in enumerate(pictures(5)):
            writer.rows().put(row, picture, {"area": masks[row]})
        targets = [LABEL, Target("area", "mask")]
        data = writer.finish(samples(5), targets, channels="RGB", made_by={}, summed=True)
    part = copied(tmp_path / "part", data)
    assert np.array_equal(part.masks(), masks[ROWS])


def test_pictures_of_their_own_sizes_keep_them(tmp_path: Path) -> None:
    sizes = np.array([[3, 4], [5, 2], [1, 1], [7, 3], [2, 6]])
    with BlobWriter(tmp_path / "data", sizes=sizes, channels=1, dtype="uint16") as writer:
        for row, (height, width) in enumerate(sizes.tolist()):
            picture = np.arange(height * width, dtype=np.uint16).reshape(height, width, 1)
            writer.places().put(row, picture + 100 * row)
        data = writer.finish(samples(5), [LABEL], channels=["depth"], made_by={})
    part = copied(tmp_path / "part", data)
    assert [picture.shape[:2] for picture in part.images()] == [(2, 6), (3, 4), (7, 3)]


@pytest.mark.parametrize("codec", ["jpeg", "webp"])
def test_compressed_pictures_are_copied_byte_by_byte(tmp_path: Path, codec: str) -> None:
    sizes = np.full((5, 2), 6)
    options = {"channels": 3, "dtype": "uint8", "codec": codec, "layout": "dense"}
    with BlobWriter(tmp_path / "data", sizes=sizes, **options) as writer:  # type: ignore[arg-type]
        for row, picture in enumerate(pictures(5)):
            content = BytesIO()
            Image.fromarray(picture).save(content, codec)
            writer.append(row, content.getvalue())
            writer.sums().put(row, channel_sums(picture))
        data = writer.finish(samples(5), [LABEL], channels="RGB", made_by={})
    part = copied(tmp_path / "part", data)
    before, after = data.images(), part.images()
    assert isinstance(before, BlobImages) and isinstance(after, BlobImages)
    for new, old in enumerate(ROWS.tolist()):
        _, start, length = before.index[old, :3]
        _, begin, size = after.index[new, :3]
        assert after.blobs[0][begin : begin + size].tobytes() == (
            before.blobs[0][start : start + length].tobytes()
        )


def test_all_sizes_of_a_ladder_are_copied(tmp_path: Path) -> None:
    for size, folder in ((4, tmp_path / "data" / "sizes" / "4"), (8, tmp_path / "data")):
        with PackedWriter(folder, shape=(5, size, size, 3), dtype="uint8") as writer:
            writer.images()[:] = pictures(5, size)
            writer.finish(samples(5), [LABEL], channels="RGB", made_by={}, sizes=(4, 8))
    part = copied(tmp_path / "part", PackedSet.open(tmp_path / "data"))
    small = part.at(4)
    assert len(small) == 3 and small.damaged_blocks() == ()
    for picture, row in zip(small.images(), ROWS.tolist(), strict=True):
        assert np.array_equal(picture, pictures(5, 4)[row])
