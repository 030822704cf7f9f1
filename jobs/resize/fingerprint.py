"""What unfinished arrays depend on: parameters, tables, libraries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from skint.libraries import versions_of

LIBRARIES = (
    *("Pillow", "simplejpeg", "cykooz-resizer", "tifffile", "imagecodecs"),
    "numpy",
)
"""Packages whose version may change a pixel."""


def depends_on(params: Mapping[str, Any], tables: Iterable[Path]) -> dict[str, Any]:
    """Equal exactly where unfinished arrays may be taken up."""
    return {
        "params": params,
        "tables": [hashlib.sha256(path.read_bytes()).hexdigest() for path in tables],
        "libraries": versions_of(LIBRARIES),
    }
