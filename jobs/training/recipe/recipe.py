"""How to train, as a plan says it under `with:`.

This file imports neither torch nor Lightning, so that a plan can be checked without them.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from jobs.training.recipe.names import LITE0, unknown_model


class Recipe(BaseModel):
    """How to train. The defaults train a small network from scratch."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    model: str = "efficientnet_b0"
    """A model of timm or torchvision by name, `timm/NAME` or `torchvision/NAME` where both have
    it, `efficientnet-lite0`, or `module:Class` beside the plan, which is called as
    `Class(num_classes=..., in_chans=...)` and maps (B, C, H, W) to (B, num_classes)."""
    weights: str = "none"
    """What the network starts from: `none`, a state dict in a FILE (`.pt`, `.pth`, `.ckpt`,
    `.safetensors`; nothing is ever downloaded), or `package`: those that come with the Python
    package of `efficientnet-lite0`."""
    epochs: int = Field(default=12, ge=1)
    batch_size: int = Field(default=32, ge=2)
    lr: float = Field(default=0.002, gt=0)
    """The highest learning rate of the schedule."""
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """`sgd` has Nesterov momentum 0.9."""
    weight_decay: float = Field(default=0.01, ge=0)
    """Not applied to biases and to the scales of normalisation layers."""
    schedule: Literal["one-cycle", "cosine", "constant"] = "one-cycle"
    """Of the learning rate, step by step: up and down once, down from the start, or neither."""
    precision: Literal["auto", "16-mixed", "bf16-mixed", "32"] = "auto"
    """`auto` is bf16-mixed where the accelerator has it, else 16-mixed; 32 on a CPU."""
    freeze: Literal["none", "backbone"] = "none"
    """`backbone` trains the last layer only, and leaves batch statistics alone."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    augment: Literal["none", "flip", "light", "trivial"] = "flip"
    """Of training pictures: mirrored; `light` also cropped and resized; `trivial` is mirroring and
    TrivialAugmentWide (arXiv 2103.10158), for uint8 with 1 or 3 channels."""
    seed: int = Field(default=0, ge=0)
    """Of the initial weights, the order, the augmentation and dropout."""
    monitor: Literal["val_acc", "val_loss"] = "val_acc"
    """Which epoch is the best one: highest accuracy (then lowest loss), or lowest loss."""

    @field_validator("model")
    @classmethod
    def _known(cls, model: str) -> str:
        if (complaint := unknown_model(model)) is not None:
            raise ValueError(complaint)
        return model

    @model_validator(mode="after")
    def _packaged(self) -> Recipe:
        if self.weights == "package" and self.model != LITE0:
            raise ValueError(
                f"weights: package exists for model: {LITE0} only; "
                f"for {self.model} name a file, or none"
            )
        return self
