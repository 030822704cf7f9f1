"""Weights that a stage hands on to the next one, by the names of the parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from skint.errors import SkintError


class HandOnError(SkintError):
    """Nothing of what should be handed on fits."""


@dataclass(frozen=True)
class Handed:
    """What was copied and what was not, by name."""

    copied: tuple[str, ...]
    values: int
    """Numbers in what was copied."""
    other: tuple[str, ...]
    """Names with the reason why not: of another shape, or not in the next module."""

    def sentence(self, source: str) -> str:
        """For a person."""
        text = f"{len(self.copied)} tensors ({self.values:,} values) handed on from {source}"
        if not self.other:
            return text
        more = f" and {len(self.other) - 3} more" if len(self.other) > 3 else ""
        return f"{text}; not {', '.join(self.other[:3])}{more}"


def hand_on(
    weights: Mapping[str, torch.Tensor], module: Any, prefixes: Sequence[str], source: str
) -> Handed:
    """Copy those of `weights` whose names begin with one of `prefixes` into `module`, where it has
    one of the same name and shape. `source` is the stage they are from.

    Raises HandOnError where there is none.
    """
    target = module.state_dict()
    chosen = {n: w for n, w in weights.items() if any(map(n.startswith, prefixes))}
    copied, other = [], []
    for name, weight in chosen.items():
        if name not in target:
            other.append(f"{name} (the next module has none)")
        elif target[name].shape != weight.shape:
            shapes = " and ".join("×".join(map(str, t.shape)) for t in (weight, target[name]))
            other.append(f"{name} (shapes {shapes})")
        else:
            target[name].copy_(weight)
            copied.append(name)
    if not copied:
        raise HandOnError(
            f"no weight of {source} can be handed on",
            where="hand_on: " + ", ".join(prefixes),
            got=", ".join(other[:3]) or "names such as " + ", ".join(list(weights)[:3]),
            wanted="weights of the same names and shapes in both modules",
        )
    return Handed(tuple(copied), sum(chosen[name].numel() for name in copied), tuple(other))
