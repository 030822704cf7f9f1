from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")

from torchvision.transforms import v2  # noqa: E402

from jobs.training.data.augment import Augment, AugmentError, make_augment, named  # noqa: E402
from jobs.training.data.boxes import boxes  # noqa: E402
from jobs.training.data.draws import uniforms  # noqa: E402
from jobs.training.data.trivial import CHANGES, STRENGTHS  # noqa: E402
from jobs.training.recipe.augmentation import NAMED, Augmentation  # noqa: E402
from skint.loader import KeyedAugment, ShuffledLoader, sample_seeds  # noqa: E402

MEAN = (90.0, 110.0, 130.0)
SEEDS = sample_seeds(3, 0, np.arange(400))


def pictures(count: int = 16, channels: int = 3, dtype: Any = torch.uint8) -> Any:
    """(count, channels, 12, 20), in memory with the channels last; every picture is different."""
    generator = torch.Generator().manual_seed(0)
    high = 256 if dtype == torch.uint8 else 60_000
    pixels = torch.randint(0, high, (count, 12, 20, channels), generator=generator)
    return pixels.to(dtype).permute(0, 3, 1, 2)


def made(given: Any, channels: int = 3, dtype: str = "uint8") -> Augment:
    mean = tuple(np.resize(MEAN, channels).tolist())
    augment = make_augment(given, (channels, 12, 20), dtype, mean)
    assert augment is not None
    return augment


def augmented(given: Any, images: Any, dtype: str = "uint8", seeds: Any = None) -> Any:
    changed = images.clone()
    chosen = SEEDS[: len(images)] if seeds is None else seeds
    made(given, images.shape[1], dtype).batch(changed, chosen)
    return changed


ALL = Augmentation(
    crop_scale=(0.3, 0.9),
    flip_horizontal=0.5,
    flip_vertical=0.5,
    rotate_deg=30,
    brightness=0.4,
    contrast=0.4,
    saturation=0.4,
    hue=0.1,
    trivial=True,
    erase=0.5,
)


def test_a_picture_is_changed_the_same_way_alone_and_among_others_and_each_in_its_own() -> None:
    images = pictures()
    together = augmented(ALL, images)
    for n in (0, 7, 15):
        alone = augmented(ALL, images[n : n + 1], seeds=SEEDS[n : n + 1])
        assert torch.equal(alone[0], together[n])
    one = images[:1].expand(16, -1, -1, -1).contiguous()
    turned = augmented(Augmentation(rotate_deg=30), one)
    assert len({picture.numpy().tobytes() for picture in turned}) == 16


def test_torchs_generator_is_neither_used_nor_moved() -> None:
    images = pictures()
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = augmented(ALL, images)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(augmented(ALL, images), first)


def test_it_runs_where_the_loader_reads_ahead_and_gives_the_same_there() -> None:
    stored = np.ascontiguousarray(pictures().permute(0, 2, 3, 1).numpy())
    rows = np.arange(16, dtype=np.int64)
    augment = made(ALL)
    assert isinstance(augment, KeyedAugment)
    wanted = augmented(ALL, pictures(), seeds=sample_seeds(9, 4, rows))
    loader = ShuffledLoader(stored, None, rows, batch_size=5, seed=9, augment=augment)
    loader.set_epoch(4)
    for batch in loader:
        assert torch.equal(batch.images, wanted[batch.rows])


def test_flips_are_as_frequent_as_asked_and_along_their_own_axis() -> None:
    images = pictures(400)
    for field, axis in (("flip_horizontal", -1), ("flip_vertical", -2)):
        changed = augmented(Augmentation.model_validate({field: 0.25}), images)
        flipped = [torch.equal(b, a.flip(axis)) for a, b in zip(images, changed, strict=True)]
        same = [torch.equal(b, a) for a, b in zip(images, changed, strict=True)]
        assert all(f != s for f, s in zip(flipped, same, strict=True))
        assert 70 <= sum(flipped) <= 130


def test_switching_on_one_field_leaves_what_the_others_draw() -> None:
    images = pictures()
    flipped = augmented(Augmentation(flip_horizontal=0.5), images)
    more = augmented(Augmentation(flip_horizontal=0.5, brightness=1e-9, erase=1e-9), images)
    assert torch.equal(flipped, more)


def test_a_crop_is_a_part_of_the_picture_resized_to_the_whole() -> None:
    ramp = torch.arange(20).repeat(3, 12, 1).to(torch.uint8)[None] * 12
    images = ramp.expand(50, -1, -1, -1).contiguous()
    changed = augmented(Augmentation(crop_scale=(0.25, 0.25), crop_ratio=(1, 1)), images).float()
    # Half as wide: the ramp rises half as much over the width of the picture, and still rises.
    rise = changed[:, 0, 6, -1] - changed[:, 0, 6, 0]
    assert ((rise > 100) & (rise < 125)).all()
    assert changed[:, 0, 6, 0].unique().numel() > 5


