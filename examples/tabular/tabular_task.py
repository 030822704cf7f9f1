"""A small network over numbers and categories, each category a vector that is learnt."""

from __future__ import annotations

import csv
import json

import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

from skint.keyed import KeyedLoader


class Table(pl.LightningDataModule):
    """The table of the entry `table`; every `folds`-th row is held out."""

    def __init__(self, inputs, fold=0, folds=4, batch_size=32, seed=0):
        super().__init__()
        self.folder = inputs["table"]
        self.fold, self.folds, self.batch_size, self.seed = fold, folds, batch_size, seed

    def setup(self, stage):
        maps = json.loads((self.folder / "categories.json").read_text())
        self.sizes = {name: len(words) for name, words in maps.items()}
        with (self.folder / "table.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        names = [name for name in rows[0] if name not in (*maps, "target")]
        categories = torch.tensor([[int(row[name]) for name in maps] for row in rows])
        numbers = torch.tensor([[float(row[name]) for name in names] for row in rows])
        target = torch.tensor([float(row["target"]) for row in rows])
        self.held_out = list(range(self.fold, len(rows), self.folds))
        self.train = sorted(set(range(len(rows))) - set(self.held_out))
        # Scales of the rows that train: the held-out ones must not show in what is learnt.
        own = numbers[self.train]
        numbers = (numbers - own.mean(0)) / own.std(0)
        self.mean, self.std = float(target[self.train].mean()), float(target[self.train].std())
        self.count = len(names)
        self.data = TensorDataset(categories, numbers, target)

    def train_dataloader(self):
        return KeyedLoader(
            self.data, batch_size=self.batch_size, seed=self.seed, indices=self.train
        )

    def val_dataloader(self):
        return DataLoader(Subset(self.data, self.held_out), batch_size=256)


class Network(pl.LightningModule):
    """Predicts the target; `val_mse` is in its own units, squared."""

    def __init__(self, data, vector=4, width=32, lr=0.005):
        super().__init__()
        self.lr, self.mean, self.std = lr, data.mean, data.std
        self.embeddings = nn.ModuleList(nn.Embedding(size, vector) for size in data.sizes.values())
        self.layers = nn.Sequential(
            nn.Linear(vector * len(data.sizes) + data.count, width),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(width, 1),
        )

    def forward(self, categories, numbers):
        vectors = [e(categories[:, n]) for n, e in enumerate(self.embeddings)]
        guess = self.layers(torch.cat([*vectors, numbers], dim=1)).squeeze(1)
        return self.mean + self.std * guess

    def training_step(self, batch, index):
        categories, numbers, target = batch
        return ((self(categories, numbers) - target) / self.std).pow(2).mean()

    def validation_step(self, batch, index):
        categories, numbers, target = batch
        self.log("val_mse", (self(categories, numbers) - target).pow(2).mean())

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.lr, weight_decay=0.1)
