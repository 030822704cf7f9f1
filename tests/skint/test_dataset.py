from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from skint.dataset import (
    DamagedBlock,
    DatasetError,
    PackedSet,
    PackedWriter,
    Sample,
    Target,
    read_folds,
)
from skint.moments import channel_sums, moments
from skint.table import TableError, write_rows

CLASSES = ("hat", "shoes")


def samples_of(count: int) -> list[Sample]:
    return [
        Sample(
            n,
            str(n),
            f"{CLASSES[n % 2]}/{n}.jpg",
            width=9,
            height=7,
            targets={"label": CLASSES[n % 2]},
        )
        for n in range(count)
    ]


def written(folder: Path, pixels: np.ndarray) -> PackedSet:
    with PackedWriter(folder, shape=pixels.shape, dtype=pixels.dtype.name) as writer:
        writer.images()[:] = pixels
        return writer.finish(
            samples_of(len(pixels)),
            [Target("label", "class", CLASSES)],
            channels=[f"c{n}" for n in range(pixels.shape[3])],
            made_by={"job": "test", "params": {"size": 4}},
        )


def pixels_of(dtype: str, channels: int = 3) -> np.ndarray:
    top = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1
    draw = np.random.default_rng(0).random((6, 5, 4, channels))
    return (draw * top).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_what_is_written_is_read_back(tmp_path: Path, dtype: str) -> None:
    pixels = pixels_of(dtype)
    written(tmp_path, pixels)
    data = PackedSet.open(tmp_path)
    assert np.array_equal(data.images(), pixels)
    assert not data.images()[0].flags.writeable
    assert data.classes == CLASSES
    assert data.labels().tolist() == [0, 1, 0, 1, 0, 1]
    assert data.samples[3] == samples_of(4)[3]
    assert data.samples[3].label == "shoes"
    assert data.damaged_blocks() == ()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_mean_and_std_are_those_of_numpy(tmp_path: Path, dtype: str) -> None:
    pixels = pixels_of(dtype, channels=13)
    meta = written(tmp_path, pixels).meta
    flat = pixels.reshape(-1, 13).astype(np.float64)
    assert np.allclose(meta.mean, flat.mean(0), rtol=1e-12)
    assert np.allclose(meta.std, flat.std(0), rtol=1e-12)


def test_a_constant_bright_channel_has_no_spread() -> None:
    sums = channel_sums(np.full((8, 8, 2), 65535, dtype=np.uint16))
    _mean, std = moments(np.stack([sums] * 3), 3 * 64)
    assert std == (0.0, 0.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200])
def test_a_channel_that_is_not_finite_has_no_mean_and_the_file_is_still_json(
    tmp_path: Path, bad: float
) -> None:
    pixels = pixels_of("float32").astype(np.float64)
    pixels[2, 1, 1, 1], pixels[3, 1, 1, 1] = bad, -bad
    data = written(tmp_path, pixels)
    text = (tmp_path / "dataset.json").read_text()
    assert json.loads(text, parse_constant=lambda word: pytest.fail(word))["mean"][1] is None
    assert np.isnan([data.meta.mean[1], data.meta.std[1]]).all()
    assert np.isfinite([data.meta.mean[::2], data.meta.std[::2]]).all()
    assert np.isfinite(data.moments([0, 1, 4])).all()
    assert np.isnan(data.moments([0, 2])[0][1])


def test_the_same_pictures_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        written(tmp_path / name, pixels_of("uint8"))
    for name in ("dataset.json", "samples.csv", "images.npy", "sums.npy"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_leaving_without_finish_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError),
        PackedWriter(tmp_path / "set", shape=(1, 2, 2, 3), dtype="uint8"),
    ):
        raise RuntimeError("a decoder died")
    assert list((tmp_path / "set").iterdir()) == []


def test_a_flipped_byte_is_found_in_its_block(tmp_path: Path) -> None:
    data = written(tmp_path, pixels_of("uint8"))
    array = tmp_path / "images.npy"
    content = bytearray(array.read_bytes())
    content[-1] ^= 1
    array.write_bytes(content)
    assert data.damaged_blocks() == (DamagedBlock("images.npy", 0),)


