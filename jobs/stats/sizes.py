"""How large the source pictures are, and which of them are unlike the others."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from skint.dataset import PackedSet

ODD = 2.0
"""A picture so many times as wide for its height as the middle one, or as high, is odd."""
COMMON = 8


def sizes(data: PackedSet) -> dict[str, Any]:
    """Widths, heights and aspect ratios of the sources, where `samples.csv` has them."""
    width = np.array([sample.width for sample in data.samples], dtype=np.int64)
    height = np.array([sample.height for sample in data.samples], dtype=np.int64)
    rows = np.flatnonzero((width > 0) & (height > 0))
    if not len(rows):
        return {"known": 0}
    width, height = width[rows], height[rows]
    aspect = width / height
    middle = float(np.median(aspect))
    apart = np.abs(np.log(aspect / middle))
    odd = rows[np.lexsort((rows, -apart))][: int((apart > np.log(ODD)).sum())]
    _, packed_height, packed_width, _ = data.meta.shape
    small = (width < packed_width) | (height < packed_height)
    common = Counter(zip(width.tolist(), height.tolist(), strict=True))
    return {
        "known": len(rows),
        "width": _spread(width),
        "height": _spread(height),
        "aspect": _spread(aspect),
        "common": [
            {"width": w, "height": h, "n": n}
            for (w, h), n in sorted(common.items(), key=lambda item: (-item[1], item[0]))[:COMMON]
        ],
        "different": len(common),
        "odd": odd.tolist(),
        "enlarged": int(small.sum()),
    }


def findings(facts: dict[str, Any]) -> list[str]:
    """What a person should know about the sizes, a sentence each."""
    said = []
    if facts["known"] and facts["odd"]:
        said.append(
            f"{_pictures(len(facts['odd']))} more than twice as wide for their height, or as"
            " high for their width, as the middle one"
        )
    if facts["known"] and facts["enlarged"]:
        said.append(f"{_pictures(facts['enlarged'])} smaller than what they were resized to")
    return said


def _pictures(count: int) -> str:
    return "1 picture is" if count == 1 else f"{count:,} pictures are"


def _spread(values: Any) -> dict[str, float]:
    least, low, middle, high, most = np.quantile(values, [0, 0.05, 0.5, 0.95, 1]).tolist()
    return {"least": least, "p5": low, "median": middle, "p95": high, "most": most}
