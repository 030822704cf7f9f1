"""Sizes, channels and dtype of pictures, from the headers of some and the pixels of a few."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from orchestrator.starting.found import Heads

HEADERS = 2_000
"""Files whose header is read: about half a second."""
DECODED = 12
"""Files that are decoded, at least one of each kind: a header does not say all of bands."""
MOST_LOOKS = 30
Size = tuple[int, int]
"""Width and height."""


def spread(paths: Sequence[str], count: int) -> list[str]:
    """`count` of them at most, evenly over the whole: a class a folder stands together."""
    if len(paths) <= count:
        return list(paths)
    return [paths[number * len(paths) // count] for number in range(count)]


def read_heads(root: Path, paths: Sequence[str]) -> Heads:
    """Imports Pillow and NumPy. Pictures that cannot be read stand under `broken`."""
    with _without_remarks():
        return _read(root, paths)


@contextmanager
def _without_remarks() -> Iterator[None]:
    """Pillow and tifffile log what is odd about a file, on stderr and without its name."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)


def _read(root: Path, paths: Sequence[str]) -> Heads:
    broken: dict[str, str] = {}
    sizes: list[Size] = []
    looks: dict[str, list[str]] = {}
    chosen = spread(paths, HEADERS)
    for path in chosen:
        header = _header(root / path)
        if isinstance(header, str):
            broken[path] = header
        else:
            sizes.append(header[0])
            looks.setdefault(header[1], []).append(path)
    kinds: Counter[tuple[int, str]] = Counter()
    examples: dict[tuple[int, str], str] = {}
    gaps = False
    for alike in list(looks.values())[:MOST_LOOKS]:
        for path in spread(alike, max(1, DECODED // len(looks))):
            facts = _facts(root / path)
            if isinstance(facts, str):
                broken[path] = facts
            else:
                kinds[facts[:2]] += len(alike)
                examples.setdefault(facts[:2], path)
                gaps = gaps or facts[2]
    if not kinds:
        return Heads(len(chosen), len(paths), broken=tuple(sorted(broken.items())))
    (channels, dtype), _ = kinds.most_common(1)[0]
    return Heads(
        looked_at=len(chosen),
        of=len(paths),
        least_px=min(sizes, key=lambda size: size[0] * size[1]),
        most_px=max(sizes, key=lambda size: size[0] * size[1]),
        short_px=round(median(map(min, sizes))),
        ratio=median(max(size) / min(size) for size in sizes),
        channels=channels,
        dtype=dtype,
        mixed=_mixed([(kind, examples[kind]) for kind, _ in kinds.most_common()]),
        gaps=gaps,
        broken=tuple(sorted(broken.items())),
    )


def _mixed(kinds: Sequence[tuple[tuple[int, str], str]]) -> str:
    """The commonest first; of the others a file each, so that they can be found."""
    (commonest, _), *others = kinds
    also = [f"{_kind(*kind)} ({path})" for kind, path in others]
    return " and ".join([_kind(*commonest), *also]) if also else ""


def _kind(channels: int, dtype: str) -> str:
    if (channels, dtype) == (3, "uint8"):
        return "photos"
    return f"{channels} band{'s' * (channels != 1)} of {dtype}"


def _header(file: Path) -> tuple[Size, str] | str:
    """Its size and what kind of file it is, or why it is no picture."""
    from PIL import Image

    from jobs.decode.opening import FORMATS, MAX_PIXELS, reading, refuse_size
    from jobs.decode.unreadable import Unreadable

    try:
        with file.open("rb") as content:
            start = content.read(64)
        with reading(start):
            header = _of_tiff(file, start)
            if header is None:
                try:
                    with Image.open(file, formats=FORMATS) as image:
                        header = image.size, f"{image.format} {image.mode}"
                except Image.DecompressionBombError:
                    return f"announces more than {MAX_PIXELS:,} pixels"
            refuse_size(*header[0])
            return header
    except Unreadable as error:
        return str(error)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    raise AssertionError("unreachable")


def _of_tiff(file: Path, start: bytes) -> tuple[Size, str] | None:
    """None where it is no TIFF, or one that Pillow may know better."""
    from jobs.decode.tiff import is_tiff

    if not is_tiff(start):
        return None
    import tifffile

    try:
        with tifffile.TiffFile(file) as opened:
            page = opened.pages[0]
            look = f"TIFF {page.photometric} {page.samplesperpixel} {page.dtype}"
            return (int(page.imagewidth), int(page.imagelength)), look
    except Exception:  # as `jobs.decode.tiff` does: what tifffile raises has no end
        return None


def _facts(file: Path) -> tuple[int, str, bool] | str:
    """Channels and dtype once packed and whether it has NaN, or why it cannot be used."""
    from jobs.decode import MAX_PIXELS, examine
    from jobs.decode.tiff import read_bands
    from jobs.decode.unreadable import Unreadable

    try:
        content = file.read_bytes()
        facts = examine(content)
        gaps = False
        if facts.dtype.startswith("float"):
            bands = read_bands(content, MAX_PIXELS)
            gaps = bands is not None and bool((bands != bands).any())
        return facts.channels, facts.dtype, gaps
    except Unreadable as error:
        return str(error)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
