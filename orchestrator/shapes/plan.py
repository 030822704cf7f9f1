"""`skint plan FILE --json`."""

from __future__ import annotations

from typing import ClassVar

from orchestrator.shapes.shape import shape


@shape
class Forecast:
    """How long a job will probably run, in wall milliseconds."""

    low_ms: int
    likely_ms: int
    high_ms: int
    basis: str


@shape
class Known:
    """An earlier result that stands in for running the job."""

    run: str
    job: str
    attempt: str


@shape
class Job:
    id: str
    group: str
    lane: str
    """cpu or accelerator."""
    needs: tuple[str, ...]
    what: str
    """runs, reused or left out."""
    why: str
    key: str | None
    """null while it depends on results that are not there yet."""
    devices: int
    reserves_ms: int
    """Of the account; 0 where nothing is reserved for it."""
    forecast: Forecast | None
    """null where it does not run, and where nothing is known."""
    known: Known | None


@shape
class Compared:
    """What a group of folds would be compared with."""

    group: str
    baseline: str | None
    sentence: str


@shape
class Way:
    """What would fit."""

    option: str
    what: str
    cost: str
    later: str


@shape
class Fit:
    """The plan beside what its account has left; amounts are the account's."""

    free_ms: int | None
    """null where every session has its hours anew."""
    queued_ms: int
    """What runs that are queued already will probably use."""
    low_ms: int
    likely_ms: int
    high_ms: int
    measured: bool
    """Each part of it was measured; else limits stand in."""
    short_in: str | None
    """The job in which the hours run out."""
    ways: tuple[Way, ...]


@shape
class Before:
    """A run that had some of these results already."""

    run: str
    submitted: str
    metric: str
    mean: float | None
    sd: float | None
    charged_ms: int
    """What was charged for those results that this plan asks for again, in milliseconds of the
    account that paid."""
    jobs: tuple[str, ...]
    """Of the plan."""
    keys: tuple[str, ...]
    unit: str


@shape
class Plan:
    SCHEMA: ClassVar[str] = "plan/1"

    name: str
    account: str | None
    unit: str
    simulated: bool
    all_known: bool
    """Every result of it is there already: submitted, it would start nothing."""
    jobs: tuple[Job, ...]
    compared: tuple[Compared, ...]
    fit: Fit | None
    """null where it needs no account."""
    before: tuple[Before, ...]
    """Whose results it would use, of what keeps devices."""
    refused: str | None
    """Why it would be refused, and what fits; null where it would not. The exit code is 5 then."""