def test_a_folder_without_a_packed_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as error:
        PackedSet.open(tmp_path / "nothing")
    assert error.value.where == str(tmp_path / "nothing")


def test_an_array_cut_short_is_refused(tmp_path: Path) -> None:
    data = written(tmp_path, pixels_of("uint8"))
    array = tmp_path / "images.npy"
    array.write_bytes(array.read_bytes()[:-100])
    with pytest.raises(DatasetError, match="damaged"):
        data.images()


def test_a_lost_row_of_samples_is_refused(tmp_path: Path) -> None:
    written(tmp_path, pixels_of("uint8"))
    table = tmp_path / "samples.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(DatasetError, match="not whole"):
        PackedSet.open(tmp_path)


def test_a_label_outside_the_classes_is_named(tmp_path: Path) -> None:
    data = written(tmp_path, pixels_of("uint8"))
    odd = replace(
        data, samples=(*data.samples[:-1], replace(data.samples[-1], targets={"label": "scarf"}))
    )
    with pytest.raises(DatasetError) as error:
        odd.labels()
    assert error.value.got == "scarf"


TARGETS = (
    Target("depth", "value"),
    Target("colours", "multilabel", ("red", "blue")),
    Target("kind", "class", CLASSES),
    Target("season", "class", ("summer",)),
    Target("outline", "mask"),
)
CELLS = (
    {"depth": "1.5", "colours": "blue|red", "kind": "shoes", "season": "", "outline": "m/0.png"},
    {"depth": "", "colours": "", "kind": "", "season": "summer", "outline": ""},
    {"depth": "-2e3", "colours": "blue", "kind": "hat", "season": "", "outline": "m/2.png"},
)


def several_targets(folder: Path) -> PackedSet:
    """Three pictures with a target of every kind, and two of one."""
    samples = [Sample(n, str(n), f"{n}.jpg", targets=cells) for n, cells in enumerate(CELLS)]
    with PackedWriter(folder, shape=(3, 4, 5, 3), dtype="uint8") as writer:
        writer.finish(samples, TARGETS, channels="RGB", made_by={})
    np.save(folder / "mask-outline.npy", np.arange(60, dtype=np.uint16).reshape(3, 4, 5))
    return PackedSet.open(folder)


def test_targets_of_every_kind_are_read(tmp_path: Path) -> None:
    data = several_targets(tmp_path)
    assert data.meta.targets == TARGETS
    assert [sample.label for sample in data.samples] == ["shoes", "", "hat"]
    assert data.classes == CLASSES
    assert data.labels().tolist() == data.labels("kind").tolist() == [1, -1, 0]
    assert data.labels("season").tolist() == [-1, 0, -1]
    assert data.multi_hot().tolist() == [[1, 1], [0, 0], [0, 1]]
    assert np.array_equal(data.values("depth"), [1.5, np.nan, -2000], equal_nan=True)
    assert data.masks().shape == (3, 4, 5) and data.masks()[2, 3, 4] == 59
    assert not data.masks().flags.writeable


def test_a_target_that_is_not_there_is_named(tmp_path: Path) -> None:
    data = several_targets(tmp_path)
    with pytest.raises(DatasetError, match="kind class called depth") as error:
        data.labels("depth")
    assert "depth (value)" in str(error.value.got)
    with pytest.raises(DatasetError, match="no target of the kind class"):
        _ = PackedSet(tmp_path, replace(data.meta, targets=()), data.samples).classes


