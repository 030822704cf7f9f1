"""Opens any picture on purpose: orientation, palettes, alpha, CMYK, 16 bits, many bands.

Two kinds come out. A *photo* (gray, colour, palette, CMYK, with or without alpha, 8 or 16 bits)
becomes upright RGB or gray in uint8. *Bands* (a TIFF with measurements: more than three channels
without alpha, floats, 32 bits) keep their channels, their values and their dtype.

Importing this package imports NumPy and Pillow: jobs import it inside their function.
"""

from __future__ import annotations

from jobs.decode.facts import Facts, examine, glance
from jobs.decode.mask import MaskFacts, examine_mask, mask_pictures
from jobs.decode.opening import FORMATS, MAX_PIXELS
from jobs.decode.picture import Wanted, pictures
from jobs.decode.shape import Colour, Mode, canvas_px
from jobs.decode.tiff import SixteenBits

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "Colour",
    "Facts",
    "MaskFacts",
    "Mode",
    "SixteenBits",
    "Wanted",
    "canvas_px",
    "examine",
    "examine_mask",
    "glance",
    "mask_pictures",
    "pictures",
]
