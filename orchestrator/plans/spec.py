"""What may stand in a plan file: its keys, their types and units. Nothing else is accepted."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from budget.duration import DurationError, parse_ms
from orchestrator.graph import AtEdge, WhenShort
from orchestrator.plans.complaints import Wrong

_MEMORY = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]i?)B?", re.IGNORECASE)
_BYTES = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BYTES |= {"ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


def _duration_ms(value: object) -> int:
    try:
        return parse_ms(value if isinstance(value, str) else str(value))
    except DurationError as error:
        raise Wrong(error.what, error.wanted) from None


def _limit_ms(value: object) -> int:
    milliseconds = _duration_ms(value)
    if not milliseconds:
        raise Wrong("a job cannot have no time at all", "a duration such as 2h")
    return milliseconds


def _memory_mib(value: object) -> int:
    wanted = "an amount of memory such as 4 GB or 512 MiB"
    match = _MEMORY.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise Wrong("this is not an amount of memory", wanted)
    return math.ceil(float(match[1]) * _BYTES[match[2].lower()] / 2**20)


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, data: Any) -> Any:
        """`with:` above lines that are all commented out is as good as no `with`."""
        if not isinstance(data, dict):
            return data
        known = {info.alias or name for name, info in cls.model_fields.items()}
        return {key: value for key, value in data.items() if value is not None or key not in known}


Duration = Annotated[int, BeforeValidator(_duration_ms)]
Limit = Annotated[int, BeforeValidator(_limit_ms)]
Memory = Annotated[int, BeforeValidator(_memory_mib)]
Words = Annotated[tuple[str, ...], BeforeValidator(_one_or_more)]
Count = Annotated[int, Field(strict=True, ge=0, le=10_000)]
Priority = Annotated[int, Field(strict=True, ge=-1000, le=1000)]
Value = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class JobSpec(_Spec):
    """One entry under `jobs`. Times are milliseconds, memory is MiB."""

    uses: str | None = None
    run: str | None = None
    needs: Words = ()
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")
    per: Literal["fold"] | None = None
    matrix: dict[str, list[Any]] = Field(default_factory=dict)
    devices: Count | None = None
    together: Annotated[int, Field(strict=True, ge=1, le=64)] = 1
    cpus: Count | None = None
    mem: Memory | None = None
    limit: Limit | None = None
    grace: Duration | None = None
    retries: Count = 0
    priority: Priority = 0
    value: Value = 1.0
    at_edge: AtEdge | None = Field(default=None, alias="at-edge")
    when_short: WhenShort = Field(default="wait", alias="when-short")
    resume: bool | None = None
    env: Words = ()
    python: str = ""
    stop: list[Any] | None = None
    metric: str | None = None
    smoke: bool | None = None


class PlanSpec(_Spec):
    name: str = ""
    account: str | None = None
    explore: Annotated[bool, Field(strict=True)] = False
    jobs: dict[str, JobSpec]
    notify: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Settings by notifier; `notifiers.catalog` knows which there are."""

    @field_validator("notify", mode="before")
    @classmethod
    def _named_is_on(cls, value: Any) -> Any:
        """`console:` with nothing behind it is a notifier without settings."""
        if not isinstance(value, dict):
            return value
        return {kind: {} if settings is None else settings for kind, settings in value.items()}
