"""A loader for any torch `Dataset` that goes on exactly where a training stopped.

    loader = KeyedLoader(dataset, batch_size=32, seed=0, num_workers=4)

The order is a function of (seed, epoch), and what is drawn from Python's, NumPy's or torch's
generators while a batch is made is a function of (seed, epoch, number of the batch). So a batch is
the same whichever process makes it and however far the processes have read ahead, and only what
the training has *taken* is counted. Lightning names the epoch (`.sampler.set_epoch`) and keeps the
place (`state_dict`) by itself; a loop of one's own calls `set_epoch`.

For pictures in a packed set `skint.loader` is much faster. This module needs torch.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from skint.keys import sample_seed
from skint.place import Place


class BatchKey(NamedTuple):
    """What a process needs to know to make a batch."""

    seed: int
    indices: list[int]


class KeyedLoader(Place):
    """Shuffled batches of a `Dataset` that has a length; resumable in the middle of an epoch.

    In a training of several processes each takes its share of the batches; where they do not come
    out even, the first ones of the epoch come again.
    """

    def __init__(
        self,
        dataset: Any,
        *,
        batch_size: int,
        seed: int,
        indices: Sequence[int] | NDArray[Any] | None = None,
        shuffle: bool = True,
        drop_last: bool = False,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
    ) -> None:
        """`indices` are those to train on, e.g. of a fold; else all. The rest is as in torch's
        `DataLoader`."""
        self.dataset = dataset
        self.indices = np.arange(len(dataset)) if indices is None else np.asarray(indices)
        super().__init__(seed=seed, batch_size=batch_size, samples=len(self.indices))
        self.shuffle = shuffle
        self.drop_last = drop_last
        self._reading = _Reading()
        self._loader = DataLoader(
            _Seeded(dataset),
            batch_sampler=self._reading,
            num_workers=num_workers,
            collate_fn=collate_fn,
            pin_memory=pin_memory,
            persistent_workers=num_workers > 0,
            # torch draws a seed at each epoch: not from the generator that dropout draws from.
            generator=torch.Generator(),
        )

    def __len__(self) -> int:
        whole, rest = divmod(len(self.indices), self.batch_size)
        batches = whole + (rest > 0 and not self.drop_last)
        return -(-batches // _processes()[1])

    def __iter__(self) -> Iterator[Any]:
        """The epoch, or what a loaded position leaves of it; then the loader stands at the next.

        A generator on purpose: Lightning restores the position and names the epoch after it has
        called `iter`, so both are read when the first batch is asked for.
        """
        epoch, taken = self.begun()
        self._reading.keys = self.keys(epoch)[taken:]
        for batch in self._loader:
            # Before the yield: a checkpoint written while this batch is in use must count it.
            taken += 1
            self.epoch, self.position = epoch, taken
            yield batch
        self.epoch, self.position = epoch + 1, 0

    def keys(self, epoch: int) -> list[BatchKey]:
        """This process's batches of an epoch."""
        order = self.indices
        if self.shuffle:
            order = np.random.default_rng([self.seed, epoch]).permutation(order)
        starts = range(0, len(order), self.batch_size)
        parts = [order[start : start + self.batch_size].tolist() for start in starts]
        if self.drop_last and parts and len(parts[-1]) < self.batch_size:
            parts.pop()
        keys = [BatchKey(sample_seed(self.seed, epoch, n), part) for n, part in enumerate(parts)]
        rank, processes = _processes()
        short = -len(keys) % processes
        return [*keys, *keys[:short]][rank::processes]

    @property
    def _iterator(self) -> Any:
        """By this name Lightning ends the processes of a loader when the training is over."""
        return self._loader._iterator

    @_iterator.setter
    def _iterator(self, value: Any) -> None:
        self._loader._iterator = value


class _Reading:
    """What torch's loader is told to make next.

    It does not know the loader that it is part of: two that know each other are only taken apart by
    the garbage collector, in an order in which torch waits five seconds for each process.
    """

    def __init__(self) -> None:
        self.keys: list[BatchKey] = []

    def __iter__(self) -> Iterator[BatchKey]:
        return iter(self.keys)

    def __len__(self) -> int:
        return len(self.keys)


class _Seeded:
    """The dataset, asked for whole batches."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitems__(self, key: BatchKey) -> Any:
        with seeded(key.seed):
            if (together := getattr(self.dataset, "__getitems__", None)) is not None:
                return together(key.indices)
            return [self.dataset[index] for index in key.indices]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Python's, NumPy's and torch's generators begin at `seed`, and stand as before afterwards."""
    python, numpy = random.getstate(), np.random.get_state()
    # Not torch.manual_seed: it would also set the generators of the accelerators.
    mine = torch.default_generator.get_state()
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.default_generator.set_state(mine)


def _processes() -> tuple[int, int]:
    """This process's number among those that train together, and how many they are."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1
