"""Finds the pictures under a folder without ever leaving it."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Callable, Iterator
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
CHECK_EVERY = 256
"""Files between two looks whether to stop: some milliseconds."""


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


class Gate:
    """Says which files under a folder may be opened; asks the disk once a folder and file."""

    def __init__(self, root: Path) -> None:
        """`root` is resolved."""
        self.root = root
        self._plain: dict[str, bool] = {}
        """Folders that are reached without a link or `..`."""

    def refusal(self, path: str) -> str | None:
        """Why a file is not opened, as a sentence; None where it may be."""
        folder, _, name = path.rpartition("/")
        plain = self._plain.get(folder)
        if plain is None:
            place = self.root / folder
            within = place.is_relative_to(self.root)  # a path of a table may be absolute
            plain = self._plain[folder] = within and os.path.realpath(place) == str(place)
        try:
            facts = os.lstat(self.root / path)
        except OSError:
            return _refusal(self.root, path)
        except ValueError:  # a null byte
            return "does not exist"
        if not plain or name in ("", "..") or stat.S_ISLNK(facts.st_mode):
            return _refusal(self.root, path)
        return _not_readable(facts)


def list_pictures(root: Path, check: Callable[[], None]) -> Listing:
    """All files under `root`, in an order that does not depend on the disk.

    Names that begin with a dot are left out. Links to files are followed as long as they stay in
    the folder; links to folders are not. `check` is called often; what it raises ends the listing.
    """
    listing = Listing()
    gate = Gate(root)
    for number, (path, entry) in enumerate(_walk(root, "")):
        if number % CHECK_EVERY == 0:
            check()
        suffix = Path(path).suffix.lower()
        if entry.is_symlink() and entry.is_dir():
            listing.refused.append((path, "is a link to a folder: those are not followed"))
        elif suffix in UNREAD:
            listing.refused.append((path, f"is a {suffix[1:].upper()} file, which is not read"))
        elif suffix not in PICTURES:
            listing.other += 1
        elif reason := gate.refusal(path):
            listing.refused.append((path, reason))
        else:
            listing.pictures.append(path)
    listing.pictures.sort()
    listing.refused.sort()
    return listing


def paths_of_pictures(root: Path, check: Callable[[], None]) -> Iterator[str]:
    """What looks like a picture by its name, in an order that does not depend on the disk.

    Folders that may not be read are left out, as are links to folders.
    """
    for folder, folders, files in os.walk(root):
        check()
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        place = Path(folder).relative_to(root)
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in PICTURES:
                yield (place / name).as_posix()


def _refusal(root: Path, path: str) -> str | None:
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
    return _not_readable(facts)


def _not_readable(facts: os.stat_result) -> str | None:
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
