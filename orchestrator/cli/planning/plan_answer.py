"""What `skint plan --json` answers."""

from __future__ import annotations

from orchestrator.plans.fitting import Fit
from orchestrator.plans.preview import Expectation
from orchestrator.shapes import plan as shapes
from orchestrator.shapes.shape import instant
from orchestrator.state.state import State
from orchestrator.submitting.judging import Prepared
from orchestrator.submitting.refusing import refuse_if_it_does_not_fit
from orchestrator.submitting.usable import DoesNotFit
from orchestrator.views.comparing.baselines import sentence
from orchestrator.views.comparing.before import Before, before_of


def told(prepared: Prepared, state: State, *, park: bool) -> shapes.Plan:
    account = prepared.account
    return shapes.Plan(
        name=prepared.graph.name,
        account=None if account is None else account.name,
        unit="device" if account is None else account.unit,
        simulated=account is not None and account.kind == "simulated",
        all_known=prepared.all_known,
        jobs=tuple(_job(one, prepared) for one in prepared.expected),
        compared=tuple(
            shapes.Compared(
                group=name,
                baseline=found.baseline.run if found.baseline else None,
                sentence=sentence(found, group),
            )
            for name, (group, found) in prepared.compared.items()
        ),
        fit=None if prepared.fit is None else _fit(prepared.fit, prepared),
        before=tuple(map(_before, before_of(prepared.expected, state))),
        refused=_refused(prepared, park=park),
    )


def _job(one: Expectation, prepared: Prepared) -> shapes.Job:
    job, forecast, account = one.job, one.forecast, prepared.account
    reserves_ms = 0
    if account is not None and one.reserve_ms:
        reserves_ms = account.cost_ms(job.devices, one.reserve_ms)
    known = one.result if one.what == "reused" else None
    runs = one.what == "runs" and forecast.source != "unknown"
    return shapes.Job(
        id=job.id,
        group=job.group,
        lane=job.lane,
        needs=job.needs,
        what=one.what,
        why=one.why,
        key=one.key,
        devices=job.devices,
        reserves_ms=reserves_ms,
        forecast=shapes.Forecast(
            low_ms=forecast.low_ms,
            likely_ms=forecast.likely_ms,
            high_ms=forecast.high_ms,
            basis=forecast.basis,
        )
        if runs
        else None,
        known=None if known is None else shapes.Known(known.run, known.job, known.attempt),
    )


def _fit(fit: Fit, prepared: Prepared) -> shapes.Fit:
    return shapes.Fit(
        free_ms=None if fit.limit is None else fit.limit.free_ms,
        queued_ms=fit.queued_ms,
        low_ms=fit.low_ms,
        likely_ms=fit.likely_ms,
        high_ms=fit.high_ms,
        measured=fit.known,
        short_in=None if fit.short is None else fit.short.need.job.id,
        ways=tuple(shapes.Way(way.option, way.what, way.cost, way.later) for way in prepared.ways),
    )


def _before(before: Before) -> shapes.Before:
    return shapes.Before(
        run=before.run,
        submitted=instant(before.submitted_ms),
        metric=before.metric,
        mean=before.mean,
        sd=before.sd,
        charged_ms=before.charged_ms,
        jobs=before.jobs,
        keys=before.keys,
        unit=before.unit,
    )


def _refused(prepared: Prepared, *, park: bool) -> str | None:
    try:
        refuse_if_it_does_not_fit(prepared, park=park)
    except DoesNotFit as error:
        return str(error)
    return None
