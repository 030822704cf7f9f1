"""Writes packed sets of equal-sized pictures."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from skint.attempt import write_atomic
from skint.dataset.blocks import block_hashes
from skint.dataset.error import DatasetError
from skint.dataset.meta import BLOCK_BYTES, META, SUMS, DatasetMeta, Part
from skint.dataset.packed import PackedSet
from skint.dataset.sample import FIXED_COLUMNS, SAMPLES, Sample, write_samples
from skint.dataset.target import Target

if TYPE_CHECKING:
    from skint.dataset.canvas import Canvas

PART_BYTES = 4 * 2**30
"""Pixels in one file at most, unless one picture alone is larger."""


class PackedWriter:
    """Writes a packed set; nothing of it has its final name before `finish`.

        with PackedWriter(folder, shape=(n, 224, 224, 3), dtype="uint8") as writer:
            writer.images()[row] = picture           # any order, also from other processes
            writer.finish(samples, targets, channels=("R", "G", "B"), made_by={...})

    Leaving the block without `finish` removes the unfinished arrays.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        shape: tuple[int, int, int, int],
        dtype: str,
        part_bytes: int = PART_BYTES,
    ) -> None:
        """Raises DatasetError where the disk has not the room."""
        import numpy as np
        from numpy.lib.format import open_memmap

        self.folder = Path(folder)
        self.shape = shape
        self.dtype = dtype
        count = shape[0]
        picture_bytes = int(np.prod(shape[1:])) * np.dtype(dtype).itemsize
        self.rows_per_part = max(1, part_bytes // max(1, picture_bytes))
        starts = range(0, max(1, count), self.rows_per_part)
        self.rows = [min(count - start, self.rows_per_part) for start in starts]
        """Pictures in each part."""
        self.names = [
            "images.npy" if len(starts) == 1 else f"images-{number:05}.npy"
            for number in range(len(starts))
        ]
        self.folder.mkdir(parents=True, exist_ok=True)
        for path, rows in zip(self.partial, self.rows, strict=True):
            open_memmap(path, mode="w+", dtype=dtype, shape=(rows, *shape[1:]))
        self._allocate()

    @property
    def partial(self) -> tuple[Path, ...]:
        """The parts while they are being written."""
        return tuple(self.folder / f"{name}.partial" for name in self.names)

    @property
    def _sums(self) -> Path:
        return self.folder / f"{SUMS}.partial"

    def __enter__(self) -> PackedWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove()

    def _remove(self) -> None:
        for path in (*self.partial, self._sums):
            path.unlink(missing_ok=True)

    def _allocate(self) -> None:
        """Take the space now: a disk that fills up under a memory map kills the process."""
        size = sum(path.stat().st_size for path in self.partial)
        if not hasattr(os, "posix_fallocate"):
            return
        try:
            for path in self.partial:
                with path.open("r+b") as file:
                    os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        except OSError as error:
            self._remove()
            if error.errno != errno.ENOSPC:
                raise
            raise DatasetError(
                "there is not enough room for the packed set",
                where=str(self.folder),
                got=f"{shutil.disk_usage(self.folder).free:,} bytes free",
                wanted=f"{size:,} bytes",
            ) from error

    def images(self) -> Canvas:
        """The rows of the unfinished arrays; it may be pickled to other processes."""
        from skint.dataset.canvas import Canvas

        return Canvas(self.partial, self.rows_per_part, self.shape, self.dtype)

    def finish(
        self,
        samples: Sequence[Sample],
        targets: Sequence[Target],
        *,
        channels: Sequence[str],
        made_by: Mapping[str, Any],
    ) -> PackedSet:
        """Take sums and hashes of what was written, and give the files their names.

        `samples` are in row order; their ids must be 0..N-1.
        """
        import numpy as np

        from skint.moments import channel_sums, moments, sums_dtype

        self._check(samples, targets, channels)
        canvas = self.images()
        sums = np.zeros((self.shape[0], 2, self.shape[3]), dtype=sums_dtype(np.dtype(self.dtype)))
        for row in range(self.shape[0]):
            sums[row] = channel_sums(canvas[row])
        with self._sums.open("wb") as file:
            np.save(file, sums)
        mean, std = moments(sums, self.shape[0] * self.shape[1] * self.shape[2])
        parts = tuple(
            Part(name, rows, block_hashes(path, BLOCK_BYTES))
            for name, rows, path in zip(self.names, self.rows, self.partial, strict=True)
        )
        meta = DatasetMeta(
            dtype=self.dtype,
            shape=self.shape,
            channels=tuple(channels),
            targets=tuple(targets),
            mean=mean,
            std=std,
            made_by=made_by,
            parts=parts,
            files={SUMS: block_hashes(self._sums, BLOCK_BYTES)},
        )
        write_samples(self.folder / SAMPLES, samples, targets)
        for path, name in zip(self.partial, self.names, strict=True):
            path.replace(self.folder / name)
        self._sums.replace(self.folder / SUMS)
        # dataset.json last: a folder that has it is whole.
        write_atomic(self.folder / META, (json.dumps(meta.to_json(), indent=1) + "\n").encode())
        return PackedSet.open(self.folder)

    def _check(
        self, samples: Sequence[Sample], targets: Sequence[Target], channels: Sequence[str]
    ) -> None:
        if [sample.id for sample in samples] != list(range(self.shape[0])):
            raise ValueError("samples must have the ids 0..N-1, in order")
        if len(channels) != self.shape[3]:
            raise ValueError("one channel name for each channel")
        names = [target.name for target in targets]
        if len({*names, *FIXED_COLUMNS}) != len(names) + len(FIXED_COLUMNS):
            raise ValueError(f"targets need names of their own: {', '.join(names)}")
