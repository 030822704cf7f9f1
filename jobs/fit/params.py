"""What `fit` trains, as a plan says it under `with:`.

This file imports neither torch nor Lightning, so that a plan can be checked without them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Mode = Literal["auto", "min", "max"]

SMALLER_IS_BETTER = re.compile(r"loss|err|mae|mse|perplexity|ppl|nll|brier", re.IGNORECASE)

OURS = {
    "accelerator",
    "callbacks",
    "default_root_dir",
    "devices",
    "enable_checkpointing",
    "enable_model_summary",
    "enable_progress_bar",
    "logger",
    "max_epochs",
    "num_nodes",
    "num_sanity_val_steps",
    "precision",
    "strategy",
}
"""Arguments of a Trainer that this job sets itself."""


def _importable(text: str) -> str:
    module, colon, name = text.rpartition(":")
    if not (module and colon and name.isidentifier()):
        raise ValueError(f"{text!r} is neither module:Class nor ./file.py:Class")
    return text


def _not_ours(given: dict[str, Any]) -> dict[str, Any]:
    if taken := sorted(OURS & given.keys()):
        raise ValueError(f"{', '.join(taken)}: this job sets that itself")
    return given


ClassPath = Annotated[str, AfterValidator(_importable)]


class FitStage(BaseModel):
    """A stage; what it does not say is as beside `stages`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=40)
    """What its hours and its checkpoint are called."""
    module: ClassPath | None = None
    data: ClassPath | None = None
    module_args: dict[str, Any] | None = None
    data_args: dict[str, Any] | None = None
    epochs: int | None = Field(default=None, ge=1)
    monitor: str | None = None
    mode: Mode | None = None
    trainer_args: Annotated[dict[str, Any], AfterValidator(_not_ours)] | None = None
    hand_on: tuple[str, ...] | str = ()
    """What the names of the weights begin with that the next stage starts from, as `encoder.`;
    they are those of the best epoch."""

    @property
    def prefixes(self) -> tuple[str, ...]:
        return (self.hand_on,) if isinstance(self.hand_on, str) else self.hand_on


class Params(BaseModel):
    """The classes, what they are called with, and how long they train."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    module: ClassPath | None = None
    """The LightningModule, `module:Class` beside the plan or installed, or `./file.py:Class`."""
    data: ClassPath | None = None
    """The LightningDataModule, likewise."""
    module_args: dict[str, Any] = {}
    """What the module is called with, beside what it takes of `fold`, `folds`, `inputs`, `seed`
    and `data` (the data module, set up)."""
    data_args: dict[str, Any] = {}
    """What the data module is called with, beside what it takes of `fold`, `folds`, `inputs`
    (folders by entry) and `seed`."""
    epochs: int = Field(default=10, ge=1)
    precision: Literal["auto", "16-mixed", "bf16-mixed", "32"] = "auto"
    """As in `train`."""
    monitor: str = "val_loss"
    """The logged number that tells the best epoch, and is the score."""
    mode: Mode = "auto"
    """Whether smaller or larger is better; `auto` takes names with loss, err, mae, mse, nll, brier
    or perplexity in them for smaller."""
    seed: int = Field(default=0, ge=0)
    """Of all random generators, before each stage."""
    trainer_args: Annotated[dict[str, Any], AfterValidator(_not_ours)] = {}
    """More arguments of Lightning's Trainer, as `gradient_clip_val` or `val_check_interval`."""
    stages: tuple[FitStage, ...] = ()
    """Trainings one after the other, each of which may hand weights on; one without any."""

    @model_validator(mode="after")
    def _complete(self) -> Params:
        names = [stage.name for stage in self.stages]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two stages are called {twice[0]}")
        for stage in self.stages or (None,):
            for field in ("module", "data"):
                if (getattr(stage, field, None) or getattr(self, field)) is None:
                    where = f"the stage {stage.name}" if stage else "`with`"
                    raise ValueError(f"{where} does not say its {field}: {field}: my_task:Class")
        if self.stages and self.stages[-1].prefixes:
            raise ValueError(f"the last stage, {names[-1]}, has nobody to hand weights on to")
        return self


@dataclass(frozen=True)
class PlannedStage:
    """One stage with everything said."""

    number: int
    """From 0."""
    name: str
    module: str
    data: str
    module_args: dict[str, Any]
    data_args: dict[str, Any]
    epochs: int
    monitor: str
    larger_is_better: bool
    trainer_args: dict[str, Any]
    prefixes: tuple[str, ...]
    first_epoch: int
    """Epochs of the stages before it."""
    is_last: bool


def planned(params: Params) -> tuple[PlannedStage, ...]:
    """The stages, at least one."""
    given = params.stages or (FitStage(name="training"),)
    stages: list[PlannedStage] = []
    for number, stage in enumerate(given):
        monitor = stage.monitor or params.monitor
        # A stage that monitors something else does not take over which way is better.
        mode = stage.mode or ("auto" if stage.monitor else params.mode)
        stages.append(
            PlannedStage(
                number=number,
                name=stage.name,
                module=stage.module or params.module or "",
                data=stage.data or params.data or "",
                module_args=params.module_args if stage.module_args is None else stage.module_args,
                data_args=params.data_args if stage.data_args is None else stage.data_args,
                epochs=stage.epochs or params.epochs,
                monitor=monitor,
                larger_is_better=mode == "max"
                or (mode == "auto" and not SMALLER_IS_BETTER.search(monitor)),
                trainer_args={**params.trainer_args, **(stage.trainer_args or {})},
                prefixes=stage.prefixes,
                first_epoch=sum(before.epochs for before in stages),
                is_last=number == len(given) - 1,
            )
        )
    return tuple(stages)
