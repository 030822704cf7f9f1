"""The span a limit is counted over: one rule a file, read and written by its kind."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from budget.accounts.definition import AccountError, fields_of
from budget.windows.base import Window, WindowRule
from budget.windows.calendar import Calendar
from budget.windows.first_use import FirstUse
from budget.windows.lots import Lots
from budget.windows.per_session import PerSession
from budget.windows.rolling import Rolling
from budget.windows.unbounded import Unbounded

__all__ = [
    "KINDS",
    "Calendar",
    "FirstUse",
    "Lots",
    "PerSession",
    "Rolling",
    "Unbounded",
    "Window",
    "WindowRule",
    "rule_from_fields",
    "rule_to_fields",
]

_RULES = (Calendar, Rolling, FirstUse, Lots, PerSession, Unbounded)

KINDS = tuple(rule.kind for rule in _RULES)
"""How the windows are called, on the command line too."""


def rule_to_fields(rule: WindowRule) -> dict[str, Any]:
    """The JSON object that `rule_from_fields` reads back."""
    return {"kind": rule.kind, **asdict(rule)}  # type: ignore[call-overload]


def rule_from_fields(value: object) -> WindowRule:
    """The rule in a JSON object. Raises `AccountError`, also for a kind or a key it knows not."""
    kind = value.get("kind") if isinstance(value, dict) else None
    for rule in _RULES:
        if rule.kind == kind:
            names = tuple(field.name for field in fields(rule))
            given = fields_of(value, "window", ("kind", *names))
            del given["kind"]
            made: WindowRule = rule(**given)
            return made
    raise AccountError(
        "unknown window of a limit", got=kind, wanted=", ".join(KINDS), next="update skint"
    )
