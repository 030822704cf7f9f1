"""The learning rate as a function of the step: nothing has to be stored to go on exactly."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi

from jobs.training.recipe.choices import Schedule
from jobs.training.recipe.recipe import Recipe

ONE_CYCLE_START = 1 / 25
"""Of the highest rate, as torch's OneCycleLR and fastai have it."""
ONE_CYCLE_END = 1 / 25 / 1e4
MOMENTA = (0.95, 0.85)
"""Where the rate of a one-cycle is lowest, and where it is highest."""
WARMUP_START = 0.01
"""Of the rate at which the schedule begins."""


@dataclass(frozen=True)
class Curve:
    """The whole schedule of a stage, counted in steps of the optimizer."""

    schedule: Schedule
    steps: int
    """All of them, warm-up included."""
    warmup_steps: int = 0
    peak: float = 0.3
    """Share of a one-cycle at which the rate is highest."""
    cycles: tuple[int, ...] = ()
    """`sgdr`: steps of each."""
    fall_steps: int = 1
    """`step`: between two falls."""
    fall: float = 0.1
    """`step`: what the rate is multiplied by."""

    def share(self, step: int) -> float:
        """Of the highest rate, at `step`, from 0."""
        if step < self.warmup_steps:
            climbed = WARMUP_START + (1 - WARMUP_START) * step / self.warmup_steps
            return climbed * self._share(0)
        return self._share(step - self.warmup_steps)

    def momentum(self, step: int) -> float | None:
        """Of a one-cycle, which lowers it while the rate is high; else None: it stays."""
        if self.schedule != "one-cycle":
            return None
        low, high = MOMENTA
        return self._cycled(max(0, step - self.warmup_steps), low, high, low)

    def _share(self, step: int) -> float:
        """After the warm-up."""
        if self.schedule == "one-cycle":
            return self._cycled(step, ONE_CYCLE_START, 1.0, ONE_CYCLE_END)
        if self.schedule == "cosine":
            return _cosine(1.0, 0.0, step / max(1, self.steps - self.warmup_steps))
        if self.schedule == "step":
            return float(self.fall ** (step // self.fall_steps))
        if self.schedule == "sgdr":
            return self._restarted(step)
        return 1.0

    def _cycled(self, step: int, start: float, top: float, end: float) -> float:
        """As torch's OneCycleLR: the peak is one step before its share of the steps."""
        steps = max(2, self.steps - self.warmup_steps)
        up = self.peak * steps - 1
        if step <= up:
            return _cosine(start, top, step / up if up > 0 else 1.0)
        return _cosine(top, end, min(1.0, (step - up) / (steps - 1 - up)))

    def _restarted(self, step: int) -> float:
        for length in self.cycles:
            if step < length:
                return _cosine(1.0, 0.0, step / length)
            step -= length
        return _cosine(1.0, 0.0, 1.0)


def curve_of(recipe: Recipe, steps_per_epoch: int) -> Curve:
    """The schedule of a stage, whose own `recipe` it is."""
    warmup = round(recipe.warmup_epochs * steps_per_epoch)
    return Curve(
        schedule=recipe.schedule,
        steps=recipe.epochs * steps_per_epoch,
        warmup_steps=warmup,
        peak=recipe.peak,
        cycles=tuple(length * steps_per_epoch for length in recipe.cycle_lengths),
        fall_steps=recipe.step_epochs * steps_per_epoch,
        fall=recipe.step_factor,
    )


def _cosine(start: float, end: float, share: float) -> float:
    """Half a cosine wave from `start` to `end`; `share` from 0 to 1."""
    return end + (start - end) / 2 * (1 + cos(pi * share))
