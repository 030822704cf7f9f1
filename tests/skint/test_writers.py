from __future__ import annotations

import random
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from skint.dataset import DatasetError, PackedSet, PackedWriter, Sample, Target, block_hashes
from skint.dataset.blob_writer import BlobWriter
from skint.dataset.hashing import BlockHasher, PartHasher


def samples_of(count: int) -> list[Sample]:
    return [Sample(n, str(n), f"{n}.png", targets={"outline": "m.png"}) for n in range(count)]


def pictures_of(count: int, height: int = 6, width: int = 5) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


OUTLINE = [Target("outline", "mask")]
MORE: dict[str, Any] = {"channels": "RGB", "made_by": {"job": "test"}}


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 1000, 1234])
@pytest.mark.parametrize("step", [1, 37, 100, 5000])
def test_a_file_that_grows_is_hashed_as_one_that_is_whole(
    tmp_path: Path, size: int, step: int
) -> None:
    path = tmp_path / "blob"
    path.write_bytes(random.Random(0).randbytes(size))
    hasher = BlockHasher(path, 100)
    for final in range(0, size, step):
        hasher.settled(final)
    assert hasher.finish() == block_hashes(path, 100)


def test_what_is_not_final_may_still_change(tmp_path: Path) -> None:
    path = tmp_path / "blob"
    path.write_bytes(bytes(250))
    hasher = BlockHasher(path, 100)
    hasher.settled(199)
    path.write_bytes(bytes(100) + b"x" * 150)
    assert hasher.finish() == block_hashes(path, 100)


@pytest.mark.parametrize("part_bytes", [10**6, 200])
def test_rows_that_are_put_are_those_that_are_assigned(tmp_path: Path, part_bytes: int) -> None:
    pixels = pictures_of(7)
    shape = pixels.shape
    made = []
    for name in ("assigned", "put"):
        with PackedWriter(
            tmp_path / name, shape=shape, dtype="uint8", part_bytes=part_bytes
        ) as writer:
            for row in random.Random(1).sample(range(7), 7):
                if name == "put":
                    writer.rows().put(row, pixels[row])
                else:
                    writer.images()[row] = pixels[row]
            writer.settled(7)
            made.append(writer.finish(samples_of(7), [], summed=name == "put", **MORE))
    assert made[0].meta == made[1].meta
    assert np.array_equal(np.asarray(made[1].images()), pixels)
    assert len(made[1].meta.parts) == (1 if part_bytes == 10**6 else 4)
    assert made[1].damaged_blocks() == ()


