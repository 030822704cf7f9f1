"""How a batch gets from the loader's buffer to the device that computes on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch

from skint.errors import SkintError


class HandoverError(SkintError):
    """The device is not there."""


class Handover(Protocol):
    """Makes buffers and sends them; `send` is called from the thread that uses the batches."""

    def empty(self, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        """A buffer in host memory."""

    def send(self, tensor: torch.Tensor) -> tuple[torch.Tensor, Callable[[], None] | None]:
        """The tensor on the device, and what waits until the buffer may be overwritten."""


class Stay:
    """The host computes: a batch is the buffer itself."""

    def empty(self, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        return torch.empty(shape, dtype=dtype)

    def send(self, tensor: torch.Tensor) -> tuple[torch.Tensor, None]:
        return tensor, None


class Copy:
    """A device without pinned memory: an ordinary copy, over when `send` returns."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def empty(self, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        return torch.empty(shape, dtype=dtype)

    def send(self, tensor: torch.Tensor) -> tuple[torch.Tensor, None]:
        return tensor.to(self.device), None


class PinnedCopy:
    """CUDA: one asynchronous copy from pinned memory, on the stream of the computation.

    The copy is in order with the kernels that use the batch; the buffer is free again at its event.
    """

    def __init__(self, device: torch.device, cuda: Any = torch.cuda) -> None:
        """`cuda` stands for `torch.cuda`: its `Event` is recorded after each copy."""
        self.device = device
        self.make_event = cuda.Event

    def empty(self, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        return torch.empty(shape, dtype=dtype, pin_memory=True)

    def send(self, tensor: torch.Tensor) -> tuple[torch.Tensor, Callable[[], None]]:
        copy = tensor.to(self.device, non_blocking=True)
        event = self.make_event()
        event.record()
        return copy, event.synchronize


def handover_to(device: torch.device | str, cuda: Any = torch.cuda) -> Handover:
    """How batches reach `device`; raises HandoverError where torch does not see it."""
    device = torch.device(device)
    if device.type == "cpu":
        return Stay()
    if device.type != "cuda":
        return Copy(device)
    if not cuda.is_available():
        raise HandoverError(
            "torch does not see this device",
            got=str(device),
            wanted="a machine with CUDA and a build of torch for it",
        )
    return PinnedCopy(device, cuda)
