"""One look at a file: is it a usable picture, of what shape, with which bytes, like which others?

The file is read once and decoded once, a JPEG at a small scale. Runs in the processes of `scan`;
imports nothing of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.decode import Facts, SixteenBits, examine_mask, glance
from jobs.decode.lenient import as_far_as_it_goes
from jobs.decode.opening import ALL_PAGES, is_sideways, reading
from jobs.decode.tiff import is_tiff, page_numbers
from jobs.decode.unreadable import Unreadable
from jobs.scan.phash import SIDE_PX, phash


@dataclass(frozen=True)
class Way:
    """How every file is looked at."""

    root: str
    pages: str = "first"
    """`first`, `samples` (each page is a picture) or `bands` (all pages are one picture)."""
    sixteen_bits: SixteenBits = "auto"
    lenient: bool = False
    """Use a broken picture as far as it can be decoded."""


@dataclass(frozen=True)
class Task:
    path: str
    masks: tuple[str, ...] = ()
    """Paths of its masks."""


@dataclass(frozen=True)
class Page:
    """One picture of a file."""

    number: int
    width: int
    height: int
    channels: int
    dtype: str
    phash: str
    levels: int | None
    """See `Facts.levels`."""


@dataclass(frozen=True)
class Mask:
    """A mask of a picture."""

    path: str
    sha256: str
    dtype: str
    """`uint8` or `uint16`."""
    doubtful: bool
    """Its picture is turned upright, it is not, and their sizes do not tell whether it should be.
    """


@dataclass(frozen=True)
class Look:
    """What was seen of a file; without pages it is no usable picture, for `reason`."""

    pages: tuple[Page, ...] = ()
    sha256: str = ""
    bytes: int = 0
    reason: str = ""
    """With pages: what is wrong with a picture that is used as far as it goes."""
    masks: tuple[Mask, ...] = ()
    """In the order of the task's."""


def look_at(way: Way, tasks: Sequence[Task]) -> list[Look]:
    return [_look_at(way, task) for task in tasks]


def lost(task: Task) -> Look:
    """What is said of a file that killed the process that decoded it."""
    return Look(reason="crashes the decoder")


def _look_at(way: Way, task: Task) -> Look:
    try:
        content = (Path(way.root) / task.path).read_bytes()
        facts, pages, reason = _pages(content, way)
        masks = tuple(_mask(Path(way.root) / mask, mask, facts) for mask in task.masks)
    except Unreadable as error:
        return Look(reason=str(error))
    except OSError as error:
        return Look(reason=f"cannot be read ({error.strerror})")
    return Look(pages, hashlib.sha256(content).hexdigest(), len(content), reason, masks)


def _pages(content: bytes, way: Way) -> tuple[Facts, tuple[Page, ...], str]:
    """The first of its pictures, all of them, and what is wrong with them. Raises Unreadable."""
    numbers: tuple[int, ...] = (0,)
    if way.pages == "samples":
        with reading(content):
            numbers = page_numbers(content)
    elif way.pages == "bands" and is_tiff(content):
        numbers = (ALL_PAGES,)
    try:
        facts, pages = _seen(content, numbers, way)
        return facts, pages, ""
    except Unreadable as error:
        if not way.lenient:
            raise
        seen = _as_far_as_it_goes(content, numbers, way)
        if seen is None:
            raise
        return (*seen, str(error))


def _as_far_as_it_goes(
    content: bytes, numbers: Sequence[int], way: Way
) -> tuple[Facts, tuple[Page, ...]] | None:
    """None where nothing can be decoded, or nothing but a plain surface."""
    try:
        with as_far_as_it_goes():
            facts, pages = _seen(content, numbers, way)
    except Unreadable:
        return None
    return (facts, pages) if all(page.phash for page in pages) else None


def _seen(content: bytes, numbers: Sequence[int], way: Way) -> tuple[Facts, tuple[Page, ...]]:
    """Facts of the first page, and all pages."""
    facts, pages = [], []
    for number in numbers:
        one, gray = glance(content, SIDE_PX, number, way.sixteen_bits)
        facts.append(one)
        pages.append(
            Page(number, one.width, one.height, one.channels, one.dtype, phash(gray), one.levels)
        )
    return facts[0], tuple(pages)


def _mask(file: Path, path: str, of: Facts) -> Mask:
    """Raises Unreadable unless it is a mask of the size of its picture."""
    try:
        content = file.read_bytes()
        facts = examine_mask(content, (of.width, of.height))
    except Unreadable as error:
        raise Unreadable(f"has a mask that cannot be used: {path} {error}") from error
    except OSError as error:
        raise Unreadable(f"has a mask that cannot be read: {path} ({error.strerror})") from error
    # A picture that lay on its side has another size than it is stored with, unless it is a square.
    told = is_sideways(of.orientation) and of.width != of.height
    doubtful = of.orientation != 1 and not facts.turned and not told
    return Mask(path, hashlib.sha256(content).hexdigest(), facts.dtype, doubtful)
