from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import skint
from jobs.preview.job import Params, preview
from skint.dataset import PackedSet
from tests.jobs.several_set import several_set
from tests.jobs.small_set import context, small_set

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

NET = "tests.jobs.training.small_net:Net"


def previewed(folder: Path, packed: Path, **fields: Any) -> tuple[skint.Context, Image.Image]:
    ctx = context(folder, packed)
    preview(Params(**{"model": NET, **fields}), ctx)
    return ctx, Image.open(io.BytesIO((ctx.out / "preview.png").read_bytes()))


def cell(grid: Image.Image, row: int, column: int) -> np.ndarray:
    """(128, 128, 3): a picture of the grid; column 0 is the one that validates."""
    from jobs.preview.seen import CELL_PX, GAP_PX, HEAD_PX, NAME_PX

    left, top = NAME_PX + column * (CELL_PX + GAP_PX), HEAD_PX + row * (CELL_PX + GAP_PX)
    return np.asarray(grid.crop((left, top, left + CELL_PX, top + CELL_PX)))


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    return small_set(tmp_path / "packed")


def test_the_pictures_are_those_that_training_takes_in_its_epochs(packed: Path) -> None:
    from jobs.preview.seen import seen
    from jobs.training.data.fold import read_fold
    from jobs.training.fitting.prepared import make_loaders, make_module
    from jobs.training.recipe.recipe import Recipe

    recipe = Recipe(model=NET, augment="light", seed=3, batch_size=5)
    ctx = context(packed.parent / "job", packed)
    data = read_fold(ctx)
    rows = data.train[[1, 4, 11]]
    normalise = make_module(recipe, data, ctx).normalise
    train, _ = make_loaders(recipe, data, data.train, data.validation, recipe.batch_size)
    plain, epochs = seen(recipe, data, rows, 3, normalise, ctx)
    assert plain.shape == (3, 16, 16, 3) and len(epochs) == 3
    for epoch, pictures in enumerate(epochs):
        train.set_epoch(epoch)
        taken: dict[int, np.ndarray] = {}
        for batch in train:
            normal = normalise(batch.images).permute(0, 2, 3, 1).numpy()
            taken |= dict(zip(batch.rows.tolist(), normal.copy(), strict=True))
        for picture, row in zip(pictures, rows.tolist(), strict=True):
            assert np.array_equal(picture, taken[row])
    assert not np.array_equal(epochs[0], epochs[1])


def test_the_grid_has_a_row_a_picture_and_a_column_an_epoch(tmp_path: Path, packed: Path) -> None:
    ctx, grid = previewed(tmp_path, packed, samples=4, columns=3, augment="none")
    assert grid.size == (140 + 4 * 132, 18 + 4 * 132)
    for row in range(4):
        for epoch in range(1, 4):
            assert np.array_equal(cell(grid, row, 0), cell(grid, row, epoch))
    facts = json.loads((ctx.out / "preview.json").read_text())
    assert [picture["label"] for picture in facts["pictures"]] == ["blue", "green", "red", "blue"]
    assert facts["epochs"] == 3 and len(facts["mean"]) == 3


def test_a_pixel_is_its_normalised_value_over_five_deviations(tmp_path: Path, packed: Path) -> None:
    from skint.dataset import PackedSet, read_folds

    ctx, grid = previewed(tmp_path, packed, samples=1, columns=1)
    facts = json.loads((ctx.out / "preview.json").read_text())
    data = PackedSet.open(packed)
    mean, std = data.moments(read_folds(packed / "folds.csv", len(data)).training(0))
    assert facts["mean"] == pytest.approx(mean) and facts["std"] == pytest.approx(std)
    pixel = data.images()[facts["pictures"][0]["id"]][5, 7].astype(np.float64)
    wanted = ((pixel - mean) / std + 2.5) / 5 * 255
    shown = cell(grid, 0, 0)[5 * 8 + 4, 7 * 8 + 4]  # 16 pixels are drawn as 128
    assert np.abs(shown - wanted.clip(0, 255)).max() <= 1


def test_the_seed_decides_what_is_drawn(tmp_path: Path, packed: Path) -> None:
    pictures = [
        previewed(tmp_path / str(n), packed, augment="light", seed=seed)[0].out / "preview.png"
        for n, seed in enumerate((0, 0, 1))
    ]
    one, again, other = (path.read_bytes() for path in pictures)
    assert one == again != other


@pytest.mark.parametrize(("channels", "dtype"), [(1, "uint8"), (13, "uint16")])
def test_bands_are_drawn_too(tmp_path: Path, channels: int, dtype: str) -> None:
    packed = small_set(tmp_path / "packed", channels=channels, dtype=dtype)
    _, grid = previewed(tmp_path, packed, samples=2, columns=1)
    assert len(np.unique(cell(grid, 0, 0))) > 10


def test_fields_of_the_augmentation_are_drawn_and_named(tmp_path: Path, packed: Path) -> None:
    ctx, grid = previewed(
        tmp_path, packed, samples=2, columns=2, augment={"erase": 1, "rotate_deg": 90}
    )
    assert not np.array_equal(cell(grid, 0, 0), cell(grid, 0, 1))
    facts = json.loads((ctx.out / "preview.json").read_text())
    assert facts["augment"] == "rotate_deg 90.0, erase 1.0"
    # What is erased or turned in is the mean, which normalised is the middle grey.
    assert (np.abs(cell(grid, 0, 1).astype(int) - 127) <= 2).all(axis=2).mean() > 0.05


def test_pictures_with_several_targets_are_named_by_all_of_them(tmp_path: Path) -> None:
    several = several_set(tmp_path / "several")
    ctx, _grid = previewed(tmp_path / "job", several, samples=3, targets=["tags", "colour"])
    facts = json.loads((ctx.out / "preview.json").read_text())
    cells = {sample.id: sample.targets for sample in PackedSet.open(several).samples}
    for picture in facts["pictures"]:
        own = cells[picture["id"]]
        assert picture["label"] == f"{own['tags']}, {own['colour']}"
