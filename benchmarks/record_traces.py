"""Record how long the steps of real trainings take: the traces that forecasts are judged by.

    python benchmarks/record_traces.py [--core N] [--most N]

Trains small networks from scratch on the photographs of examples/photos, one after the other, each
in a process of its own, on one core, and appends a line of JSON per trace to
benchmarks/data/step_times.jsonl. What the file has already is not recorded again, so that it can
be stopped at any time; with the whole list there it does nothing. The neighbours of a trace are
real processes on the same core, with the same priority. Some begin or end in the middle of it.
What else the machine does must not count among them: give the recorder a session and a group of its
own, as root on Linux

    setsid sh -c 'echo -20 > /proc/self/autogroup; exec nice -n -20 python FILE --core 1'

A line: model, size (pixels), batch, load, moves ("" or "begins"/"ends", after `moved_at` of all
steps), decodes (the first epoch decodes the photographs), epochs, steps (an epoch), step_us (per
epoch, per step), val_us and epoch_us (per epoch, validation included), start_us, torch, cpu.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
import torchvision
from numpy.typing import NDArray
from PIL import Image
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
TRACES = Path(__file__).resolve().parent / "data" / "step_times.jsonl"
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Options of `mallopt` (malloc.h)."""
PHOTOS = ROOT / "examples" / "photos" / "data"

SETTINGS: dict[str, tuple[tuple[int, int], ...]] = {
    "small-cnn": ((32, 128), (64, 64), (96, 32), (128, 16)),
    "mobilenet_v3_small": ((32, 8), (64, 4), (96, 4), (128, 2)),
    "shufflenet_v2_x0_5": ((32, 16), (64, 8), (96, 6), (128, 4)),
    "vit_tiny": ((32, 8), (64, 4), (96, 4), (128, 2)),
    "resnet10t": ((32, 8), (64, 2)),
    "resnet18": ((32, 2), (32, 4)),
    "efficientnet_b0": ((32, 2), (48, 2), (64, 2)),
    "lcnet_050": ((64, 8), (96, 6), (128, 4)),
}
"""Size in pixels and batch, by model."""

SLOW = ("resnet10t", "resnet18", "efficientnet_b0")
"""Their steps take 40 to 70 ms on one core, and 10 to 30 ms those of the others."""

LOADS: tuple[tuple[str, str, bool], ...] = (
    ("none", "", False),
    ("none", "", True),
    ("one", "", False),
    ("one", "", True),
    ("two", "", False),
    ("two", "", True),
    ("periodic", "", False),
    ("periodic", "", True),
    ("one", "either", False),
)
"""Neighbours, whether they come or go in the middle, whether the first epoch decodes."""


@dataclass(frozen=True)
class Setting:
    model: str
    size: int
    batch: int
    load: str
    moves: str
    decodes: bool
    epochs: int
    steps: int
    busy_s: float
    idle_s: float
    moved_at: float

    @property
    def id(self) -> str:
        moves = f"-{self.moves}" if self.moves else ""
        decodes = "-decodes" if self.decodes else ""
        return f"{self.model}-{self.size}-{self.batch}-{self.load}{moves}{decodes}"


def settings() -> list[Setting]:
    """The whole list, in an order that spreads models and loads over the time of recording."""
    dice = random.Random(20)
    found = []
    for model, sizes in SETTINGS.items():
        for size, batch in sizes:
            for load, moves, decodes in LOADS:
                slow = model in SLOW
                found.append(
                    Setting(
                        model=model,
                        size=size,
                        batch=batch,
                        load=load,
                        moves=dice.choice(("begins", "ends")) if moves else "",
                        decodes=decodes,
                        epochs=dice.randint(8, 10 if slow else 12),
                        steps=dice.randint(8, 12) if slow else dice.randint(12, 22),
                        busy_s=round(dice.uniform(0.05, 0.6), 3),
                        idle_s=round(dice.uniform(0.05, 0.6), 3),
                        moved_at=round(dice.uniform(0.1, 0.9), 3),
                    )
                )
    dice.shuffle(found)
    return found


class SmallCnn(nn.Module):  # type: ignore[misc]
    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((3, 16), (16, 32), (32, 64)):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after)]
            layers += [nn.ReLU()]
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(64, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(images))


def build(model: str, size: int, classes: int) -> nn.Module:
    if model == "small-cnn":
        return SmallCnn(classes)
    if model == "vit_tiny":
        name, patch = "vit_tiny_patch16_224", 8 if size < 64 else 16
        return timm.create_model(
            name, img_size=size, patch_size=patch, depth=4, num_classes=classes
        )
    if model in ("resnet10t", "lcnet_050"):
        return timm.create_model(model, num_classes=classes)
    return getattr(torchvision.models, model)(weights=None, num_classes=classes)


class Photos:
    """The photographs at one size, decoded when they are first asked for."""

    def __init__(self, size: int) -> None:
        self.paths = sorted(path for path in PHOTOS.glob("*/*") if path.is_file())
        self.classes = sorted({path.parent.name for path in self.paths})
        self.size = size
        self.kept: dict[int, NDArray[np.uint8]] = {}

    def one(self, index: int) -> NDArray[np.uint8]:
        if index not in self.kept:
            with Image.open(self.paths[index]) as image:
                small = image.convert("RGB").resize((self.size, self.size))
            self.kept[index] = np.asarray(small)
        return self.kept[index]

    def batch(self, indices: list[int], flip: bool) -> tuple[torch.Tensor, torch.Tensor]:
        pixels = np.stack([self.one(i)[:, :: -1 if flip else 1] for i in indices])
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().sub_(128).div_(64)
        labels = [self.classes.index(self.paths[i].parent.name) for i in indices]
        return images, torch.tensor(labels)


