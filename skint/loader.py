"""Batches out of a packed set for torch: shuffled by key, resumable in the middle of an epoch.

Order and augmentation are pure functions of (seed, epoch, row), so nothing of them has to be
stored to go on exactly where a training run stopped: the epoch and the number of batches the
*consumer* took are enough, however far a thread has read ahead. Lightning keeps both
(`state_dict`) and names the epoch (`.sampler.set_epoch`) by itself; a loop of one's own calls
`set_epoch`. Only a state that was loaded is gone on from: otherwise each `iter` begins its epoch
anew, so that a look at the first batch, `next(iter(loader))`, costs nothing of it.

    loader = ShuffledLoader(packed.images(), packed.labels(), rows, batch_size=64, seed=0)
    for batch in loader:                     # Batch(images (B, C, H, W), labels (B,), rows (B,))
        ...

There are no worker processes: for a memory map they cost more than they give.
This module needs torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

from skint.batches import BatchError, Pictures, Rows, as_rows, split
from skint.gather import Batch, Labels, LoaderError, Source, columns_of
from skint.handover import Handover

__all__ = [
    "Augment",
    "Batch",
    "BatchError",
    "KeyedAugment",
    "LoaderError",
    "OrderedLoader",
    "ShuffledLoader",
    "sample_seed",
    "sample_seeds",
]

Augment = Callable[[torch.Tensor], torch.Tensor]
"""One picture (C, H, W) to one picture of the same shape and dtype.