@contextmanager
def few_files(count: int) -> Iterator[None]:
    """No more files can be open than now and so many."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    now = max(int(path.name) for path in Path("/dev/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (now + 1 + count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("way", ["put", "assigned"])
def test_a_set_may_have_more_parts_than_a_process_may_open_files(tmp_path: Path, way: str) -> None:
    pixels = pictures_of(90)
    with (
        few_files(40),
        PackedWriter(tmp_path, shape=pixels.shape, dtype="uint8", part_bytes=1) as writer,
    ):
        for row, picture in enumerate(pixels):
            if way == "put":
                writer.rows().put(row, picture)
            else:
                writer.images()[row] = picture
        data = writer.finish(samples_of(90), [], **MORE)
    assert len(data.meta.parts) == 90
    assert np.array_equal(np.asarray(data.images()), pixels)


def test_a_part_is_hashed_to_its_end_once_the_next_one_is_begun(tmp_path: Path) -> None:
    paths = [tmp_path / "a", tmp_path / "b", tmp_path / "c"]
    for number, path in enumerate(paths):
        path.write_bytes(bytes([number]) * 250)
    wanted = [block_hashes(path, 100) for path in paths]
    hasher = PartHasher(paths, 100)
    hasher.settled(0, 120)
    hasher.settled(2, 90)
    for path in paths[:2]:
        path.write_bytes(b"")  # nobody reads them again
    assert hasher.finish() == wanted


def test_a_row_of_another_shape_or_dtype_is_refused(tmp_path: Path) -> None:
    with PackedWriter(tmp_path, shape=(2, 6, 5, 3), dtype="uint8") as writer:
        for wrong in (np.zeros((5, 6, 3), np.uint8), np.zeros((6, 5, 3), np.uint16)):
            with pytest.raises(ValueError, match="a row is uint8"):
                writer.rows().put(0, wrong)
        with pytest.raises(IndexError):
            writer.rows().put(2, np.zeros((6, 5, 3), np.uint8))


def test_masks_stand_beside_their_pictures(tmp_path: Path) -> None:
    pixels = pictures_of(2)
    masks = {"outline": "uint16"}
    with PackedWriter(tmp_path, shape=pixels.shape, dtype="uint8", masks=masks) as writer:
        writer.rows().put(0, pixels[0], {"outline": np.full((6, 5), 300, np.uint16)})
        writer.rows().put(1, pixels[1])
        data = writer.finish(samples_of(2), OUTLINE, summed=True, **MORE)
    assert data.masks().dtype == np.uint16
    assert (data.masks()[0] == 300).all() and (data.masks()[1] == 0).all()
    assert "mask-outline.npy" in data.meta.files


def test_a_stop_keeps_what_an_error_removes(tmp_path: Path) -> None:
    for error, kept in ((KeyboardInterrupt, True), (RuntimeError, False)):
        folder = tmp_path / error.__name__
        with (
            pytest.raises(error),
            PackedWriter(folder, shape=(2, 6, 5, 3), dtype="uint8", resume=True),
        ):
            raise error
        assert bool(list(folder.iterdir())) == kept


def test_unfinished_rows_are_taken_up(tmp_path: Path) -> None:
    pixels = pictures_of(3)
    made: dict[str, Any] = {"shape": pixels.shape, "dtype": "uint8", "resume": True}
    with pytest.raises(KeyboardInterrupt), PackedWriter(tmp_path, **made) as writer:
        writer.rows().put(0, pixels[0])
        raise KeyboardInterrupt
    with PackedWriter(tmp_path, **made, taken_up=True) as writer:
        for row in (1, 2):
            writer.rows().put(row, pixels[row])
        data = writer.finish(samples_of(3), [], summed=True, **MORE)
    assert np.array_equal(np.asarray(data.images()), pixels)
    assert np.allclose(data.meta.mean, pixels.reshape(-1, 3).mean(0))


def test_compressed_pictures_are_taken_up_where_they_were_cut(tmp_path: Path) -> None:
    contents = [bytes([n]) * (10 + n) for n in range(6)]
    made: dict[str, Any] = {
        "sizes": np.full((6, 2), 4),
        "channels": 3,
        "dtype": "uint8",
        "codec": "jpeg",
        "part_bytes": 25,
        "resume": True,
    }
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    with BlobWriter(whole, **made) as writer:
        for row, content in enumerate(contents):
            writer.append(row, content)
        writer.finish(samples_of(6), [], **MORE)
    with pytest.raises(KeyboardInterrupt), BlobWriter(cut, **made) as writer:
        for row in range(5):
            writer.append(row, contents[row])
        raise KeyboardInterrupt
    with BlobWriter(cut, **made, taken_up=True) as writer:
        writer.go_on(2)
        for row in range(2, 6):
            writer.append(row, contents[row])
            writer.settled(row + 1)
        writer.finish(samples_of(6), [], **MORE)
    names = sorted(path.name for path in whole.iterdir())
    assert names == sorted(path.name for path in cut.iterdir())
    for name in names:
        assert (whole / name).read_bytes() == (cut / name).read_bytes()
    assert PackedSet.open(cut).meta.parts[0].rows == 2


def test_a_picture_of_another_size_than_announced_is_refused(tmp_path: Path) -> None:
    sizes = np.array([[4, 5], [6, 7]])
    with BlobWriter(tmp_path, sizes=sizes, channels=3, dtype="uint8") as writer:
        with pytest.raises(ValueError, match="not 4 × 5"):
            writer.places().put(0, np.zeros((5, 4, 3), np.uint8))


def test_a_disk_that_is_too_small_is_told_before_anything_is_taken(tmp_path: Path) -> None:
    shape = (10**9, 4096, 4096, 3)
    with pytest.raises(DatasetError, match="not enough room") as error:
        PackedWriter(tmp_path / "set", shape=shape, dtype="uint8", part_bytes=2**62)
    assert "bytes free" in (error.value.got or "")
    assert list((tmp_path / "set").iterdir()) == []