def train(setting: Setting, move: Callable[[], None]) -> dict[str, Any]:
    """One training; `move` starts or stops the neighbours, once, where the setting says."""
    begun = time.perf_counter_ns()
    torch.manual_seed(0)
    dice = random.Random(setting.id)
    photos = Photos(setting.size)
    held_out = list(range(0, len(photos.paths), 5))
    kept = [i for i in range(len(photos.paths)) if i % 5]
    order = [kept[i % len(kept)] for i in range(setting.steps * setting.batch)]
    if not setting.decodes:
        for index in range(len(photos.paths)):
            photos.one(index)
    network = build(setting.model, setting.size, len(photos.classes))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    loss_of = nn.CrossEntropyLoss()
    move_at = round(setting.moved_at * setting.epochs * setting.steps) if setting.moves else -1
    step_us: list[list[int]] = []
    val_us, epoch_us = [], []
    last = time.perf_counter_ns()
    start_us, done = (last - begun) // 1000, 0
    for _ in range(setting.epochs):
        epoch_begun, steps = last, []
        dice.shuffle(order)
        network.train()
        for at in range(0, len(order), setting.batch):
            if done == move_at:
                move()
            images, labels = photos.batch(order[at : at + setting.batch], dice.random() < 0.5)
            optimizer.zero_grad(set_to_none=True)
            loss_of(network(images), labels).backward()
            optimizer.step()
            now = time.perf_counter_ns()
            steps.append((now - last) // 1000)
            last, done = now, done + 1
        step_us.append(steps)
        network.eval()
        with torch.no_grad():
            for at in range(max(2, setting.steps // 5)):
                chosen = [held_out[(at + i) % len(held_out)] for i in range(setting.batch)]
                network(photos.batch(chosen, False)[0]).argmax(1)
        now = time.perf_counter_ns()
        val_us.append((now - last) // 1000)
        epoch_us.append((now - epoch_begun) // 1000)
        last = now
    return {"start_us": start_us, "step_us": step_us, "val_us": val_us, "epoch_us": epoch_us}


def busy(busy_s: float, idle_s: float) -> None:
    """A neighbour: works for ever, or with pauses; ends with its parent."""
    parent = os.getppid()
    numbers = np.random.default_rng(0).random(100_000, dtype=np.float32)
    while os.getppid() == parent:
        until = time.monotonic() + busy_s
        while time.monotonic() < until:
            numbers = np.tanh(numbers) + 1
        if idle_s:
            time.sleep(idle_s)


def forked(work: Callable[[], None]) -> int:
    """The id of a new process that does `work` and ends."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def neighbours(setting: Setting) -> Iterator[int]:
    count = {"none": 0, "one": 1, "two": 2, "periodic": 1}[setting.load]
    idle_s = setting.idle_s if setting.load == "periodic" else 0.0
    for _ in range(count):
        yield forked(lambda: busy(setting.busy_s, idle_s))


def record(setting: Setting) -> dict[str, Any]:
    """The trace of one training in a process of its own. RuntimeError if it fails."""
    others = list(neighbours(setting))
    source, sink = os.pipe()

    def trained() -> None:
        os.close(source)
        signals = {"begins": signal.SIGCONT, "ends": signal.SIGSTOP}

        def move() -> None:
            for pid in others:
                os.kill(pid, signals[setting.moves])

        with os.fdopen(sink, "w") as pipe:
            json.dump(train(setting, move), pipe)

    try:
        if setting.moves == "begins":
            for pid in others:
                os.kill(pid, signal.SIGSTOP)
        pid = forked(trained)
        os.close(sink)
        with os.fdopen(source) as pipe:
            text = pipe.read()
        _, status = os.waitpid(pid, 0)
    finally:
        for other in others:
            os.kill(other, signal.SIGKILL)
            os.waitpid(other, 0)
    if status:
        raise RuntimeError(f"{setting.id} ended with {os.waitstatus_to_exitcode(status)}")
    found: dict[str, Any] = json.loads(text)
    return found


def keep_freed_memory() -> None:
    """Let the C library reuse large blocks as the allocators of accelerators do.

    Else it hands each one back to the kernel, and a third of a step is page faults.
    """
    library = ctypes.CDLL(None)
    for option, value in ((M_MMAP_THRESHOLD, 1 << 25), (M_TRIM_THRESHOLD, 1 << 30)):
        if not library.mallopt(option, value):
            raise RuntimeError(f"mallopt({option}, {value}) was refused")


def cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--core", type=int, help="the core to record on; default: any")
    parser.add_argument("--most", type=int, help="stop after so many traces")
    arguments = parser.parse_args()
    if arguments.core is not None:
        os.sched_setaffinity(0, {arguments.core})
    torch.set_num_threads(1)
    keep_freed_memory()
    TRACES.parent.mkdir(exist_ok=True)
    lines = TRACES.read_text().splitlines() if TRACES.exists() else []
    known = {json.loads(line)["id"] for line in lines}
    missing = [setting for setting in settings() if setting.id not in known]
    print(f"{len(known)} traces are there, {len(missing)} are missing", flush=True)
    for setting in missing[: arguments.most]:
        trace = {
            "id": setting.id,
            **asdict(setting),
            "torch": torch.__version__,
            "cpu": cpu_model(),
            **record(setting),
        }
        with TRACES.open("a") as file:
            file.write(json.dumps(trace, separators=(",", ":")) + "\n")
        total_s, steps = sum(trace["epoch_us"]) / 1e6, setting.epochs * setting.steps
        print(f"{setting.id:50}{total_s:7.1f} s {1000 * total_s / steps:7.1f} ms", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