def test_a_turned_picture_shows_the_mean_where_there_is_none() -> None:
    images = torch.full((8, 3, 12, 20), 255, dtype=torch.uint8)
    changed = augmented(Augmentation(rotate_deg=90), images)
    corner = changed[:, :, 0, 0]
    assert {tuple(pixel) for pixel in corner.tolist()} >= {(90, 110, 130)}
    assert (changed[:, :, 6, 10] == 255).all()


def test_brightness_and_contrast_reach_as_far_as_asked_and_not_farther() -> None:
    images = torch.full((400, 3, 4, 4), 100, dtype=torch.uint8)
    images[:, :, :2] = 50
    augment = make_augment(Augmentation(brightness=0.3), (3, 4, 4), "uint8", MEAN)
    assert augment is not None
    augment.batch(images, SEEDS)
    bright = images[:, 0, 3, 0]
    assert 69 <= int(bright.min()) <= 72 and 127 <= int(bright.max()) <= 130


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("brightness", v2.functional.adjust_brightness),
        ("contrast", v2.functional.adjust_contrast),
        ("saturation", v2.functional.adjust_saturation),
        ("hue", v2.functional.adjust_hue),
    ],
)
def test_colours_are_changed_as_torchvision_does(field: str, change: Any) -> None:
    from jobs.training.data.augment import COLOUR, COLOURS

    images = pictures(4)
    changed = augmented(Augmentation.model_validate({field: 0.4}), images)
    draws = uniforms(SEEDS[:4], COLOUR + COLOURS.index(field), 1)[:, 0]
    for n in range(4):
        by = float((2 * draws[n] - 1) * 0.4)
        assert torch.equal(changed[n], change(images[n], by if field == "hue" else 1 + by))


def test_trivial_does_what_torchvisions_class_does() -> None:
    theirs = v2.TrivialAugmentWide(fill=list(MEAN))
    image = pictures(1)[0]
    for (ours, signed), (name, (bins, their_sign)) in zip(
        CHANGES, theirs._AUGMENTATION_SPACE.items(), strict=True
    ):
        assert signed == their_sign
        magnitudes = bins(STRENGTHS, 12, 20)
        for step in (0, 11, 30):
            for sign in (1, -1) if signed else (1,):
                magnitude = 0.0 if magnitudes is None else float(magnitudes[step]) * sign
                wanted = theirs._apply_image_or_video_transform(
                    image, name, magnitude, interpolation=theirs.interpolation, fill=theirs._fill
                )
                got = ours(image, sign * step / (STRENGTHS - 1), list(MEAN))
                assert (got.int() - wanted.int()).abs().max() <= 1, (name, magnitude)
                assert torch.equal(got, wanted) or name in ("Brightness", "Color", "Contrast")


def test_every_kind_of_trivial_change_is_drawn() -> None:
    seen = uniforms(SEEDS, 27, 3)
    assert set((seen[:, 0] * len(CHANGES)).astype(int).tolist()) == set(range(14))


def test_what_is_erased_is_a_rectangle_of_the_mean() -> None:
    images = torch.zeros(400, 3, 12, 20, dtype=torch.uint8)
    changed = augmented(Augmentation(erase=0.5), images)
    blank = (changed == torch.tensor(MEAN, dtype=torch.uint8).reshape(3, 1, 1)).all(dim=1)
    hit = blank.flatten(1).any(dim=1)
    assert 160 <= int(hit.sum()) <= 240
    for mask in blank[hit]:
        rows, columns = mask.any(dim=1).sum(), mask.any(dim=0).sum()
        assert int(mask.sum()) == int(rows * columns)
        assert 0.005 <= int(mask.sum()) / 240 <= 0.4


def test_rectangles_have_the_share_and_the_ratio_asked_for_and_lie_inside() -> None:
    seeds = sample_seeds(0, 0, np.arange(4000))
    found = boxes(seeds, 0, size=(1000, 2000), share=(0.2, 0.6), ratio=(0.5, 2))
    top, left, height, width = found.T
    assert (top >= 0).all() and (left >= 0).all()
    assert (top + height <= 1000).all() and (left + width <= 2000).all()
    share = height * width / 2e6
    ratio = (width / 2000) / (height / 1000)
    assert 0.199 < share.min() < 0.21 and 0.59 < share.max() < 0.601
    assert 0.49 < ratio.min() < 0.55 and 1.85 < ratio.max() < 2.01
    # The place is even over what is left: a tenth of them in each tenth, ±5 deviations.
    place = np.histogram(left / (2000 - width + 1), bins=10, range=(0, 1))[0]
    assert np.abs(place - 400).max() < 5 * math.sqrt(4000 * 0.1 * 0.9)


