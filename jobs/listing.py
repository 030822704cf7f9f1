"""Finds the pictures under a folder without ever leaving it."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from skint.errors import SkintError

PICTURES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif")
)
UNREAD = frozenset(
    (".heic", ".heif", ".avif", ".jp2", ".jxl", ".dng", ".cr2", ".nef", ".arw", ".psd", ".ppm")
)
"""Pictures that skint does not read: named, so that none goes missing in silence."""
MAX_BYTES = 2**30


class SourceError(SkintError):
    """The folder of pictures is missing, or cannot be used as it is."""


@dataclass
class Listing:
    """What stands under a folder, paths relative to it with `/`, sorted."""

    pictures: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    """(path, sentence) of what looks like a picture but is not opened."""
    other: int = 0
    """Files that do not look like pictures."""


def source_folder(path: Path, where: str) -> Path:
    """The folder, resolved; raises SourceError that names it and its likeliest neighbour."""
    if path.is_dir():
        return path.resolve()
    if path.exists():
        raise SourceError(
            "the source is a file", where=where, got=str(path), wanted="a folder of pictures"
        )
    parent = path.parent
    while not parent.is_dir():
        parent = parent.parent
    missing = path.relative_to(parent).parts[0]
    names = sorted(entry.name for entry in parent.iterdir() if entry.is_dir())
    near = difflib.get_close_matches(missing, names, n=1, cutoff=0.5)
    if near:
        hint = f"did you mean {parent / near[0]}?"
    elif names:
        hint = f"in {parent} there are: {', '.join(names[:8])}"
    else:
        hint = f"{parent} has no folders in it"
    raise SourceError("there is no such folder", where=where, got=str(path), next=hint)


def list_pictures(root: Path) -> Listing:
    """All files under `root`, in an order that does not depend on the disk.

    Names that begin with a dot are left out. Links to files are followed as long as they stay in
    the folder; links to folders are not.
    """
    listing = Listing()
    for path, entry in _walk(root, ""):
        suffix = Path(path).suffix.lower()
        if entry.is_symlink() and entry.is_dir():
            listing.refused.append((path, "is a link to a folder: those are not followed"))
        elif suffix in UNREAD:
            listing.refused.append((path, f"is a {suffix[1:].upper()} file, which is not read"))
        elif suffix not in PICTURES:
            listing.other += 1
        elif reason := refusal(root, path):
            listing.refused.append((path, reason))
        else:
            listing.pictures.append(path)
    listing.pictures.sort()
    listing.refused.sort()
    return listing


def refusal(root: Path, path: str) -> str | None:
    """Why a file is not opened, as a sentence; None where it may be. `root` is resolved."""
    file = root / path
    try:
        target = file.resolve(strict=True)
        facts = target.stat()
    except FileNotFoundError:
        return "is a link to nothing" if file.is_symlink() else "does not exist"
    except (OSError, RuntimeError):  # RuntimeError: a loop of links, before Python 3.13
        return "cannot be reached"
    if not target.is_relative_to(root):
        return "leads out of the source folder"
    if not stat.S_ISREG(facts.st_mode):
        return "is not an ordinary file"
    if facts.st_size > MAX_BYTES:
        return f"is larger than 1 GiB ({facts.st_size:,} bytes)"
    return None


def _walk(root: Path, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    try:
        with os.scandir(root / prefix) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except PermissionError as error:
        raise SourceError(
            "this folder may not be read", where=str(root / prefix), next="check its permissions"
        ) from error
    for entry in found:
        if entry.name.startswith("."):
            continue
        path = f"{prefix}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(root, f"{path}/")
        else:
            yield path, entry
