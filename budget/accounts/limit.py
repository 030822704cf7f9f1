"""A limit: an amount over a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from budget.accounts.definition import AccountError, check_whole, fields_of, matches
from budget.duration import LONGEST_MS
from budget.windows import Calendar, WindowRule, rule_from_fields, rule_to_fields

UNLIMITED_MS = LONGEST_MS
"""An amount that nobody can use up: shown as "unlimited"."""

NAME = r"[a-z0-9][a-z0-9-]{0,31}"


@dataclass(frozen=True, slots=True)
class Limit:
    """`amount_ms` weighted milliseconds in each window.

    `name` is unique in its account. `assumed`: the provider publishes no figure, this is a guess,
    and every screen says so. Raises `AccountError` for a negative or absurd amount.
    """

    amount_ms: int
    window: WindowRule
    name: str = "weekly"
    assumed: bool = False

    def __post_init__(self) -> None:
        check_whole("the amount of a limit", self.amount_ms)
        if not matches(NAME, self.name):
            raise AccountError(
                "the name of a limit is wrong",
                got=repr(self.name),
                wanted="small letters, digits and '-', at most 32",
            )
        if type(self.assumed) is not bool:
            raise AccountError("a limit is assumed or not", got=self.assumed, wanted="true, false")

    @property
    def unlimited(self) -> bool:
        return self.amount_ms >= UNLIMITED_MS

    def to_fields(self) -> dict[str, Any]:
        """The JSON object that `from_fields` reads back."""
        return {
            "name": self.name,
            "amount_ms": self.amount_ms,
            "assumed": self.assumed,
            "window": rule_to_fields(self.window),
        }

    @classmethod
    def from_fields(cls, value: object) -> Limit:
        """The limit in a JSON object. Raises `AccountError`."""
        given = fields_of(value, "limit", ("name", "amount_ms", "assumed", "window"))
        return cls(window=rule_from_fields(given.pop("window")), **given)


def weekly(
    amount_ms: int,
    resets_on: str = "sat",
    resets_at: str = "00:00",
    zone: str = "UTC",
    *,
    name: str = "weekly",
) -> Limit:
    """`amount_ms` from one weekly reset to the next, on the clock of `zone`."""
    return Limit(amount_ms, Calendar("week", resets_on, resets_at, zone), name)
