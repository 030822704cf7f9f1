"""Equal-sized raw pictures: one array, or several where one file would be too large."""

from __future__ import annotations

import os
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skint.dataset.array import announce, map_array
from skint.dataset.error import DatasetError
from skint.dataset.images import Images
from skint.dataset.meta import DatasetMeta


class DenseImages(Images):
    """Memory maps of the parts."""

    def __init__(self, folder: Path, meta: DatasetMeta) -> None:
        """Raises DatasetError where a part is missing, damaged or another array."""
        super().__init__(folder, meta)
        self.parts = [
            map_array(folder / part.file, (part.rows, *meta.shape[1:]), meta.dtype)
            for part in meta.parts
        ]
        self.starts = [0, *accumulate(part.rows for part in meta.parts)]
        """The first row of each part, and N."""

    def __getitem__(self, row: int) -> NDArray[Any]:
        row = self._row(row)
        part = bisect_right(self.starts, row) - 1
        return self.parts[part][row - self.starts[part]]  # type: ignore[no-any-return]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """(N, H, W, C): a memory map where there is one part, else all of it in memory."""
        if len(self.parts) != 1 or copy:
            return super().__array__(dtype)
        return self.parts[0] if dtype is None else self.parts[0].astype(dtype, copy=False)

    def _gather(self, rows: NDArray[np.int64], out: NDArray[Any]) -> None:
        if len(self.parts) == 1:
            # mode="clip" lets NumPy write into `out` directly; the default mode buffers it.
            np.take(self.parts[0], rows, axis=0, out=out, mode="clip")
            return
        parts = np.searchsorted(self.starts, rows, side="right") - 1
        inner = rows - np.array(self.starts)[parts]
        # One copy a picture: a gather for each part would need a second one, to the right places.
        for place, (part, row) in enumerate(zip(parts.tolist(), inner.tolist(), strict=True)):
            out[place] = self.parts[part][row]

    def _announce(self, row: int) -> None:
        part = bisect_right(self.starts, row) - 1
        array = self.parts[part]
        picture_bytes = array.strides[0]
        announce(array, (row - self.starts[part]) * picture_bytes, picture_bytes)

    def _read(self, start: int, out: NDArray[Any]) -> None:
        done = 0
        for number, part in enumerate(self.meta.parts):
            first = max(start + done, self.starts[number])
            count = min(start + len(out), self.starts[number + 1]) - first
            if count <= 0:
                continue
            piece = out[done : done + count]
            path = self.folder / part.file
            offset = self.parts[number].offset + (first - self.starts[number]) * piece[0].nbytes
            with path.open("rb", buffering=0) as file:
                read_fully(file.fileno(), piece, offset, path)
            done += count


def read_fully(descriptor: int, out: NDArray[Any], offset: int, path: Path) -> None:
    """Fill `out` (C order) from `offset` on; raises DatasetError where the file ends before."""
    view = out.reshape(-1).view(np.uint8).data
    while len(view):
        # preadv keeps no position: threads may share the file.
        count = os.preadv(descriptor, [view], offset)
        if not count:
            raise DatasetError("the file ends too early", where=str(path))
        view, offset = view[count:], offset + count
