"""Rows of a packed set as batches for torch, gathered into reused buffers."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray

from skint.batches import FirstPass, Pictures, Rows, check_rows, pictures_of
from skint.errors import SkintError
from skint.handover import Handover, handover_to
from skint.prefetch import AHEAD, HELD, Ring, filled

SLOTS = HELD + AHEAD
"""Buffers of a loader that prefetches; without, there are `HELD`."""

Prepare = Callable[[torch.Tensor, Rows], None]
Gather = Callable[[Rows, NDArray[Any]], None]
Fill = Callable[[Rows, NDArray[Any], Gather], None]
"""Changes pictures (B, C, H, W) in place; they are those of the rows."""

Labels = NDArray[Any] | Mapping[str, NDArray[Any]] | None
"""(N, ...) of one target, or of several by name; None where nothing is known (a test folder)."""


class LoaderError(SkintError):
    """The labels do not fit the pictures, or the rows the loader."""


class Batch(NamedTuple):
    """On the host, `images` stay valid until the next batch but one is asked for."""

    images: torch.Tensor
    """(B, C, H, W) in the set's dtype, uint16 as float32; in memory (B, H, W, C): channels last."""
    labels: Any
    """(B, ...) as given (uint16 as int32), a dict where several targets were; -1 where none."""
    rows: torch.Tensor
    """(B,) int64, always on the host: ids in the packed set."""


class Source:
    """Rows of a packed set as batches in reused buffers."""

    def __init__(
        self,
        images: Pictures | NDArray[Any],
        labels: Labels,
        rows: Rows,
        *,
        batch_size: int,
        prefetch: bool,
        device: torch.device | str | Handover,
        channels_last: bool,
    ) -> None:
        """Raises BatchError or LoaderError where rows or labels do not fit the pictures."""
        self.images = pictures_of(images)
        check_rows(self.images, rows, batch_size)
        self.labels = labels
        for name, column in columns_of(labels).items():
            if len(column) != len(self.images):
                raise LoaderError(
                    "one label for each picture",
                    where=name or None,
                    got=f"{len(column)} labels, {len(self.images)} pictures",
                )
        named = isinstance(device, str | torch.device)
        self.handover: Handover = handover_to(device) if named else cast(Handover, device)
        self.channels_last = channels_last
        self.prefetch = prefetch
        # torch knows few operations on unsigned 16- and 32-bit integers, so those become float32.
        dtype = self.images.dtype
        self.wide = dtype.kind == "u" and dtype.itemsize > 1
        self.dtype = np.dtype(np.float32) if self.wide else dtype
        """Of the pixels of a batch."""
        self.shape = (min(batch_size, max(1, len(rows))), *self.images.shape[1:])
        self.idle: list[Buffers] = []
        self.first_pass = FirstPass(self.images, len(rows))

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"idle": []}

    def batches(
        self,
        plan: Iterator[Rows],
        prepare: Prepare | None = None,
        fill: Fill | None = None,
    ) -> Generator[Batch, None, None]:
        """A batch for each part of `plan`.

        `fill(rows, out, gather)` writes pictures (B, H, W, C), in the thread if there is one; by
        default it is `gather(rows, out)`. `prepare` changes (B, C, H, W) in place, in the reader's
        thread. Each is called once for each part, in order.
        """
        # An iteration that was left open keeps its buffers; another one gets its own.
        buffers = self.idle.pop() if self.idle else Buffers(self)
        parts = self.first_pass.ahead(plan)

        def write(slot: int, rows: Rows) -> None:
            target = buffers.free(slot)[: len(rows)].numpy()
            if fill is None:
                buffers.gather(rows, target)
            else:
                fill(rows, target, buffers.gather)
            # Here and not by the reader, who has the device waiting.
            buffers.beside[slot] = self._labels(rows), torch.from_numpy(rows.copy())

        ready = filled(buffers.ring, write, parts, thread=self.prefetch)
        try:
            for slot, rows in ready:
                pixels, images = buffers.pixels[slot], buffers.images[slot]
                if len(rows) < len(pixels):
                    pixels, images = pixels[: len(rows)], images[: len(rows)]
                if prepare is not None:
                    prepare(images, rows)
                sent, buffers.wait[slot] = self.handover.send(pixels)
                if sent is not pixels:
                    images = sent.permute(0, 3, 1, 2)
                if not self.channels_last:
                    images = images.contiguous()
                labels, ids = buffers.beside[slot]
                yield Batch(images, _sent(labels, images.device), ids)
        finally:
            ready.close()
            if buffers.ring.whole:
                self.idle.append(buffers)

    def _labels(self, rows: Rows) -> Any:
        """Those of the rows, on the host: copies that nothing overwrites."""
        if self.labels is None:
            return torch.full((len(rows),), -1)
        taken = {
            name: torch.from_numpy(_known_to_torch(column[rows]))
            for name, column in columns_of(self.labels).items()
        }
        return taken if isinstance(self.labels, Mapping) else taken[""]


class Buffers:
    """The memory of one iteration."""

    def __init__(self, source: Source) -> None:
        self.source = source.images
        self.ring = Ring(SLOTS if source.prefetch else HELD)
        kind = torch.from_numpy(np.empty(0, dtype=source.dtype)).dtype
        self.pixels = [source.handover.empty(source.shape, kind) for _ in range(self.ring.slots)]
        self.images = [pixels.permute(0, 3, 1, 2) for pixels in self.pixels]
        """The same memory as (B, C, H, W)."""
        self.beside: dict[int, tuple[Any, torch.Tensor]] = {}
        """Labels and ids of the rows that a buffer was filled with."""
        self.narrow = np.empty(source.shape, source.images.dtype) if source.wide else None
        self.wait: list[Callable[[], None] | None] = [None] * self.ring.slots
        """What says that the device has read a buffer."""

    def free(self, slot: int) -> torch.Tensor:
        """A buffer that nobody reads any more."""
        wait = self.wait[slot]
        if wait is not None:
            wait()
        return self.pixels[slot]

    def gather(self, rows: Rows, target: NDArray[Any]) -> None:
        """Write the pictures of `rows` to `target`."""
        if self.narrow is None:
            self.source.take(rows, target)
        else:
            np.copyto(target, self.source.take(rows, self.narrow[: len(rows)]))


def _sent(labels: Any, device: torch.device) -> Any:
    """On the device; what is sent from pageable memory may be forgotten at once."""
    if device.type == "cpu":
        return labels
    if isinstance(labels, Mapping):
        return {name: column.to(device, non_blocking=True) for name, column in labels.items()}
    return labels.to(device, non_blocking=True)


def _known_to_torch(values: NDArray[Any]) -> NDArray[Any]:
    """uint16 (masks of many classes) as int32: torch can do little with it."""
    return values.astype(np.int32) if values.dtype == np.uint16 else values


def columns_of(labels: Labels) -> Mapping[str, NDArray[Any]]:
    """The columns of labels by name; a single one has no name."""
    if labels is None:
        return {}
    return labels if isinstance(labels, Mapping) else {"": labels}
