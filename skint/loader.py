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

To gather from a memory map, worker processes cost more than they give; `workers` are for
augmentations that take longer than the accelerator's step.
This module needs torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

from skint.batches import LEAST, BatchError, Pictures, Rows, as_rows, batch_count, share, split
from skint.gather import Batch, Gather, Labels, LoaderError, Source, columns_of
from skint.handover import Handover
from skint.keys import earlier, sample_seed, sample_seeds
from skint.place import Place
from skint.workers import Workers

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


Order = Callable[[np.random.Generator], Rows]
"""The rows of an epoch, in their order, drawn from a generator that the epoch is the key of."""


class ShuffledLoader(Place):
    """Training batches in an order that is a function of (seed, epoch).

    A last batch of a single sample is left out where there are others: batch normalisation cannot
    train on it. `len()` is the number of batches of a whole epoch, wherever the loader stands.

    With `part=(rank, ranks)` it gives what one of several processes computes of each batch: all see
    the same batches as one process would. Each is to have two samples of the last one, too.
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
        order: Order | None = None,
        workers: int = 0,
        prefetch: bool = True,
        device: torch.device | str | Handover = "cpu",
        channels_last: bool = True,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        """`rows` are the ids to train on, e.g. those of a fold.

        `order` says which of them an epoch has, as many as `rows`; some may come more than once.
        With `prefetch`, a thread gathers the next batches while one is in use; `workers` processes
        make them, unless `augment` is a function of one picture: started when the first batch is
        asked for, and however many, they make the same. On CUDA the buffers are pinned and each
        batch is one asynchronous copy. `channels_last=False` gives (B, C, H, W) in memory, by one
        more copy.

        Raises LoaderError where `part` does not get its share of every batch.
        """
        rows = as_rows(rows)
        self.part = part
        ranks = part[1]
        if ranks > 1 and (batch_size % ranks or len(rows) < ranks * LEAST):
            raise LoaderError(
                f"each of {ranks} processes takes an equal part of a batch",
                got=f"batches of {batch_size}, {len(rows)} samples",
                wanted=f"a multiple of {ranks}, and at least {ranks * LEAST} samples",
            )
        self.source = Source(
            images,
            labels,
            rows,
            batch_size=-(-batch_size // ranks),
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
        super().__init__(seed=seed, batch_size=batch_size, samples=len(rows))
        self.rows = rows
        self.augment = augment
        self.workers = workers
        self._given_order = order
        self._workers: Workers | None = None

    def __len__(self) -> int:
        return batch_count(len(self.rows), self.batch_size, self.part[1])

    def size_of(self, number: int) -> int:
        """Samples of a batch of an epoch, in all processes together."""
        return min(self.batch_size, len(self.rows) - number * self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """The epoch, or what a loaded position leaves of it; then the loader stands at the next.

        One that is left in the middle is begun anew by the next `iter`, in the same order unless
        `set_epoch` names another epoch.

        A generator on purpose: Lightning restores the position and names the epoch after it has
        called `iter`, so both are read when the first batch is asked for.
        """
        epoch, taken = self.begun()
        order = self.order(epoch)
        whole = list(split(order, self.batch_size))[taken : len(self)]
        parts = [share(batch, *self.part) for batch in whole]
        keys = order
        if self._given_order is not None:  # what comes again is augmented in another way
            keys = order + len(self.source.images) * earlier(order)
        keys = keys[taken * self.batch_size :]
        augment, workers = self.augment, self._started()
        keyed = isinstance(augment, KeyedAugment)

        def seeds() -> Iterator[NDArray[np.uint64]]:
            """Of each part's samples; asked once for each part, in order."""
            for batch in split(keys, self.batch_size):
                yield sample_seeds(self.seed, epoch, share(batch, *self.part))

        seeds_ahead, seeds_now = seeds(), seeds()

        def fill(rows: Rows, out: NDArray[Any], gather: Gather) -> None:
            drawn = next(seeds_ahead)
            if workers is not None and workers.fill(rows, drawn, out):
                return
            gather(rows, out)
            if isinstance(augment, KeyedAugment):
                augment.batch(torch.from_numpy(out).permute(0, 3, 1, 2), drawn)

        def prepare(images: torch.Tensor, rows: Rows) -> None:
            # Not in the thread that reads ahead: torch's generator is one for all threads.
            assert augment is not None and not isinstance(augment, KeyedAugment)
            self._augment(images, next(seeds_now), augment)

        made = self.source.batches(
            iter(parts),
            prepare if augment is not None and not keyed else None,
            fill if keyed or workers is not None else None,
        )
        with closing(made) as batches:
            for batch in batches:
                # Before the yield: a checkpoint written while this batch is in use must count it.
                taken += 1
                self.epoch, self.position = epoch, taken
                yield batch
        self.epoch, self.position = epoch + 1, 0

    def order(self, epoch: int) -> Rows:
        """The rows in the order of `epoch`. Raises LoaderError where a given order has others."""
        rng = np.random.default_rng([self.seed, epoch])
        if self._given_order is None:
            return rng.permutation(self.rows)
        order = as_rows(self._given_order(rng))
        if len(order) != len(self.rows) or not np.isin(order, self.rows).all():
            raise LoaderError(
                "an epoch has as many samples as the rows to train on, and no others",
                got=f"{len(order)} samples",
                wanted=f"{len(self.rows)} of the {len(self.rows)} rows",
            )
        return order

    @property
    def ready(self) -> bool:
        """Whether all processes that work ahead have started, which an epoch does not wait for.

        True where there are to be none.
        """
        return not self.workers or (self._workers is not None and self._workers.ready)

    def close(self) -> None:
        """End the processes that work ahead; they also end with the loader."""
        if self._workers is not None:
            self._workers.close()
            self._workers = None

    def _started(self) -> Workers | None:
        able = self.augment is None or isinstance(self.augment, KeyedAugment)
        if self._workers is None and self.workers and able:
            source = self.source
            self._workers = Workers(
                self.workers, source.images, self.augment, shape=source.shape, dtype=source.dtype
            )
        return self._workers

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_workers": None}

    def _augment(self, images: torch.Tensor, seeds: NDArray[np.uint64], augment: Augment) -> None:
        with torch.random.fork_rng(devices=[]):
            for image, seed in zip(images, seeds.tolist(), strict=True):
                # Not torch.manual_seed: it would also reset the generators of the accelerators,
                # which nothing here puts back.
                torch.default_generator.manual_seed(seed)
                image.copy_(augment(image))


class OrderedLoader:
    """Batches for validation and prediction: every row once, in the given order, each time.

    With `part=(rank, ranks)`, what one of several processes computes of each batch; of a last one
    with fewer rows than processes, some compute the same row.
    """

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
        part: tuple[int, int] = (0, 1),
    ) -> None:
        """As `ShuffledLoader`."""
        rows = as_rows(rows)
        self.part = part
        self.source = Source(
            images,
            labels,
            rows,
            batch_size=-(-batch_size // part[1]),
            prefetch=prefetch,
            device=device,
            channels_last=channels_last,
        )
        self.rows = rows
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        batches = split(self.rows, self.batch_size)
        return self.source.batches(share(batch, *self.part) for batch in batches)
