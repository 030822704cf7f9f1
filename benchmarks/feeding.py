"""Shuffled batches of 224 x 224 x 3: the gather, the loader, and their peers.

    python benchmarks/feeding.py [--pictures N] [--rounds N] [--litdata-python PATH]

Makes N pictures (2,000: more than a last-level cache holds) out of the photos in
examples/photos by crops and flips, as a packed set, as JPEG files and as LitData chunks. Each
round runs every reader once, in an order drawn anew; the figures are pictures per second of CPU
time (all threads of the process), medians over the rounds. All files are in the page cache.

The floor is one copy of the same bytes in their order, into a batch that is used again. Bars, at
batches of 256: the gather alone at least 0.85 of the floor, the loader with its thread 0.55; the
loader at least 25 times torchvision's ImageFolder over the JPEG files, and 3 times LitData's loader
with `batch_decode=1`, its best public setting for shuffled reading. Shown without a bar: what can
be written around LitData by hand (its pictures one by one, copied into a batch that is used again);
batches of 64, where a batch of LitData's stays in the caches and three times its loader would be
more than the floor itself gives; and the first pass over files that are not in the page cache. Ends
with 1 where a bar is missed.

LitData is no dependency of skint. Where it is not installed, its bar is not judged; to judge it:

    python -m venv /tmp/litdata && /tmp/litdata/bin/pip install litdata torch
    python benchmarks/feeding.py --litdata-python /tmp/litdata/bin/python
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PHOTOS = ROOT / "examples" / "photos" / "data"
SIZE = 224
BATCHES = (256, 64)
"""The bars hold at the first."""
LITDATA_CHILD = Path(__file__).resolve().parent / "data" / "litdata_reader.py"

BARS = (
    ("the gather alone, of the floor", "gather", "floor", 0.85),
    ("the loader, of the floor", "loader", "floor", 0.55),
    ("the loader, times ImageFolder", "loader", "ImageFolder", 25.0),
    ("the loader, times LitData", "loader", "LitData", 3.0),
)


def pictures(count: int) -> Iterator[NDArray[np.uint8]]:
    """`count` squares (224, 224, 3) out of real photos, each another crop."""
    files = sorted(PHOTOS.rglob("*.jpg"))
    draw = np.random.default_rng(0)
    for number in range(count):
        with Image.open(files[number % len(files)]) as image:
            photo = image.convert("RGB")
        side = int(min(photo.size) * draw.uniform(0.6, 1.0))
        left, top = (int(draw.integers(0, length - side + 1)) for length in photo.size)
        box = (left, top, left + side, top + side)
        square = np.asarray(photo.resize((SIZE, SIZE), Image.Resampling.LANCZOS, box=box))
        yield square[:, ::-1] if draw.random() < 0.5 else square


def prepare(folder: Path, count: int) -> None:
    """The packed set in `packed`, the JPEG files in `jpeg`."""
    from skint.dataset import PackedWriter, Sample, Target

    samples = []
    shape = (count, SIZE, SIZE, 3)
    with PackedWriter(folder / "packed", shape=shape, dtype="uint8") as writer:
        canvas = writer.images()
        for row, picture in enumerate(pictures(count)):
            canvas[row] = picture
            label = f"class{row % 10}"
            file = folder / "jpeg" / label / f"{row}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(file, quality=90)
            samples.append(Sample(row, str(row), file.name, targets={"label": label}))
        targets = [Target("label", "class", tuple(f"class{n}" for n in range(10)))]
        writer.finish(samples, targets, channels="RGB", made_by={"job": "benchmark"})


def readers(folder: Path, size: int) -> dict[str, Callable[[], float]]:
    """By name, what reads everything in batches of `size` and gives pictures per CPU second."""
    import torch
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2

    from skint.dataset import PackedSet
    from skint.loader import ShuffledLoader

    torch.set_num_threads(1)
    packed = PackedSet.open(folder / "packed")
    images, count = packed.images(), len(packed)
    mapped = np.asarray(images)
    buffer = np.empty((size, SIZE, SIZE, 3), dtype=np.uint8)
    rows = np.arange(count)
    loader = ShuffledLoader(images, packed.labels(), rows, batch_size=size, seed=0)
    inline = ShuffledLoader(images, packed.labels(), rows, batch_size=size, seed=0, prefetch=False)
    files = DataLoader(
        ImageFolder(str(folder / "jpeg"), v2.PILToTensor()), batch_size=size, shuffle=True
    )
    order = iter(np.random.default_rng(1).permuted(np.tile(rows, (1000, 1)), axis=1))

    def floor() -> int:
        for start in range(0, count, size):
            part = mapped[start : start + size]
            np.copyto(buffer[: len(part)], part)
        return count

    def gather() -> int:
        shuffled = next(order)
        for start in range(0, count, size):
            part = shuffled[start : start + size]
            images.take(part, buffer[: len(part)])
        return count

    def through(batches: Any) -> Callable[[], int]:
        return lambda: sum(len(batch[0]) for batch in batches)

    return {
        "floor": _rate(floor, 3),
        "gather": _rate(gather, 3),
        "loader": _rate(through(loader), 3),
        "loader, no thread": _rate(through(inline), 3),
        "ImageFolder": _rate(through(files), 1),
    }


def _rate(read: Callable[[], int], times: int) -> Callable[[], float]:
    def measure() -> float:
        begun = time.process_time()
        done = sum(read() for _ in range(times))
        return done / (time.process_time() - begun)

    return measure


class LitData:
    """LitData in a process of its own, with a Python that has it."""

    def __init__(self, python: str, folder: Path) -> None:
        command = [python, str(LITDATA_CHILD), str(folder)]
        self.child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.version = self._ask()

    def _ask(self, question: str = "") -> str:
        assert self.child.stdin and self.child.stdout
        if question:
            self.child.stdin.write(f"{question}\n")
            self.child.stdin.flush()
        answer = self.child.stdout.readline().split()
        if not answer:
            raise SystemExit("LitData's process ended: see above")
        return answer[0]

    def rate(self, way: str, size: int) -> float:
        """Pictures per CPU second; see the child for the ways."""
        return float(self._ask(f"{way} {size}"))

    def close(self) -> None:
        self.child.communicate()


def litdata_python(given: str | None) -> str | None:
    """A Python that has LitData, or None."""
    python = given or sys.executable
    found = subprocess.run([python, "-c", "import litdata"], capture_output=True, check=False)
    if given and found.returncode:
        raise SystemExit(f"{given} cannot import litdata:\n{found.stderr.decode()}")
    return None if found.returncode else python


def main(count: int, rounds: int, python: str | None) -> int:
    with tempfile.TemporaryDirectory(prefix="skint-feeding-") as name:
        folder = Path(name)
        prepare(folder, count)
        cold(folder / "packed", rounds)  # first: what is mapped stays in the page cache
        other = litdata_python(python)
        peer = LitData(other, folder) if other else None
        missed = 0
        for size in BATCHES:
            ways = readers(folder, size)
            if peer:
                ways["LitData"] = partial(peer.rate, "loader", size)
                ways["LitData, own batches"] = partial(peer.rate, "copy", size)
            print(f"batches of {size}" + (f", LitData {peer.version}" if peer else ""))
            missed += report(measured(ways, rounds), BARS if size == BATCHES[0] else ())
        if peer:
            peer.close()
    return int(missed > 0)


def cold(folder: Path, rounds: int) -> None:
    """The first pass over files that are not in the page cache, by the clock; no bar."""
    from skint.dataset import PackedSet
    from skint.loader import ShuffledLoader

    if not hasattr(os, "posix_fadvise"):
        return
    rates: dict[bool, list[float]] = {True: [], False: []}
    for number in range(rounds):
        for announce, found in rates.items():
            descriptor = os.open(folder / "images.npy", os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
            images = PackedSet.open(folder).images()
            rows = np.arange(len(images))
            loader = ShuffledLoader(images, None, rows, batch_size=64, seed=number)
            if not announce:
                loader.source.first_pass.left = 0
            begun = time.perf_counter()
            found.append(sum(len(batch.rows) for batch in loader) / (time.perf_counter() - begun))
            del images, loader  # pages that are mapped are not forgotten
    with_it, without = (statistics.median(rates[announce]) for announce in (True, False))
    print("first pass over a cold disk, pictures a second of wall time, batches of 64")
    print(f"  announced ahead {with_it:,.0f}, not announced {without:,.0f}")


def measured(ways: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """The figures of each way, all ways once a round."""
    rates: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(rounds + 1):
        for way in random.Random(number).sample(sorted(ways), len(ways)):
            rate = ways[way]()
            if number:  # the first round warms caches and imports
                rates[way].append(rate)
    return rates


def report(rates: dict[str, list[float]], bars: Sequence[tuple[str, str, str, float]]) -> int:
    """Print the table; how many bars are missed."""
    rate = {way: statistics.median(found) for way, found in rates.items()}
    print(f"  {'reader':22}{'pictures/CPU-s':>15}{'lowest':>10}{'highest':>10}{'of floor':>10}")
    for way, median in rate.items():
        low, high = min(rates[way]), max(rates[way])
        share = median / rate["floor"]
        print(f"  {way:22}{median:15,.0f}{low:10,.0f}{high:10,.0f}{share:10.2f}")
    missed = 0
    for words, way, peer, bar in bars:
        if peer not in rate:
            print(f"  {words:32} not judged: {peer} is not installed (see --litdata-python)")
            continue
        ratio = rate[way] / rate[peer]
        missed += ratio < bar
        print(f"  {words:32}{ratio:8.2f}   bar {bar:g}   {'ok' if ratio >= bar else 'MISSED'}")
    return missed


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--litdata-python")
    given = parser.parse_args()
    sys.exit(main(given.pictures, given.rounds, given.litdata_python))