It may draw from torch's CPU generator only: NumPy's and Python's are not keyed.
"""


@runtime_checkable
class KeyedAugment(Protocol):
    """An augmentation of whole batches, which the thread that reads ahead makes meanwhile."""

    def batch(self, images: torch.Tensor, seeds: NDArray[np.uint64]) -> None:
        """Change (B, C, H, W) in place, each picture as a function of its own seed alone.

        It draws from no generator: those of torch are one for all threads.
        """


class Sampler(Protocol):
    """What Lightning looks for to name the epoch."""

    def set_epoch(self, epoch: int) -> None: ...


class ShuffledLoader:
    """Training batches in an order that is a function of (seed, epoch).

    A last batch of a single sample is left out where there are others: batch normalisation cannot
    train on it. `len()` is the number of batches of a whole epoch, wherever the loader stands.
    """

    def __init__(
        self,
        images: Pictures | NDArray[Any],
        labels: Labels,
        rows: Rows,
        *,
        batch_size: int,
        seed: int,
        augment: Augment | KeyedAugment | None = None,
        prefetch: bool = True,
        device: torch.device | str | Handover = "cpu",
        channels_last: bool = True,
    ) -> None:
        """`rows` are the ids to train on, e.g. those of a fold.

        With `prefetch`, a thread gathers the next batches while one is in use. On CUDA the buffers
        are pinned and each batch is one asynchronous copy. `channels_last=False` gives (B, C, H, W)
        in memory, by one more copy.
        """
        rows = as_rows(rows)
        self.source = Source(
            images,
            labels,
            rows,
            batch_size=batch_size,
            prefetch=prefetch,
            device=device,
            channels_last=channels_last,
        )
        masks = [name for name, column in columns_of(labels).items() if column.ndim > 2]
        if masks and augment is not None:
            raise LoaderError(
                "augmentation would move the pictures and not their masks",
                where=masks[0] or None,
                next="augment picture and mask together, after the loader",
            )
        self.rows = rows
        self.batch_size = batch_size
        self.seed = seed
        self.augment = augment
        self.epoch = 0
        self.position = 0
        """Batches of this epoch that the consumer has taken."""
        self._loaded = False
        """The position was loaded, and no batch taken since."""

    @property
    def sampler(self) -> Sampler:
        return self

    def set_epoch(self, epoch: int) -> None:
        """Begin `epoch`; only where a position in this epoch was loaded, go on from there."""
        if epoch != self.epoch or not self._loaded:
            self.epoch, self.position, self._loaded = epoch, 0, False

    def __len__(self) -> int:
        whole, rest = divmod(len(self.rows), self.batch_size)
        return whole + int(rest > 1 or (rest == 1 and whole == 0))

    def __iter__(self) -> Iterator[Batch]:
        """The epoch, or what a loaded position leaves of it; then the loader stands at the next.

        One that is left in the middle is begun anew by the next `iter`, in the same order unless
        `set_epoch` names another epoch.

        A generator on purpose: Lightning restores the position and names the epoch after it has
        called `iter`, so both are read when the first batch is asked for.
        """
        epoch, taken = self.epoch, self.position if self._loaded else 0
        self._loaded = False
        parts = list(split(self.order(epoch), self.batch_size))[taken : len(self)]
        augment = self.augment

        def ahead(images: torch.Tensor, rows: Rows) -> None:
            if isinstance(augment, KeyedAugment):
                augment.batch(images, sample_seeds(self.seed, epoch, rows))

        def prepare(images: torch.Tensor, rows: Rows) -> None:
            # Not in the thread that reads ahead: torch's generator is one for all threads.
            if augment is not None and not isinstance(augment, KeyedAugment):
                self._augment(images, rows, epoch, augment)

        with closing(self.source.batches(iter(parts), prepare, ahead)) as batches:
            for batch in batches:
                # Before the yield: a checkpoint written while this batch is in use must count it.
                taken += 1
                self.epoch, self.position = epoch, taken
                yield batch
        self.epoch, self.position = epoch + 1, 0

    def order(self, epoch: int) -> Rows:
        """The rows in the order of `epoch`."""
        return np.random.default_rng([self.seed, epoch]).permutation(self.rows)

    def _augment(self, images: torch.Tensor, rows: Rows, epoch: int, augment: Augment) -> None:
        seeds = sample_seeds(self.seed, epoch, rows).tolist()
        with torch.random.fork_rng(devices=[]):
            for image, seed in zip(images, seeds, strict=True):
                # Not torch.manual_seed: it would also reset the generators of the accelerators,
                # which nothing here puts back.
                torch.default_generator.manual_seed(seed)
                image.copy_(augment(image))

    def state_dict(self) -> dict[str, int]:
        return {
            "seed": self.seed,
            "epoch": self.epoch,
            "position": self.position,
            "batch_size": self.batch_size,
            "samples": len(self.rows),
        }

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """The next iteration goes on from there.

        Raises LoaderError where the state is of another loader: the order would not fit.
        """
        mine = self.state_dict()
        # At the beginning of an epoch the size of its batches does not matter.
        names = ("seed", "batch_size", "samples") if state["position"] else ("seed",)
        for name in names:
            if state[name] != mine[name]:
                raise LoaderError(
                    f"the saved position belongs to another {name.replace('_', ' ')}",
                    got=state[name],
                    wanted=f"{mine[name]}",
                )
        self.epoch, self.position, self._loaded = state["epoch"], state["position"], True


class OrderedLoader:
    """Batches for validation and prediction: every row once, in the given order, each time."""

    def __init__(
        self,
        images: Pictures | NDArray[Any],
        labels: Labels,
        rows: Rows,
        *,
        batch_size: int,
        prefetch: bool = True,
        device: torch.device | str | Handover = "cpu",
        channels_last: bool = True,
    ) -> None:
        """As `ShuffledLoader`."""
        rows = as_rows(rows)
        self.source = Source(
            images,
            labels,
            rows,
            batch_size=batch_size,
            prefetch=prefetch,
            device=device,
            channels_last=channels_last,
        )
        self.rows = rows
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        return self.source.batches(split(self.rows, self.batch_size))


def sample_seed(seed: int, epoch: int, row: int) -> int:
    """64 bits that differ for each (seed, epoch, row), the same on every machine."""
    return int(sample_seeds(seed, epoch, np.array([row], dtype=np.int64))[0])


def sample_seeds(seed: int, epoch: int, rows: Rows) -> NDArray[np.uint64]:
    """The same of many rows, (n,): no two of an epoch are equal."""
    base = np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)
    return mixed(base + rows.astype(np.uint64) * GOLDEN)


GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 by the golden ratio: the step of SplitMix64."""


def mixed(states: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The output function of SplitMix64 (Steele, Lea and Flood, 2014): 64 bits to 64 others."""
    states = (states ^ (states >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    states = (states ^ (states >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return states ^ (states >> np.uint64(31))
