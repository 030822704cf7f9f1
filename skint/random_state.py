"""The states of the random generators of this process: Python's, NumPy's, torch's, CUDA's.

Lightning stores none of them in its checkpoints. The states here are tensors and plain values, so
that `torch.load(..., weights_only=True)` reads them. This module needs torch.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch


def random_state() -> dict[str, Any]:
    """Where every generator stands now."""
    version, words, gauss = random.getstate()
    numpy: Any = np.random.get_state()
    return {
        "python": (version, torch.tensor(words), gauss),
        "numpy": (numpy[0], torch.from_numpy(numpy[1].astype(np.int64)), *map(float, numpy[2:])),
        "torch": torch.get_rng_state(),
        # Not `is_available`: to ask a driver that was never used would start it.
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
    }


def set_random_state(state: Mapping[str, Any]) -> None:
    """Put every generator where it stood; those of CUDA only on as many devices as there were."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words.tolist()), gauss))
    name, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state(
        (name, keys.numpy().astype(np.uint32), int(position), int(has_gauss), cached)
    )
    torch.set_rng_state(state["torch"])
    if state["cuda"] and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
