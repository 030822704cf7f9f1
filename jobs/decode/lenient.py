"""Decoding a broken picture as far as it goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PIL import ImageFile


@contextmanager
def as_far_as_it_goes() -> Iterator[None]:
    """Inside, a picture that is cut short is decoded up to there; the rest is gray or black.

    Pillow knows this only as a setting of the whole process, so it is for processes that decode in
    one thread.
    """
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before
