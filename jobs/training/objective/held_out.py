"""What a validation gave for every sample of the held-out fold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from jobs.training.objective.base import Labels
from skint.ranks import everyones

ON_DEVICE_BYTES = 2**26
"""Outputs that wait on the device: to fetch those of each batch would hold the device up."""


class HeldOut:
    """Collects (rows, outputs, labels) batch by batch, and gives them in the order of the rows."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Tensor, Tensor, Labels]] = []
        self.waiting_bytes = 0
        self.fetched: list[tuple[Tensor, Tensor, Labels]] = []
        self.gathered: tuple[Tensor, Tensor, Labels] | None = None

    def add(self, rows: Tensor, outputs: Tensor, labels: Labels) -> None:
        """A batch of B: rows (B,), outputs (B, K), labels as the loader gives them."""
        outputs = outputs.detach().float()
        self.waiting.append((rows, outputs, labels))
        self.waiting_bytes += outputs.nbytes
        if self.waiting_bytes > ON_DEVICE_BYTES:
            self._fetch()

    def whole(self) -> tuple[Tensor, Tensor, Labels]:
        """All of it on the host, by ascending row; of every process that validated a part."""
        if self.gathered is None:
            self.gathered = self._gather()
        return self.gathered

    def _gather(self) -> tuple[Tensor, Tensor, Labels]:
        self._fetch()
        parts = [part for of_one in everyones(self.fetched) for part in of_one]
        rows = torch.cat([part[0] for part in parts])
        outputs = torch.cat([part[1] for part in parts])
        labels = _cat([part[2] for part in parts])
        # A row that two processes validated, to make their parts equally long, counts once.
        rows, first = _unique(rows)
        return rows, outputs[first], _each(labels, lambda column: column[first])

    def _fetch(self) -> None:
        self.fetched += [
            (rows.cpu(), outputs.cpu(), _each(labels, Tensor.cpu))
            for rows, outputs, labels in self.waiting
        ]
        self.waiting, self.waiting_bytes = [], 0


def _unique(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Ascending rows, and where each stands first."""
    ordered, order = rows.sort(stable=True)
    first = torch.ones_like(ordered, dtype=torch.bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first], order[first]


def _each(labels: Labels, change: Any) -> Labels:
    if isinstance(labels, Mapping):
        return {name: change(column) for name, column in labels.items()}
    return change(labels)


def _cat(parts: list[Labels]) -> Labels:
    if isinstance(parts[0], Mapping):
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    return torch.cat(parts)
