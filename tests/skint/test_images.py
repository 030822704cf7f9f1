from __future__ import annotations

import ctypes
import json
import mmap
import os
import pickle
import subprocess
import sys
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from skint.dataset import DatasetError, PackedSet
from tests.skint.blob_set import blob_set
from tests.skint.packed_sets import FORMS, in_parts, pictures, smooth

PHOTOS = Path(__file__).resolve().parents[2] / "examples" / "photos" / "data"


@pytest.mark.parametrize("form", FORMS)
def test_however_they_are_stored_the_pictures_are_the_same(tmp_path: Path, form: str) -> None:
    pixels = pictures()
    images = FORMS[form](tmp_path, pixels).images()
    assert images.shape == pixels.shape and images.dtype == pixels.dtype
    assert len(images) == len(pixels)
    assert all(np.array_equal(a, b) for a, b in zip(images, pixels, strict=True))
    assert np.array_equal(images[-1], pixels[-1])
    rows = np.array([10, 0, 3, 3, 7, 2])
    out = np.zeros((6, 6, 5, 3), dtype=np.uint8)
    assert images.take(rows, out) is out
    assert np.array_equal(out, pixels[rows]) and np.array_equal(images.take(rows), pixels[rows])
    assert np.array_equal(np.asarray(images), pixels)
    for rows_per_block in (1, 4, 11, 50, None):
        blocks = [block.copy() for block in images.blocks(rows_per_block)]
        assert all(len(block) == rows_per_block for block in blocks[:-1])
        assert np.array_equal(np.concatenate(blocks), pixels)


@pytest.mark.parametrize("form", FORMS)
def test_a_row_that_is_not_in_the_set_is_refused(tmp_path: Path, form: str) -> None:
    images = FORMS[form](tmp_path, pictures()).images()
    for row in (11, -12):
        with pytest.raises(IndexError):
            images[row]
    for rows in ([0, 11], [-1, 0]):
        with pytest.raises(IndexError):
            images.take(np.array(rows))


