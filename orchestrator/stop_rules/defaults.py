"""All stop rules with their options: what a plan may write under `stop:`, and what holds else.

The one list: plan validation, the rules themselves and the table in docs/stopping.md read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

Mode = Literal["auto", "ask", "warn", "off"]
_COUNTED = ("epochs", "curves")
"""Units of options that are whole numbers."""


@dataclass(frozen=True)
class Option:
    """A number that a plan may give a rule; `low` and `high` are allowed themselves."""

    name: str
    unit: str
    meaning: str
    default: float | None
    """None: has to be given."""
    low: float
    high: float

    @property
    def whole(self) -> bool:
        """Whether it counts something: there is no half epoch."""
        return self.unit in _COUNTED


@dataclass(frozen=True)
class RuleDefaults:
    """What holds of a rule where a plan says no more than its name."""

    name: str
    mode: Mode
    options: tuple[Option, ...]

    @cached_property
    def _defaults(self) -> Mapping[str, float | None]:
        return {option.name: option.default for option in self.options}

    def value(self, name: str, given: Mapping[str, Any]) -> float:
        """What the plan gives, or the default. ValueError: neither is there, or no number."""
        value = given[name] if name in given else self._defaults[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{self.name}: `{name}` is a number, not {value!r}")
        return float(value)


_MANY = 1e9

DEFAULTS: Mapping[str, RuleDefaults] = {
    rule.name: rule
    for rule in (
        RuleDefaults(
            "broken",
            "auto",
            (
                Option("rise", "times", "training loss against its first epoch", 3, 1, _MANY),
                Option("epochs", "epochs", "in a row with such a loss", 2, 1, _MANY),
                Option("quiet_min", "minutes", "without a word from the fold", 60, 1, _MANY),
            ),
        ),
        RuleDefaults(
            "chance",
            "ask",
            (
                Option("from", "share", "of a fold trained before it is looked at", 0.25, 0, 1),
                Option("margin", "standard deviations", "above the largest class", 2, 0, 10),
            ),
        ),
        RuleDefaults(
            "curve",
            "ask",
            (
                Option("from", "share", "of a fold trained before it is looked at", 0.34, 0, 1),
                Option("margin", "standard deviations", "below the lowest good curve", 2, 0, 10),
                Option("least", "curves", "that are needed for a comparison", 3, 2, _MANY),
            ),
        ),
        RuleDefaults(
            "beats-baseline",
            "auto",
            (
                Option("below", "chance", "to beat the baseline, at the end of a fold", 0.05, 0, 1),
                Option("below_inside", "chance", "the same inside the first fold", 0.02, 0, 1),
                Option("from", "share", "of the first fold trained before a look", 0.2, 0.01, 1),
                Option("by", "of the metric", "what a win has to be at least", 0, 0, _MANY),
            ),
        ),
        RuleDefaults(
            "plateau",
            "warn",
            (
                Option("epochs", "epochs", "without a better score", 10, 1, _MANY),
                Option("share", "share", "of all epochs, where that is more", 0.3, 0, 1),
                Option("by", "of the metric", "what a better score is better by", 0, 0, _MANY),
            ),
        ),
        RuleDefaults(
            "target",
            "ask",
            (
                Option(
                    "wanted", "of the metric", "the final mean that is wanted", None, -_MANY, _MANY
                ),
                Option("below", "chance", "to reach it", 0.02, 0, 1),
                Option("from", "share", "of the first fold trained before a look", 0.2, 0.01, 1),
            ),
        ),
        RuleDefaults(
            "quota",
            "auto",
            (Option("short", "share", "of a fold's time that the hours lack", 0.1, 0, 1),),
        ),
    )
}
