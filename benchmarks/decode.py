"""One JPEG to 224 x 224: skint, plain Pillow, and what no decoder can be faster than.

    python benchmarks/decode.py [--rounds N]

The JPEGs are the photos of examples/photos, enlarged, with 1/f noise on them, as much as brings
them to 2.6 bits a pixel: a camera's pictures, where enlarged ones alone would be soft and cheap.
Each picture is decoded by every method in turn, in an order drawn anew each time, so that all find
the caches as another one left them; times are CPU time of one thread, medians.

- *plain Pillow*: `Image.open`, `resize` by LANCZOS until the shorter side fits, `crop`.
- *floor*: libjpeg-turbo at the scale 1/8. It reads every bit of the file and does next to nothing
  else.
- *dB*: PSNR against Pillow's LANCZOS over the picture decoded at its full size.

Bars: 500 x 375 at least 2.3 times as fast as plain Pillow and at most 2.6 times the floor;
2000 x 1500 and 4000 x 3000 at least 2.4 and 3.6 times as fast, at 45 dB or more; a process that
packs pictures of 12 megapixels stays under 1 GiB. Ends with 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import io
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from jobs.decode import Wanted, pictures  # noqa: E402
from jobs.pool.serving import keep_memory  # noqa: E402

PHOTOS = ROOT / "examples" / "photos" / "data"
TARGET_PX = 224
BITS_PER_PIXEL = 2.6
LANCZOS = Image.Resampling.LANCZOS
SIZES = (((500, 375), 10, 90), ((2000, 1500), 3, 92), ((4000, 3000), 2, 92))
"""Width and height, how many pictures, JPEG quality."""
BARS = {500: (2.3, 2.6, 0.0), 2000: (2.4, None, 45.0), 4000: (3.6, None, 45.0)}
"""By width: least speed-up over Pillow, most times the floor, least dB."""
MOST_MIB = 1024


def noise(width: int, height: int, seed: int) -> NDArray[np.float64]:
    """(height, width) of 1/f noise with a deviation of 1."""
    draw = np.random.default_rng(seed).normal(size=(height, width))
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = 1
    spread: NDArray[np.float64] = np.fft.irfft2(np.fft.rfft2(draw) / frequency, s=draw.shape)
    return np.asarray(spread / spread.std())


def jpeg(file: Path, size: tuple[int, int], quality: int, seed: int) -> bytes:
    """A photo of that size with so much noise that it has BITS_PER_PIXEL."""
    with Image.open(file) as image:
        photo = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC), np.float32)
    grain = noise(*size, seed)[:, :, np.newaxis].astype(np.float32)
    least, most, content = 0.0, 60.0, b""
    for _step in range(7):
        amount = (least + most) / 2
        pixels = (photo + amount * grain).clip(0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
        content = buffer.getvalue()
        if 8 * len(content) < BITS_PER_PIXEL * size[0] * size[1]:
            least = amount
        else:
            most = amount
    return content


def plain(content: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content)) as image:
        scale = TARGET_PX / min(image.size)
        width, height = (round(side * scale) for side in image.size)
        small = image.convert("RGB").resize((width, height), LANCZOS)
    left, top = (width - TARGET_PX) // 2, (height - TARGET_PX) // 2
    return np.asarray(small.crop((left, top, left + TARGET_PX, top + TARGET_PX)))


def truth(content: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content)) as image:
        width, height = image.size
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
        return np.asarray(image.convert("RGB").resize((TARGET_PX, TARGET_PX), LANCZOS, box=box))


def ours(content: bytes) -> NDArray[np.uint8]:
    return pictures(content, Wanted((TARGET_PX,), "crop"))[0]


def floor(content: bytes) -> None:
    simplejpeg.decode_jpeg(content, min_height=1, min_width=1, min_factor=8)


METHODS: dict[str, Callable[[bytes], object]] = {"Pillow": plain, "skint": ours, "floor": floor}


def decibels(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    error = float(np.mean((one.astype(float) - other) ** 2))
    return 99.0 if error == 0 else 10 * float(np.log10(255**2 / error))


def medians_ms(contents: Sequence[bytes], rounds: int) -> dict[str, float]:
    """CPU time of one picture by method."""
    draw = random.Random(0)
    times: dict[str, list[float]] = {name: [] for name in METHODS}
    for turn in range(rounds + 1):
        for content in contents:
            for name in draw.sample(sorted(METHODS), len(METHODS)):
                begun = time.process_time()
                METHODS[name](content)
                if turn:  # the first round warms up
                    times[name].append(time.process_time() - begun)
    return {name: 1e3 * statistics.median(seconds) for name, seconds in times.items()}


def peak_mib(kind: str) -> float:
    """Of a process of its own that packs pictures of 12 megapixels."""
    command = [sys.executable, str(Path(__file__).resolve()), "--pack", kind]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def pack(kind: str) -> None:
    """Print the peak of this process's memory in MiB, less what making the picture took."""
    noisy = np.random.default_rng(0).integers(0, 256, (3000, 4000, 4), dtype=np.uint8)
    image = Image.fromarray(noisy if kind == "PNG" else noisy[:, :, :3].copy())
    file = Path(f"/proc/self/fd/{_memory_file()}")
    image.save(file, kind)
    del noisy, image
    content = file.read_bytes()
    wanted = Wanted((TARGET_PX,) if kind == "JPEG" else (TARGET_PX, 1024), "crop")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    for _picture in range(3):
        pictures(content, wanted)
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    assert peak * 1024 <= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(peak / 1024)


def _memory_file() -> int:
    import os

    return os.memfd_create("picture")


def main(rounds: int) -> int:
    files = sorted(PHOTOS.rglob("*.jpg"))
    good = True
    print(f"one JPEG of {BITS_PER_PIXEL} bits a pixel to {TARGET_PX} x {TARGET_PX}, ms of CPU time")
    print("     size    Pillow     skint     floor   faster than Pillow     x floor      dB")
    for (width, height), count, quality in SIZES:
        chosen = files[:: len(files) // count][:count]
        contents = [jpeg(file, (width, height), quality, n) for n, file in enumerate(chosen)]
        times = medians_ms(contents, rounds if width > 500 else 3 * rounds)
        quality_db = min(decibels(ours(content), truth(content)) for content in contents)
        faster, of_floor = times["Pillow"] / times["skint"], times["skint"] / times["floor"]
        least_faster, most_of_floor, least_db = BARS[width]
        fast = faster >= least_faster
        near = most_of_floor is None or of_floor <= most_of_floor
        same = quality_db >= least_db
        good = good and fast and near and same
        print(
            f"{width:>4} x {height:<4} {times['Pillow']:7.2f} {times['skint']:9.2f} "
            f"{times['floor']:9.2f} {faster:9.2f} (>= {least_faster}) {'ok' if fast else 'NO':2} "
            f"{of_floor:6.2f}{'' if most_of_floor is None else f' (<= {most_of_floor})'} "
            f"{'' if most_of_floor is None else 'ok' if near else 'NO'} "
            f"{quality_db:6.1f} {'ok' if same else 'NO'}",
            flush=True,
        )
    for kind in ("JPEG", "PNG"):
        mib = peak_mib(kind)
        good = good and mib < MOST_MIB
        print(f"a process packing {kind}s of 12 megapixels: {mib:.0f} MiB (< {MOST_MIB})")
    return 0 if good else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pack", choices=("JPEG", "PNG"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    keep_memory()  # as in the processes that pack; it serves all the methods
    if given.pack:
        pack(given.pack)
    else:
        sys.exit(main(given.rounds))
