"""The room that converted pictures take: looked for before, given back after a failure."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.convert.records import encoded
from skint.dataset import PackedSet
from skint.dataset.blobs import BlobImages
from skint.dataset.canvas import is_full
from skint.errors import SkintError

TRIED = 16
"""Pictures that are encoded to find out how large all will be."""
CERTAIN = 0.9
"""Share of what is expected that must be free: an estimate must not refuse what would fit."""
NEXT = "make room, for example with `skint cache prune`, then run the plan again"


class RoomError(SkintError):
    """The disk has no room for what is to be written."""


def check_room(folder: Path, wanted_bytes: int) -> None:
    """Raise RoomError where the disk of `folder` surely has not the room."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < CERTAIN * wanted_bytes:
        raise RoomError(
            "there is not enough room for the converted pictures",
            where=str(folder),
            got=f"{free_bytes:,} bytes free",
            wanted=f"about {wanted_bytes:,} bytes",
            next=NEXT,
        )


def bytes_of_packed(data: PackedSet, *, arrays: bool) -> int:
    """What its pictures take as files, about: exact where they are compressed already."""
    images = data.images()
    count = len(data)
    if isinstance(images, BlobImages) and data.meta.codec != "raw":
        return int(images.index[:, 2].sum())
    rows = range(0, count, max(1, -(-count // TRIED)))
    tried = [len(encoded(images[row], arrays=arrays)[1]) for row in rows]
    return sum(tried) * count // max(1, len(tried))


@contextmanager
def whole_or_nothing(folder: Path) -> Iterator[None]:
    """Whatever ends the block early, nothing of it stays in `folder` and takes room.

    Raises RoomError where the disk is full.
    """
    try:
        yield
    except BaseException as error:
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        if not (isinstance(error, OSError) and is_full(error)):
            raise
        raise RoomError(
            "the disk is full",
            where=str(folder),
            got=f"{shutil.disk_usage(folder).free:,} bytes free after what was written is removed",
            next=NEXT,
        ) from error
