"""Out of memory in the middle of a training: the same step again, in smaller parts.

A batch that does not fit is computed in parts whose gradients add up to those of the whole: the
batch is halved and the accumulation doubled, within the step. So nothing else changes: the order,
the mixing of pictures, the schedule, and what counts as a step. No sample is left out or seen
twice, and what was computed up to the step before stays.

Batch normalisation sees each part for itself: its statistics are those of smaller batches, as with
any accumulation. A pass that failed half-way may have counted in its running means.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from skint.errors import SkintError

SIGNS = ("out of memory", "not enough memory", "can't allocate memory", "alloc_failed")
"""What CUDA, MPS, the CPU's allocator, and cuDNN and cuBLAS say, in small letters."""


class OutOfMemory(SkintError):
    """Not even the smallest part of a batch fits."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory, of an accelerator or of the machine, is what failed."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in SIGNS)


class Memory:
    """How many samples are computed at once; shared by the stages of a training.

    It starts with whole batches, and never grows again.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        """`say` gets a sentence for the person."""
        self.say = say
        self.training: int | None = None
        """Samples at once in training; None for whole batches."""
        self.validation: int | None = None
        self._window: list[tuple[Any, int]] = []
        """Batches whose gradients were not applied yet, with their numbers."""

    def train(
        self,
        module: pl.LightningModule,
        batch: Any,
        index: int,
        *,
        prepare: Callable[[Any, int], Any],
        loss_of: Callable[[Any], Tensor],
    ) -> Tensor:
        """Add the gradients of a batch to those of `module`; the batch's mean loss, detached.

        `prepare(batch, index)` gives what is cut into parts: tensors (B, ...), or dicts and tuples
        of them, of which those without a first dimension of B stay whole. `loss_of` gives the mean
        loss of such a part. The first batch of a window sets the gradients to zero.

        On several devices a batch is not cut, since the others would wait: the loss then comes
        back undetached and without its gradients. Raises OutOfMemory.
        """
        every = module.trainer.accumulate_grad_batches
        if index % every == 0:
            self._window.clear()
            module.zero_grad()
        if module.trainer.world_size > 1:
            given = prepare(batch, index)
            with part_fits(_size(given)):
                return loss_of(given)
        window = [*self._window, (batch, index)]
        todo = window[-1:]
        losses: list[Tensor] = []
        while True:
            began_s = time.monotonic()
            try:
                losses = [self._add(module, prepare(*given), loss_of) for given in todo]
                break
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                said = str(error)
            # After the `except`: what the failed pass had computed is only let go there.
            self._halve(module, batch, said, time.monotonic() - began_s)
            # The gradients may hold a part of the failed pass, so all of the window are made anew.
            module.zero_grad()
            todo = window
        if (index + 1) % every:
            self._window.append((_kept(batch), index))
        return losses[-1]

    def evaluate(
        self,
        inputs: Tensor,
        outputs_of: Callable[[Tensor], Tensor],
        *,
        doing: str = "a validation",
    ) -> Tensor:
        """(B, ...) outputs, in parts where the whole does not fit. Raises OutOfMemory."""
        while True:
            began_s = time.monotonic()
            limit = self.validation or len(inputs)
            try:
                parts = [outputs_of(part) for part in inputs.split(limit)]
                return parts[0] if len(parts) == 1 else torch.cat(parts)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                said = str(error)
            limit = min(limit, len(inputs))
            if limit == 1:
                raise _nothing_fits(said, f"one picture does not fit in {doing}")
            self.validation = limit // 2
            _let_go()
            self.say(
                f"out of memory in {doing} with {limit} pictures at once: goes on with "
                f"{self.validation}; it cost {time.monotonic() - began_s:.1f} s"
            )

    def state_dict(self) -> dict[str, int | None]:
        return {"training": self.training, "validation": self.validation}

    def load_state_dict(self, state: Mapping[str, int | None]) -> None:
        self.training, self.validation = state["training"], state["validation"]

    def _add(
        self, module: pl.LightningModule, given: Any, loss_of: Callable[[Any], Tensor]
    ) -> Tensor:
        """Add the gradients of one batch; its mean loss."""
        size = _size(given)
        total: Tensor | None = None
        for begin, end in _parts(size, self.training, _least(module)):
            loss = loss_of(_cut(given, begin, end, size)) * ((end - begin) / size)
            total = loss.detach() if total is None else total + loss.detach()
            scaled = loss / module.trainer.accumulate_grad_batches
            # Gradients are computed in the precision of what went forward, outside of autocast;
            # fp16 multiplies the loss.
            with torch.autocast(loss.device.type, enabled=False):
                module.trainer.precision_plugin.pre_backward(scaled, module).backward()
            if torch.is_autocast_enabled(loss.device.type):
                torch.clear_autocast_cache()  # it refers to this part's graph
        assert total is not None
        return total

    def _halve(self, module: pl.LightningModule, batch: Any, said: str, failed_s: float) -> None:
        size, least = _size(batch), _least(module)
        largest = max(end - begin for begin, end in _parts(size, self.training, least))
        smaller = largest // 2
        if smaller < least:
            what = "one picture" if least == 1 else f"{least} pictures, which batch norm needs,"
            raise _nothing_fits(said, f"{what} at once do not fit in training")
        self.training = smaller
        began_s = time.monotonic()
        _let_go()
        self.say(
            f"out of memory with {largest} pictures at once, in step {module.global_step}: goes on "
            f"from there with batches in parts of {smaller}; it cost "
            f"{failed_s + time.monotonic() - began_s:.1f} s"
        )


