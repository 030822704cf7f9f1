"""What a group may be compared with, and why not with the others."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.baselines.facts import Facts
from orchestrator.baselines.metric import Metric
from orchestrator.stop_rules.base import Finished


@dataclass(frozen=True)
class Refusal:
    """A finished group that is not compared."""

    run: str
    group: str
    why: str
    """A clause with what differs: "other folds: 5 here, 10 there"."""


@dataclass(frozen=True)
class Comparison:
    """For one group."""

    metric: Metric
    facts: Facts
    """What the group has said of its validation by now."""
    finished: tuple[Finished, ...] = ()
    """All that may be compared, the oldest first; folds that the group does not have are left
    out of them."""
    baseline: Finished | None = None
    """The newest chosen one, where it may be compared; else the best."""
    chosen: bool = False
    """Somebody chose the baseline."""
    why: str = ""
    """Why there is no baseline; else empty."""
    passed_over: str = ""
    """The run that was chosen for this plan and cannot be compared: nothing stands in its place."""
    refused: tuple[Refusal, ...] = ()
    """The newest first."""

    @property
    def history(self) -> tuple[Finished, ...]:
        """All but the baseline, the oldest first."""
        return tuple(one for one in self.finished if one is not self.baseline)
