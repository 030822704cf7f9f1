"""The packed sets that `resize` writes at once: one for each size of the ladder."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.decode import Wanted, canvas_px
from jobs.resize.compress import Compressor, Format, psnr_db
from jobs.resize.pack import Outlet, Packed
from skint.dataset import PackedSet, PackedWriter, Sample, Target
from skint.dataset.blob_writer import BlobWriter
from skint.dataset.canvas import Canvas, create
from skint.dataset.packed import LADDER


@dataclass(frozen=True)
class Form:
    """What all the packed sets have in common."""

    wanted: Wanted
    channels: tuple[str, ...]
    dtype: str
    masks: Mapping[str, str]
    """dtype by mask target."""
    part_bytes: int
    format: Format | None = None
    """Of compressed pictures."""
    quality: int = 0


@dataclass(frozen=True)
class Rung:
    """One size."""

    writer: PackedWriter | BlobWriter
    outlet: Outlet
    raw_bytes: int
    """What the pixels take uncompressed."""

    @property
    def files(self) -> tuple[Path, ...]:
        errors = self.outlet.errors.files if isinstance(self.outlet, Compressor) else ()
        return (*self.writer.partial, *errors)

    def measured(self) -> dict[str, Any]:
        """What compression saved and cost; nothing where there is none."""
        if not isinstance(self.outlet, Compressor):
            return {}
        assert isinstance(self.writer, BlobWriter)
        self.outlet.errors.close()
        squared = sum(np.load(self.outlet.errors.files[0]).tolist())
        decibels = psnr_db(squared, self.raw_bytes)
        return {
            "compressed": {
                "bytes": self.writer.blob_bytes,
                "raw_bytes": self.raw_bytes,
                "psnr_db": None if math.isinf(decibels) else round(decibels, 2),
                "pictures_measured": len(self.outlet.errors),
            }
        }


class Ladder:
    """All sizes; the largest lies in `out` itself."""

    def __init__(
        self, out: Path, form: Form, samples: Sequence[Sample], *, done: int, stack: ExitStack
    ) -> None:
        """`done`: rows that unfinished files in `out` hold already. `stack` closes the writers.

        Raises DatasetError where the disk has not the room.
        """
        self.form = form
        self.rungs: list[Rung] = []
        for number, size in enumerate(form.wanted.sizes):
            last = number == len(form.wanted.sizes) - 1
            folder = out if last else out / LADDER / str(size)
            self.rungs.append(_rung(folder, out, form, samples, size, done=done, stack=stack))

    @property
    def outlets(self) -> tuple[Outlet, ...]:
        return tuple(rung.outlet for rung in self.rungs)

    @property
    def files(self) -> list[Path]:
        """Everything that is unfinished."""
        return [path for rung in self.rungs for path in rung.files]

    def take(self, row: int, packed: Packed) -> None:
        """Append what came back compressed; rows come in order."""
        for rung, content in zip(self.rungs, packed.contents, strict=False):
            assert isinstance(rung.writer, BlobWriter)
            rung.writer.append(row, content)

    def settled(self, rows: int) -> None:
        for rung in self.rungs:
            rung.writer.settled(rows)

    def finish(
        self, samples: Sequence[Sample], targets: Sequence[Target], made_by: Mapping[str, Any]
    ) -> list[PackedSet]:
        """Smaller sizes first: a folder whose `dataset.json` is there has them all."""
        sizes = [size for size in self.form.wanted.sizes if size is not None]
        ladder = sizes if len(sizes) > 1 else []
        made = []
        for rung in self.rungs:
            facts = {**made_by, **rung.measured()}
            more: dict[str, Any] = {"channels": self.form.channels, "made_by": facts}
            # Only the largest stands for the ladder: a smaller one is a set like any other.
            more["sizes"] = ladder if rung is self.rungs[-1] else ()
            if isinstance(rung.writer, PackedWriter):
                made.append(rung.writer.finish(samples, targets, summed=True, **more))
            else:
                made.append(rung.writer.finish(samples, targets, **more))
        return made


def _rung(
    folder: Path,
    out: Path,
    form: Form,
    samples: Sequence[Sample],
    size: int | None,
    *,
    done: int,
    stack: ExitStack,
) -> Rung:
    mode, count = form.wanted.mode, len(samples)
    pixels = _sizes(form, samples, size)
    raw_bytes = int((pixels[:, 0] * pixels[:, 1]).sum()) * len(form.channels)
    raw_bytes *= np.dtype(form.dtype).itemsize
    if mode != "keep" and form.format is None:
        assert size is not None
        dense = stack.enter_context(
            PackedWriter(
                folder,
                shape=(count, size, size, len(form.channels)),
                dtype=form.dtype,
                part_bytes=form.part_bytes,
                masks=form.masks,
                resume=True,
                taken_up=done > 0,
            )
        )
        return Rung(dense, dense.rows(), raw_bytes)
    blobs = stack.enter_context(
        BlobWriter(
            folder,
            sizes=pixels,
            channels=len(form.channels),
            dtype=form.dtype,
            codec=form.format or "raw",
            layout="ragged" if mode == "keep" else "dense",
            part_bytes=form.part_bytes,
            masks=form.masks,
            resume=True,
            taken_up=done > 0,
        )
    )
    if form.format is None:
        return Rung(blobs, blobs.places(), raw_bytes)
    if done:
        blobs.go_on(done)
    path = out / "local" / f"errors-{size or 'all'}.npy.partial"
    errors = stack.enter_context(_errors(path, count, taken_up=done > 0))
    outlet = Compressor(form.format, form.quality, blobs.sums(), errors, blobs.masks())
    return Rung(blobs, outlet, raw_bytes)


def _sizes(form: Form, samples: Sequence[Sample], size: int | None) -> NDArray[np.int64]:
    """(N, 2): height and width of each packed picture."""
    mode = form.wanted.mode
    sides = [canvas_px(sample.width, sample.height, mode, size)[::-1] for sample in samples]
    return np.array(sides, dtype=np.int64).reshape(-1, 2)


@contextmanager
def _errors(path: Path, count: int, *, taken_up: bool) -> Iterator[Canvas]:
    """(N,) uint64: see Compressor. The file stays after a stop only."""
    path.parent.mkdir(exist_ok=True)
    if not taken_up:
        path.unlink(missing_ok=True)
    errors = Canvas((path,), max(1, count), (count,), "uint64")
    create(errors)
    try:
        yield errors
    except Exception:
        path.unlink(missing_ok=True)
        raise
    else:
        path.unlink(missing_ok=True)
    finally:
        errors.close()
