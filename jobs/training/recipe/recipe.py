"""How to train, field by field, each as a plan says it under `with:`.

This file imports neither torch nor Lightning, so that a plan can be checked without them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from jobs.training.recipe.augmentation import Augment
from jobs.training.recipe.choices import (
    ClassWeights,
    EarlyStopping,
    Freeze,
    Logger,
    Loss,
    Precision,
    Schedule,
)
from jobs.training.recipe.cycles import cycles
from jobs.training.recipe.measures import split_monitor, unknown_measure
from jobs.training.recipe.names import LITE0, unknown_model
from jobs.training.recipe.stage import Stage


class Recipe(BaseModel):
    """How to train. The defaults train a small network from scratch."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    # --- the network ------------------------------------------------------------------------------

    model: str = "efficientnet_b0"
    """A model of timm or torchvision by name, `timm/NAME` or `torchvision/NAME` where both have
    it, `efficientnet-lite0`, `linear` or `mlp` for features, or `module:Class` beside the plan,
    which is called as `Class(num_classes=..., in_chans=...)` and maps (B, C, H, W) to
    (B, num_classes)."""
    weights: str = "none"
    """What the network starts from: `none`, a state dict in a FILE (`.pt`, `.pth`, `.ckpt`,
    `.safetensors`; nothing is ever downloaded), or `package`: those that come with the Python
    package of `efficientnet-lite0`."""
    weight_classes: str | None = None
    """Names of the classes that the last layer of `weights` was trained on: a text FILE, one a
    line, or `imagenet`. Rows of classes that are called the same here are kept, the others start
    anew. A `best.ckpt` of ours names its own."""
    same_classes: dict[str, str] = {}
    """Our class to the weights' class where the names differ: `{sneaker: running_shoe}`."""
    drop_rate: float | None = Field(default=None, ge=0, lt=1)
    """Dropout before the last layer; the model's own where nothing is said."""
    drop_path_rate: float | None = Field(default=None, ge=0, lt=1)
    """Stochastic depth, in models that have it."""
    channels_last: bool = True
    """Weights and pictures lie in memory as (B, H, W, C), which convolutions in half precision
    like."""
    compile: bool = False
    """`torch.compile`: a minute or more at the start, faster steps after it."""

    # --- what it learns ---------------------------------------------------------------------------

    targets: tuple[str, ...] = ()
    """Names of the targets to learn, one output head each; all of the set by default, without
    masks."""
    target_weights: dict[str, Annotated[float, Field(gt=0)]] = {}
    """How much the loss of a target counts; 1 where nothing is said."""
    loss: Loss = "auto"
    """`auto` is cross-entropy for classes, binary cross-entropy for multi-label targets, squared
    error of the standardised value for numbers (`mse`; also `l1` and `huber`)."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    class_weights: ClassWeights = "none"
    """Of the loss: `balanced` makes every class count the same in all; or weights by class, of
    which only the ratio matters. Of a multi-label target: pictures with the class against those
    without."""
    sampler: Literal["all", "balanced"] = "all"
    """`balanced` draws as many pictures as there are, every class equally often."""
    metrics: tuple[str, ...] = ()
    """More metrics of torchmetrics for the validation, by name: `f1`, `precision`, `recall`,
    `auroc`, `average-precision`, `top5`, `kappa`, `mcc`, `calibration-error`; of numbers `mae`,
    `rmse`, `r2`. Means over the classes that the fold has; logged as `val_f1` and so on."""
    monitor: str = "auto"
    """The metric that says which epoch is the best one, and whether a larger one is better:
    `val_acc`, `val_loss`, `val_` and any metric, `val_f1.breed` of one of several targets. `auto`
    is `val_acc` for one class target, else `val_loss`."""

    # --- augmentation -----------------------------------------------------------------------------

    augment: Augment = "flip"
    """Of training pictures: mirrored; `light` also cropped and resized; `trivial` is mirroring and
    TrivialAugmentWide (arXiv 2103.10158), for uint8 with 1 or 3 channels; or field by field."""
    mixup: float = Field(default=0.0, ge=0)
    """Mixes pictures and labels in pairs (arXiv 1710.09412): the alpha of the Beta distribution,
    0.2 is usual; 0 is off."""
    cutmix: float = Field(default=0.0, ge=0)
    """The same with rectangles (arXiv 1905.04899); with both, each batch draws one of them."""

    # --- optimisation -----------------------------------------------------------------------------

    epochs: int = Field(default=12, ge=1)
    """Without `stages`, all of them; stages count their own."""
    batch_size: int = Field(default=32, ge=2)
    accumulate: int = Field(default=1, ge=1)
    """Batches whose gradients are added up before the weights change."""
    lr: float = Field(default=0.002, gt=0)
    """The highest learning rate of the schedule."""
    lr_groups: tuple[Annotated[float, Field(gt=0)], ...] = Field(default=(1.0,), min_length=1)
    """Discriminative learning rates: the network in as many groups of layers as there are numbers,
    from the input to the head, each with this multiple of `lr`: `[0.01, 0.1, 1]`."""
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """`sgd` has Nesterov momentum 0.9."""
    weight_decay: float = Field(default=0.01, ge=0)
    """Not applied to biases and to the scales of normalisation layers."""
    schedule: Schedule = "one-cycle"
    """Of the learning rate, step by step: up and down once, down from the start, down again and
    again (`sgdr`), down by a factor now and then (`step`), or neither."""
    peak: float = Field(default=0.3, gt=0, lt=1)
    """Share of a one-cycle at which the rate is highest."""
    warmup_epochs: float = Field(default=0.0, ge=0)
    """Epochs in which the rate climbs from a hundredth to where the schedule begins."""
    cycle_len: int = Field(default=1, ge=1)
    """`sgdr`: epochs of the first cycle (arXiv 1608.03983)."""
    cycle_mult: int = Field(default=1, ge=1)
    """`sgdr`: each cycle is so many times as long as the one before."""
    step_epochs: int = Field(default=10, ge=1)
    """`step`: epochs between two falls."""
    step_factor: float = Field(default=0.1, gt=0, lt=1)
    """`step`: what the rate is multiplied by."""
    freeze: Freeze = "none"
    """`backbone` trains the last layer only, and leaves batch statistics alone."""
    unfreeze: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """With `freeze: backbone`: the epochs, from 0, at which one more group of layers begins to
    learn, from the head down; the groups are those of `lr_groups`."""
    fine_tune: int = Field(default=0, ge=0)
    """Epochs of the last layer alone before the others learn with it: short for two stages, as
    fastai's `fine_tune`; 1 is usual."""
    clip_norm: float | None = Field(default=None, gt=0)
    """The gradients' norm is cut to this."""
    ema: float | None = Field(default=None, gt=0, lt=1)
    """Decay of an exponential moving average of the weights, which is what validates and is
    published: 0.999 is usual."""
    early_stopping: EarlyStopping | None = None
    stages: tuple[Stage, ...] = ()
    """Parts of the training that differ: `[{size: 96, epochs: 4}, {size: 192, epochs: 2}]`."""

    # --- the machine ------------------------------------------------------------------------------

    precision: Precision = "auto"
    """`auto` is bf16-mixed where the accelerator has it, else 16-mixed; 32 on a CPU."""
    workers: int = Field(default=0, ge=0)
    """Processes that augment ahead; 0 augments in the training process, which is enough where
    nothing is cropped or turned."""
    keep_every: int | None = Field(default=None, ge=1)
    """Keeps the checkpoint of every so many epochs, beside the best and the last."""
    loggers: tuple[Logger, ...] = ()
    """Written beside `metrics.csv`, each by the extra of its name; into `out/local/`, never sent
    anywhere unless its own environment variables say so."""
    seed: int = Field(default=0, ge=0)
    """Of the initial weights, the order, the augmentation and dropout."""

    @property
    def cycle_lengths(self) -> tuple[int, ...]:
        """Epochs of each cycle, after the warm-up; empty without cycles, and where whole ones do
        not add up to the epochs."""
        if self.schedule != "sgdr":
            return ()
        left = self.epochs - int(self.warmup_epochs)
        return cycles(left, self.cycle_len, self.cycle_mult) or ()

    @field_validator("model")
    @classmethod
    def _known(cls, model: str) -> str:
        if (complaint := unknown_model(model)) is not None:
            raise ValueError(complaint)
        return model

    @field_validator("metrics")
    @classmethod
    def _metrics(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        for name in metrics:
            if (complaint := unknown_measure(name)) is not None:
                raise ValueError(complaint)
        return metrics

    @field_validator("monitor")
    @classmethod
    def _monitor(cls, monitor: str) -> str:
        if monitor != "auto":
            split_monitor(monitor)
        return monitor

    @model_validator(mode="after")
    def _packaged(self) -> Recipe:
        if self.weights == "package" and self.model != LITE0:
            raise ValueError(
                f"weights: package exists for model: {LITE0} only; "
                f"for {self.model} name a file, or none"
            )
        return self
