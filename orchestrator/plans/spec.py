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


Duration = Annotated[int, BeforeValidator(_duration_ms, json_schema_input_type=str)]
Limit = Annotated[int, BeforeValidator(_limit_ms, json_schema_input_type=str)]
Memory = Annotated[int, BeforeValidator(_memory_mib, json_schema_input_type=str)]
Words = Annotated[
    tuple[str, ...], BeforeValidator(_one_or_more, json_schema_input_type=str | list[str])
]
Count = Annotated[int, Field(strict=True, ge=0, le=10_000)]
Priority = Annotated[int, Field(strict=True, ge=-1000, le=1000)]
Value = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class JobSpec(_Spec):
    """One entry under `jobs`. Times are milliseconds, memory is MiB."""

    uses: str | None = None
    """A built-in job, or a function of yours: `my_module:my_job`, `./train.py:fit`."""
    run: str | None = None
    """Any program with its arguments, in place of `uses`; no shell reads it. `{fold}` and the keys
    of `with` and `matrix` are filled in."""
    needs: Words = ()
    """Entries whose results it reads; it starts when all of them are there."""
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")
    """Parameters of the function; for `run`, values of its `{placeholders}`."""
    per: Literal["fold"] | None = None
    """One job for each fold of the nearest entry above it that has `uses: folds`."""
    matrix: dict[str, list[Any]] = Field(default_factory=dict)
    """Lists by parameter: one job for each combination."""
    devices: Count | None = None
    """Accelerators; 0 is the CPU lane. Default: the job's own; of a `run` 0."""
    together: Annotated[int, Field(strict=True, ge=1, le=64)] = 1
    """So many jobs of the entry side by side, each on devices of its own."""
    cpus: Count | None = None
    """Cores; 0 is all of them. Default: the job's own; of a `run` 1."""
    mem: Memory | None = None
    """Memory that must be there beside the other CPU jobs: `4 GB`, `512 MiB`."""
    limit: Limit | None = None
    """Longest time of one attempt, `90m` or `1h30m`; this is reserved. Default: 1h with devices."""
    grace: Duration | None = None
    """Time between being asked to stop and being killed; 30s by default."""
    retries: Count = 0
    """Further attempts after a failure or a loss."""
    priority: Priority = 0
    """Larger goes first; that of the run is added."""
    value: Value = 1.0
    """What a result is worth beside others of the same rank."""
    at_edge: AtEdge | None = Field(default=None, alias="at-edge")
    """What happens where a session or a window ends before the job does. Default: `park` where it
    resumes, else `hard-stop`."""
    when_short: WhenShort = Field(default="wait", alias="when-short")
    """Whether an entry of several jobs begins although the free hours do not reach for all."""
    resume: bool | None = None
    """Beside `run` only: the program goes on from $SKINT_PREVIOUS."""
    env: Words = ()
    """Names of environment variables to pass on; their values are stored nowhere."""
    python: str = ""
    """Interpreter of the job, relative to the plan; it must have skint installed."""
    stop: list[Any] | None = None
    """Stop rules; `[]` is none. Default: `[broken]` with devices."""
    metric: str | None = None
    """The reported number that screens show and fold scores are."""
    smoke: bool | None = None
    """Whether a rehearsal on a CPU comes before the first accelerator job."""


class PlanSpec(_Spec):
    """A plan."""

    name: str = ""
    """Runs are called NAME-1, NAME-2, …; default: the file's name, of a plan.yaml the folder's."""
    account: str | None = None
    """What accelerator jobs are charged to."""
    explore: Annotated[bool, Field(strict=True)] = False
    """Tried for what there is to be learnt: no stop rule but `broken` stops it."""
    jobs: dict[str, JobSpec]
    """Entries by name: small letters, digits, - and _, starting with a letter, at most 40."""
    notify: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Settings by notifier: where words about the run go."""

    @field_validator("notify", mode="before")
    @classmethod
    def _named_is_on(cls, value: Any) -> Any:
        """`console:` with nothing behind it is a notifier without settings."""
        if not isinstance(value, dict):
            return value
        return {kind: {} if settings is None else settings for kind, settings in value.items()}
