"""The packed set: the folder of equal-sized pictures that CPU jobs hand to training.

    dataset.json   what it is: shape, dtype, channels, targets, mean and std, how it was made
    samples.csv    one row a picture, in the order of the array
    images.npy     (N, H, W, C), C order, read as a memory map

One `np.take(images, rows, axis=0, out=batch, mode="clip")` feeds a batch at the speed of a memory
copy. Every file is deterministic: the same pictures and parameters give the same bytes.
NumPy is imported inside the functions, so that importing this module costs nothing.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from skint.errors import SkintError
from skint.moments import channel_moments
from skint.table import integer, read_rows, write_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VERSION = 1
META, SAMPLES, IMAGES = "dataset.json", "samples.csv", "images.npy"
BLOCK_BYTES = 4 * 2**20
"""`images.npy` is hashed in blocks of this many bytes, so that it can be moved in parts."""


class DatasetError(SkintError):
    """A packed set is missing, damaged, or not what its reader needs."""


@dataclass(frozen=True)
class Sample:
    """One row of `samples.csv`; `id` is also the row of the picture in `images.npy`."""

    id: int
    path: str
    """Relative to the scanned folder, with `/`."""
    label: str
    """The class by name; empty where there is none."""
    group: str = ""
    """What must not be split over folds, e.g. a patient; empty where there is none."""
    sha256: str = ""
    """Of the source file."""
    width: int = 0
    """Of the source picture in pixels, upright."""
    height: int = 0


@dataclass(frozen=True)
class Target:
    """What is to be predicted from a picture."""

    name: str
    kind: str
    """`class`, `multilabel`, `value` or `mask`."""
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DatasetMeta:
    """`dataset.json`."""

    dtype: str
    shape: tuple[int, int, int, int]
    """(N, H, W, C)."""
    channels: tuple[str, ...]
    targets: tuple[Target, ...]
    mean: tuple[float, ...]
    """Per channel over all pixels, in stored units."""
    std: tuple[float, ...]
    made_by: Mapping[str, Any]
    block_bytes: int
    block_sha256: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "layout": "dense",
            "dtype": self.dtype,
            "shape": list(self.shape),
            "channels": list(self.channels),
            "targets": [asdict(target) for target in self.targets],
            "mean": list(self.mean),
            "std": list(self.std),
            "made_by": dict(self.made_by),
            "blocks": {"bytes": self.block_bytes, "sha256": list(self.block_sha256)},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], where: str) -> DatasetMeta:
        """Raises DatasetError when another version or layout, or no `dataset.json` at all."""
        kind = (data.get("version"), data.get("layout"))
        if kind != (VERSION, "dense"):
            raise DatasetError(
                "this packed set has a layout that this skint does not read",
                where=where,
                got=f"version {kind[0]}, layout {kind[1]}",
                wanted=f"version {VERSION}, layout dense",
            )
        try:
            n, height, width, channels = data["shape"]
            return cls(
                dtype=data["dtype"],
                shape=(n, height, width, channels),
                channels=tuple(data["channels"]),
                targets=tuple(
                    Target(t["name"], t["kind"], tuple(t["classes"])) for t in data["targets"]
                ),
                mean=tuple(data["mean"]),
                std=tuple(data["std"]),
                made_by=data["made_by"],
                block_bytes=data["blocks"]["bytes"],
                block_sha256=tuple(data["blocks"]["sha256"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DatasetError(
                "dataset.json does not describe a packed set", where=where, got=repr(error)
            ) from error


@dataclass(frozen=True)
class PackedSet:
    """A packed set on disk. `PackedSet.open(folder)` checks that its three files agree."""

    folder: Path
    meta: DatasetMeta
    samples: tuple[Sample, ...]

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> PackedSet:
        """Raises DatasetError when a file is missing or they do not agree on N."""
        folder = Path(folder)
        try:
            data = json.loads((folder / META).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise DatasetError(
                "there is no packed set",
                where=str(folder),
                wanted=f"a folder with {META}, {SAMPLES} and {IMAGES}, made by `resize`",
            ) from error
        except ValueError as error:
            raise DatasetError(
                "dataset.json is not JSON", where=str(folder / META), got=error
            ) from error
        meta = DatasetMeta.from_json(data, str(folder / META))
        samples = tuple(read_samples(folder / SAMPLES))
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

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in label order."""
        for target in self.meta.targets:
            if target.kind == "class":
                return target.classes
        raise DatasetError("this packed set has no classes", where=str(self.folder / META))

    def images(self) -> np.memmap[Any, np.dtype[Any]]:
        """(N, H, W, C) read-only memory map, in the set's dtype."""
        import numpy as np

        path = self.folder / IMAGES
        try:
            images = np.load(path, mmap_mode="r")
        except FileNotFoundError as error:
            raise DatasetError("the packed set has no images.npy", where=str(path)) from error
        except ValueError as error:
            # A file that was cut short is refused by the memory map.
            raise DatasetError("the array is damaged", where=str(path), got=error) from error
        if tuple(images.shape) != self.meta.shape or images.dtype.name != self.meta.dtype:
            raise DatasetError(
                "the array is not the one that dataset.json describes",
                where=str(path),
                got=f"{images.dtype.name} {tuple(images.shape)}",
                wanted=f"{self.meta.dtype} {self.meta.shape}",
            )
        return images  # type: ignore[no-any-return]

    def labels(self) -> NDArray[np.int64]:
        """(N,) int64: the index of each sample's label in `classes`."""
        import numpy as np

        index = {name: number for number, name in enumerate(self.classes)}
        for sample in self.samples:
            if sample.label not in index:
                raise DatasetError(
                    "a sample's label is not one of the classes",
                    where=f"{self.folder / SAMPLES}: id {sample.id}",
                    got=sample.label or "an empty label",
                    wanted=", ".join(self.classes),
                )
        return np.array([index[sample.label] for sample in self.samples], dtype=np.int64)

    def damaged_blocks(self) -> tuple[int, ...]:
        """Numbers of the blocks of `images.npy` whose SHA-256 is not the recorded one."""
        actual = block_hashes(self.folder / IMAGES, self.meta.block_bytes)
        wanted = self.meta.block_sha256
        count = max(len(actual), len(wanted))
        return tuple(n for n in range(count) if actual[n : n + 1] != wanted[n : n + 1])