@pytest.mark.parametrize(
    ("target", "cell"), [("depth", "deep"), ("colours", "red|green"), ("kind", "scarf")]
)
def test_a_cell_that_does_not_fit_its_target_is_named(
    tmp_path: Path, target: str, cell: str
) -> None:
    data = several_targets(tmp_path)
    table = tmp_path / "samples.csv"
    rows = table.read_text().splitlines()
    rows[3] = rows[3].replace(CELLS[2][target], cell)
    table.write_text("\n".join(rows) + "\n")
    data = PackedSet.open(tmp_path)
    read = {"depth": data.values, "colours": data.multi_hot, "kind": data.labels}[target]
    with pytest.raises(DatasetError) as error:
        read(target)
    assert error.value.got in cell.split("|") and str(error.value.where).endswith("id 2")


def test_masks_of_another_shape_are_refused(tmp_path: Path) -> None:
    data = several_targets(tmp_path)
    np.save(tmp_path / "mask-outline.npy", np.zeros((3, 5, 4), dtype=np.uint8))
    with pytest.raises(DatasetError, match="not the one"):
        data.masks()


@pytest.mark.parametrize("names", [["id"], ["a", "a"]])
def test_targets_need_names_of_their_own(tmp_path: Path, names: list[str]) -> None:
    with PackedWriter(tmp_path, shape=(0, 4, 5, 3), dtype="uint8") as writer:
        with pytest.raises(ValueError, match="names of their own"):
            writer.finish([], [Target(n, "value") for n in names], channels="RGB", made_by={})


def test_an_older_set_says_what_to_do(tmp_path: Path) -> None:
    written(tmp_path, pixels_of("uint8"))
    older = {"version": 1, "layout": "dense", "shape": [1, 2, 2, 3]}
    (tmp_path / "dataset.json").write_text(json.dumps(older))
    with pytest.raises(DatasetError, match="does not read") as error:
        PackedSet.open(tmp_path)
    assert "version 1" in str(error.value.got) and "run the plan" in str(error.value.next)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 3},
        {"layout": "tiled"},
        {"codec": "png"},
        {"shape": [6, 5, 4]},
        {"channels": ["c0"]},
        {"parts": []},
        {"parts": [{"file": "../images.npy", "rows": 6, "sha256": []}]},
        {"files": {"/etc/passwd": []}},
        {"targets": [{"name": "x", "kind": "box", "classes": []}]},
        {"blocks": {"bytes": 0}},
    ],
)
def test_a_description_that_is_not_of_a_packed_set_is_refused(
    tmp_path: Path, change: dict[str, object]
) -> None:
    written(tmp_path, pixels_of("uint8"))
    meta = json.loads((tmp_path / "dataset.json").read_text())
    (tmp_path / "dataset.json").write_text(json.dumps(meta | change))
    with pytest.raises(DatasetError) as error:
        PackedSet.open(tmp_path)
    assert error.value.where == str(tmp_path / "dataset.json")


@pytest.mark.parametrize("text", ["", "[]", "{", "version https://git-lfs"])
def test_a_description_that_is_something_else_is_refused(tmp_path: Path, text: str) -> None:
    written(tmp_path, pixels_of("uint8"))
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(DatasetError):
        PackedSet.open(tmp_path)


def test_a_file_name_that_is_not_utf8_survives(tmp_path: Path) -> None:
    name = b"hat/caf\xe9.jpg".decode("utf-8", "surrogateescape")
    with PackedWriter(tmp_path, shape=(1, 2, 2, 3), dtype="uint8") as writer:
        writer.finish([Sample(0, "a", name)], [], channels="RGB", made_by={})
    assert PackedSet.open(tmp_path).samples[0].path == name


def test_a_table_without_its_column_says_which(tmp_path: Path) -> None:
    write_rows(tmp_path / "folds.csv", ("id", "part"), [(0, 0)])
    with pytest.raises(TableError, match="column fold is missing"):
        read_folds(tmp_path / "folds.csv", 1)


def test_a_cell_that_is_no_number_is_named(tmp_path: Path) -> None:
    write_rows(tmp_path / "folds.csv", ("id", "fold"), [(0, "x")])
    with pytest.raises(TableError) as error:
        read_folds(tmp_path / "folds.csv", 1)
    assert error.value.where == f"{tmp_path / 'folds.csv'}:2"
