"""Pictures of a packed set as people see them: data URIs for a page that needs no other file, and
cells of a grid."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SIDE = 112
"""Pixels; larger pictures are reduced to this."""
_DEVIATIONS = 2.5


def data_uri(picture: NDArray[Any], mean: Sequence[float], std: Sequence[float]) -> str:
    """A PNG of (H, W, C): as it is where it is gray or RGB in uint8, else its first three channels
    (or the first), each with mean ± 2.5 standard deviations spread over 0..255.
    """
    image = Image.fromarray(visible(picture, mean, std))
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return png_uri(buffer.getvalue())


def png_uri(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


def cell(
    picture: NDArray[Any], mean: Sequence[float], std: Sequence[float], side_px: int
) -> Image.Image:
    """(H, W, C) with its longer side at `side_px`; the pixels of small ones stay squares."""
    image = Image.fromarray(visible(picture, mean, std))
    small = min(image.size) < side_px
    filters = Image.Resampling.NEAREST if small else Image.Resampling.LANCZOS
    scale = side_px / max(image.size)
    return image.resize([max(1, round(side * scale)) for side in image.size], filters)


def fitted(text: str, width_px: float, pen: ImageDraw.ImageDraw, font: Any) -> str:
    """`text`, or as much of it as `width_px` hold."""
    if pen.textlength(text, font=font) <= width_px:
        return text
    while text and pen.textlength(f"{text}…", font=font) > width_px:
        text = text[:-1]
    return f"{text}…"


def visible(
    picture: NDArray[Any], mean: Sequence[float], std: Sequence[float]
) -> NDArray[np.uint8]:
    """(H, W, 3) or (H, W) as a person can see it; see `data_uri`."""
    channels = picture.shape[2]
    shown = 3 if channels >= 3 else 1
    values = picture[:, :, :shown]
    if picture.dtype != np.uint8 or channels not in (1, 3):
        low = np.asarray(mean[:shown]) - _DEVIATIONS * np.asarray(std[:shown])
        span = np.maximum(2 * _DEVIATIONS * np.asarray(std[:shown]), 1e-12)
        values = np.rint((values.astype(np.float64) - low) / span * 255).clip(0, 255)
        values = np.nan_to_num(values)  # what is no number is black
    pixels = np.ascontiguousarray(values, dtype=np.uint8)
    return pixels if shown == 3 else pixels[:, :, 0]