class PackedWriter:
    """Writes a packed set; nothing of it has its final name before `finish`.

        with PackedWriter(folder, shape=(n, 224, 224, 3), dtype="uint8") as writer:
            writer.images()[row] = picture           # any order, also from other processes
            writer.finish(samples, classes, channels=("R", "G", "B"), made_by={...})

    Leaving the block without `finish` removes the unfinished array.
    """

    def __init__(
        self, folder: str | os.PathLike[str], *, shape: tuple[int, int, int, int], dtype: str
    ) -> None:
        from numpy.lib.format import open_memmap

        self.folder = Path(folder)
        self.shape = shape
        self.dtype = dtype
        self.partial = self.folder / f"{IMAGES}.partial"
        """The array while it is being written; other processes may open it with `r+`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        open_memmap(self.partial, mode="w+", dtype=dtype, shape=shape)
        self._allocate()

    def __enter__(self) -> PackedWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.partial.unlink(missing_ok=True)

    def _allocate(self) -> None:
        """Take the space now: a disk that fills up under a memory map kills the process."""
        size = self.partial.stat().st_size
        if not hasattr(os, "posix_fallocate"):
            return
        try:
            with self.partial.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            self.partial.unlink()
            if error.errno != errno.ENOSPC:
                raise
            raise DatasetError(
                "there is not enough room for the packed set",
                where=str(self.folder),
                got=f"{shutil.disk_usage(self.folder).free:,} bytes free",
                wanted=f"{size:,} bytes",
            ) from error

    def images(self) -> np.memmap[Any, np.dtype[Any]]:
        """(N, H, W, C) writable memory map of the unfinished array."""
        import numpy as np

        return np.load(self.partial, mmap_mode="r+")  # type: ignore[no-any-return]

    def finish(
        self,
        samples: Sequence[Sample],
        classes: Sequence[str],
        *,
        channels: Sequence[str],
        made_by: Mapping[str, Any],
    ) -> PackedSet:
        """Take mean, std and hashes of what was written, and give the three files their names.

        `samples` are in row order; their ids must be 0..N-1.
        """
        if [sample.id for sample in samples] != list(range(self.shape[0])):
            raise ValueError("samples must have the ids 0..N-1, in order")
        if len(channels) != self.shape[3]:
            raise ValueError("one channel name for each channel")
        mean, std = channel_moments(self.images())
        meta = DatasetMeta(
            dtype=self.dtype,
            shape=self.shape,
            channels=tuple(channels),
            targets=(Target("label", "class", tuple(classes)),),
            mean=mean,
            std=std,
            made_by=made_by,
            block_bytes=BLOCK_BYTES,
            block_sha256=block_hashes(self.partial, BLOCK_BYTES),
        )
        write_rows(
            self.folder / SAMPLES, SAMPLE_COLUMNS, (asdict(sample).values() for sample in samples)
        )
        self.partial.replace(self.folder / IMAGES)
        # dataset.json last: a folder that has it is whole.
        text = json.dumps(meta.to_json(), indent=1) + "\n"
        _replace(self.folder / META, text)
        return PackedSet(self.folder, meta, tuple(samples))


SAMPLE_COLUMNS = tuple(field.name for field in fields(Sample))


def read_samples(path: Path) -> Iterator[Sample]:
    """Rows of a `samples.csv`; raises DatasetError where it is not one or ids are not 0..N-1."""
    for number, row in enumerate(read_rows(path, SAMPLE_COLUMNS)):
        where = f"{path}:{number + 2}"
        if row["id"] != str(number):
            raise DatasetError(
                "ids must count up from 0",
                where=where,
                got=row["id"],
                wanted=str(number),
            )
        yield Sample(
            id=number,
            path=row["path"],
            label=row["label"],
            group=row["group"],
            sha256=row["sha256"],
            width=integer(row, "width", where),
            height=integer(row, "height", where),
        )


def read_folds(path: Path, count: int) -> NDArray[np.int64]:
    """(count,) int64: the fold (from 0) of every sample, from a `folds.csv` with `id,fold`.

    Raises DatasetError unless each id 0..count-1 stands there exactly once.
    """
    import numpy as np

    folds = np.full(count, -1, dtype=np.int64)
    for number, row in enumerate(read_rows(path, ("id", "fold"))):
        where = f"{path}:{number + 2}"
        sample, fold = integer(row, "id", where), integer(row, "fold", where)
        if not 0 <= sample < count or folds[sample] != -1 or fold < 0:
            raise DatasetError(
                "this row does not fit the packed set",
                where=where,
                got=f"id {sample}, fold {fold}",
                wanted=f"each id of 0..{count - 1} once, with its fold from 0",
            )
        folds[sample] = fold
    if (folds < 0).any():
        raise DatasetError(
            "some samples have no fold",
            where=str(path),
            got=f"{int((folds < 0).sum())} of {count} without, first id {int(folds.argmin())}",
        )
    return folds


def block_hashes(path: Path, block_bytes: int) -> tuple[str, ...]:
    """SHA-256 of each block of a file, in order."""
    with path.open("rb") as file:
        return tuple(
            hashlib.sha256(block).hexdigest() for block in iter(lambda: file.read(block_bytes), b"")
        )


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.partial")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
