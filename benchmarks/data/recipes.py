"""What is trained for the recorded curves: a list of recipes, good and bad, drawn from seeds."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

Model = Literal["linear", "mlp", "cnn"]
Optimizer = Literal["sgd", "adamw"]

SETS = {
    "digits": True,
    "fashion": True,
    "signs": True,
    "clothes": True,
    "satellite": True,
    "signs-features": False,
    "clothes-features": False,
    "breast-cancer": False,
    "docstrings": False,
}
"""Name -> whether its items are pictures, which networks with convolutions take."""
PICTURE_MODELS: tuple[Model, ...] = ("cnn", "cnn", "mlp", "linear")
OTHER_MODELS: tuple[Model, ...] = ("mlp", "mlp", "linear")
OPTIMIZERS: tuple[Optimizer, ...] = ("sgd", "adamw")
RUNS_OF_A_SET = 44
SCHEDULES = ("one-cycle", "cosine", "constant", "sgdr", "step")
OFTEN = (30, 25, 20, 15, 10)
LENGTHS, SO_OFTEN = (15, 10, 20, 30), (60, 20, 14, 6)
CYCLES = {
    10: ((5, 5), (2, 2, 2, 2, 2)),
    15: ((5, 10), (5, 5, 5), (1, 2, 4, 8)),
    20: ((5, 5, 5, 5), (10, 10)),
    30: ((10, 20), (2, 4, 8, 16)),
}
GOOD_RATE = {"sgd": 0.03, "adamw": 0.003}
WRONG = ("rate-high", "rate-low", "shuffled", "noisy", "short", "starved", "dropout", "decay")


@dataclass(frozen=True)
class Recipe:
    model: Model
    width: int
    """Units of a hidden layer, or channels of the first convolution."""
    depth: int
    """Hidden layers, or convolutions."""
    dropout: float
    optimizer: Optimizer
    rate: float
    """The highest learning rate."""
    weight_decay: float
    batch: int
    flip: bool
    """Half of the training pictures, from left to right."""
    wrong_labels: float
    """Share of the training labels that are drawn anew."""
    schedule: str
    cycles: tuple[int, ...]
    epochs: int


@dataclass(frozen=True)
class Wanted:
    data: str
    number: int
    kind: str
    recipe: Recipe

    @property
    def id(self) -> str:
        return f"{self.data}-{self.number:02}"


def wanted() -> list[Wanted]:
    """The whole list: the first run of each set, the second of each, and so on."""
    return [drawn(data, number) for number in range(RUNS_OF_A_SET) for data in SETS]


def drawn(data: str, number: int) -> Wanted:
    dice = random.Random(f"{data}-{number}")
    models = PICTURE_MODELS if SETS[data] else OTHER_MODELS
    model, optimizer = dice.choice(models), dice.choice(OPTIMIZERS)
    kind = dice.choices(("usual", "wide", "wrong"), (45, 35, 20))[0]
    decades = {"usual": 0.5, "wide": 2.0, "wrong": 0.3}[kind]
    schedule = dice.choices(SCHEDULES, OFTEN)[0]
    epochs = dice.choices(LENGTHS, SO_OFTEN)[0]
    recipe = Recipe(
        model=model,
        width=dice.choice((8, 12) if model == "cnn" else (32, 64, 128)),
        depth=0 if model == "linear" else dice.choice((2, 3) if model == "cnn" else (1, 2)),
        dropout=dice.choice((0.0, 0.0, 0.2, 0.5)),
        optimizer=optimizer,
        rate=float(f"{GOOD_RATE[optimizer] * 10 ** dice.uniform(-decades, decades):.3g}"),
        weight_decay=dice.choice((0.0, 1e-4, 1e-2)),
        batch=dice.choice((32, 32, 64)),
        flip=SETS[data] and dice.random() < 0.3,
        wrong_labels=dice.choice((0.0, 0.0, 0.0, 0.0, 0.1)),
        schedule=schedule,
        cycles=dice.choice(CYCLES[epochs]) if schedule == "sgdr" else (),
        epochs=epochs,
    )
    if kind == "wrong":
        kind = WRONG[number % len(WRONG)] if number >= len(WRONG) else dice.choice(WRONG)
        recipe = spoilt(recipe, kind)
    return Wanted(data, number, kind, recipe)


def spoilt(recipe: Recipe, kind: str) -> Recipe:
    """With the one thing that `kind` names."""
    if kind == "short":
        short = (1, 2) if recipe.schedule == "sgdr" else ()
        return replace(recipe, epochs=3, cycles=short)
    changes: Mapping[str, Mapping[str, Any]] = {
        "rate-high": {"rate": recipe.rate * 1000},
        "rate-low": {"rate": recipe.rate / 1000},
        "shuffled": {"wrong_labels": 1.0},
        "noisy": {"wrong_labels": 0.4},
        "starved": {"model": "mlp", "width": 2, "depth": 1},
        "dropout": {"dropout": 0.9},
        "decay": {"weight_decay": 1.0},
    }
    return replace(recipe, **changes[kind])
