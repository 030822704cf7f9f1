"""Sets the learning rate of every step from its curve."""

from __future__ import annotations

from typing import Any

from torch import optim

from jobs.training.optimisation.curve import Curve


class CurveSchedule(optim.lr_scheduler.LRScheduler):
    """Stepped after every step of the optimizer. Each group has its own highest rate."""

    def __init__(self, optimizer: optim.Optimizer, curve: Curve) -> None:
        self.curve = curve
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        """Of each group, at the step that the schedule stands at."""
        share = self.curve.share(self.last_epoch)
        return [highest * share for highest in self.base_lrs]

    def step(self, epoch: int | None = None) -> None:
        super().step(epoch)
        self._set_momentum()

    def _set_momentum(self) -> None:
        momentum = self.curve.momentum(self.last_epoch)
        if momentum is None:
            return
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum

    def state_dict(self) -> dict[str, Any]:
        """The step alone: the rest follows from the recipe."""
        return {"step": self.last_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The rates of that step are in the optimizer's own state."""
        self.last_epoch = state_dict["step"]
        self._last_lr = self.get_lr()
