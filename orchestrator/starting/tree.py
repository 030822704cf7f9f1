"""What lies under a folder, by names and sizes alone: no file is opened."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from jobs.scan.listing import PICTURES, UNREAD
from orchestrator.starting.errors import NothingToStart

TABLES = frozenset((".csv", ".tsv", ".parquet", ".pq"))
ARRAYS = frozenset((".npy", ".npz", ".mat", ".h5", ".hdf5"))
SKIPPED = frozenset(("__pycache__", "node_modules", "site-packages", "__MACOSX"))
MOST_FILES = 2_000_000
MOST_TABLES = 40
DEEPEST = 30


@dataclass
class Folder:
    """A folder and what is directly in it."""

    path: str
    """Relative to the top, with `/`; empty for the top itself."""
    pictures: list[str] = field(default_factory=list)
    """Names, sorted."""
    bytes: int = 0
    children: list[Folder] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    total: int = 0
    """Pictures here and below."""
    total_bytes: int = 0

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def with_pictures(self) -> list[Folder]:
        return [child for child in self.children if child.total]

    def walk(self) -> Iterator[Folder]:
        yield self
        for child in self.children:
            yield from child.walk()

    def paths(self) -> Iterator[str]:
        """Of all pictures here and below, relative to the top."""
        for folder in self.walk():
            ahead = f"{folder.path}/" if folder.path else ""
            for name in folder.pictures:
                yield ahead + name


@dataclass(frozen=True)
class Tree:
    root: Path
    top: Folder
    files: int
    unread: Counter[str]
    """Pictures and arrays of kinds that `scan` does not read, by suffix."""
    closed: tuple[str, ...]
    """Folders that may not be read."""

    @property
    def tables(self) -> list[str]:
        """Paths of tables relative to the root, those nearest to it first."""
        found = [path for folder in self.top.walk() for path in folder.tables]
        return sorted(found, key=lambda path: (path.count("/"), path))[:MOST_TABLES]


def read_tree(root: Path) -> Tree:
    """Links are not followed to folders. Raises NothingToStart where it cannot be read, or is far
    more than a folder of pictures."""
    reader = _Reader(root)
    top = reader.read("", 0)
    if top is None:
        raise NothingToStart(
            "this folder may not be read", where=str(root), next=f"ls -ld {root}, then chmod"
        )
    return Tree(root, top, reader.files, reader.unread, tuple(sorted(reader.closed)))


class _Reader:
    def __init__(self, root: Path) -> None:
        self._root = root
        self.files = 0
        self.unread: Counter[str] = Counter()
        self.closed: list[str] = []

    def read(self, path: str, depth: int) -> Folder | None:
        try:
            with os.scandir(self._root / path) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except PermissionError:
            self.closed.append(path)
            return None
        here = Folder(path)
        ahead = f"{path}/" if path else ""
        for entry in found:
            if entry.name.startswith(".") or entry.name in SKIPPED:
                continue
            if entry.is_dir(follow_symlinks=False):
                if depth < DEEPEST and not (Path(entry.path) / "pyvenv.cfg").exists():
                    child = self.read(ahead + entry.name, depth + 1)
                    here.children += [child] if child is not None else []
            else:
                self._count(entry, here, ahead)
        here.total = len(here.pictures) + sum(child.total for child in here.children)
        here.total_bytes = here.bytes + sum(child.total_bytes for child in here.children)
        return here

    def _count(self, entry: os.DirEntry[str], here: Folder, ahead: str) -> None:
        self.files += 1
        if self.files > MOST_FILES:
            raise NothingToStart(
                f"there are more than {MOST_FILES:,} files in this folder",
                where=str(self._root),
                next="name the folder of the pictures: skint init FOLDER",
            )
        suffix = Path(entry.name).suffix.lower()
        if suffix in PICTURES:
            try:
                here.bytes += entry.stat().st_size
            except OSError:  # a link to nothing: `scan` lists it as broken
                return
            here.pictures.append(entry.name)
        elif suffix in TABLES:
            here.tables.append(ahead + entry.name)
        elif suffix in UNREAD or suffix in ARRAYS:
            self.unread[suffix] += 1
