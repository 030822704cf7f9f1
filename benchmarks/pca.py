"""Principal components over 8 million pixels, beside scikit-learn, in bounded memory.

    python benchmarks/pca.py [TILES] [ROUNDS]

TILES (2,000) tiles of 64 × 64 pixels with 13 bands like those of Sentinel-2 are made in a temporary
packed set: five factors that vary slowly over the tile, and noise.

1. The fit of 3 components, as the job `pca` does it, against `IncrementalPCA` on the same blocks;
   CPU time (user + system), medians of ROUNDS (3) in turn, one thread each. The floor is reading
   the pixels once.
2. Peak memory of the fit above what imports take, in a process of its own.
3. The angle between the subspace and that of a PCA in float64 with all pixels in memory, on these
   tiles and on real ones (examples/satellite).
4. Reducing the pixels to 3 channels of uint8, against copying them.

Linux only: the peak is read from /proc.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA, IncrementalPCA
from threadpoolctl import threadpool_limits

from jobs.decode.tiff import read_bands
from jobs.pca.components import Components, fit
from jobs.pca.scores import Projection, scaling_of
from jobs.rewriting.in_order import in_order
from skint.dataset import PackedSet, PackedWriter, Sample, Target

SIDE, BANDS, KEPT = 64, 13, 3
SPEED_BAR, MEMORY_BAR_MIB, ANGLE_BAR_DEG = 5.0, 50.0, 1e-6
BATCH = 8192
"""Pixels that IncrementalPCA gets at a time: with 65,536 it takes a third longer."""
TILES = Path(__file__).resolve().parent.parent / "examples" / "satellite" / "data"

ALONE = """
import sys
from benchmarks.pca import fit_set, peak_mib
from skint.dataset import PackedSet
data = PackedSet.open(sys.argv[1])
for _block in data.images().blocks(1):
    break
