"""The whole `resize` job on 1,000 photos with two processes, and its peers.

    python benchmarks/resize.py [--photos FOLDER] [--rounds N] [--litdata-python PATH]

The photos are those of examples/photos, copied until there are 1,000 files, or all of a folder of
class folders. Every method runs in a process of its own, in an order drawn anew each round; the
figures are medians. All files are in the page cache. Imports are not counted, for any of them.

- *bare calls*: for each file: read it, decode and resize it to 224, store it in a memory map. The
  same functions as the job's, and nothing around them. Two processes do half of the files each, at
  once, since a core's time is worth less while the other one works.
- *bare, memory kept*: the same, where glibc keeps the memory of a picture for the next one, as the
  processes of the job have it. It is no bar: it tells what the job adds from what it saves.
- *resize*: the job, from its call to its end: besides, it checks the SHA-256 of every file, takes
  the sums of every picture, hashes the result in blocks, survives a decoder's crash, and can go on
  after a kill at any time.
- *ImageFolder*: torchvision's, with `Resize` and `CenterCrop`, through a DataLoader with two
  workers, into a memory map.
- *litdata.optimize*: with two workers, the same by Pillow.

Bars: CPU time of the job, all its processes together, at most 1.15 times that of the bare calls;
less wall time than ImageFolder and than litdata.optimize. Ends with 1 where a bar is missed.

LitData is no dependency of skint. Where it is not installed, its bar is not judged; to judge it:

    python -m venv /tmp/litdata && /tmp/litdata/bin/pip install litdata torch
    python benchmarks/resize.py --litdata-python /tmp/litdata/bin/python
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import skint  # noqa: E402

PHOTOS = ROOT / "examples" / "photos" / "data"
LITDATA_CHILD = Path(__file__).resolve().parent / "data" / "litdata_packer.py"
COUNT = 1000
SIZE = 224
PROCESSES = 2
MOST_OF_BARE = 1.15


def copies(folder: Path) -> None:
    """COUNT files, in the class folders of the example."""
    files = sorted(PHOTOS.rglob("*.jpg"))
    for number in range(COUNT):
        file = files[number % len(files)]
        (folder / file.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder / file.parent.name / f"{number:04}-{file.name}")


def cpu_s() -> float:
    """Of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def timed(work: Callable[[], object]) -> dict[str, float]:
    cpu, wall = cpu_s(), time.monotonic()
    work()
    return {"wall": time.monotonic() - wall, "cpu": cpu_s() - cpu}


def scanned(folder: Path) -> tuple[Path, list[str]]:
    """The root of the photos, and their paths."""
    root = Path(json.loads((folder / "scan/out/local/source.json").read_text())["root"])
    rows = (folder / "scan/out/scan.csv").read_text().splitlines()[1:]
    return root, [row.split(",")[1] for row in rows]


