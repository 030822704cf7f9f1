"""Decodes pictures into packed sets. Runs in the processes of `resize`; imports nothing of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from jobs.decode import Wanted, mask_pictures, pictures
from jobs.decode.lenient import as_far_as_it_goes
from jobs.decode.unreadable import Unreadable
from jobs.resize.compress import Compressor
from jobs.scan.scanned import MaskFile
from skint.dataset.blob_writer import Places
from skint.dataset.rows import Rows

Outlet = Rows | Places | Compressor
"""Where the pictures of one size go."""


@dataclass(frozen=True)
class Source:
    """A picture and the row it goes to."""

    row: int
    path: str
    page: int
    sha256: str
    width: int
    height: int
    masks: tuple[MaskFile, ...] = ()
    broken: bool = False
    """To be decoded as far as it goes."""


@dataclass(frozen=True)
class Packed:
    """What became of a picture."""

    reason: str = ""
    """Why it could not be packed."""
    contents: tuple[bytes, ...] = ()
    """Where it is compressed: its bytes for each size, which somebody else is to write in order."""


@dataclass(frozen=True)
class Packing:
    """Where pictures come from, where they go, and how."""

    root: str
    wanted: Wanted
    outlets: tuple[Outlet, ...]
    """One for each of `wanted.sizes`."""
    channels: int
    dtype: str


def pack(packing: Packing, sources: Sequence[Source]) -> list[Packed]:
    """Put each picture into its row, at every size."""
    return [_pack(packing, source) for source in sources]


def lost(source: Source) -> Packed:
    """What is said of a picture that ended the process that decoded it, or never let it go."""
    return Packed("crashes the decoder")


def _pack(packing: Packing, source: Source) -> Packed:
    root = Path(packing.root)
    try:
        content = (root / source.path).read_bytes()
        if hashlib.sha256(content).hexdigest() != source.sha256:
            return Packed("is not the file that was scanned: its bytes have changed")
        with as_far_as_it_goes() if source.broken else nullcontext():
            made = pictures(content, packing.wanted, source.page)
    except Unreadable as error:
        return Packed(str(error))
    except OSError as error:
        return Packed(f"cannot be read ({error.strerror})")
    if made[0].shape[2] != packing.channels or made[0].dtype != packing.dtype:
        return Packed(f"is {made[0].dtype} {made[0].shape}, not what the scan found")
    masks: list[dict[str, NDArray[Any]]] = [{} for _ in made]
    for one in source.masks:
        try:
            content = (root / one.path).read_bytes()
            if hashlib.sha256(content).hexdigest() != one.sha256:
                return Packed(
                    f"has a mask that is not the file that was scanned: {one.path} has changed"
                )
            of_px = source.width, source.height
            for size, mask in enumerate(mask_pictures(content, packing.wanted, of_px)):
                masks[size][one.target] = mask
        except Unreadable as error:
            return Packed(f"has a mask that cannot be used: {one.path} {error}")
        except OSError as error:
            return Packed(f"has a mask that cannot be read: {one.path} ({error.strerror})")
    contents = []
    for outlet, picture, its_masks in zip(packing.outlets, made, masks, strict=True):
        if isinstance(outlet, Compressor):
            contents.append(outlet.compressed(source.row, picture, its_masks))
        elif isinstance(outlet, Places):
            outlet.put(source.row, picture)
        else:
            outlet.put(source.row, picture, its_masks)
    return Packed(contents=tuple(contents))