before = peak_mib()
fit_set(data)
print(peak_mib() - before)
"""


def tiles(count: int) -> Iterator[NDArray[np.uint16]]:
    """(64, 64, 13), `count` of them."""
    draw = np.random.default_rng(0)
    mixing = np.linalg.qr(draw.normal(size=(BANDS, 5)))[0].T * [[900], [500], [250], [120], [60]]
    levels = draw.uniform(800, 3000, BANDS)
    for _tile in range(count):
        coarse = draw.normal(size=(5, 8, 8)).repeat(8, axis=1).repeat(8, axis=2)
        factors = coarse + 0.3 * draw.normal(size=(5, SIDE, SIDE))
        values = np.moveaxis(factors, 0, -1) @ mixing + levels
        values += 20 * draw.standard_normal((SIDE, SIDE, BANDS), dtype=np.float32)
        yield np.rint(values).clip(0, 65_535).astype(np.uint16)


def packed(folder: Path, count: int) -> PackedSet:
    shape = (count, SIDE, SIDE, BANDS)
    with PackedWriter(folder, shape=shape, dtype="uint16") as writer:
        rows = writer.rows()
        for row, tile in enumerate(tiles(count)):
            rows.put(row, tile)
        return writer.finish(
            [Sample(n, str(n), f"{n}.tif", targets={"label": "a"}) for n in range(count)],
            [Target("label", "class", ("a",))],
            channels=[f"B{n}" for n in range(BANDS)],
            made_by={"job": "benchmark"},
            summed=True,
        )


def chunks(data: PackedSet) -> Iterator[NDArray[Any]]:
    """(n, 13), overwritten by the next one."""
    for block in in_order(data.images()):
        yield block.reshape(-1, block.shape[-1])


def fit_set(data: PackedSet) -> Components:
    return fit(chunks(data), BANDS, KEPT)


def incremental(data: PackedSet) -> Any:
    model = IncrementalPCA(n_components=KEPT)
    for chunk in chunks(data):
        for start in range(0, len(chunk), BATCH):
            batch = chunk[start : start + BATCH]
            if len(batch) >= KEPT:
                model.partial_fit(batch)
    return model


def read_once(data: PackedSet) -> int:
    return sum(int(chunk[:, 0].sum(dtype=np.int64)) for chunk in chunks(data))


def exact(pixels: NDArray[Any]) -> NDArray[np.float64]:
    """(3, 13) of all pixels in float64."""
    directions: NDArray[np.float64] = (
        PCA(KEPT, svd_solver="covariance_eigh").fit(pixels.astype(np.float64)).components_
    )
    return directions


def angle_deg(found: NDArray[np.float64], true: NDArray[np.float64]) -> float:
    """The largest angle between two subspaces, from its sine: a cosine is blind near 0."""
    sine = float(np.linalg.norm(found - found @ true.T @ true, 2))
    return float(np.degrees(np.arcsin(min(1.0, sine))))


def peak_mib() -> float:
    """The largest memory that this process has had. (`ru_maxrss` would count its parent's.)"""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def memory_mib(folder: Path) -> float:
    root = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-c", ALONE, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    return float(done.stdout)


def cpu_s(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median CPU seconds of each, measured in turn."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _round in range(rounds):
        for name, work in works.items():
            begun = time.process_time()
            work()
            taken[name].append(time.process_time() - begun)
    return {name: statistics.median(times) for name, times in taken.items()}


def real_pixels() -> NDArray[Any]:
    """(n, 13) of the tiles in examples/satellite."""
    read = [read_bands(path.read_bytes(), 10**7) for path in sorted(TILES.rglob("*.tif"))]
    return np.concatenate([tile.reshape(-1, BANDS) for tile in read if tile is not None])


def main(count: int, rounds: int) -> int:
    over = 0
    with tempfile.TemporaryDirectory() as name, threadpool_limits(1):
        data = packed(Path(name), count)
        pixels = count * SIDE * SIDE
        print(f"{count:,} tiles, {pixels / 1e6:.1f} million pixels of {BANDS} bands")
        times = cpu_s(
            {
                "read once (floor)": lambda: read_once(data),
                "skint, fit": lambda: fit_set(data),
                "IncrementalPCA": lambda: incremental(data),
            },
            rounds,
        )
        for what, seconds in times.items():
            print(f"{what:24}{seconds:9.3f} s{pixels / seconds / 1e6:10.1f} Mpx/s")
        speed = times["IncrementalPCA"] / times["skint, fit"]
        over += _said("times faster", speed, SPEED_BAR, speed >= SPEED_BAR, ".1f", "at least")
        floor = times["skint, fit"] / times["read once (floor)"]
        print(f"{'times the floor':24}{floor:9.1f}")

        peak = memory_mib(Path(name))
        good = peak <= MEMORY_BAR_MIB
        over += _said("peak above imports, MiB", peak, MEMORY_BAR_MIB, good, ".1f", "at most")

        found = fit_set(data)
        model = incremental(data)
        images = np.asarray(data.images()).reshape(-1, BANDS)
        true = exact(images)
        real = real_pixels()
        angles = {
            "angle, degrees": angle_deg(found.directions, true),
            "angle, real tiles": angle_deg(fit([real], BANDS, KEPT).directions, exact(real)),
        }
        for what, angle in angles.items():
            good = angle <= ANGLE_BAR_DEG
            over += _said(what, angle, ANGLE_BAR_DEG, good, ".1e", "at most")
        peers = angle_deg(model.components_, true)
        print(f"{'angle, IncrementalPCA':24}{peers:9.1e}")

        scaling = scaling_of(found, "uint8", whiten=True, deviations=3, masked=False)
        project = Projection(found, scaling, None)
        part = np.array(images[: 2**21])
        target = np.empty_like(part)
        times = cpu_s(
            {"copy": lambda: np.copyto(target, part), "to uint8": lambda: project(part)},
            2 * rounds + 1,
        )
        print(f"{'copying them':24}{len(part) / times['copy'] / 1e6:9.1f} Mpx/s")
        print(f"{'reducing to uint8':24}{len(part) / times['to uint8'] / 1e6:9.1f} Mpx/s")
        print(f"{'times the copy':24}{times['to uint8'] / times['copy']:9.1f}")
    return 1 if over else 0


def _said(what: str, value: float, bar: float, good: bool, form: str, limit: str) -> bool:
    print(f"{what:24}{value:9{form}}   bar: {limit} {bar:g}   {'ok' if good else 'missed'}")
    return not good


if __name__ == "__main__":
    arguments = [int(text) for text in sys.argv[1:]]
    sys.exit(main(*arguments, *(2000, 3)[len(arguments) :]))
