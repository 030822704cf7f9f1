from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import skint
from jobs.rewriting.rewriting import Rewriting, pictures_in, rewrite
from skint.attempt import StopRequest
from skint.dataset import PackedSet, PackedWriter, Sample, Target
from skint.dataset.blob_writer import BlobWriter

TARGETS = [Target("label", "class", ("a", "b")), Target("sea", "mask")]


def samples_of(count: int) -> list[Sample]:
    return [
        Sample(n, f"s{n}", f"{n}.tif", targets={"label": "ab"[n % 2], "sea": f"{n}.png"})
        for n in range(count)
    ]


def dense_set(folder: Path, size: int, *, sizes: tuple[int, ...] = (), parts: int = 1) -> PackedSet:
    count = 6
    draw = np.random.default_rng(size)
    pixels = draw.integers(0, 60_000, (count, size, size, 4)).astype(np.uint16)
    masks = draw.integers(0, 300, (count, size, size)).astype(np.uint16)
    part_bytes = pixels.nbytes // parts
    form: dict[str, Any] = {"shape": pixels.shape, "dtype": "uint16", "masks": {"sea": "uint16"}}
    with PackedWriter(folder, part_bytes=part_bytes, **form) as writer:
        for row in range(count):
            writer.rows().put(row, pixels[row], {"sea": masks[row]})
        made: dict[str, Any] = {"channels": "wxyz", "made_by": {}, "summed": True, "sizes": sizes}
        return writer.finish(samples_of(count), TARGETS, **made)


def halves_of_two(pixels: NDArray[Any]) -> NDArray[Any]:
    """The first and the last band, halved, as floats."""
    return (pixels[:, [0, 3]] / 2).astype(np.float32)


HALVES = Rewriting(halves_of_two, ("w2", "z2"), "float32", {"job": "test"})


def rewritten(folder: Path, data: PackedSet) -> PackedSet:
    ctx = skint.Context.for_test(folder)
    rewrite(data, HALVES, ctx, before=0, total=pictures_in(data))
    return PackedSet.open(ctx.out)


@pytest.mark.parametrize("parts", [1, 3])
def test_all_but_the_pixels_stays(tmp_path: Path, parts: int) -> None:
    before = dense_set(tmp_path / "set", 8, parts=parts)
    after = rewritten(tmp_path / "new", before)
    pixels = np.asarray(before.images())
    assert len(before.meta.parts) == parts
    assert np.array_equal(after.images(), pixels[..., [0, 3]].astype(np.float32) / 2)
    assert after.samples == before.samples and after.meta.targets == before.meta.targets
    assert after.masks("sea").dtype == np.uint16
    assert np.array_equal(after.masks("sea"), before.masks("sea"))
    assert after.meta.channels == ("w2", "z2") and after.damaged_blocks() == ()
    flat = np.asarray(after.images()).reshape(-1, 2).astype(np.float64)
    assert np.allclose(after.meta.mean, flat.mean(0)) and np.allclose(after.meta.std, flat.std(0))


def test_every_size_of_a_ladder_is_rewritten(tmp_path: Path) -> None:
    dense_set(tmp_path / "set" / "sizes" / "4", 4)
    before = dense_set(tmp_path / "set", 8, sizes=(4, 8))
    after = rewritten(tmp_path / "new", before)
    assert after.meta.sizes == (4, 8) and pictures_in(before) == 12
    for size in (4, 8):
        pixels = np.asarray(before.at(size).images())
        assert np.array_equal(after.at(size).images(), pixels[..., [0, 3]].astype(np.float32) / 2)
        assert np.array_equal(after.at(size).masks(), before.at(size).masks())


def test_pictures_of_their_own_sizes_keep_them(tmp_path: Path) -> None:
    sizes = np.array([[5, 7], [9, 4], [6, 6]], dtype=np.int64)
    pictures = [np.random.default_rng(n).integers(0, 99, (*s, 4)) for n, s in enumerate(sizes)]
    form: dict[str, Any] = {"sizes": sizes, "channels": 4, "dtype": "uint16"}
    with BlobWriter(tmp_path / "set", **form) as writer:
        for row, picture in enumerate(pictures):
            writer.places().put(row, picture.astype(np.uint16))
        before = writer.finish(samples_of(3), TARGETS[:1], channels="wxyz", made_by={})
    after = rewritten(tmp_path / "new", before)
    assert after.meta.layout == "ragged"
    for row, picture in enumerate(pictures):
        assert np.array_equal(after.images()[row], picture[..., [0, 3]].astype(np.float32) / 2)


def test_a_stop_leaves_nothing_half_done(tmp_path: Path) -> None:
    data = dense_set(tmp_path / "set", 8)
    ctx = skint.Context.for_test(tmp_path / "new")
    ctx.attempt.request_stop(StopRequest("step", "end", "asked", "by a test"))
    with pytest.raises(skint.StopRequested):
        rewrite(data, HALVES, ctx, before=0, total=6)
    assert list(ctx.out.iterdir()) == []
