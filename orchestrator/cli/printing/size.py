"""Sizes on disk as people type and read them."""

from __future__ import annotations

import math
import re

from skint.errors import USAGE, SkintError

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


class SizeError(SkintError):
    """What was typed is no size."""

    exit_code = USAGE


def parse_size(text: str, *, where: str | None = None) -> int:
    """Bytes of "20GB", "500 MB", "1.5GiB", "0". Raises SizeError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise SizeError(
            "this is not a size", where=where, got=repr(text), wanted="a size such as 20GB or 500MB"
        )
    base = 1024 if found[3] else 1000
    return round(float(found[1]) * math.pow(base, _POWERS[found[2].lower()]))


def format_size(size_bytes: int) -> str:
    """ "1.2 GB", "340 MB", "12 kB", "5 B": as `parse_size` reads them."""
    value, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    digits = 1 if unit != "B" and value < 9.95 else 0
    return f"{value:.{digits}f} {unit}"