def bare(folder: Path, out: Path) -> dict[str, float]:
    from jobs.decode import Wanted, pictures

    root, paths = scanned(folder)
    shape = (len(paths), SIZE, SIZE, 3)
    images = np.lib.format.open_memmap(out / "a.npy", mode="w+", dtype=np.uint8, shape=shape)
    wanted = Wanted((SIZE,), "crop")

    def half(first: int) -> None:
        for row in range(first, len(paths), PROCESSES):
            (images[row],) = pictures((root / paths[row]).read_bytes(), wanted)

    def work() -> None:
        context = multiprocessing.get_context("fork")
        processes = [context.Process(target=half, args=(n,)) for n in range(PROCESSES)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
            assert process.exitcode == 0

    return timed(work)


def bare_kept(folder: Path, out: Path) -> dict[str, float]:
    from jobs.pool.serving import keep_memory

    keep_memory()
    return bare(folder, out)


def job(folder: Path, out: Path) -> dict[str, float]:
    import jobs.pool.pool
    import jobs.resize.rungs  # noqa: F401
    from jobs.resize.job import Params, resize

    inputs = {"scan": folder / "scan" / "out"}
    ctx = skint.Context.for_test(out / "resize", inputs=inputs, cpus=PROCESSES)
    return timed(lambda: resize(Params(size=(SIZE,)), ctx))


def image_folder(folder: Path, out: Path) -> dict[str, float]:
    import torch
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2

    root, _paths = scanned(folder)
    steps = [v2.Resize(SIZE), v2.CenterCrop(SIZE), v2.PILToTensor()]
    data = ImageFolder(str(root), v2.Compose(steps))
    shape = (len(data), SIZE, SIZE, 3)
    images = np.lib.format.open_memmap(out / "a.npy", mode="w+", dtype=np.uint8, shape=shape)

    def work() -> None:
        row = 0
        for batch, _labels in DataLoader(data, batch_size=64, num_workers=PROCESSES):
            pixels = batch.permute(0, 2, 3, 1).numpy()
            images[row : row + len(pixels)] = pixels
            row += len(pixels)

    torch.set_num_threads(1)
    return timed(work)


def parts(folder: Path, out: Path) -> dict[str, float]:
    """CPU seconds of each thing that is done for every picture, one process."""
    from jobs.decode import Wanted, pictures
    from skint.dataset import PackedWriter
    from skint.moments import channel_sums

    root, paths = scanned(folder)
    wanted = Wanted((SIZE,), "crop")
    spent: dict[str, float] = {}

    def note(name: str, begun: float) -> float:
        now = time.process_time()
        spent[name] = spent.get(name, 0.0) + now - begun
        return now

    with PackedWriter(out / "set", shape=(len(paths), SIZE, SIZE, 3), dtype="uint8") as writer:
        for row, path in enumerate(paths):
            now = time.process_time()
            content = (root / path).read_bytes()
            now = note("read", now)
            hashlib.sha256(content).hexdigest()
            now = note("SHA-256 of the file", now)
            (picture,) = pictures(content, wanted)
            now = note("decode and resize", now)
            writer.images().put(row, picture)
            now = note("store", now)
            channel_sums(picture)
            now = note("sums", now)
            writer.settled(row + 1)
            note("SHA-256 of the result", now)
    return spent


CHILDREN = {
    "bare calls": bare,
    "bare, memory kept": bare_kept,
    "resize": job,
    "ImageFolder": image_folder,
    "parts": parts,
}


def run(name: str, folder: Path) -> dict[str, Any]:
    """What a child of that name prints."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        command = [sys.executable, str(Path(__file__).resolve()), "--child", name]
        done = subprocess.run(
            [*command, str(folder), out], check=True, stdout=subprocess.PIPE, text=True
        )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def litdata(python: str, folder: Path) -> dict[str, float]:
    root, _paths = scanned(folder)
    with tempfile.TemporaryDirectory(dir=folder) as out:
        command = [python, str(LITDATA_CHILD), str(root), out, str(SIZE), str(PROCESSES)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {"wall": float(done.stdout), "cpu": float("nan")}


def has_litdata(python: str) -> bool:
    return not subprocess.run([python, "-c", "import litdata"], capture_output=True).returncode


def main(photos: Path | None, rounds: int, python: str) -> int:
    from jobs.scan.job import Params, scan

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if photos is None:
            photos = folder / "photos"
            copies(photos)
        ctx = skint.Context.for_test(folder / "scan", cpus=0)
        scan(Params(source=photos), ctx)
        methods: dict[str, Callable[[], dict[str, float]]] = {
            child: lambda child=child: run(child, folder)  # type: ignore[misc]
            for child in CHILDREN
            if child != "parts"
        }
        if has_litdata(python):
            methods["litdata.optimize"] = lambda: litdata(python, folder)
        draw = random.Random(0)
        seen: dict[str, list[dict[str, float]]] = {method: [] for method in methods}
        for _round in range(rounds):
            for method in draw.sample(sorted(methods), len(methods)):
                seen[method].append(methods[method]())
        spent = [run("parts", folder) for _round in range(3)]
        count = len(scanned(folder)[1])
    print(f"{count:,} photos to {SIZE} x {SIZE}, {PROCESSES} processes; medians of {rounds}")
    print("                     CPU s    wall s")
    middle = {
        method: {key: statistics.median(one[key] for one in ones) for key in ("cpu", "wall")}
        for method, ones in seen.items()
    }
    for method, one in middle.items():
        cpu = "" if one["cpu"] != one["cpu"] else f"{one['cpu']:.2f}"
        print(f"{method:18} {cpu:>7} {one['wall']:9.2f}")
    print("of which, for each picture, microseconds of CPU time:")
    for part in spent[0]:
        microseconds = 1e6 * statistics.median(one[part] for one in spent) / count
        print(f"  {part:24} {microseconds:7.0f}")
    of_bare = middle["resize"]["cpu"] / middle["bare calls"]["cpu"]
    good = of_bare <= MOST_OF_BARE
    verdict = "ok" if good else "NO"
    print(f"CPU time, of the bare calls: {of_bare:.2f} (<= {MOST_OF_BARE}) {verdict}")
    of_kept = middle["resize"]["cpu"] / middle["bare, memory kept"]["cpu"]
    print(f"CPU time, of the bare calls with memory kept: {of_kept:.2f}")
    for peer in ("ImageFolder", "litdata.optimize"):
        if peer not in middle:
            print(f"{peer}: not installed, so not judged; see the top of {Path(__file__).name}")
            continue
        share = middle["resize"]["wall"] / middle[peer]["wall"]
        good = good and share < 1
        print(f"wall time, of {peer}: {share:.2f} (< 1) {'ok' if share < 1 else 'NO'}")
    return 0 if good else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=Path, help="a folder of class folders")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--litdata-python", default=sys.executable)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child, place, target = given.child
        print(json.dumps(CHILDREN[child](Path(place), Path(target))))
    else:
        sys.exit(main(given.photos, given.rounds, given.litdata_python))
