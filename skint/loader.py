"""Batches out of a packed set: shuffled by key, resumable in the middle of an epoch.

Order and augmentation are pure functions of (seed, epoch, row), so nothing of them has to be
stored to go on exactly where a training run stopped: the epoch and the number of batches the
*consumer* took are enough. Lightning keeps both (`state_dict`) and names the epoch
(`.sampler.set_epoch`) by itself; a loop of one's own calls `set_epoch`.

    loader = ShuffledLoader(packed.images(), packed.labels(), rows, batch_size=64, seed=0)
    for batch in loader:                     # Batch(images (B, C, H, W), labels (B,), rows (B,))
        ...

There are no worker processes: for a memory map they cost more than they give.
This module needs torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from skint.dataset.images import Images
from skint.errors import SkintError

SLOTS = 2
"""Buffers that are filled in turn: the batch in use and the one before it stay untouched."""

Augment = Callable[[torch.Tensor], torch.Tensor]
"""One picture (C, H, W) to one picture of the same shape and dtype.

It may draw from torch's CPU generator only: NumPy's and Python's are not keyed.
"""


class LoaderError(SkintError):
    """The rows or labels do not fit the pictures, or a saved position does not fit the loader."""


class Batch(NamedTuple):
    """`images` stay valid until the next batch but one is asked for."""

    images: torch.Tensor
    """(B, C, H, W), in memory (B, H, W, C), in the set's dtype; see `Gatherer`."""
    labels: torch.Tensor
    """(B,) int64."""
    rows: torch.Tensor
    """(B,) int64: ids in the packed set."""


class Gatherer:
    """Copies rows of a packed array into reused buffers."""

    def __init__(
        self,
        images: NDArray[Any] | Images,
        labels: NDArray[np.int64],
        rows: NDArray[np.int64],
        batch: int,
    ) -> None:
        """`images` (N, H, W, C), `labels` (N,), `rows` the ids that may be asked for."""
        if batch < 1:
            raise LoaderError("a batch has at least one sample", got=batch)
        if len(labels) != len(images):
            raise LoaderError(
                "one label for each picture", got=f"{len(labels)} labels, {len(images)} pictures"
            )
        # Checked here once: np.take(mode="clip") below would hide a bad row.
        if len(rows) and (rows.min() < 0 or rows.max() >= len(images)):
            raise LoaderError(
                "a row lies outside the packed set",
                got=f"rows {rows.min()} to {rows.max()}",
                wanted=f"0 to {len(images) - 1}",
            )
        self.images = images
        self.labels = labels
        # torch knows few operations on unsigned 16- and 32-bit integers, so those become float32.
        # Not pinned: a copy from pinned memory is asynchronous and would race with the reuse.
        self.wide = images.dtype.kind == "u" and images.dtype.itemsize > 1
        shape = (SLOTS, min(batch, max(1, len(rows))), *images.shape[1:])
        self.buffers = np.empty(shape, dtype=images.dtype)
        self.turn = 0

    def take(self, rows: NDArray[np.int64]) -> Batch:
        """The pictures of `rows`, which must be among the rows given at construction."""
        buffer = self.buffers[self.turn][: len(rows)]
        self.turn = (self.turn + 1) % SLOTS
        if isinstance(self.images, np.ndarray):
            # mode="clip" lets NumPy write into `out` directly; the default mode buffers it.
            np.take(self.images, rows, axis=0, out=buffer, mode="clip")
        else:
            self.images.take(rows, buffer)
        pixels = torch.from_numpy(buffer.astype(np.float32) if self.wide else buffer)
        return Batch(
            pixels.permute(0, 3, 1, 2), torch.from_numpy(self.labels[rows]), torch.from_numpy(rows)
        )


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
        images: NDArray[Any] | Images,
        labels: NDArray[np.int64],
        rows: NDArray[np.int64],
        *,
        batch_size: int,
        seed: int,
        augment: Augment | None = None,
    ) -> None:
        self.source = Gatherer(images, labels, rows, batch_size)
        self.rows = rows
        self.batch_size = batch_size
        self.seed = seed
        self.augment = augment
        self.epoch = 0
        self.position = 0
        """Batches of this epoch that the consumer has taken."""

    @property
    def sampler(self) -> Sampler:
        return self

    def set_epoch(self, epoch: int) -> None:
        """Begin `epoch`; naming the epoch the loader is already in keeps its position."""
        if epoch != self.epoch:
            self.epoch, self.position = epoch, 0

    def __len__(self) -> int:
        whole, rest = divmod(len(self.rows), self.batch_size)
        return whole + int(rest > 1 or (rest == 1 and whole == 0))

    def __iter__(self) -> Iterator[Batch]:
        """The rest of the epoch; when it is through, the loader stands at the next one.

        A generator on purpose: Lightning restores the position and names the epoch after it has
        called `iter`, so both are read when the first batch is asked for.
        """
        order = self.order(self.epoch)
        while self.position < len(self):
            start = self.position * self.batch_size
            batch = self.source.take(order[start : start + self.batch_size])
            if self.augment is not None:
                self._augment(batch, self.augment)
            # Before the yield: a checkpoint written while this batch is in use must count it.
            self.position += 1
            yield batch
        self.epoch, self.position = self.epoch + 1, 0

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The rows in the order of `epoch`."""
        return np.random.default_rng([self.seed, epoch]).permutation(self.rows)

    def _augment(self, batch: Batch, augment: Augment) -> None:
        with torch.random.fork_rng(devices=[]):
            for image, row in zip(batch.images, batch.rows.tolist(), strict=True):
                # Not torch.manual_seed: it would also reset the generators of the accelerators,
                # which nothing here puts back.
                torch.default_generator.manual_seed(sample_seed(self.seed, self.epoch, row))
                image.copy_(augment(image))

    def state_dict(self) -> dict[str, int]:
        return {"seed": self.seed, "epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Raises LoaderError where the state is of another seed: the order would not fit."""
        if state["seed"] != self.seed:
            raise LoaderError(
                "the saved position belongs to another seed",
                got=state["seed"],
                wanted=f"{self.seed}",
            )
        self.epoch, self.position = state["epoch"], state["position"]


class OrderedLoader:
    """Batches for validation and prediction: every row once, in the given order, each time."""

    def __init__(
        self,
        images: NDArray[Any] | Images,
        labels: NDArray[np.int64],
        rows: NDArray[np.int64],
        *,
        batch_size: int,
    ) -> None:
        self.source = Gatherer(images, labels, rows, batch_size)
        self.rows = rows
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        for start in range(0, len(self.rows), self.batch_size):
            yield self.source.take(self.rows[start : start + self.batch_size])


def sample_seed(seed: int, epoch: int, row: int) -> int:
    """64 bits that differ for each (seed, epoch, row), the same on every machine."""
    return int(np.random.SeedSequence([seed, epoch, row]).generate_state(1, np.uint64)[0])
