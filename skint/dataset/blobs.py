"""Pictures of their own sizes, or compressed ones: one after the other in `.bin` files.

`index.npy` is (N, 5) int64, a row a picture: the number of its part, where it begins there in
bytes, how many bytes it has, its height and its width in pixels. A picture never spans two parts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skint.dataset.array import announce, map_array
from skint.dataset.codec import decode
from skint.dataset.dense import read_fully
from skint.dataset.error import DatasetError
from skint.dataset.images import Images
from skint.dataset.meta import INDEX, DatasetMeta

PART, OFFSET, BYTES, HEIGHT, WIDTH = range(5)
"""Columns of `index.npy`."""


class BlobImages(Images):
    """Memory maps of the blobs; compressed pictures are decoded when they are taken."""

    def __init__(self, folder: Path, meta: DatasetMeta) -> None:
        """Raises DatasetError where a file is missing, or shorter than its index says."""
        super().__init__(folder, meta)
        self.paths = [folder / part.file for part in meta.parts]
        self.index: NDArray[np.int64] = np.array(
            map_array(folder / INDEX, (meta.shape[0], 5), "int64")
        )
        self.blobs = [_map(path) for path in self.paths]
        self._check()

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(N, 2): height and width of each picture."""
        return self.index[:, HEIGHT:]

    def __getitem__(self, row: int) -> NDArray[Any]:
        row = self._row(row)
        part, start, length, height, width = self.index[row].tolist()
        content = self.blobs[part][start : start + length]
        shape = (height, width, self.shape[3])
        if self.meta.codec == "raw":
            pixels: NDArray[Any] = content.view(self.dtype).reshape(shape)
            return pixels
        return decode(content, self.meta.codec, shape, f"{self.paths[part]}: picture {row}")

    def _size(self, row: int) -> tuple[int, int]:
        height, width = self.sizes[row].tolist()
        return height, width

    def _gather(self, rows: NDArray[np.int64], out: NDArray[Any]) -> None:
        for place, row in enumerate(rows.tolist()):
            out[place] = self[row]

    def _announce(self, row: int) -> None:
        part, start, length, _height, _width = self.index[row].tolist()
        announce(self.blobs[part], start, length)

    def _read(self, start: int, out: NDArray[Any]) -> None:
        for place, row in enumerate(range(start, start + len(out))):
            part, offset, length, height, width = self.index[row].tolist()
            raw = self.meta.codec == "raw"
            content = out[place] if raw else np.empty(length, dtype=np.uint8)
            path = self.paths[part]
            with path.open("rb", buffering=0) as file:
                read_fully(file.fileno(), content, offset, path)
            if not raw:
                shape = (height, width, self.shape[3])
                out[place] = decode(content, self.meta.codec, shape, f"{path}: picture {row}")

    def _check(self) -> None:
        """Raise DatasetError where the index points outside the files, or to other shapes."""
        if not len(self):
            return
        part, start, length, height, width = self.index.T
        good = (part >= 0) & (part < len(self.blobs)) & (start >= 0) & (length > 0)
        good &= (height > 0) & (width > 0)
        ends = np.array([len(blob) for blob in self.blobs])
        good &= start + length <= ends[np.where(good, part, 0)]
        if self.meta.codec == "raw":
            pixel_bytes = self.shape[3] * self.dtype.itemsize
            good &= length == height * width * pixel_bytes
        if self.shape[1] and self.shape[2]:
            good &= (height == self.shape[1]) & (width == self.shape[2])
        if not good.all():
            row = int(good.argmin())
            raise DatasetError(
                "the index does not fit the pictures: one of the files is damaged or cut short",
                where=str(self.folder / INDEX),
                got=f"picture {row}: part, offset, bytes, height, width = {self.index[row]}",
                wanted=f"within {', '.join(f'{p.name} ({p.stat().st_size})' for p in self.paths)}",
            )


def _map(path: Path) -> np.memmap[Any, np.dtype[np.uint8]]:
    try:
        return np.memmap(path, dtype=np.uint8, mode="r")
    except FileNotFoundError as error:
        raise DatasetError("a file of the packed set is missing", where=str(path)) from error
    except ValueError as error:
        raise DatasetError("a file of the packed set is empty", where=str(path)) from error
