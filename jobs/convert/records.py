"""Pictures with what is known of them, as files: what is converted from one form to another."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import skint
from jobs.scan.scanned import SCAN, read_targets
from jobs.scan.source_root import find_root
from skint.dataset import PackedSet, Target
from skint.dataset.blobs import BlobImages
from skint.errors import SkintError
from skint.table import integer, read_rows

SUFFIXES = {"jpeg": ".jpg", "webp": ".webp"}
"""Of pictures that a packed set holds compressed, by codec."""


PNG_LEVEL = 3
"""Photos take less than half the time of the usual level 6, and 1.5 % more room."""


class RecordError(SkintError):
    """A picture cannot be handed on as a file of its own."""


@dataclass(frozen=True)
class Record:
    """One picture."""

    name: str
    path: str
    group: str
    suffix: str
    """Of a file with these bytes, e.g. `.png`; always lower case."""
    content: bytes
    cells: Mapping[str, str]
    """By target; see `Target`."""
    channels: int = 0
    """As they are packed; 0 where that is not known."""


def of_packed(data: PackedSet, *, arrays: bool) -> Iterator[Record]:
    """The pictures of a packed set without loss: PNG, or as they are where they are compressed.

    What PNG cannot hold becomes a NumPy file with `arrays`, else a TIFF.
    """
    images = data.images()
    known = [target.name for target in data.meta.targets if target.kind != "mask"]
    for sample in data.samples:
        if isinstance(images, BlobImages) and data.meta.codec != "raw":
            part, start, length = images.index[sample.id, :3].tolist()
            content = images.blobs[part][start : start + length].tobytes()
            suffix = SUFFIXES[data.meta.codec]
        else:
            suffix, content = encoded(images[sample.id], arrays=arrays)
        cells = {name: sample.targets.get(name, "") for name in known}
        yield Record(
            sample.name, sample.path, sample.group, suffix, content, cells, data.meta.shape[3]
        )


def of_scan(folder: Path, base: Path) -> tuple[tuple[Target, ...], int, int, Iterator[Record]]:
    """Targets, number, bytes and pictures of a scan: the files as they are, seen from the plan's
    folder `base`.

    Raises SourceGone where they lie nowhere, RecordError where a file is gone or another than was
    scanned, or where a picture is one page of several.
    """
    targets = tuple(target for target in read_targets(folder) if target.kind != "mask")
    names = tuple(target.name for target in targets)
    root = find_root(folder, base)
    columns = ("name", "path", "page", "group", "sha256", "bytes", *names)
    rows = list(read_rows(folder / SCAN, columns))

    def records() -> Iterator[Record]:
        for number, row in enumerate(rows, 2):
            if integer(row, "page", f"{folder / SCAN}:{number}") > 0:
                raise RecordError(
                    "a page of a file with several pages is no file of its own",
                    where=str(root / row["path"]),
                    got=f"page {row['page']}",
                    next="pack the pictures first (`resize`), and convert the packed set",
                )
            content = _read(root / row["path"], row["sha256"])
            cells = {name: row[name] for name in names}
            suffix = Path(row["path"]).suffix.lower()
            yield Record(row["name"], row["path"], row["group"], suffix, content, cells)

    size = sum(
        integer(row, "bytes", f"{folder / SCAN}:{number}") for number, row in enumerate(rows, 2)
    )
    return targets, len(rows), size, records()


def _read(path: Path, sha256: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecordError(
            "a picture cannot be read", where=str(path), got=error.strerror or error
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise RecordError(
            "a picture is not the file that was scanned: its bytes have changed",
            where=str(path),
            next="if it was changed on purpose, run the plan again: it is scanned anew",
        )
    return content


def encoded(picture: NDArray[Any], *, arrays: bool) -> tuple[str, bytes]:
    """(suffix, bytes) of (H, W, C) without loss; the same picture gives the same bytes."""
    channels = picture.shape[2]
    file = io.BytesIO()
    if picture.dtype == np.uint8 and channels in (1, 3):
        flat = picture[:, :, 0] if channels == 1 else picture
        image = Image.fromarray(np.ascontiguousarray(flat))
        image.save(file, "PNG", compress_level=PNG_LEVEL)
        return ".png", file.getvalue()
    if arrays:
        np.save(file, picture)
        return ".npy", file.getvalue()
    import tifffile

    tifffile.imwrite(
        file,
        picture,
        photometric="minisblack",
        planarconfig="contig",
        metadata=None,
        software=False,
    )
    return ".tif", file.getvalue()


def as_picture_file(record: Record) -> tuple[str, bytes]:
    """(suffix, bytes) that every program opens: a NumPy file becomes PNG or TIFF."""
    if record.suffix != ".npy":
        return record.suffix, record.content
    return encoded(decoded(record), arrays=False)


def decoded(record: Record) -> NDArray[Any]:
    """(H, W, C) at its own size, upright; raises RecordError where it cannot be."""
    from jobs.decode import Wanted, pictures
    from jobs.decode.unreadable import Unreadable

    try:
        if record.suffix == ".npy":
            array = np.load(io.BytesIO(record.content), allow_pickle=False)
            array = array[:, :, np.newaxis] if array.ndim == 2 else array
            if array.ndim != 3 or not array.size or array.dtype.kind not in "uif":
                raise Unreadable(f"holds {array.dtype} {array.shape}, not (H, W, C)")
            return np.asarray(array)
        colour = Wanted((None,), "keep", "gray" if record.channels == 1 else "rgb")
        return pictures(record.content, colour)[0]
    except (Unreadable, ValueError, EOFError) as error:
        raise RecordError("a picture cannot be used", where=record.path, got=error) from error


def tell_progress(records: Iterator[Record], count: int, ctx: skint.Context) -> Iterator[Record]:
    """The same records; asks after each whether to stop, and says how far it is."""
    for number, record in enumerate(records, 1):
        ctx.check()
        yield record
        ctx.progress(number, max(number, count))
