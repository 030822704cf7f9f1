"""One look at a file: is it a usable picture, of what shape, with which bytes, like which others?

The file is read once and decoded once, a JPEG at a small scale. Runs in the processes of `scan`;
imports nothing of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.decode import Wanted, glance, mask_pictures
from jobs.decode.lenient import as_far_as_it_goes
from jobs.decode.opening import ALL_PAGES, reading
from jobs.decode.tiff import is_tiff, page_numbers
from jobs.decode.unreadable import Unreadable
from jobs.scan.phash import SIDE_PX, phash


@dataclass(frozen=True)
class Way:
    """How every file is looked at."""

    root: str
    pages: str = "first"
    """`first`, `samples` (each page is a picture) or `bands` (all pages are one picture)."""
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


@dataclass(frozen=True)
class Look:
    """What was seen of a file; without pages it is no usable picture, for `reason`."""

    pages: tuple[Page, ...] = ()
    sha256: str = ""
    bytes: int = 0
    reason: str = ""
    """With pages: what is wrong with a picture that is used as far as it goes."""


def look_at(way: Way, tasks: Sequence[Task]) -> list[Look]:
    return [_look_at(way, task) for task in tasks]


def lost(task: Task) -> Look:
    """What is said of a file that killed the process that decoded it."""
    return Look(reason="crashes the decoder")


def _look_at(way: Way, task: Task) -> Look:
    try:
        content = (Path(way.root) / task.path).read_bytes()
        pages, reason = _pages(content, way)
        for mask in task.masks:
            _check_mask(Path(way.root) / mask, mask, pages[0])
    except Unreadable as error:
        return Look(reason=str(error))
    except OSError as error:
        return Look(reason=f"cannot be read ({error.strerror})")
    return Look(pages, hashlib.sha256(content).hexdigest(), len(content), reason)


def _pages(content: bytes, way: Way) -> tuple[tuple[Page, ...], str]:
    """Its pictures, and what is wrong with them. Raises Unreadable."""
    numbers: tuple[int, ...] = (0,)
    if way.pages == "samples":
        with reading(content):
            numbers = page_numbers(content)
    elif way.pages == "bands" and is_tiff(content):
        numbers = (ALL_PAGES,)
    try:
        return tuple(_page(content, number) for number in numbers), ""
    except Unreadable as error:
        if not way.lenient:
            raise
        pages = _as_far_as_it_goes(content, numbers)
        if pages is None:
            raise
        return pages, str(error)


def _as_far_as_it_goes(content: bytes, numbers: Sequence[int]) -> tuple[Page, ...] | None:
    """None where nothing can be decoded, or nothing but a plain surface."""
    try:
        with as_far_as_it_goes():
            pages = tuple(_page(content, number) for number in numbers)
    except Unreadable:
        return None
    return pages if all(page.phash for page in pages) else None


def _page(content: bytes, number: int) -> Page:
    facts, gray = glance(content, SIDE_PX, number)
    return Page(number, facts.width, facts.height, facts.channels, facts.dtype, phash(gray))


def _check_mask(file: Path, path: str, page: Page) -> None:
    """Raises Unreadable unless it is a mask of the size of its picture."""
    whole = Wanted(sizes=(None,), mode="keep")
    try:
        mask_pictures(file.read_bytes(), whole, (page.width, page.height))
    except Unreadable as error:
        raise Unreadable(f"has a mask that cannot be used: {path} {error}") from error
    except OSError as error:
        raise Unreadable(f"has a mask that cannot be read: {path} ({error.strerror})") from error
