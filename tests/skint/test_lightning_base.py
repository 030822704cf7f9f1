"""One callback for the Trainers of both packages that Lightning comes as."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("pytorch_lightning")

from skint.attempt import AttemptDir, Task

pytestmark = pytest.mark.torch

PROGRAM = """
import sys
from skint import Callback                       # before either Lightning
import lightning.pytorch as first
assert "pytorch_lightning" not in sys.modules
import torch

def train(pl, **options):
    class Model(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)
        def training_step(self, batch, index):
            return self.layer(batch).pow(2).mean()
        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    # One callback, not a list of them: the Trainer looks whether it is its own kind.
    trainer = pl.Trainer(
        max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, callbacks=Callback(),
    )
    trainer.fit(Model(), torch.utils.data.DataLoader(torch.ones(4, 2)), **options)
    return trainer

trainer = train(first)
trainer.save_checkpoint(sys.argv[1])
import pytorch_lightning as second               # both in one process
train(second, ckpt_path=sys.argv[1])
assert isinstance(Callback(), (first.Callback, second.Callback))
"""


@pytest.mark.skipif(find_spec("lightning") is None, reason="the extra `test` has lightning")
def test_it_is_the_callback_of_the_trainer_that_the_program_uses(tmp_path: Path) -> None:
    directory = AttemptDir(tmp_path / "attempt")
    directory.create(Task("a", 1, "run", "job"))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "first.ckpt")],
        env={**os.environ, "SKINT_ATTEMPT_DIR": str(directory.path)},
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in directory.events.read_text().splitlines()]
    assert [line["values"]["epoch"] for line in lines] == [1]  # the second had no epoch left


def test_it_can_be_sent_to_another_process() -> None:
    from skint.lightning import Callback

    callback = Callback(save_every_s=5.0, epochs_before=2)
    sent = pickle.loads(pickle.dumps(callback))
    assert isinstance(sent, Callback)
    assert vars(sent) == vars(callback)
    assert sent.state_key == "skint.Callback"


def test_a_class_of_ones_own_that_stands_on_it_is_one_too() -> None:
    import pytorch_lightning as pl

    from skint.lightning import Callback

    class Louder(Callback):
        def __init__(self) -> None:
            super().__init__(save_every_s=1.0)

    assert isinstance(Louder(), pl.Callback)
    assert Louder().save_every_s == 1.0
