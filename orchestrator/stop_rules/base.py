"""What a stop rule is asked and what it may say. Rules are pure functions of what was reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from orchestrator.events.verdict import StopScope
from orchestrator.state.losses import Losses


@dataclass(frozen=True)
class FoldView:
    """One job of the group, as far as it has come."""

    job: str
    fold: int | None
    reports: Sequence[Mapping[str, Any]]
    """What it reported, in order; numbers that are not finite are "nan", "inf" or "-inf"."""
    ended: bool
    done: bool = False
    """Ended with a result."""
    scores: Sequence[float] = ()
    """The metric at each epoch that has reported it, oldest first."""
    epochs: int | None = None
    """How many it will have."""
    schedule: str = ""
    """Name of its learning-rate schedule and, where that has cycles, their lengths."""
    best: float | None = None
    """The score that counts: that of the best epoch so far."""
    quiet_s: float = 0.0
    """Since it last said anything."""
    agreement: str = ""
    """Where it has ended: file of which validation pictures it got right."""
    wins: int | None = None
    """Where it has ended: validation pictures that it gets right and the baseline's same fold does
    not. None where that is not known of one of the two."""
    losses: int | None = None
    """The other way round."""
    trained: Sequence[float] = ()
    """Share of the fold's whole training at each of `scores`; empty: the epochs are equal."""
    warmup_epochs: float = 0.0
    """In which the learning rate still climbs."""
    cycle_ends: Sequence[int] = ()
    """Of a schedule with cycles: how many epochs are over at the end of each; else empty."""
    added_up: Losses | None = None
    """What `reports` say of losses, where that is known without reading them again."""
    gap: bool = False
    """Epochs are missing among `scores`: it went on where part of its reports was lost."""


@dataclass(frozen=True)
class Finished:
    """A finished group of an earlier run on the same data, metric and folds."""

    run: str
    group: str
    folds: Sequence[FoldView]
    """All of them, done, in the order of the fold's number."""
    wall_s: float
    """Seconds that its folds kept their devices, added up."""


@dataclass(frozen=True)
class GroupView:
    """The jobs of one plan entry; `now` is the one that has just reported, or has just ended."""

    group: str
    folds: Sequence[FoldView]
    now: FoldView
    metric: str = ""
    larger_is_better: bool = True
    is_share: bool = False
    """The metric is a share of `items`, like accuracy: its sampling error is known."""
    items: int | None = None
    """Validation pictures of a fold."""
    largest_class: float | None = None
    """The share of the largest class: what guessing it always would score."""
    baseline: Finished | None = None
    history: Sequence[Finished] = ()
    """Other finished groups that may be compared, the oldest first, without the baseline."""
    explore: bool = False
    left_s: float | None = None
    """Seconds that the group's devices will likely still be kept."""
    usual_s: float | None = None
    """Median seconds of one whole group over all of the user's runs."""
    left_of_fold_s: float | None = None
    """Of that, what `now` will likely still take."""
    free_s: float | None = None
    """Device seconds that the account has free for it until its next reset."""


@dataclass(frozen=True)
class Verdict:
    action: Literal["go-on", "warn", "ask", "stop", "park"]
    scope: StopScope = "group"
    reason: str = ""
    """A fixed code."""
    sentence: str = ""
    """The same for a person, with its numbers."""


GO_ON = Verdict("go-on")


class Rule(Protocol):
    """Says what it would do by itself (`stop` or `park`); the mode that the plan chose for it
    (`auto`, `ask`, `warn`, `off`) is applied afterwards, for all rules in one place."""

    def __call__(self, group: GroupView, options: Mapping[str, Any]) -> Verdict: ...
