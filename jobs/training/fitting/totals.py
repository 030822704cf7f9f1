"""How much a training will be, told before it starts."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.training.recipe.cycles import cycles_text
from jobs.training.recipe.planned import PlannedStage
from jobs.training.recipe.recipe import Recipe
from skint.batches import batch_count


def epoch_steps(rows: int, recipe: Recipe, devices: int = 1) -> int:
    """Steps of the optimizer in an epoch over `rows` samples; `recipe` is that of a stage.

    The loader leaves out a last batch of a single sample; the last step may be over fewer batches
    than the others.
    """
    return -(-batch_count(rows, recipe.batch_size, devices) // recipe.accumulate)


def totals(stages: Sequence[PlannedStage], rows: int, devices: int = 1) -> str | None:
    """A sentence where the number of epochs is not simply that of the recipe; else None."""
    parts = [text for stage in stages if (text := _of_stage(stage, len(stages) > 1))]
    if not parts:
        return None
    epochs = sum(stage.epochs for stage in stages)
    steps = sum(stage.epochs * epoch_steps(rows, stage.recipe, devices) for stage in stages)
    return f"{'; '.join(parts)} = {epochs} epochs, {steps:,} steps"


def _of_stage(stage: PlannedStage, several: bool) -> str:
    recipe = stage.recipe
    epochs = f"{stage.epochs} epoch{'s' if stage.epochs > 1 else ''}"
    text = f"stage {stage.name}: {epochs}" if several else ""
    if recipe.schedule != "sgdr":
        return text
    lengths = recipe.cycle_lengths
    warmup = f"{recipe.warmup_epochs:g} of warm-up and " if recipe.warmup_epochs else ""
    unit = "epoch" if set(lengths) == {1} else "epochs"
    sgdr = f"sgdr: {warmup}{cycles_text(lengths)} {unit}"
    return f"{text} ({sgdr})" if text else sgdr
