"""Dropout before the last layer of a network that others have written."""

from __future__ import annotations

from typing import Any

from torch import nn


def set_dropout(module: nn.Module, head: nn.Module, rate: float) -> None:
    """Drop `rate` of what goes into `head`, a layer of `module`; may be called again.

    Where a dropout layer stands before the head, its rate is set; else one is put there as a hook,
    so that no name in the state dict changes.
    """
    layer = _dropout_before(module, head)
    if layer is not None:
        layer.p = rate
        return
    for hook in head._forward_pre_hooks.values():
        if isinstance(hook, DropInput):
            hook.rate = rate
            return
    head.register_forward_pre_hook(DropInput(rate))


def own_dropout(module: nn.Module, head: nn.Module) -> float:
    """The rate of the dropout layer that stands before the head; 0 where none does."""
    layer = _dropout_before(module, head)
    return 0.0 if layer is None else float(layer.p)


class DropInput:
    """A forward hook that drops a share of a layer's first input while it trains."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, layer: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        first = nn.functional.dropout(inputs[0], self.rate, layer.training)
        return (first, *inputs[1:])


def _dropout_before(module: nn.Module, head: nn.Module) -> nn.Dropout | None:
    """The dropout layer with nothing that learns between it and the head."""
    above = next(m for m in module.modules() if any(child is head for child in m.children()))
    beside = list(above.children())
    before = beside[: next(n for n, child in enumerate(beside) if child is head)]
    for child in reversed(before):
        if isinstance(child, nn.Dropout):
            return child
        if any(True for _ in child.parameters()):
            return None
    return None
