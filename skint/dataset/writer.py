"""Writes packed sets of equal-sized pictures."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skint.dataset.hashing import PartHasher
from skint.dataset.meta import BLOCK_BYTES, SUMS, DatasetMeta, Part
from skint.dataset.packed import PackedSet
from skint.dataset.publishing import check_tables, no_room, publish
from skint.dataset.sample import Sample
from skint.dataset.target import Target
from skint.dataset.unfinished import Unfinished

if TYPE_CHECKING:
    from skint.dataset.canvas import Canvas
    from skint.dataset.rows import Rows

PART_BYTES = 4 * 2**30
"""Pixels in one file at most, unless one picture alone is larger."""


class PackedWriter(Unfinished):
    """Writes a packed set; nothing of it has its final name before `finish`.

        with PackedWriter(folder, shape=(n, 224, 224, 3), dtype="uint8") as writer:
            writer.images()[row] = picture           # any order, also from other processes
            writer.finish(samples, targets, channels=("R", "G", "B"), made_by={...})

    `writer.rows().put(row, picture)` is cheaper where every row is written once: it also takes
    the sums of the picture while it is at hand; then `finish(..., summed=True)`.

    Leaving the block without `finish` removes the unfinished arrays; with `resume` it does so
    only after an error, not after a stop, and a writer of the same form that is told `taken_up`
    goes on with them.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        shape: tuple[int, int, int, int],
        dtype: str,
        part_bytes: int = PART_BYTES,
        masks: Mapping[str, str] | None = None,
        resume: bool = False,
        taken_up: bool = False,
    ) -> None:
        """`masks`: dtype by mask target. Raises DatasetError where the disk has not the room."""
        import numpy as np

        from skint.dataset.canvas import Canvas, create, has_room, is_full
        from skint.moments import sums_dtype

        self.folder = Path(folder)
        self.shape = shape
        self.dtype = dtype
        self.resume = resume
        count = shape[0]
        self.rows_per_part = max(1, part_bytes // max(1, row_bytes(shape, dtype)))
        starts = range(0, max(1, count), self.rows_per_part)
        self.rows_in_parts = [min(count - start, self.rows_per_part) for start in starts]
        self.names = [
            "images.npy" if len(starts) == 1 else f"images-{number:05}.npy"
            for number in range(len(starts))
        ]
        self._images = Canvas(self._partials(self.names), self.rows_per_part, shape, dtype)
        sums = (count, 2, shape[3]), sums_dtype(np.dtype(dtype)).name
        self._sums = Canvas(self._partials([SUMS]), max(1, count), *sums)
        self._masks = {
            target: Canvas(
                self._partials([f"mask-{target}.npy"]), max(1, count), shape[:3], mask_dtype
            )
            for target, mask_dtype in (masks or {}).items()
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        if not taken_up:
            self._remove()
        room, wanted = has_room(self._canvases)
        if not room:
            raise no_room(self.folder, wanted)
        try:
            for canvas in self._canvases:
                create(canvas)
        except OSError as error:
            self._remove()
            if not is_full(error):
                raise
            raise no_room(self.folder, wanted) from error
        self._hasher = PartHasher(self._images.files, BLOCK_BYTES)

    def _partials(self, names: Sequence[str]) -> tuple[Path, ...]:
        return tuple(self.folder / f"{name}.partial" for name in names)

    @property
    def _canvases(self) -> list[Canvas]:
        return [self._images, self._sums, *self._masks.values()]

    def images(self) -> Canvas:
        """The rows of the unfinished array; it may be pickled to other processes."""
        return self._images

    def rows(self) -> Rows:
        """Where pictures are put once each, with sums and masks, also from other processes."""
        from skint.dataset.rows import Rows

        return Rows(self._images, self._sums, self._masks)

    def settled(self, rows: int) -> None:
        """The first `rows` rows will not be written again: hash them while they are in memory."""
        self._hasher.settled(*self._images.settled_bytes(rows))

    def finish(
        self,
        samples: Sequence[Sample],
        targets: Sequence[Target],
        *,
        channels: Sequence[str],
        made_by: Mapping[str, Any],
        summed: bool = False,
        sizes: Sequence[int] = (),
    ) -> PackedSet:
        """Take sums and hashes of what was written, and give the files their names.

        `samples` are in row order; their ids must be 0..N-1. `summed`: every row was put through
        `rows()`. `sizes`: those of the ladder, this one the last.
        """
        import numpy as np

        from skint.dataset.blocks import block_hashes
        from skint.moments import channel_sums, moments

        count, height, width, _ = self.shape
        check_tables(samples, targets, channels, self.shape)
        if not summed:
            for row in range(count):
                self._sums[row] = channel_sums(self._images[row])
        for canvas in self._canvases:
            canvas.close()
        mean, std = moments(np.load(self._sums.files[0]), count * height * width)
        parts = tuple(
            Part(name, rows, hashes)
            for name, rows, hashes in zip(
                self.names, self.rows_in_parts, self._hasher.finish(), strict=True
            )
        )
        others = [path for path in self.partial if path not in self._images.files]
        meta = DatasetMeta(
            dtype=self.dtype,
            shape=self.shape,
            channels=tuple(channels),
            targets=tuple(targets),
            mean=mean,
            std=std,
            made_by=made_by,
            parts=parts,
            files={path.stem: block_hashes(path, BLOCK_BYTES) for path in others},
            sizes=tuple(sizes),
        )
        return publish(self.folder, meta, samples, {path: path.stem for path in self.partial})


def row_bytes(shape: Sequence[int], dtype: str) -> int:
    """Bytes of one picture of an (N, H, W, C) array."""
    import numpy as np

    return math.prod(shape[1:]) * np.dtype(dtype).itemsize
