"""The trained folds that predict together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

import skint
from jobs.better.choice import find_kept
from jobs.predict.params import Params
from jobs.predict.views import views_of
from jobs.training.fitting.device import Engine
from jobs.training.fitting.memory import Memory
from jobs.training.objective.base import Objective
from jobs.training.results.published import MODEL, Published, read_published


class PredictError(skint.SkintError):
    """These networks cannot predict these pictures."""


@dataclass(frozen=True, eq=False)
class Model:
    """One trained fold."""

    published: Published
    normalise: nn.Module
    network: nn.Module
    objective: Objective
    memory: Memory
    """How many pictures fit at once; shared by all."""

    def answer(self, images: torch.Tensor, params: Params, engine: Engine) -> torch.Tensor:
        """(B, C, H, W) stored pixels -> (B, K) probabilities and values, target after target."""
        pixels = self.normalise(images)
        plain = self._activated(pixels, engine)
        if params.tta == "none":
            return plain
        total = torch.zeros_like(plain)
        count = 0
        for view in views_of(pixels, params):
            total += self._activated(view, engine)
            count += 1
        return torch.lerp(total / count, plain, params.plain_share)

    def _activated(self, pixels: torch.Tensor, engine: Engine) -> torch.Tensor:
        half = engine.autocast
        with torch.autocast(engine.device.type, dtype=half, enabled=half is not None):
            outputs = self.memory.evaluate(pixels, self.network, doing="a prediction")
        found = self.objective.activate(outputs.float())
        parts = [found[part.name] for part in self.objective.singles]
        return torch.cat([one if one.ndim == 2 else one[:, None] for one in parts], dim=1)

    def to(self, engine: Engine) -> Model:
        """On the engine's device."""
        for module in (self.normalise, self.network, self.objective):
            module.to(engine.device)
        return self


def load_models(ctx: skint.Context) -> tuple[Model, ...]:
    """The networks of the nearest training, or of the one that a `better` kept; on the CPU.

    Raises PublishedError, ModelError, and PredictError where the folds differ in what they learnt.
    """
    found = [read_published(file.parent) for file in find_kept(ctx, MODEL)]
    for other in found[1:]:
        _check_alike(found[0], other)
    memory = Memory(ctx.note)
    return tuple(
        Model(
            one,
            one.normalise(),
            one.bare(ctx.base).module.requires_grad_(False).to(memory_format=torch.channels_last),
            one.objective(),
            memory,
        )
        for one in found
    )


def _check_alike(one: Published, other: Published) -> None:
    facts: dict[str, tuple[Any, Any]] = {
        "classes": (_learnt(one), _learnt(other)),
        "channels": (one.channels, other.channels),
        "sizes": (one.size_px, other.size_px),
        "dtypes": (one.dtype, other.dtype),
    }
    for what, (mine, theirs) in facts.items():
        if mine != theirs:
            raise PredictError(
                f"these networks have learnt different {what}",
                where=str(other.folder),
                got=f"{theirs}, another has {mine}",
                wanted="the folds of one training",
            )


def _learnt(published: Published) -> Any:
    return [(target.name, target.kind, target.classes) for target in published.targets]
