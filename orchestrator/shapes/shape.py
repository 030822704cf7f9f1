"""What all shapes have in common. Importing this is cheap: pydantic reads them only in a test and
where a JSON Schema is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeVar, dataclass_transform, overload

T = TypeVar("T")
Number = float | Literal["nan", "inf", "-inf"]
"""JSON has no word for what is not finite: it is written as text."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the zone is written by hand, as Z


@dataclass_transform(frozen_default=True)
def shape(cls: type[T]) -> type[T]:
    """A frozen dataclass whose JSON Schema allows no other fields, and has their docstrings."""
    made = dataclass(frozen=True)(cls)
    made.__pydantic_config__ = {  # type: ignore[attr-defined]
        "extra": "forbid",
        "use_attribute_docstrings": True,
    }
    return made


@overload
def instant(at_ms: int) -> str: ...
@overload
def instant(at_ms: int | None) -> str | None: ...
def instant(at_ms: int | None) -> str | None:
    """ISO 8601 in UTC, to the millisecond: "2026-11-28T00:00:00.000Z"."""
    if at_ms is None:
        return None
    at = _EPOCH + timedelta(milliseconds=at_ms)
    return f"{at.isoformat(timespec='milliseconds')}Z"
