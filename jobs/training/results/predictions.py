"""Out-of-fold predictions: what the error analysis and every ensemble read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skint.attempt import write_atomic
from skint.loader import Batch


@dataclass(frozen=True)
class Predictions:
    """Of n samples over C classes."""

    ids: NDArray[np.int64]
    """(n,) rows of the packed set."""
    target: NDArray[np.int64]
    """(n,)"""
    probabilities: NDArray[np.float32]
    """(n, C); each row adds up to 1."""
    classes: tuple[str, ...]

    @property
    def accuracy(self) -> float:
        """Share of samples whose most probable class is the right one."""
        return float((self.probabilities.argmax(axis=1) == self.target).mean())


@torch.no_grad()
def predict(
    network: torch.nn.Module,
    batches: Iterable[Batch],
    classes: Sequence[str],
    *,
    device: torch.device,
    autocast: torch.dtype | None,
) -> Predictions:
    """Softmax of the logits, in the precision that the validation during training had."""
    network.eval().to(device)
    ids, target, probabilities = [], [], []
    for batch in batches:
        with torch.autocast(device.type, dtype=autocast, enabled=autocast is not None):
            logits = network(batch.images.to(device))
        probabilities.append(logits.float().softmax(dim=1).cpu().numpy())
        ids.append(batch.rows.numpy().copy())
        target.append(batch.labels.cpu().numpy().copy())
    return Predictions(
        np.concatenate(ids), np.concatenate(target), np.concatenate(probabilities), tuple(classes)
    )


def write(path: Path, predictions: Predictions) -> None:
    """`predictions.npz`: ids, target, probabilities, classes; the same values, the same bytes."""
    arrays: dict[str, NDArray[Any]] = {
        "ids": predictions.ids,
        "target": predictions.target,
        "probabilities": predictions.probabilities,
        "classes": np.array(predictions.classes),
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            # numpy.savez stamps the time of day into the archive; ZipInfo's default is fixed.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    write_atomic(path, content.getvalue())
