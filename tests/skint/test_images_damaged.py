"""Packed sets of which something is damaged or gone: it is found, and named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from skint.dataset import DamagedBlock, DatasetError
from tests.skint.blob_set import blob_set
from tests.skint.packed_sets import FORMS, in_parts, pictures, smooth


def test_damage_is_found_in_its_file_and_block(tmp_path: Path) -> None:
    data = in_parts(tmp_path, pictures(), 3)
    assert data.damaged_blocks() == ()
    file = tmp_path / "images-00002.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    (tmp_path / "images-00003.npy").unlink()
    (tmp_path / "sums.npy").write_bytes(b"")
    assert data.damaged_blocks() == (
        DamagedBlock("images-00002.npy", 0),
        DamagedBlock("images-00003.npy", 0),
        DamagedBlock("sums.npy", 0),
    )


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-10])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def foreign(file: Path) -> None:
    file.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n" * 9)


def other_array(file: Path) -> None:
    with file.open("wb") as stream:
        np.save(stream, np.zeros((3, 2), dtype=np.int16))


def objects(file: Path) -> None:
    with file.open("wb") as stream:
        np.save(stream, np.array([{}]), allow_pickle=True)


@pytest.mark.parametrize("damage", [Path.unlink, cut, empty, foreign, other_array, objects])
@pytest.mark.parametrize(
    ("form", "name"),
    [("one file", "images.npy"), ("four files", "images-00003.npy"), ("blobs", "index.npy")],
)
def test_an_array_that_is_not_whole_is_refused_by_name(
    tmp_path: Path, form: str, name: str, damage: Callable[[Path], None]
) -> None:
    data = FORMS[form](tmp_path, pictures())
    damage(tmp_path / name)
    with pytest.raises(DatasetError) as error:
        data.images()
    assert error.value.where == str(tmp_path / name)


@pytest.mark.parametrize("damage", [Path.unlink, cut, empty])
def test_a_blob_that_is_not_whole_is_refused_by_name(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    data = blob_set(tmp_path, smooth(6))
    damage(tmp_path / "images-00001.bin")
    with pytest.raises(DatasetError) as error:
        data.images()
    assert "images-00001.bin" in str(error.value)


@pytest.mark.parametrize(
    "wrong",
    [(9, 0, 1296, 24, 18), (-1, 0, 1296, 24, 18), (0, -1, 1296, 24, 18), (0, 0, 1296, 24, 19)],
)
def test_an_index_that_points_elsewhere_names_the_picture(
    tmp_path: Path, wrong: tuple[int, ...]
) -> None:
    data = blob_set(tmp_path, smooth(3))
    index = np.load(tmp_path / "index.npy")
    index[2] = wrong
    np.save(tmp_path / "index.npy", index)
    with pytest.raises(DatasetError, match="picture 2"):
        data.images()


@pytest.mark.parametrize("codec", ["jpeg", "webp"])
def test_a_compressed_picture_that_is_damaged_is_named(tmp_path: Path, codec: str) -> None:
    data = blob_set(tmp_path, smooth(3), codec=codec, per_part=100)
    file = tmp_path / "images-00000.bin"
    start, length = np.load(tmp_path / "index.npy")[1, 1:3].tolist()
    content = bytearray(file.read_bytes())
    content[start : start + length] = bytes(length)
    file.write_bytes(content)
    images = data.images()
    images[0]
    with pytest.raises(DatasetError, match="damaged") as error:
        images[1]
    assert error.value.where == f"{file}: picture 1"


def test_a_picture_of_another_size_than_its_index_says_is_refused(tmp_path: Path) -> None:
    data = blob_set(tmp_path, smooth(2), codec="jpeg")
    index = np.load(tmp_path / "index.npy")
    index[1, 3] += 1
    np.save(tmp_path / "index.npy", index)
    with pytest.raises(DatasetError, match="not the one"):
        data.images()[1]


def test_sums_that_are_lost_are_named(tmp_path: Path) -> None:
    data = in_parts(tmp_path, pictures(), 100)
    (tmp_path / "sums.npy").unlink()
    with pytest.raises(DatasetError) as error:
        data.moments([0])
    assert error.value.where == str(tmp_path / "sums.npy")
