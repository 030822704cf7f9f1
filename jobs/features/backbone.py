"""A network without its last layer, with its weights and the normalisation that they expect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

import skint
from jobs.features.params import Params
from jobs.training.data.normalise import Normalise, moments_for
from jobs.training.network.model import ModelError, build
from jobs.training.network.weights import fill, packaged, read_weights
from skint.dataset import PackedSet
from skint.outputs import sha256_of

CLASSES = 2
"""Of the last layer that is taken off again."""


class Backbone(nn.Module):
    """(B, C, H, W) stored pixels -> (B, D) features."""

    def __init__(self, network: nn.Module, normalise: Normalise, *, mirrored: bool) -> None:
        super().__init__()
        self.network = network
        self.normalise = normalise
        self.mirrored = mirrored
        """Whether the mean with the mirror image's features is taken."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        images = self.normalise(images)
        found = pooled(self.network(images))
        if self.mirrored:
            found = (found + pooled(self.network(images.flip(3)))) / 2
        return found


@dataclass(frozen=True)
class Built:
    """A backbone and what is told about it."""

    module: Backbone
    weights_sha256: str
    """Of the file; empty without one."""
    mean: tuple[float, ...]
    """What is taken off a pixel, in stored units, by channel."""
    std: tuple[float, ...]
    notes: tuple[str, ...]
    """For the person."""

    def facts(self) -> dict[str, Any]:
        return {
            "weights_sha256": self.weights_sha256,
            "normalisation": {"mean": list(self.mean), "std": list(self.std)},
        }


def build_backbone(params: Params, packed: PackedSet, ctx: skint.Context) -> Built:
    """On the CPU, in evaluation mode. Draws random weights from torch's generator, seeded with 0.

    Raises ModelError or WeightsError.
    """
    torch.manual_seed(0)
    channels = packed.meta.shape[3]
    network = build(params.model, classes=CLASSES, channels=channels, base=ctx.base)
    sha256 = ""
    notes: tuple[str, ...] = ()
    if params.weights != "none":
        file = packaged() if params.weights == "package" else ctx.resolve(params.weights)
        notes = fill(network, read_weights(file))
        sha256 = sha256_of(file)
    if not network.head_prefix:
        raise ModelError(
            "features are what comes before the last layer, and it is not known which that is",
            where="features: model",
            got=params.model,
            wanted="a class whose attribute `head` is its last layer",
        )
    mean, std = moments_for(
        pretrained=network.pretrained,
        has_weights=params.weights != "none" or network.own_weights,
        dtype=packed.meta.dtype,
        mean=packed.meta.mean,
        std=packed.meta.std,
    )
    if params.like:
        mean, std = _moments_of(params, packed, ctx, sha256)
    body = without_head(network.module, network.head_prefix.removesuffix("."))
    module = Backbone(body, Normalise(mean, std), mirrored=params.views == "flip")
    # Batches lie in memory as (B, H, W, C), which is what convolutions then need not change.
    module = module.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    return Built(module, sha256, mean, std, notes)


def _moments_of(
    params: Params, packed: PackedSet, ctx: skint.Context, sha256: str
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Those of the entry `like`; raises ModelError unless it was made by the same network."""
    folders = ctx.group(params.like)
    other: Any = PackedSet.open(folders[0]).meta.made_by
    if len(folders) > 1 or other.get("job") != "features":
        raise ModelError(
            f"{params.like} is no single set of features",
            where="features: like",
            got=f"{len(folders)} sets made by {other.get('job')}",
            next="name an entry that is a `features`; where it is `per: fold`, this one is as well",
        )
    ways = {
        "model": (other["params"]["model"], params.model),
        "weights": (other["weights_sha256"], sha256),
        "views": (other["params"]["views"], params.views),
        "picture": (tuple(other["picture"]), packed.meta.shape[1:]),
    }
    for what, (theirs, ours) in ways.items():
        if theirs != ours:
            raise ModelError(
                f"these would not be features like those of {params.like}",
                where="features: like",
                got=f"{what} {ours}",
                wanted=f"{theirs}",
            )
    found = other["normalisation"]
    return tuple(found["mean"]), tuple(found["std"])


def without_head(network: nn.Module, head: str) -> nn.Module:
    """The network, changed: the layer of that name passes on what it gets."""
    owner, _, name = head.rpartition(".")
    setattr(network.get_submodule(owner), name, nn.Identity())
    return network


def pooled(output: torch.Tensor) -> torch.Tensor:
    """(B, D) of (B, D) or, by the mean over the places, of (B, D, h, w).

    Raises ModelError where it is neither.
    """
    if torch.is_tensor(output) and output.ndim == 4:
        return output.mean(dim=(2, 3))
    if not torch.is_tensor(output) or output.ndim != 2:
        raise ModelError(
            "the network without its last layer does not give features",
            where="features: model",
            got=str(tuple(output.shape)) if torch.is_tensor(output) else type(output).__name__,
            wanted="(batch, features), or (batch, features, height, width)",
        )
    return output
