"""A run of two folds by the commands of skint, on pictures that were just made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from budget.ledger import Ledger
from orchestrator.home import Home
from orchestrator.state import RunState, State
from orchestrator.store import Store
from tests.device.given import Given
from tests.jobs.small_set import COLOURS
from tests.terminal import Terminal

RUN = "check-1"
PATIENCE_S = 600.0

NET = '''
"""A network that says which devices it sees, and that waits once, in the first fold."""
import json, os, time
from pathlib import Path
import torch
from torch import nn

HERE = Path(__file__).parent
ATTEMPT = os.environ.get("SKINT_ATTEMPT", "")


class Net(nn.Module):
    def __init__(self, num_classes, in_chans):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_chans, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, num_classes),
        )

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
'''

PLAN = """
name: check
account: lab
jobs:
  scan: {{uses: scan, with: {{source: data}}}}
  packed: {{uses: resize, needs: [scan], with: {{size: 32}}}}
  folds: {{uses: folds, needs: [packed], with: {{k: 2}}}}
  train:
    uses: train
    needs: [folds]
    per: fold
    devices: {devices}
    limit: 20m
    with: {{model: "telling:Net", epochs: {epochs}, batch_size: 8, lr: 0.02}}
"""


def prepared(folder: Path, given: Given, *, devices: int = 1, per_class: int = 12) -> Terminal:
    """A folder with pictures, a plan and an account of its own."""
    noise = np.random.default_rng(5)
    for label, colour in COLOURS.items():
        (folder / "data" / label).mkdir(parents=True)
        for number in range(per_class):
            pixels = np.clip(colour + noise.normal(0, 40, (32, 32, 3)), 0, 255).astype("uint8")
            Image.fromarray(pixels).save(folder / "data" / label / f"{number}.png")
    terminal = Terminal(folder)
    terminal.write("telling.py", NET)
    terminal.write("plan.yaml", PLAN.format(devices=devices, epochs=given.epochs))
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
