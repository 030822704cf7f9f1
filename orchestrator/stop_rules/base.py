"""What a stop rule is asked and what it may say. Rules are pure functions of what was reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from orchestrator.events import StopScope


@dataclass(frozen=True)
class FoldView:
    """One job of the group, as far as it has come."""

    job: str
    fold: int | None
    reports: Sequence[Mapping[str, Any]]
    """What it reported, in order; numbers that are not finite are "nan", "inf" or "-inf"."""
    ended: bool


@dataclass(frozen=True)
class GroupView:
    """The jobs of one plan entry; `now` is the one that has just reported."""

    group: str
    folds: Sequence[FoldView]
    now: FoldView


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
    def __call__(self, group: GroupView, options: Mapping[str, Any]) -> Verdict: ...
