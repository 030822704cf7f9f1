"""Train a LightningModule of your own on a LightningDataModule of your own, stage by stage.

Reads  what the data module reads; it is told its fold and the folders of all entries above.
Writes metrics.csv, a row an epoch; result.json; predictions.npz and correct.json where the
       module's validation_step returns ids, target, and probabilities or values;
       checkpoints/best.ckpt (weights of the last stage's best epoch), checkpoints/STAGE.ckpt (the
       same of another stage); while it trains also checkpoints/last.ckpt (all that a continuation
       needs).

    fit:
      uses: fit
      devices: 1
      with: {module: "my_task:LitModel", data: "my_task:Data", epochs: 5, monitor: val_loss}

This file imports neither torch nor Lightning, so that a plan can be checked without them.
"""

from __future__ import annotations

import skint
from jobs.fit.params import Params
from jobs.train.job import ready_for_torch


@skint.job(
    devices=1,
    cpus=0,
    smoke=True,
    resume=True,
    standby=True,
    libraries=("torch", "pytorch-lightning"),
)
def fit(params: Params, ctx: skint.Context) -> None:
    """Train; with `ctx.smoke`, rehearse one step of every stage on the CPU."""
    ready_for_torch()
    if ctx.smoke:
        from jobs.fit.smoke import rehearse

        rehearse(params, ctx)
    else:
        from jobs.fit.training import train

        train(params, ctx)
