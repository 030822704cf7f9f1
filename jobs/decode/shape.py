"""Which part of a picture is taken, and how many pixels it becomes."""

from __future__ import annotations

from typing import Literal

Mode = Literal["crop", "stretch", "pad", "keep"]
"""`crop`: the middle square. `stretch`: the whole picture, out of proportion. `pad`: the whole
picture in proportion, on a square. `keep`: the whole picture in its own shape."""

Colour = Literal["rgb", "gray", "gray3"]
"""What photos become: three channels, one, or one three times."""

Box = tuple[float, float, float, float]
"""left, top, right, bottom in pixels of the source."""


def taken(width: float, height: float, mode: Mode) -> Box:
    """The part of a picture of this extent that is packed. It is symmetric, so it is the same
    before and after the picture is turned upright."""
    if mode != "crop":
        return 0.0, 0.0, width, height
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def content_px(width: int, height: int, mode: Mode, size: int | None) -> tuple[int, int]:
    """Width and height that `taken` of a `width` × `height` picture is resized to.

    `size` is the side of the square; with `keep` the most that the longest side may have, or None.
    Pictures are never enlarged by `keep`.
    """
    if mode == "keep":
        if size is None or max(width, height) <= size:
            return width, height
    else:
        assert size is not None
        if mode != "pad":
            return size, size
    # Whole numbers, so that no machine rounds otherwise: the nearest, halves up.
    longest = max(width, height)
    return tuple(  # type: ignore[return-value]
        max(1, (2 * side * size + longest) // (2 * longest)) for side in (width, height)
    )


def canvas_px(width: int, height: int, mode: Mode, size: int | None) -> tuple[int, int]:
    """Width and height of the array that a `width` × `height` picture becomes."""
    if mode == "keep":
        return content_px(width, height, mode, size)
    assert size is not None
    return size, size
