"""A run of two folds by the commands of skint, on pictures that were just made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from budget.ledger import Ledger
from orchestrator.home import Home
from orchestrator.state.state import RunState, State
from orchestrator.store.store import Store
from tests.device.given import Given
from tests.jobs.small_set import COLOURS
from tests.terminal import Terminal

RUN = "check-1"
PATIENCE_S = 600.0

NET = '''
"""Networks that say which devices they see, and that wait once, in the first fold."""
import json, os, time
from pathlib import Path
import torch
from torch import nn
from torchvision.models import resnet18

HERE = Path(__file__).parent
ATTEMPT = os.environ.get("SKINT_ATTEMPT", "")


class Telling(nn.Module):
    def forward(self, x):
        if self.training and ".train." in ATTEMPT:
            self.tell(x)
            # By then the first epoch was reported: the next fold is started ahead.
            while ".fold0." in ATTEMPT and (HERE / "hold").exists() and self.reported():
                time.sleep(0.05)
        return self.body(x)

    def tell(self, x):
        count = torch.cuda.device_count() if x.is_cuda and torch.version.cuda else 0
        uuids = [f"GPU-{torch.cuda.get_device_properties(n).uuid}" for n in range(count)]
        told = {"uuids": uuids, "mask": os.environ.get("CUDA_VISIBLE_DEVICES")}
        name = f"seen-{ATTEMPT.split('.')[-2]}-{os.environ.get('LOCAL_RANK', 0)}.json"
        (HERE / name).write_text(json.dumps(told))

    def reported(self):
        events = Path(os.environ["SKINT_ATTEMPT_DIR"], "events.jsonl")
        return '"report"' in events.read_text()


class Small(Telling):
    def __init__(self, num_classes, in_chans):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_chans, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, num_classes),
        )


class Usual(Telling):
    def __init__(self, num_classes, in_chans):
        super().__init__()
        self.body = resnet18(num_classes=num_classes)
'''

PLAN = """
name: check
account: lab
jobs:
  scan: {{uses: scan, with: {{source: data}}}}
  packed: {{uses: resize, needs: [scan], with: {{size: {size_px}}}}}
  folds: {{uses: folds, needs: [packed], with: {{k: 2}}}}
  train:
    uses: train
    needs: [folds]
    per: fold
    devices: {devices}
    limit: 20m
    with: {{model: "telling:{net}", epochs: {epochs}, batch_size: {batch}}}
"""


def prepared(folder: Path, given: Given, *, devices: int = 1) -> Terminal:
    """A folder with pictures, a plan and an account of its own."""
    noise = np.random.default_rng(5)
    for label, colour in COLOURS.items():
        (folder / "data" / label).mkdir(parents=True)
        for number in range(2 * given.batch):
            pixels = colour + noise.normal(0, 40, (given.size_px, given.size_px, 3))
            Image.fromarray(np.clip(pixels, 0, 255).astype("uint8")).save(
                folder / "data" / label / f"{number}.png"
            )
    terminal = Terminal(folder)
    terminal.write("telling.py", NET)
    plan = PLAN.format(
        devices=devices,
        net="Usual" if given.is_real else "Small",
        size_px=given.size_px,
        epochs=given.epochs,
        batch=given.batch,
    )
    terminal.write("plan.yaml", plan)
    added = terminal.skint("account", "add", "lab", "--preset", given.preset)
    assert added.code == 0, added.err
    return terminal


@contextmanager
def looked_at(terminal: Terminal) -> Iterator[Store]:
    """What is known of its runs."""
    store = Store(Home(terminal.folder / "home").store)
    try:
        yield store
    finally:
        store.close()


def run_of(state: State) -> RunState | None:
    return state.runs.get(RUN)


def charged_ms(terminal: Terminal) -> int:
    """By the ledger, in device-milliseconds."""
    with Ledger(Home(terminal.folder / "home").ledger, read_only=True) as ledger:
        return sum(charge.amount_ms for charge in ledger.charges())
