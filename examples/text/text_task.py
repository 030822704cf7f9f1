"""A language model of docstrings, and a classifier that starts from its encoder."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

from skint.keyed import KeyedLoader

WORDS = 32
"""Of a text, at most."""
PAD, UNKNOWN = 0, 1
AT_LEAST = 3
"""A word that comes less often has no vector of its own."""
HIDDEN = 0.25
"""Share of the words that the language model has to guess."""


class Text(pl.LightningDataModule):
    """Rows of words as numbers; every `folds`-th text that has a label is held out."""

    def __init__(self, table, fold=0, folds=4, labels=None, batch_size=32, seed=0):
        """`labels` is how many texts with a label train; None takes every text there is."""
        super().__init__()
        self.table = Path(table)
        self.fold, self.folds, self.labels = fold, folds, labels
        self.batch_size, self.seed = batch_size, seed

    def setup(self, stage):
        with self.table.open(encoding="utf-8", newline="") as file:
            rows = [(row["package"], row["text"]) for row in csv.DictReader(file)]
        self.classes = sorted({package for package, _ in rows if package})
        texts = [re.findall(r"[a-z]+", text.lower())[:WORDS] for _, text in rows]
        known = [number for number, (package, _) in enumerate(rows) if package]
        self.held_out = known[self.fold :: self.folds]
        # Nothing of the held-out texts may show in what is learnt, not even their words.
        rest = sorted(set(range(len(rows))) - set(self.held_out))
        with_label = sorted(set(known) & set(rest))
        self.train = rest if self.labels is None else with_label[: self.labels]
        counts = Counter(word for number in rest for word in texts[number])
        common = sorted(word for word, count in counts.items() if count >= AT_LEAST)
        self.words = {word: number for number, word in enumerate(common, start=2)}
        numbers = torch.full((len(rows), WORDS), PAD)
        for row, text in enumerate(texts):
            numbers[row, : len(text)] = torch.tensor([self.words.get(w, UNKNOWN) for w in text])
        targets = [self.classes.index(package) if package else -1 for package, _ in rows]
        self.data = TensorDataset(numbers, torch.tensor(targets))

    def train_dataloader(self):
        return KeyedLoader(
            self.data, batch_size=self.batch_size, seed=self.seed, indices=self.train
        )

    def val_dataloader(self):
        return DataLoader(Subset(self.data, self.held_out), batch_size=64)


class Encoder(nn.Module):
    """(B, T) numbers of words -> (B, width): what a text is about, whatever the order."""

    def __init__(self, words, width):
        super().__init__()
        self.embedding = nn.Embedding(words, width, padding_idx=PAD)
        self.mix = nn.Linear(width, width)

    def forward(self, numbers):
        there = (numbers != PAD).unsqueeze(-1)
        mean = (self.embedding(numbers) * there).sum(1) / there.sum(1).clamp(min=1)
        return torch.tanh(self.mix(mean))


class LanguageModel(pl.LightningModule):
    """Learns to guess the words of a text that it does not see from those that it sees."""

    def __init__(self, data, width=64, lr=0.01):
        super().__init__()
        words = len(data.words) + 2
        self.lr = lr
        self.encoder = Encoder(words, width)
        self.guess = nn.Linear(width, words)

    def step(self, batch):
        numbers, _ = batch
        hidden = (torch.rand(numbers.shape, device=self.device) < HIDDEN) & (numbers > UNKNOWN)
        logits = self.guess(self.encoder(numbers.masked_fill(hidden, PAD)))
        rows, _ = hidden.nonzero(as_tuple=True)
        return nn.functional.cross_entropy(logits[rows], numbers[hidden])

    def training_step(self, batch, index):
        return self.step(batch)

    def validation_step(self, batch, index):
        self.log("val_loss", self.step(batch))

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.lr)


class Classifier(pl.LightningModule):
    """Says from which package a docstring is."""

    def __init__(self, data, width=64, lr=0.01):
        super().__init__()
        self.lr = lr
        self.encoder = Encoder(len(data.words) + 2, width)
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(width, len(data.classes)))

    def forward(self, numbers):
        return self.head(self.encoder(numbers))

    def training_step(self, batch, index):
        return nn.functional.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch, index):
        logits = self(batch[0])
        self.log("val_loss", nn.functional.cross_entropy(logits, batch[1]))
        self.log("val_acc", (logits.argmax(1) == batch[1]).float().mean())

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.lr)