def test_a_rectangle_that_never_fits_is_as_large_as_its_ratio_allows() -> None:
    found = boxes(SEEDS, 0, size=(100, 100), share=(1, 1), ratio=(2, 2))
    assert (found[:, 2] == 71).all() and (found[:, 3] == 100).all()


def test_draws_are_even_and_do_not_hang_together() -> None:
    draws = uniforms(sample_seeds(0, 0, np.arange(5000)), 0, 8)
    assert draws.min() >= 0 and draws.max() < 1
    assert np.abs(draws.mean(axis=0) - 0.5).max() < 5 * 0.2887 / math.sqrt(5000)
    apart = np.corrcoef(draws.T) - np.eye(8)
    assert np.abs(apart).max() < 5 / math.sqrt(5000)
    assert np.array_equal(draws[:, 3:5], uniforms(sample_seeds(0, 0, np.arange(5000)), 3, 2))


def test_bands_of_sixteen_bits_are_brightened_within_their_range() -> None:
    images = pictures(40, channels=13, dtype=torch.float32)  # as the loader gives uint16
    changed = augmented(Augmentation(brightness=0.5), images, dtype="uint16")
    factor = changed.flatten(1).sum(1) / images.flatten(1).sum(1)
    whole = changed.flatten(1).amax(1) < 65535
    assert 5 < int(whole.sum()) < 40
    assert float(changed.max()) == 65535
    for n in torch.nonzero(whole).flatten().tolist():
        assert torch.allclose(changed[n], images[n] * factor[n], rtol=1e-3)
    for n in torch.nonzero(~whole).flatten().tolist():
        least = images[n].clamp(min=1).argmin()
        by = changed[n].flatten()[least] / images[n].flatten()[least]
        assert torch.allclose(changed[n], (images[n] * by).clamp(max=65535), rtol=1e-3)


def test_contrast_of_bands_keeps_the_mean_of_each() -> None:
    images = pictures(10, channels=5, dtype=torch.float32)
    changed = augmented(Augmentation(contrast=0.5), images, dtype="float32")
    assert torch.allclose(changed.mean((2, 3)), images.mean((2, 3)), rtol=1e-4)
    spread = changed.std((2, 3)) / images.std((2, 3))
    assert torch.allclose(spread, spread[:, :1].expand_as(spread), rtol=1e-3)
    assert 0.5 <= float(spread.min()) < 0.9 and 1.1 < float(spread.max()) <= 1.5


@pytest.mark.parametrize("channels", [1, 4])
def test_geometry_and_erasing_work_on_any_bands(channels: int) -> None:
    given = Augmentation(crop_scale=(0.5, 1), rotate_deg=20, flip_vertical=0.5, erase=0.5)
    images = pictures(6, channels, torch.float32)
    changed = augmented(given, images, dtype="float32")
    assert changed.shape == images.shape and torch.isfinite(changed).all()
    assert not torch.equal(changed, images)


@pytest.mark.parametrize(
    ("given", "channels", "dtype", "said"),
    [
        (Augmentation(saturation=0.1, hue=0.1), 13, "uint16", "hue and saturation are of colours"),
        (Augmentation(hue=0.1), 1, "uint8", "hue are of colours|hue"),
        ("trivial", 4, "uint8", "trivial needs ordinary pictures"),
        ("trivial", 3, "float32", "trivial needs ordinary pictures"),
    ],
)
def test_what_is_for_colours_is_refused_for_bands(
    given: Any, channels: int, dtype: str, said: str
) -> None:
    with pytest.raises(AugmentError, match=said) as caught:
        make_augment(given, (channels, 8, 8), dtype, (0.0,) * channels)
    assert f"{channels} channel" in str(caught.value)


def test_features_are_not_flipped_and_not_cropped() -> None:
    shape = (64, 1, 1)
    assert make_augment("flip", shape, "float32", (0.0,) * 64) is None
    with pytest.raises(AugmentError, match="these are features"):
        make_augment("light", shape, "float32", (0.0,) * 64)


def test_doing_nothing_is_nothing_and_every_word_has_a_meaning() -> None:
    assert make_augment("none", (3, 8, 8), "uint8", MEAN) is None
    assert make_augment(Augmentation(), (3, 8, 8), "uint8", MEAN) is None
    words: Any = set(NAMED) - {"none"}
    assert all(make_augment(word, (3, 8, 8), "uint8", MEAN) for word in words)


def test_a_sentence_names_the_fields() -> None:
    assert named("light") == "light"
    assert named(Augmentation(rotate_deg=15, erase=0.2)) == "rotate_deg 15.0, erase 0.2"
