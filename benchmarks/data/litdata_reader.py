"""LitData's side of benchmarks/feeding.py; runs in a Python that has litdata, and not skint.

    python litdata_reader.py FOLDER

Writes FOLDER/packed/images.npy as LitData chunks, prints the version, and then for each line on
standard input, a way and the size of a batch, reads everything once, shuffled, and prints pictures
per second of CPU time: `loader` through StreamingDataLoader without workers, `copy` by iterating
over the pictures and copying them into a batch that is used again.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import litdata
import numpy as np
import torch


class Row:
    """Gives one item of the chunks; a class, since LitData pickles it."""

    def __init__(self, array: str) -> None:
        self.array = array

    def __call__(self, row: int) -> dict[str, object]:
        images = np.load(self.array, mmap_mode="r")
        return {"image": torch.from_numpy(np.array(images[row])), "label": row % 10}


def main(folder: Path) -> None:
    array, chunks = folder / "packed" / "images.npy", folder / "litdata"
    said, sys.stdout = sys.stdout, sys.stderr  # LitData prints as it goes
    count = len(np.load(array, mmap_mode="r"))
    litdata.optimize(
        Row(str(array)),
        inputs=list(range(count)),
        output_dir=str(chunks),
        num_workers=1,
        chunk_bytes="64MB",
    )
    torch.set_num_threads(1)
    # With shuffle and the default, "auto", a hundred items are decoded for each one that is used.
    dataset = litdata.StreamingDataset(str(chunks), shuffle=True, batch_decode=1)
    print(litdata.__version__, file=said, flush=True)
    for line in sys.stdin:
        way, batch = line.split()[0], int(line.split()[1])
        loader = litdata.StreamingDataLoader(dataset, batch_size=batch, num_workers=0)
        buffer = torch.zeros((batch, 224, 224, 3), dtype=torch.uint8)
        done, begun = 0, time.process_time()
        if way == "loader":
            done = sum(len(part["image"]) for part in loader)
        else:
            for done, item in enumerate(dataset, 1):
                buffer[done % batch].copy_(item["image"])
        assert done == count, f"{done} of {count}"
        print(done / (time.process_time() - begun), file=said, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
