"""A packed set of blobs, written byte by byte as the format says."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from skint.dataset import BLOCK_BYTES, DatasetMeta, PackedSet, Part, Sample, block_hashes
from skint.dataset.sample import write_samples
from skint.moments import channel_sums, moments, sums_dtype


def encoded(picture: NDArray[Any], codec: str) -> bytes:
    if codec == "raw":
        return picture.tobytes()
    if codec == "jpeg":
        space = "RGB" if picture.shape[2] == 3 else "GRAY"
        return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(picture), 95, space))
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "WEBP", lossless=True)
    return file.getvalue()


def blob_set(
    folder: Path, pictures: Sequence[NDArray[Any]], *, codec: str = "raw", per_part: int = 4
) -> PackedSet:
    """The pictures in `folder`, `per_part` in a file."""
    folder.mkdir(parents=True, exist_ok=True)
    count, channels = len(pictures), pictures[0].shape[2]
    sizes = {picture.shape[:2] for picture in pictures}
    index = np.zeros((count, 5), dtype=np.int64)
    sums = np.zeros((count, 2, channels), dtype=sums_dtype(pictures[0].dtype))
    parts = []
    for number, start in enumerate(range(0, count, per_part)):
        file = folder / f"images-{number:05}.bin"
        content = b""
        for row in range(start, min(start + per_part, count)):
            blob = encoded(pictures[row], codec)
            index[row] = number, len(content), len(blob), *pictures[row].shape[:2]
            content += blob
            sums[row] = channel_sums(pictures[row])
        file.write_bytes(content)
        rows = min(per_part, count - start)
        parts.append(Part(file.name, rows, block_hashes(file, BLOCK_BYTES)))
    np.save(folder / "index.npy", index)
    np.save(folder / "sums.npy", sums)
    mean, std = moments(sums, sum(p.shape[0] * p.shape[1] for p in pictures))
    height, width = sizes.pop() if len(sizes) == 1 else (0, 0)
    meta = DatasetMeta(
        dtype=pictures[0].dtype.name,
        shape=(count, height, width, channels),
        channels=tuple(f"c{n}" for n in range(channels)),
        targets=(),
        mean=mean,
        std=std,
        made_by={"job": "test"},
        parts=tuple(parts),
        files={n: block_hashes(folder / n, BLOCK_BYTES) for n in ("index.npy", "sums.npy")},
        layout="dense" if height and codec != "raw" else "ragged",
        codec=codec,  # type: ignore[arg-type]
    )
    write_samples(folder / "samples.csv", [Sample(n, str(n), f"{n}.png") for n in range(count)], ())
    (folder / "dataset.json").write_text(json.dumps(meta.to_json()))
    return PackedSet.open(folder)
