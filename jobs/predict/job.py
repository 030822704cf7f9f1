"""Predicts new pictures with trained folds, in the CPU lane unless the plan says otherwise.

Reads  model.json and checkpoints/best.ckpt of every fold of the nearest training, or of the one
       that a `better` kept; the nearest packed set; for the gain of test-time augmentation the
       set that the folds were trained on.
Writes predictions.csv, predictions.npz, predict.json; submission.csv where one is asked for.

    unseen:  {uses: scan, with: {source: data/test, labels: none}}
    squares: {uses: resize, needs: [unseen], with: {size: 224}}
    predict:
      uses: predict
      needs: [train, squares]
      with: {tta: flip, submission: data/sample_submission.csv}

This file imports neither torch nor NumPy, so that a plan can be checked without them.
"""

from __future__ import annotations

import skint
from jobs.predict.params import Params
from jobs.train.job import ready_for_torch


@skint.job(
    devices=0,
    cpus=0,
    resume=True,
    standby=True,
    libraries=("torch", "torchvision", "timm"),
)
def predict(params: Params, ctx: skint.Context) -> None:
    ready_for_torch()
    from jobs.predict.predicting import predict_pictures

    predict_pictures(params, ctx)
