"""Where a loader stands whose order is a function of (seed, epoch), and how it comes back there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from skint.errors import SkintError


class PlaceError(SkintError):
    """A saved place is of another loader."""


class Sampler(Protocol):
    """What Lightning looks for to name the epoch."""

    def set_epoch(self, epoch: int) -> None: ...


class Place:
    """The part of a loader that says which batch of which epoch is next.

    Lightning names the epoch (`.sampler.set_epoch`) and keeps the place (`state_dict`) by itself.
    """

    def __init__(self, *, seed: int, batch_size: int, samples: int) -> None:
        self.seed = seed
        self.batch_size = batch_size
        self.samples = samples
        self.epoch = 0
        self.position = 0
        """Batches of this epoch that the consumer has taken."""
        self._loaded = False
        """The position was loaded, and no batch taken since."""

    @property
    def sampler(self) -> Sampler:
        return self

    def set_epoch(self, epoch: int) -> None:
        """Begin `epoch`; only where a position in this epoch was loaded, go on from there."""
        if epoch != self.epoch or not self._loaded:
            self.epoch, self.position, self._loaded = epoch, 0, False

    def state_dict(self) -> dict[str, int]:
        return {
            "seed": self.seed,
            "epoch": self.epoch,
            "position": self.position,
            "batch_size": self.batch_size,
            "samples": self.samples,
        }

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """The next iteration goes on from there.

        Raises PlaceError where the state is of another loader: the order would not fit.
        """
        mine = self.state_dict()
        # At the beginning of an epoch the size of its batches does not matter.
        names = ("seed", "batch_size", "samples") if state["position"] else ("seed",)
        for name in names:
            if state[name] != mine[name]:
                raise PlaceError(
                    f"the saved position belongs to another {name.replace('_', ' ')}",
                    got=state[name],
                    wanted=f"{mine[name]}",
                )
        self.epoch, self.position, self._loaded = state["epoch"], state["position"], True

    def begun(self) -> tuple[int, int]:
        """The epoch that an iteration is to give, and how many of its batches to pass over: none
        but where a place was loaded."""
        taken = self.position if self._loaded else 0
        self._loaded = False
        return self.epoch, taken
