"""Writes packed sets of pictures of their own sizes, or of compressed ones."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skint.dataset.blobs import BYTES, HEIGHT, OFFSET, PART
from skint.dataset.blocks import block_hashes
from skint.dataset.canvas import Canvas, create, has_room, is_full, take_space, write_fully
from skint.dataset.hashing import PartHasher
from skint.dataset.meta import BLOCK_BYTES, INDEX, SUMS, Codec, DatasetMeta, Layout, Part
from skint.dataset.packed import PackedSet
from skint.dataset.publishing import check_tables, no_room, publish
from skint.dataset.sample import Sample
from skint.dataset.target import Target
from skint.dataset.unfinished import Unfinished
from skint.dataset.writer import PART_BYTES
from skint.moments import channel_sums, moments, sums_dtype


@dataclass(frozen=True)
class Places:
    """Where each picture of its own size is put. It may be pickled to other processes."""

    files: tuple[Path, ...]
    index: NDArray[np.int64]
    """(N, 5), as in `index.npy`."""
    sums: Canvas

    def put(self, row: int, picture: NDArray[Any]) -> None:
        """Write one (H, W, C) of the size that was announced, and its sums."""
        part, offset, size, height, width = self.index[row].tolist()
        if picture.shape[:2] != (height, width) or picture.nbytes != size:
            raise ValueError(f"picture {row} is {picture.shape}, not {height} × {width}")
        with self.files[part].open("r+b", buffering=0) as file:
            write_fully(file, np.ascontiguousarray(picture), offset)
        self.sums.put(row, channel_sums(picture))


class BlobWriter(Unfinished):
    """Like PackedWriter, for what does not fit into one array.

    Raw pictures (`keep`) are put anywhere in any order, since their sizes are known:

        with BlobWriter(folder, sizes=sizes, channels=3, dtype="uint8") as writer:
            writer.places().put(row, picture)

    Compressed ones are appended in the order of their rows, and their sums put by the caller:

        with BlobWriter(folder, sizes=sizes, channels=3, dtype="uint8", codec="jpeg") as writer:
            writer.append(row, content)
            writer.sums().put(row, channel_sums(picture))
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        sizes: NDArray[np.int64],
        channels: int,
        dtype: str,
        codec: Codec = "raw",
        layout: Layout = "ragged",
        part_bytes: int = PART_BYTES,
        masks: Mapping[str, str] | None = None,
        resume: bool = False,
        taken_up: bool = False,
    ) -> None:
        """`sizes`: (N, 2) height and width. Raises DatasetError where the disk has not the room."""
        self.folder = Path(folder)
        self.layout: Layout = layout
        self.codec: Codec = codec
        self.dtype = dtype
        self.part_bytes = part_bytes
        self.resume = resume
        self.sizes = sizes
        count = len(sizes)
        same = count > 0 and bool((sizes == sizes[0]).all())
        height, width = sizes[0].tolist() if same else (0, 0)
        self.shape = (count, height, width, channels)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._sums = self._canvas(SUMS, (count, 2, channels), sums_dtype(np.dtype(dtype)).name)
        self._index = self._canvas(INDEX, (count, 5), "int64")
        self._masks = {
            target: self._canvas(f"mask-{target}.npy", (count, height, width), mask_dtype)
            for target, mask_dtype in (masks or {}).items()
        }
        self.index = np.zeros((count, 5), dtype=np.int64)
        self.index[:, HEIGHT:] = sizes
        if codec == "raw":
            self._place_all(channels * np.dtype(dtype).itemsize)
        self._files = [self._blob(n) for n in range(int(self.index[:, PART].max(initial=0)) + 1)]
        if not taken_up:
            self._remove()
        self._create()
        self._hasher = PartHasher(self._files, BLOCK_BYTES)

    def _canvas(self, name: str, shape: tuple[int, ...], dtype: str) -> Canvas:
        return Canvas((self.folder / f"{name}.partial",), max(1, shape[0]), shape, dtype)

    def _blob(self, number: int) -> Path:
        # The name cannot depend on how many there will be: of compressed ones nobody knows.
        return self.folder / f"images-{number:05}.bin.partial"

    def _place_all(self, pixel_bytes: int) -> None:
        part = offset = 0
        lengths = (self.sizes[:, 0] * self.sizes[:, 1] * pixel_bytes).tolist()
        for row, length in enumerate(lengths):
            if offset and offset + length > self.part_bytes:
                part, offset = part + 1, 0
            self.index[row, :HEIGHT] = part, offset, length
            offset += length

    def _create(self) -> None:
        taken = sum(path.stat().st_size for path in self._files if path.exists())
        room, wanted = has_room(self._canvases, self.blob_bytes - taken)
        if not room:
            raise no_room(self.folder, wanted + taken)
        try:
            for canvas in self._canvases:
                create(canvas)
            for number, path in enumerate(self._files):
                rows = self.index[self.index[:, PART] == number]
                with path.open("r+b" if path.exists() else "w+b") as file:
                    if self.codec == "raw" and len(rows):
                        take_space(file.fileno(), int(rows[-1, OFFSET] + rows[-1, BYTES]))
        except OSError as error:
            self._remove()
            if not is_full(error):
                raise
            raise no_room(self.folder, wanted) from error

    @property
    def _canvases(self) -> list[Canvas]:
        return [self._sums, self._index, *self._masks.values()]

    @property
    def partial(self) -> tuple[Path, ...]:
        """The files while they are being written."""
        return (*self._files, *super().partial)

    def _remove(self) -> None:
        super()._remove()
        for path in self.folder.glob("images-*.bin.partial"):  # also of an attempt before
            path.unlink(missing_ok=True)

    @property
    def blob_bytes(self) -> int:
        """Of all pictures that have their place."""
        return int(self.index[:, BYTES].sum())

    def places(self) -> Places:
        return Places(tuple(self._files), self.index, self._sums)

    def sums(self) -> Canvas:
        """(N, 2, C)."""
        return self._sums

    def masks(self) -> Mapping[str, Canvas]:
        """(N, H, W) by target; for pictures of one size."""
        return self._masks

    def go_on(self, rows: int) -> None:
        """Take up a compressed set after its first `rows` pictures; what came later is cut off."""
        for row in range(rows):
            self.index[row] = self._index[row]
        part, offset = self._end(rows)
        self._files = [self._blob(number) for number in range(part + 1)]
        self._hasher = PartHasher(self._files, BLOCK_BYTES)
        os.truncate(self._files[part], offset)
        for path in self.folder.glob("images-*.bin.partial"):
            if path not in self._files:
                path.unlink()

    def append(self, row: int, content: bytes) -> None:
        """The compressed bytes of the next picture. Raises DatasetError where the disk is full."""
        part, offset = self._end(row)
        if offset and offset + len(content) > self.part_bytes:
            part, offset = part + 1, 0
        self.index[row, :HEIGHT] = part, offset, len(content)
        if part == len(self._files):
            self._files.append(self._blob(part))
            self._hasher.append(self._files[part])
        path = self._files[part]
        try:
            with path.open("r+b" if offset else "w+b", buffering=0) as file:
                write_fully(file, np.frombuffer(content, dtype=np.uint8), offset)
        except OSError as error:
            if not is_full(error):
                raise
            raise no_room(self.folder, len(content)) from error
        self._index.put(row, self.index[row])

    def _end(self, rows: int) -> tuple[int, int]:
        """The part and the offset behind the first `rows` pictures."""
        if not rows:
            return 0, 0
        part, offset, size = self.index[rows - 1, :HEIGHT].tolist()
        return part, offset + size

    def settled(self, rows: int) -> None:
        """The first `rows` pictures will not be written again: hash them while in memory."""
        self._hasher.settled(*self._end(rows))

    def finish(
        self,
        samples: Sequence[Sample],
        targets: Sequence[Target],
        *,
        channels: Sequence[str],
        made_by: Mapping[str, Any],
        sizes: Sequence[int] = (),
    ) -> PackedSet:
        """Give the files their names; see PackedWriter.finish."""
        check_tables(samples, targets, channels, self.shape)
        if self.codec == "raw":
            self._index[:] = self.index
        for canvas in self._canvases:
            canvas.close()
        pixels = int((self.sizes[:, 0] * self.sizes[:, 1]).sum())
        mean, std = moments(np.load(self._sums.files[0]), pixels)
        rows = np.bincount(self.index[:, PART], minlength=len(self._files)).tolist()
        parts = tuple(
            Part(path.stem, rows[number], hashes)
            for number, (path, hashes) in enumerate(
                zip(self._files, self._hasher.finish(), strict=True)
            )
        )
        others = [path for path in self.partial if path not in self._files]
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
            layout=self.layout,
            codec=self.codec,
            sizes=tuple(sizes),
        )
        return publish(self.folder, meta, samples, {path: path.stem for path in self.partial})