def evict(folder: Path) -> None:
    """Let the system forget what it keeps in memory of the files; it need not (tmpfs)."""
    for file in folder.glob("images*"):
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def resident(pixels: NDArray[Any]) -> bool:
    """Whether all pages of a view into a memory map are in memory."""
    first = pixels.ctypes.data // mmap.PAGESIZE * mmap.PAGESIZE
    length = pixels.ctypes.data + pixels.nbytes - first
    pages = (ctypes.c_ubyte * -(-length // mmap.PAGESIZE))()
    call = ctypes.CDLL(None, use_errno=True).mincore
    assert call(ctypes.c_void_p(first), ctypes.c_size_t(length), pages) == 0
    return all(page & 1 for page in pages)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mincore and posix_fadvise")
@pytest.mark.parametrize("form", ["one file", "four files", "blobs"])
def test_a_picture_that_is_announced_is_read_from_the_disk(tmp_path: Path, form: str) -> None:
    count = 400  # so many that reading one does not bring all
    FORMS[form](tmp_path, np.ones((count, 64, 64, 3), dtype=np.uint8))
    evict(tmp_path)
    images = PackedSet.open(tmp_path).images()
    rows = np.array([399, 0, 250])
    cold = [row for row in rows if not resident(images[row])]
    images.announce(rows)
    end = time.monotonic() + 300
    while not all(resident(images[row]) for row in rows):
        assert time.monotonic() < end, f"announced, but not read: {cold} were not in memory"
    with pytest.raises(IndexError):
        images.announce(np.array([count]))


@pytest.mark.parametrize("form", FORMS)
def test_pictures_cannot_be_written_to_by_mistake(tmp_path: Path, form: str) -> None:
    images = FORMS[form](tmp_path, pictures()).images()
    before = images[0].copy()
    with suppress(ValueError):  # a memory map; what was decoded is the reader's own
        images[0][:] = 0
    assert np.array_equal(images[0], before)


@pytest.mark.parametrize("form", FORMS)
def test_a_pickle_carries_the_name_and_not_the_pixels(tmp_path: Path, form: str) -> None:
    images = FORMS[form](tmp_path, pictures(200)).images()
    carried = pickle.dumps(images)
    assert len(carried) < 40_000 < np.asarray(images).nbytes * 10
    assert b"images" in carried
    assert np.array_equal(pickle.loads(carried)[150], images[150])


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize("form", ["four files", "blobs"])
def test_bands_of_any_dtype_come_back(tmp_path: Path, form: str, dtype: str) -> None:
    pixels = pictures(channels=13, dtype=dtype)
    images = FORMS[form](tmp_path, pixels).images()
    assert images.dtype == dtype
    assert np.array_equal(images.take(np.arange(11)), pixels)
    assert np.array_equal(np.concatenate([b.copy() for b in images.blocks(3)]), pixels)


def test_an_out_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    images = in_parts(tmp_path, pictures(), 3).images()
    for out in (
        np.empty((2, 6, 5, 3), np.uint8),
        np.empty((3, 6, 5, 3), np.int8),
        np.empty((3, 5, 6, 3), np.uint8).transpose(0, 2, 1, 3),
    ):
        with pytest.raises(ValueError, match="out is"):
            images.take(np.arange(3), out)


@pytest.mark.parametrize("codec", ["raw", "jpeg"])
def test_pictures_of_their_own_sizes_are_read_one_by_one(tmp_path: Path, codec: str) -> None:
    originals = smooth(6)
    data = blob_set(tmp_path, originals, codec=codec)
    images = data.images()
    assert images.shape == (6, 0, 0, 3)
    for read, original in zip(images, originals, strict=True):
        assert read.shape == original.shape
        assert np.abs(read.astype(int) - original).max() <= (0 if codec == "raw" else 8)
    with pytest.raises(DatasetError, match="different sizes"):
        images.take(np.arange(2))
    with pytest.raises(DatasetError, match="different sizes"):
        next(images.blocks())


def test_gray_jpegs_have_one_channel(tmp_path: Path) -> None:
    originals = [picture[:, :, :1] for picture in smooth(3)]
    images = blob_set(tmp_path, originals, codec="jpeg").images()
    assert images[2].shape == originals[2].shape


def test_a_jpeg_is_decoded_as_pillow_decodes_it(tmp_path: Path) -> None:
    file = sorted(PHOTOS.rglob("*.jpg"))[0]
    with Image.open(file) as image:
        wanted = np.asarray(image.convert("RGB"))
    data = blob_set(tmp_path, [wanted], codec="jpeg")
    content = file.read_bytes()
    (tmp_path / "images-00000.bin").write_bytes(content)
    np.save(tmp_path / "index.npy", np.array([[0, 0, len(content), *wanted.shape[:2]]]))
    difference = np.abs(data.images()[0].astype(int) - wanted)
    assert difference.max() <= 2 and difference.mean() < 0.1


@pytest.mark.parametrize("form", ["one file", "four files", "blobs"])
def test_moments_of_some_rows_are_those_of_their_pixels(tmp_path: Path, form: str) -> None:
    pixels = pictures(dtype="uint16")
    data = FORMS[form](tmp_path, pixels)
    rows = np.array([1, 4, 9])
    flat = pixels[rows].reshape(-1, 3).astype(np.float64)
    mean, std = data.moments(rows)
    assert np.allclose(mean, flat.mean(0), rtol=1e-14) and np.allclose(std, flat.std(0), rtol=1e-12)
    assert data.moments(np.arange(11)) == data.moments() == (data.meta.mean, data.meta.std)
    assert data.moments([]) == ((0.0,) * 3, (0.0,) * 3)


def test_moments_weigh_pictures_by_their_pixels(tmp_path: Path) -> None:
    small, large = (np.full((side, side, 1), side, np.uint8) for side in (1, 3))
    mean, std = blob_set(tmp_path, [small, large]).moments([0, 1])
    assert mean == (2.8,) and std == pytest.approx((0.6,))


def test_blocks_are_read_in_bounded_memory(tmp_path: Path) -> None:
    pixels = np.zeros((64, 128, 128, 3), dtype=np.uint8)
    images = in_parts(tmp_path, pixels, 10).images()
    tracemalloc.start()
    try:
        assert sum(len(block) for block in images.blocks(2)) == 64
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * pixels[0].nbytes


def test_a_smaller_size_of_the_ladder_is_a_set_of_its_own(tmp_path: Path) -> None:
    pixels = pictures()
    small = in_parts(tmp_path / "sizes" / "3", pixels[:, ::2, ::2], 100)
    in_parts(tmp_path, pixels, 100)
    meta = json.loads((tmp_path / "dataset.json").read_text())
    (tmp_path / "dataset.json").write_text(json.dumps(meta | {"sizes": [3, 6]}))
    data = PackedSet.open(tmp_path)
    assert data.at(6) is data
    assert np.array_equal(data.at(3).images(), small.images())
    with pytest.raises(DatasetError) as error:
        data.at(4)
    assert (error.value.got, error.value.wanted) == ("4", "3, 6")


def test_without_a_ladder_a_set_has_its_own_size(tmp_path: Path) -> None:
    data = in_parts(tmp_path, pictures()[:, :5], 100)
    assert data.at(5) is data
    with pytest.raises(DatasetError, match="does not have this size"):
        data.at(4)


AS_NOBODY = """
import os, sys
import numpy as np
from skint.dataset import PackedSet
def read():
    data = PackedSet.open(".")
    images = data.images()
    images.take(np.arange(4)), list(images.blocks()), data.moments([1]), data.damaged_blocks()
    return len(images)
os.chdir(sys.argv[1])
read()  # loads all modules: nobody may not be able to read them
if os.geteuid() == 0:
    os.setuid(65534)
try:
    open("new", "w")
except PermissionError:
    print("read", read())
"""


@pytest.mark.parametrize("form", FORMS)
def test_a_folder_that_cannot_be_written_to_is_enough(tmp_path: Path, form: str) -> None:
    FORMS[form](tmp_path, pictures())
    for file in tmp_path.iterdir():
        file.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(tmp_path)],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        )
    finally:
        tmp_path.chmod(0o755)
    assert done.stdout == "read 11\n", done.stderr


def test_a_picture_of_any_size_is_read_into_memory(tmp_path: Path) -> None:
    small, large = np.full((2, 3, 3), 7, np.uint8), np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    images = blob_set(tmp_path, [small, large]).images()
    assert np.array_equal(images.read(1), large) and np.array_equal(images.read(-2), small)
    assert not isinstance(images.read(1), np.memmap) and images.read(1).flags.writeable
    with pytest.raises(IndexError):
        images.read(2)