@contextmanager
def part_fits(size: int) -> Iterator[None]:
    """Around what one of several devices computes of `size` pictures. Raises OutOfMemory."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise _nothing_fits(
            str(error),
            f"a batch of {size} does not fit on each of several devices",
            "halve `batch_size` and double `accumulate`; on one device it is done by itself",
        ) from None


@contextmanager
def optimizer_fits() -> Iterator[None]:
    """Around the optimizer's step. Raises OutOfMemory: it needs as much with smaller batches."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise _nothing_fits(str(error), "the state of the optimizer does not fit") from None


def _let_go() -> None:
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def _nothing_fits(
    said: str,
    what: str,
    advice: str = "use a smaller network or smaller pictures, or a device with more memory",
) -> OutOfMemory:
    return OutOfMemory(what, got=said.partition("\n")[0][:200], next=advice)


def _least(module: nn.Module) -> int:
    """Batch normalisation cannot train on a single sample."""
    kinds = nn.modules.batchnorm._BatchNorm
    return 2 if any(isinstance(m, kinds) and m.training for m in module.modules()) else 1


def _parts(size: int, limit: int | None, least: int) -> list[tuple[int, int]]:
    """Where parts of nearly one size begin and end, none below `least` where there is a choice."""
    count = 1 if limit is None else max(1, min(-(-size // limit), size // least))
    edges = [number * size // count for number in range(count + 1)]
    return list(pairwise(edges))


def _size(given: Any) -> int:
    """Samples in nested tensors: as many as the first of them has."""
    if isinstance(given, Tensor):
        return len(given)
    inner = given.values() if isinstance(given, Mapping) else given
    return _size(next(iter(inner)))


def _cut(given: Any, begin: int, end: int, size: int) -> Any:
    """Samples `begin` to `end` of nested tensors."""
    if isinstance(given, Tensor):
        return given[begin:end] if given.ndim and len(given) == size else given
    return _mapped(given, lambda inner: _cut(inner, begin, end, size))


def _kept(given: Any) -> Any:
    """A copy: the loader uses its buffers again."""
    return given.clone() if isinstance(given, Tensor) else _mapped(given, _kept)


def _mapped(given: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(given, Mapping):
        return {name: change(inner) for name, inner in given.items()}
    if isinstance(given, tuple) and hasattr(given, "_fields"):
        return type(given)(*map(change, given))
    if isinstance(given, Sequence) and not isinstance(given, str):
        return type(given)(map(change, given))  # type: ignore[call-arg]
    return given
