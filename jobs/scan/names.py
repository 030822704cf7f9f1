"""What samples are called in tables and submissions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

WAYS: tuple[Callable[[PurePosixPath], str], ...] = (
    lambda path: path.stem,
    lambda path: path.name,
    lambda path: str(path.with_suffix("")),
    str,
)
"""Shortest first; the last is the path itself, so it is never doubled."""


def short_names(paths: Sequence[str]) -> list[str]:
    """For each path the file's name without suffix; where that is not unique, as much more as is
    needed: the path without suffix, or the whole path."""
    found: list[str] = [""] * len(paths)
    taken: set[str] = set()
    left = list(range(len(paths)))
    for way in (WAYS[0], WAYS[2], WAYS[3]):
        names = {number: way(PurePosixPath(paths[number])) for number in left}
        counts = Counter(names.values())
        for number, name in names.items():
            if counts[name] == 1 and name not in taken:
                found[number] = name
        taken.update(found[number] for number in names)
        left = [number for number in left if not found[number]]
    return found


def names_like(paths: Sequence[str], ids: set[str]) -> list[str] | None:
    """The names that are most often among `ids`, made in one way for all; None where none is.

    A submission may call `test/a.jpg` by `a`, `a.jpg`, `test/a` or `test/a.jpg`.
    """
    best: tuple[int, list[str]] | None = None
    for way in WAYS:
        names = [way(PurePosixPath(path)) for path in paths]
        hits = len(ids.intersection(names))
        if hits and (best is None or hits > best[0]):
            best = (hits, names)
    return None if best is None else best[1]
