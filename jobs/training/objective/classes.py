"""A target that is one of several classes: softmax and cross-entropy."""

from __future__ import annotations

import torch
import torchmetrics
from torch import Tensor
from torch.nn import functional
from torchmetrics import classification

from jobs.training.objective.base import Labels, Single

FIRST_OF = 5
"""Of `top5`."""


class Classes(Single):
    """Labels are (B,) numbers of classes, -1 where unknown."""

    weight: Tensor | None

    def __init__(
        self,
        name: str,
        classes: int,
        metric_names: tuple[str, ...] = (),
        *,
        weight: Tensor | None = None,
        smoothing: float = 0.0,
    ) -> None:
        """`weight` is (classes,), of the loss."""
        super().__init__(name, metric_names)
        self.outputs = classes
        self.smoothing = smoothing
        self.register_buffer("weight", weight, persistent=False)

    def known(self, labels: Tensor) -> Tensor:
        return labels >= 0

    def costs(self, outputs: Tensor, labels: Tensor) -> Tensor:
        # The mean is taken by the number of samples and not, as torch does it, by the sum of their
        # weights: else a class would count more in a batch that has few of the others.
        return functional.cross_entropy(
            outputs,
            labels.clamp(min=0),
            weight=self.weight,
            label_smoothing=self.smoothing,
            reduction="none",
        )

    def plain_costs(self, outputs: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(outputs, labels.clamp(min=0), reduction="none")

    def activate(self, outputs: Tensor) -> dict[str, Tensor]:
        return {self.name: outputs.float().softmax(dim=1)}

    def metrics(self) -> dict[str, torchmetrics.Metric]:
        return {f"val_{name}": self._metric(name) for name in ("acc", *self.metric_names)}

    def _metric(self, name: str) -> torchmetrics.Metric:
        classes = self.outputs
        match name:
            case "acc":
                return classification.MulticlassAccuracy(classes, average="micro")
            case "top5":
                return classification.MulticlassAccuracy(classes, top_k=FIRST_OF, average="micro")
            case "f1":
                return classification.MulticlassF1Score(classes, average="none")
            case "precision":
                return classification.MulticlassPrecision(classes, average="none")
            case "recall":
                return classification.MulticlassRecall(classes, average="none")
            case "auroc":
                return classification.MulticlassAUROC(classes, average="none")
            case "average-precision":
                return classification.MulticlassAveragePrecision(classes, average="none")
            case "kappa":
                return classification.MulticlassCohenKappa(classes)
            case "mcc":
                return classification.MulticlassMatthewsCorrCoef(classes)
            case "calibration-error":
                return classification.MulticlassCalibrationError(classes)
        raise AssertionError(name)

    def measure(self, outputs: Tensor, labels: Labels) -> dict[str, float]:
        measured = super().measure(outputs, labels)
        known = self.known(labels)
        if known.any():
            # torchmetrics divides in single precision: 5 of 6 would be 0.8333333134651184.
            right = outputs[known].argmax(dim=1) == labels[known]
            measured["val_acc"] = float(right.double().mean())
        return measured

    def reduced(self, value: Tensor, labels: Tensor) -> float:
        """The mean over the classes that are there: of one that is not, nothing can be said."""
        if value.ndim:
            present = torch.bincount(labels, minlength=self.outputs) > 0
            value = value[present].mean()
        return float(value)
