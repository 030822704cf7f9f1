"""A packed set on disk, read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skint.dataset.blocks import DamagedBlock, block_hashes
from skint.dataset.error import DatasetError
from skint.dataset.meta import META, SUMS, DatasetMeta, read_meta
from skint.dataset.sample import SAMPLES, Sample, read_samples
from skint.dataset.target import Target

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from skint.dataset.images import Images
    from skint.moments import Moments

LADDER = "sizes"
"""The folder of the smaller sizes, each a packed set in a folder named after its pixels."""


@dataclass(frozen=True)
class PackedSet:
    """A packed set on disk. `PackedSet.open(folder)` checks that its tables agree."""

    folder: Path
    meta: DatasetMeta
    samples: tuple[Sample, ...]

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> PackedSet:
        """Raises DatasetError when a table is missing or they do not agree on N."""
        folder = Path(folder)
        meta = read_meta(folder)
        samples = tuple(read_samples(folder / SAMPLES, meta.targets))
        if len(samples) != meta.shape[0]:
            raise DatasetError(
                "the packed set is not whole",
                where=str(folder / SAMPLES),
                got=f"{len(samples)} rows",
                wanted=f"{meta.shape[0]}, as dataset.json says",
            )
        return cls(folder, meta, samples)

    def __len__(self) -> int:
        return len(self.samples)

    def images(self) -> Images:
        """The pixels; raises DatasetError where the files are not those of dataset.json."""
        from skint.dataset.blobs import BlobImages
        from skint.dataset.dense import DenseImages

        return (BlobImages if self.meta.in_blobs else DenseImages)(self.folder, self.meta)

    def at(self, size_px: int) -> PackedSet:
        """The same pictures at another size of the ladder; raises DatasetError without it."""
        own = self.meta.sizes or (self.meta.shape[1],)
        if size_px == own[-1]:
            return self
        if size_px not in own:
            raise DatasetError(
                "the packed set does not have this size",
                where=str(self.folder / META),
                got=size_px,
                wanted=", ".join(map(str, own)),
                next="give `resize` a list of sizes",
            )
        return PackedSet.open(self.folder / LADDER / str(size_px))

    def target(self, kind: str, name: str | None = None) -> Target:
        """The target of that kind and name, else the first of the kind; DatasetError without."""
        for target in self.meta.targets:
            if target.kind == kind and name in (None, target.name):
                return target
        of_name = f" called {name}" if name is not None else ""
        raise DatasetError(
            f"this packed set has no target of the kind {kind}{of_name}",
            where=str(self.folder / META),
            got=", ".join(f"{t.name} ({t.kind})" for t in self.meta.targets) or "no targets",
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """Names in label order, of the first target of kind `class`."""
        return self.target("class").classes

    def labels(self, target: str | None = None) -> NDArray[np.int64]:
        """(N,): each sample's position in the target's classes, -1 where it is not known."""
        from skint.dataset.columns import class_numbers

        return class_numbers(self.samples, self.target("class", target), self._table)

    def multi_hot(self, target: str | None = None) -> NDArray[np.uint8]:
        """(N, K): 1 for each class of a multilabel target that the sample has."""
        from skint.dataset.columns import multi_hot

        return multi_hot(self.samples, self.target("multilabel", target), self._table)

    def values(self, target: str | None = None) -> NDArray[np.float64]:
        """(N,): each sample's number, NaN where it is not known."""
        from skint.dataset.columns import decimals

        return decimals(self.samples, self.target("value", target), self._table)

    def masks(self, target: str | None = None) -> NDArray[Any]:
        """(N, H, W) uint8 or uint16, a read-only memory map."""
        from skint.dataset.array import map_any, map_array

        path = self.folder / mask_file(self.target("mask", target))
        dtype = "uint16" if map_any(path).dtype == "uint16" else "uint8"
        return map_array(path, self.meta.shape[:3], dtype)

    def moments(self, rows: Sequence[int] | NDArray[np.int64] | None = None) -> Moments:
        """Mean and standard deviation per channel over the pixels of `rows`, in stored units.

        Exact for unsigned pixels of up to 16 bits. No pixel is read: the sums of each picture are
        kept. Without `rows`: of the whole set.
        """
        import numpy as np

        from skint.dataset.array import map_any
        from skint.moments import moments

        if rows is None:
            return self.meta.mean, self.meta.std
        _, height, width, _ = self.meta.shape
        sums = self._sums()
        chosen = np.asarray(rows, dtype=np.int64)
        if self.meta.in_blobs:
            from skint.dataset.meta import INDEX

            sizes = map_any(self.folder / INDEX)[chosen, 3:]
            pixels = int((sizes[:, 0] * sizes[:, 1]).sum())
        else:
            pixels = len(chosen) * height * width
        return moments(sums[chosen], pixels)

    def not_finite(self) -> NDArray[np.int64]:
        """Rows of the pictures that have a pixel of NaN or infinity. No pixel is read."""
        import numpy as np

        return np.flatnonzero(~np.isfinite(self._sums()).all(axis=(1, 2)))

    def _sums(self) -> NDArray[Any]:
        """(N, 2, C): of each picture the sum and the sum of squares of each channel."""
        import numpy as np

        from skint.dataset.array import map_array
        from skint.moments import sums_dtype

        n, _, _, channels = self.meta.shape
        dtype = sums_dtype(np.dtype(self.meta.dtype)).name
        return map_array(self.folder / SUMS, (n, 2, channels), dtype)

    def damaged_blocks(self) -> tuple[DamagedBlock, ...]:
        """Blocks of the binary files whose SHA-256 is not the recorded one, or that are missing."""
        recorded = {part.file: part.sha256 for part in self.meta.parts} | dict(self.meta.files)
        damaged = []
        for name, wanted in recorded.items():
            path = self.folder / name
            actual = block_hashes(path, self.meta.block_bytes) if path.exists() else ()
            damaged += [
                DamagedBlock(name, block)
                for block in range(max(len(actual), len(wanted)))
                if actual[block : block + 1] != wanted[block : block + 1]
            ]
        return tuple(damaged)

    @property
    def _table(self) -> str:
        return str(self.folder / SAMPLES)


def mask_file(target: Target) -> str:
    """The file of a mask target's masks."""
    return f"mask-{target.name}.npy"
