"""A training that is parked anywhere, any number of times, ends as one that was not, to the bit.

Each case draws where and how the attempts of one fold are stopped: after a step, in a validation,
at the end of an epoch; by a stop file or by TERM. Weights, the optimizer's state, the schedule's,
the metrics and the predictions are those of a fold that was left alone, and every epoch is
reported once. `--parks N` draws N cases of each setting, `--drawn N` so many settings.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pytorch_lightning")

import torch

import skint
from jobs.train.job import train
from jobs.training.recipe.checked import CheckedRecipe
from jobs.training.results.said import FACTS
from skint.checkpoint import CHECKPOINT
from skint.outputs import hash_outputs
from tests.jobs.small_set import context, small_set
from tests.jobs.training import small_net

pytestmark = pytest.mark.torch

NETS = "tests.jobs.training.small_net"

SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "cosine, sgd": {"schedule": "cosine", "optimizer": "sgd", "lr": 0.02},
    "constant, one batch an epoch": {"schedule": "constant", "batch_size": 24},
    "a last batch of one is left out": {"batch_size": 23},
    "half precision": {"precision": "bf16-mixed", "augment": "trivial"},
    "frozen": {"freeze": "backbone", "label_smoothing": 0.1},
    "mixed, averaged": {"mixup": 0.4, "cutmix": 1.0, "ema": 0.9},
    "accumulated, clipped": {"accumulate": 3, "clip_norm": 0.5, "batch_size": 4, "ema": 0.9},
    "cycles, thawing, rates by layer": {
        "schedule": "sgdr",
        "cycle_mult": 2,
        "freeze": "backbone",
        "unfreeze": [1, 2],
        "lr_groups": [0.1, 0.5, 1],
    },
    "head first": {"fine_tune": 1, "epochs": 2, "ema": 0.9, "precision": "bf16-mixed"},
    "stages of three sizes": {
        "epochs": 12,  # of which the stages say nothing
        "ema": 0.8,
        "stages": [
            {"size": 8, "epochs": 1, "lr": 0.01},
            {"size": 12, "epochs": 2, "mixup": 0.4, "batch_size": 12, "schedule": "step"},
            {"size": 16, "epochs": 1, "freeze": "backbone", "accumulate": 2},
        ],
    },
    "stages that end early": {
        "epochs": 12,
        "early_stopping": {"patience": 1},
        "lr": 0.3,
        "stages": [{"name": "first", "epochs": 4}, {"name": "second", "epochs": 4}],
    },
    "balanced, two processes": {"sampler": "balanced", "workers": 2, "keep_every": 1},
    "accumulated, mixed, half precision": {
        "accumulate": 2,
        "batch_size": 5,
        "precision": "bf16-mixed",
        "mixup": 0.2,
        "augment": "trivial",
        "class_weights": "balanced",
    },
    "out of memory": {
        "model": f"{NETS}:Tight",
        "accumulate": 2,
        "batch_size": 5,
    },
}


def drawn_setting(dice: random.Random) -> dict[str, Any]:
    """Any fields of the recipe that go together."""
    some: dict[str, tuple[Any, ...]] = {
        "batch_size": (4, 5, 7, 11, 24),
        "accumulate": (1, 1, 2, 3),
        "precision": ("32", "bf16-mixed"),
        "optimizer": ("adamw", "sgd"),
        "schedule": ("one-cycle", "cosine", "sgdr", "step", "constant"),
        "warmup_epochs": (0, 0.5),
        "augment": ("none", "flip", "light", "trivial"),
        "mixup": (0, 0, 0.4),
        "cutmix": (0, 0, 1.0),
        "ema": (None, 0.9),
        "clip_norm": (None, 0.5),
        "sampler": ("all", "balanced"),
        "label_smoothing": (0.0, 0.1),
        "lr_groups": ([1], [0.1, 1]),
        "workers": (0, 0, 0, 1),
        "channels_last": (True, False),
        "fine_tune": (0, 0, 1),
        "model": ("Net", "Net", "Net", "Tight"),
    }
    setting = {name: dice.choice(values) for name, values in some.items()}
    setting["model"] = f"{NETS}:{setting['model']}"
    if setting["schedule"] == "sgdr":
        setting["warmup_epochs"] = 0  # whole epochs only
    if not setting["fine_tune"] and dice.random() < 0.3:
        setting |= {"freeze": "backbone", "unfreeze": [1]}
    return setting


class Grounds:
    """Where the attempts of a setting run."""

    def __init__(self, folder: Path, packed: Path, recipe: CheckedRecipe) -> None:
        self.folder = folder
        self.packed = packed
        self.recipe = recipe
        self.attempts = 0
        self.whole = self.attempt(None, None)
        self.wanted = everything(self.whole)

    def attempt(self, previous: Path | None, stop: tuple[int, bool, str] | None) -> skint.Context:
        """One attempt; `stop` is (which call of the network, in training or not, how)."""
        self.attempts += 1
        ctx = context(
            self.folder / str(self.attempts),
            self.packed,
            previous=previous,
            devices=("simulated-0",),
        )
        small_net.PENDING.clear()
        if stop is not None:
            calls, training, how = stop
            small_net.request_stop_at(ctx.attempt, calls, training=training, how=how)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SKINT_ATTEMPT_DIR", str(ctx.attempt.path))
            try:
                train(self.recipe, ctx)
            except skint.StopRequested:
                assert stop is not None
        return ctx


def everything(ctx: skint.Context) -> dict[str, Any]:
    """All that must not differ."""
    last = torch.load(ctx.out / CHECKPOINT, weights_only=False)
    return {
        # Of the last checkpoint, what is trained: it also counts what happened since the start.
        "files": {
            name: digest
            for name, digest in hash_outputs(ctx.out).items()
            if name == "checkpoints/best.ckpt" or not name.startswith("checkpoints/")
        },
        "weights": last["state_dict"],
        "optimizer": last["optimizer_states"],
        "schedule": last["lr_schedulers"],
        "step": last["global_step"],
    }


def differences(left: Any, right: Any, where: str = "") -> list[str]:
    """Where two nested values are not the same to the bit."""
    if isinstance(left, torch.Tensor):
        same = left.dtype == right.dtype and torch.equal(left, right)
    elif isinstance(left, dict):
        if left.keys() != right.keys():
            return [f"{where}: {sorted(map(str, left.keys() ^ right.keys()))}"]
        return [d for key in left for d in differences(left[key], right[key], f"{where}/{key}")]
    elif isinstance(left, list | tuple):
        if len(left) != len(right):
            return [f"{where}: {len(left)} and {len(right)}"]
        pairs = enumerate(zip(left, right, strict=True))
        return [d for n, (a, b) in pairs for d in differences(a, b, f"{where}/{n}")]
    else:
        same = bool(left == right) or (left != left and right != right)
    return [] if same else [where]


def reported(ctx: skint.Context) -> list[Any]:
    """The numbers of its epochs, without times and without what each attempt says once."""
    if not ctx.attempt.events.exists():
        return []
    lines = [json.loads(line) for line in ctx.attempt.events.read_text().splitlines()]
    values = [line["values"] for line in lines if line["kind"] == "report"]
    leave = {"seconds", "in_step_s", *FACTS}
    return [{k: v for k, v in one.items() if k not in leave} for one in values]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("packed"), sizes=(8, 12, 16))


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_fold_that_is_parked_ends_as_one_that_is_not(
    setting: str, packed: Path, tmp_path: Path, parks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(SETTINGS[setting], random.Random(setting), parks, packed, tmp_path, monkeypatch)


def test_so_it_does_in_settings_that_nobody_thought_of(
    drawn: int, packed: Path, tmp_path: Path, parks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(drawn)
    hold(drawn_setting(dice), dice, parks, packed, tmp_path, monkeypatch)


def hold(
    setting: dict[str, Any],
    dice: random.Random,
    cases: int,
    packed: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Park folds with these fields of the recipe, and compare each with one that was left alone."""
    monkeypatch.setattr("skint.lightning.LOOK_S", 0.0)
    # Half a second, of all that pytest has imported.
    monkeypatch.setattr("gc.collect", lambda: 0)
    usual: dict[str, Any] = {
        "model": f"{NETS}:Net",
        "batch_size": 7,
        "augment": "light",
        "epochs": 3,
    }
    recipe = CheckedRecipe(**(usual | setting))
    grounds = Grounds(folder, packed, recipe)
    batches = -(-24 // recipe.batch_size)
    for case in range(cases):
        parks: list[tuple[int, bool, str]] = []
        ctx, previous, told = grounds.whole, None, []
        for _ in range(dice.randint(1, 4)):
            training = dice.random() < 0.7
            calls = dice.randint(1, batches * 2) if training else dice.randint(1, 3)
            parks.append((calls, training, dice.choice(("step", "step", "term", "epoch"))))
            ctx = grounds.attempt(previous, parks[-1])
            told += reported(ctx)
            previous = ctx.out
            if (ctx.out / "result.json").exists():
                break
        else:
            ctx = grounds.attempt(previous, None)
            told += reported(ctx)
        said = f"case {case} of {setting}, parked at {parks}"
        assert not differences(everything(ctx), grounds.wanted), said
        assert told == reported(grounds.whole), said
