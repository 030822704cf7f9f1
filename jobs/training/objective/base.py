"""What targets ask of the network's outputs.

A kind of target is one file here; several targets share one last layer, each a slice of it.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torchmetrics
from torch import Tensor, nn

from skint.errors import SkintError

Labels = Any
"""A tensor (B, ...) of one target, or a dict of them by the names of several."""


class ObjectiveError(SkintError):
    """The recipe asks for a loss, weights or metrics that do not fit the targets."""


class Objective(nn.Module, ABC):
    """What is learnt.

    It is a module for the sake of its buffers, which follow the network to its device; nothing of
    it is in a state dict: it is made anew of the recipe and the training rows.
    """

    outputs: int
    """Numbers that the network gives for a picture."""

    @property
    @abstractmethod
    def singles(self) -> tuple[Single, ...]:
        """Its targets, in the order of their outputs."""

    @property
    def row_names(self) -> tuple[str, ...]:
        """What each of the outputs stands for: a class, or a number by the name of its target."""
        return tuple(name for part in self.singles for name in part.classes or (part.name,))

    @property
    def class_rows(self) -> dict[int, str]:
        """The outputs that stand for a class."""
        names = [(part, name) for part in self.singles for name in part.classes or (part.name,)]
        return {row: name for row, (part, name) in enumerate(names) if part.classes}

    @abstractmethod
    def loss(self, outputs: Tensor, labels: Labels) -> Tensor:
        """What training makes smaller, of outputs (B, `outputs`): a scalar.

        Samples whose label is unknown do not count; 0 where none is known.
        """

    @abstractmethod
    def mixed_loss(
        self, outputs: Tensor, labels: Labels, partner_labels: Labels, share: float | Tensor
    ) -> Tensor:
        """The loss of pictures that are mixed: `share` of the one, the rest of the partner.

        `share` is one number, or (B,).
        """

    @abstractmethod
    def activate(self, outputs: Tensor) -> dict[str, Tensor]:
        """By target: (B, K) probabilities of the classes, or (B,) values in their own unit."""

    @abstractmethod
    def metrics(self) -> dict[str, torchmetrics.Metric]:
        """By the name that it is logged under; each is new and knows nothing yet."""

    @abstractmethod
    def measure(self, outputs: Tensor, labels: Labels) -> dict[str, float]:
        """All that is known of a validation: `val_loss` and the metrics, of its n samples at once.

        The loss is without class weights and label smoothing: it compares between recipes.
        NaN stands where nothing is known.
        """

    @abstractmethod
    def by_class(self, outputs: Tensor, labels: Labels) -> dict[str, dict[str, dict[str, float]]]:
        """By target and class: how well it is told, and `n`, the samples that are of it."""

    def checked(self, outputs: Tensor) -> Tensor:
        """`outputs` in single precision; raises ObjectiveError where they are not (B, `outputs`).

        Cross-entropy would take an output too many for a class that never comes.
        """
        if outputs.ndim != 2 or outputs.shape[1] != self.outputs:
            raise ObjectiveError(
                "the network's output does not fit the targets",
                where="model",
                got=str(tuple(outputs.shape)),
                wanted=f"(batch, {self.outputs})",
                next="build the last layer with the `num_classes` that the class is called with",
            )
        return outputs.float()


class Single(Objective):
    """One target. A kind says what a sample costs; this class says what many do."""

    least: ClassVar[Mapping[str, int]] = {}
    """Samples that a metric needs at least, by its bare name."""
    kind: ClassVar[str]
    """Of the target, as in `skint.dataset.Target`."""
    classes: tuple[str, ...] = ()
    """Empty where it has none."""

    def __init__(self, name: str, metric_names: tuple[str, ...]) -> None:
        super().__init__()
        self.name = name
        self.metric_names = metric_names

    @property
    def singles(self) -> tuple[Single, ...]:
        return (self,)

    @abstractmethod
    def known(self, labels: Tensor) -> Tensor:
        """(B,) bool."""

    @abstractmethod
    def costs(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """(B,) what each sample costs in training; where it is unknown, any finite number."""

    @abstractmethod
    def plain_costs(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """(B,) the same without class weights and label smoothing."""

    @abstractmethod
    def reduced(self, name: str, value: Tensor, labels: Tensor) -> float:
        """A metric as one number."""

    def loss(self, outputs: Tensor, labels: Labels) -> Tensor:
        known = self.known(labels)
        # Without a branch on the count: reading it would wait for the device at every step.
        return (self.costs(self.checked(outputs), labels) * known).sum() / known.sum().clamp(min=1)

    def mixed_loss(
        self, outputs: Tensor, labels: Labels, partner_labels: Labels, share: float | Tensor
    ) -> Tensor:
        # Cross-entropy is linear in the labels, so that the loss of mixed labels is the mix of the
        # losses; of the squared error the gradient is. Of a pair with one unknown label the other
        # counts.
        outputs = self.checked(outputs)
        own = self.known(labels) * share
        partner = self.known(partner_labels) * (1 - share)
        total = own * self.costs(outputs, labels)
        total = total + partner * self.costs(outputs, partner_labels)
        return total.sum() / (own + partner).sum().clamp(min=1)

    def measure(self, outputs: Tensor, labels: Labels) -> dict[str, float]:
        known = self.known(labels)
        outputs, labels = self.checked(outputs)[known], labels[known]
        if len(outputs) == 0:
            return dict.fromkeys(("val_loss", *self.metrics()), float("nan"))
        measured = {"val_loss": float(self.plain_costs(outputs, labels).double().mean())}
        activated = self.activate(outputs)[self.name]
        with warnings.catch_warnings():
            # Of classes that the fold does not have: `reduced` leaves those out.
            warnings.simplefilter("ignore")
            for name, metric in self.metrics().items():
                if len(labels) < self.least.get(name.removeprefix("val_"), 1):
                    measured[name] = float("nan")
                    continue
                metric.update(activated, labels)
                measured[name] = self.reduced(name, metric.compute(), labels)
        return measured
