"""A run as several commands tell it."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.shapes.shape import Number, instant, shape
from orchestrator.state.state import RunState
from orchestrator.views.run.job_row import JobRow
from orchestrator.views.run.training import Eta as EtaView
from orchestrator.views.run.view import RunView
from orchestrator.views.words.said import Said


@shape
class Eta:
    """Milliseconds to go."""

    low_ms: int
    likely_ms: int
    high_ms: int


@shape
class Job:
    id: str
    title: str
    """For people: "fold 0 (1 of 3)"."""
    group: str
    """The entry of the plan that it comes from."""
    lane: str
    """cpu or accelerator."""
    status: str
    """waiting, paused, reserving, starting, running, unreachable, stopping, parking, done, reused,
    failed, stopped, parked or skipped."""
    fold: int | None
    folds: int | None
    epoch: int | None
    """The last one that is finished, from 1."""
    epochs: int | None
    progress: float | None
    """0 to 1; null where it is not known."""
    metric: str
    """Empty where nothing was reported."""
    value: Number | None
    """The score once there is one, else the newest value."""
    best: Number | None
    charged_ms: int
    """Of the account's unit: 3,600,000 are one hour or one credit. So are all amounts."""
    in_flight_ms: int
    """Used by now, and not charged yet."""
    saved_ms: int
    wall_ms: int | None
    """From start to end, or to now, of all its attempts; null if it never started."""
    eta: Eta | None
    until: str | None
    """When it may go on, where it waits for that."""
    why: str
    """Why it waits, stops or has ended so."""
    notes: tuple[str, ...]
    error: Mapping[str, str]
    """Of one that failed: what, where, got, wanted, next, as far as they are known."""
    log: str
    """The log file of its newest attempt; empty where there is none."""


@shape
class Verdict:
    """What a stop rule has said."""

    at: str
    rule: str
    action: str
    """stop, park, ask or warn."""
    scope: str
    """attempt, group or run."""
    target: str
    sentence: str
    default: str | None
    """Of a question: what holds where nobody answers until `until`."""
    until: str | None
    answer: str | None
    by: str
    """Who answered; `time-out` where nobody did."""
    open: bool
    """It waits for an answer."""


@shape
class Run:
    name: str
    plan: str
    status: str
    """queued, running, waiting, paused, unreachable, stopping; done, failed, stopped, cancelled."""
    account: str | None
    simulated: bool
    """Its devices are simulated."""
    unit: str
    """What the amounts count: device, session or credit."""
    submitted: str
    ended: str | None
    sentence: str
    """What it does, why it waits, or how it ended."""
    metric: str
    mean: Number | None
    """Of the scores of the folds that are done."""
    sd: Number | None
    """Their sample standard deviation; null below two."""
    folds_done: int
    folds: int
    charged_ms: int
    in_flight_ms: int
    saved_ms: int
    in_step: float | None
    """The part of the time that devices were kept in which steps were done, 0 to 1."""
    eta: Eta | None
    jobs: tuple[Job, ...]
    verdicts: tuple[Verdict, ...]


def run_shape(run: RunState, view: RunView) -> Run:
    return Run(
        name=view.name,
        plan=run.graph.name,
        status=view.status,
        account=view.account,
        simulated=view.simulated,
        unit=view.amounts_in,
        submitted=instant(view.submitted_ms),
        ended=instant(view.ended_ms),
        sentence=view.sentence,
        metric=view.metric,
        mean=view.mean,
        sd=view.spread,
        folds_done=view.folds_done,
        folds=view.folds,
        charged_ms=view.charged_ms,
        in_flight_ms=view.in_flight_ms,
        saved_ms=view.saved_ms,
        in_step=view.in_step,
        eta=_eta(view.eta),
        jobs=tuple(map(job_shape, view.rows)),
        verdicts=tuple(map(_verdict, view.verdicts)),
    )


def job_shape(row: JobRow) -> Job:
    return Job(
        id=row.id,
        title=row.title,
        group=row.group,
        lane=row.lane,
        status=row.status,
        fold=row.fold,
        folds=row.folds,
        epoch=row.epoch,
        epochs=row.epochs,
        progress=row.progress,
        metric=row.metric,
        value=row.value,
        best=row.best,
        charged_ms=row.charged_ms,
        in_flight_ms=row.in_flight_ms,
        saved_ms=row.saved_ms,
        wall_ms=row.wall_ms,
        eta=_eta(row.eta),
        until=instant(row.until_ms),
        why=row.why,
        notes=tuple(row.notes),
        error=dict(row.error),
        log=row.log,
    )


def _eta(eta: EtaView | None) -> Eta | None:
    return None if eta is None else Eta(eta.low_ms, eta.likely_ms, eta.high_ms)


def _verdict(said: Said) -> Verdict:
    return Verdict(
        at=instant(said.at_ms),
        rule=said.rule,
        action=said.action,
        scope=said.scope,
        target=said.target,
        sentence=said.sentence,
        default=said.default,
        until=instant(said.until_ms),
        answer=said.answer,
        by=said.by,
        open=said.open,
    )
