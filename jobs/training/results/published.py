"""What a training publishes for use elsewhere: `model.json` beside `checkpoints/best.ckpt`.

published = read_published(folder)          # the `out` of a `train`
network = published.network(base)           # stored pixels -> outputs, on the CPU
probabilities = published.objective().activate(network(images))
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import nn

from jobs.training.data.normalise import Normalise
from jobs.training.network.model import Network, build
from jobs.training.objective.base import Objective, Single
from jobs.training.objective.classes import Classes
from jobs.training.objective.multilabel import Multilabel
from jobs.training.objective.several import Several
from jobs.training.objective.values import Values
from jobs.training.recipe.recipe import Recipe
from skint.attempt import write_atomic
from skint.errors import SkintError

MODEL = "model.json"
BEST = Path("checkpoints", "best.ckpt")
VERSION = 1


class PublishedError(SkintError):
    """There is no trained network, or not one that this skint reads."""


@dataclass(frozen=True)
class LearntTarget:
    """A target and how the outputs stand for it."""

    name: str
    kind: str
    """`class`, `multilabel` or `value`."""
    classes: tuple[str, ...] = ()
    """One output each, in this order; empty for a value, which has one."""
    mean: float | None = None
    """Of a value: it is the output times `std` plus `mean`."""
    std: float | None = None


@dataclass(frozen=True)
class Published:
    """A trained network, without its weights: they are read where they are wanted."""

    folder: Path
    """What the job wrote."""
    recipe: Recipe
    targets: tuple[LearntTarget, ...]
    channels: tuple[str, ...]
    dtype: str
    """Of the stored pixels that it takes, NumPy's name."""
    size_px: tuple[int, int]
    """(height, width) of the pictures that the best epoch validated on."""
    mean: tuple[float, ...]
    """Per channel, in stored units: it takes (x - mean) / std."""
    std: tuple[float, ...]
    dataset_sha256: str
    """Of the `dataset.json` of the packed set that it learnt from, which has the hashes of all its
    pixels: the set itself is told from another one by it."""
    fold: int
    """The one that it has not seen."""
    folds: int
    epoch: int
    """The best, counted from 1 over all stages."""
    metrics: dict[str, float]
    """Of that epoch on its fold; those that are finite."""

    def objective(self) -> Objective:
        """What the outputs mean; without the weights of classes, which only training needs."""
        parts = tuple(_single(target) for target in self.targets)
        return parts[0] if len(parts) == 1 else Several(parts, self.recipe.target_weights)

    def bare(self, base: Path) -> Network:
        """The network with its weights, for pixels that are normalised already.

        `base` is the plan's folder, for a class beside the plan. Raises PublishedError where the
        weights are missing or of another network, ModelError where the network cannot be built.
        """
        network = build(
            self.recipe.model,
            classes=self.objective().outputs,
            channels=len(self.channels),
            base=base,
        )
        path = self.folder / BEST
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
            network.module.load_state_dict(state)
        except Exception as error:  # torch, pickle and zip each have their own for a bad file
            raise PublishedError(
                "the weights of this network cannot be read",
                where=str(path),
                got=f"{type(error).__name__}: {error}".split("\n")[0],
                wanted=f"the weights of {self.recipe.model} as `train` wrote them",
            ) from error
        network.module.eval()
        return network

    def normalise(self) -> Normalise:
        return Normalise(self.mean, self.std)

    def network(self, base: Path) -> nn.Module:
        """(B, C, H, W) stored pixels -> (B, outputs), on the CPU, in evaluation mode.

        As `bare`, with the normalisation in front.
        """
        return nn.Sequential(self.normalise(), self.bare(base).module).eval()


def write_model(published: Published) -> None:
    """`model.json` in its folder: the same training, the same bytes."""
    content = {
        "version": VERSION,
        **{
            name: value
            for name, value in vars(published).items()
            if name not in ("folder", "recipe", "targets")
        },
        "targets": [asdict(target) for target in published.targets],
        "recipe": published.recipe.model_dump(mode="json", include=set(Recipe.model_fields)),
    }
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    write_atomic(published.folder / MODEL, text.encode())


def read_published(folder: Path) -> Published:
    """What a `train` published in `folder`; raises PublishedError where there is nothing whole."""
    path = folder / MODEL
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PublishedError(
            "there is no trained network",
            where=str(folder),
            wanted=f"{MODEL} and {BEST}, as `train` writes them",
        ) from error
    except (OSError, ValueError) as error:
        raise PublishedError("model.json cannot be read", where=str(path), got=error) from error
    version = content.get("version") if isinstance(content, dict) else None
    if version != VERSION:
        raise PublishedError(
            "this trained network has a form that this skint does not read",
            where=str(path),
            got=f"version {version}",
            wanted=f"version {VERSION}",
        )
    try:
        return Published(
            folder=folder,
            recipe=Recipe.model_validate(content["recipe"]),
            targets=tuple(
                LearntTarget(**{**target, "classes": tuple(target["classes"])})
                for target in content["targets"]
            ),
            channels=tuple(content["channels"]),
            dtype=content["dtype"],
            size_px=(content["size_px"][0], content["size_px"][1]),
            mean=tuple(content["mean"]),
            std=tuple(content["std"]),
            dataset_sha256=content["dataset_sha256"],
            fold=content["fold"],
            folds=content["folds"],
            epoch=content["epoch"],
            metrics=dict(content["metrics"]),
        )
    except (KeyError, TypeError, IndexError, ValidationError) as error:
        raise PublishedError(
            "model.json does not describe a trained network", where=str(path), got=repr(error)
        ) from error


def learnt(part: Single) -> LearntTarget:
    """A target of an objective, as `model.json` says it."""
    if isinstance(part, Values):
        return LearntTarget(part.name, part.kind, mean=part.mean, std=part.std)
    return LearntTarget(part.name, part.kind, part.classes)


def _single(target: LearntTarget) -> Single:
    if target.kind == "class":
        return Classes(target.name, target.classes)
    if target.kind == "multilabel":
        return Multilabel(target.name, target.classes)
    assert target.mean is not None and target.std is not None
    return Values(target.name, mean=target.mean, std=target.std)
