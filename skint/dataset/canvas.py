"""The unfinished arrays of a packed set, written row by row from any process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Canvas:
    """Writable rows over several array files. Pickled, it carries their names only."""

    files: tuple[Path, ...]
    rows_per_file: int
    """All files but the last have so many."""
    shape: tuple[int, int, int, int]
    """(N, H, W, C)."""
    dtype: str
    _maps: dict[int, Any] = field(default_factory=dict, repr=False, compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.files, self.rows_per_file, self.shape, self.dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, row: int) -> NDArray[Any]:
        """(H, W, C), writable; IndexError outside 0..N-1."""
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} of {len(self)} pictures")
        number, inner = divmod(row, self.rows_per_file)
        if number not in self._maps:
            self._maps[number] = np.load(self.files[number], mmap_mode="r+")
        return self._maps[number][inner]  # type: ignore[no-any-return]

    def __setitem__(self, rows: int | slice, pixels: Any) -> None:
        """`pixels` are broadcast to (H, W, C), or to (n, H, W, C) for a slice."""
        if not isinstance(rows, slice):
            self[rows][...] = pixels
            return
        chosen = range(len(self))[rows]
        for row, picture in zip(
            chosen, np.broadcast_to(pixels, (len(chosen), *self.shape[1:])), strict=True
        ):
            self[row][...] = picture
