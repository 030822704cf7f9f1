"""Which layers learn in which epoch.

Everything follows from the epoch, so that a resumed run freezes what an uninterrupted one does.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from jobs.training.recipe.recipe import Recipe


class Freezing:
    """Freezes groups of layers, from the input on, and thaws them from the head down."""

    def __init__(
        self,
        module: nn.Module,
        groups: Sequence[Sequence[nn.Parameter]],
        unfreeze: Sequence[int] | None,
    ) -> None:
        """The last of `groups` always learns; `unfreeze` are the epochs at which one more does,
        None where nothing is ever frozen. What the module's author has frozen stays so."""
        self.module = module
        self.groups = [[p for p in group if p.requires_grad] for group in groups]
        self.unfreeze = unfreeze
        self.frozen: set[int] = set()
        """`id` of the parameters that do not learn now because of this."""

    def apply(self, epoch: int) -> None:
        """Freeze what does not learn in `epoch`, counted from 0, and let the rest learn."""
        count = self.frozen_groups(epoch)
        self.frozen = {id(p) for group in self.groups[:count] for p in group}
        for group in self.groups:
            for parameter in group:
                parameter.requires_grad_(id(parameter) not in self.frozen)
        if self.module.training:
            self.set_modes()

    def frozen_groups(self, epoch: int) -> int:
        """How many groups from the input on do not learn in `epoch`."""
        if self.unfreeze is None:
            return 0
        thawed = sum(begin <= epoch for begin in self.unfreeze)
        return max(0, len(self.groups) - 1 - thawed)

    def set_modes(self) -> None:
        """Put the module in training mode, and its frozen layers in evaluation mode: their batch
        statistics are part of them, and nothing is dropped in them."""
        self.module.train()
        if self.frozen:
            self._set_mode(self.module)

    def _set_mode(self, part: nn.Module) -> None:
        parameters = list(part.parameters())
        # Batch statistics without parameters have no group of their own.
        still = all(id(p) in self.frozen for p in parameters) and (
            bool(parameters) or next(part.buffers(), None) is not None
        )
        if still:
            part.eval()
            return
        for child in part.children():
            self._set_mode(child)

    def thaw(self) -> None:
        """Let everything learn that did before: another stage may freeze other layers."""
        for group in self.groups:
            for parameter in group:
                parameter.requires_grad_(True)
        self.frozen = set()


def group_count(recipe: Recipe) -> int:
    """Groups of layers that a stage's recipe speaks of."""
    frozen = 2 if recipe.freeze == "backbone" else 1
    return max(len(recipe.lr_groups), len(recipe.unfreeze) + 1, frozen)
