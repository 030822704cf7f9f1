"""LitData's side of benchmarks/resize.py; runs in a Python that has litdata, and not skint.

    python litdata_packer.py PHOTOS OUT SIZE PROCESSES

Packs every picture under PHOTOS as LitData chunks of (SIZE, SIZE, 3) uint8: the shorter side
resized to SIZE by LANCZOS, the middle cut out. Prints seconds of wall time, as one number.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import litdata
import numpy as np
from PIL import Image


class Pack:
    """Gives one item of the chunks; a class, since LitData pickles it."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __call__(self, item: tuple[str, int]) -> dict[str, object]:
        path, label = item
        with Image.open(path) as image:
            scale = self.size / min(image.size)
            sides = [max(self.size, round(side * scale)) for side in image.size]
            small = image.convert("RGB").resize((sides[0], sides[1]), Image.Resampling.LANCZOS)
        left, top = (sides[0] - self.size) // 2, (sides[1] - self.size) // 2
        square = small.crop((left, top, left + self.size, top + self.size))
        return {"image": np.asarray(square), "label": label}


def main(photos: Path, out: str, size: int, processes: int) -> None:
    said, sys.stdout = sys.stdout, sys.stderr  # LitData prints as it goes
    classes = sorted(folder.name for folder in photos.iterdir())
    items = [(str(p), classes.index(p.parent.name)) for p in sorted(photos.glob("*/*"))]
    begun = time.monotonic()
    litdata.optimize(
        Pack(size), inputs=items, output_dir=out, num_workers=processes, chunk_bytes="64MB"
    )
    print(time.monotonic() - begun, file=said)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
