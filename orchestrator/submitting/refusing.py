"""Refusing what will probably use more than an account has left, with numbers and ways out."""

from __future__ import annotations

from budget.accounts.account import Account
from budget.amount import format_amount
from budget.duration import format_clock
from budget.instant import format_instant
from orchestrator.plans.fitting import Fit
from orchestrator.submitting.judging import Prepared
from orchestrator.submitting.usable import DoesNotFit


def refuse_if_it_does_not_fit(prepared: Prepared, *, park: bool = False) -> None:
    """Raise DoesNotFit, with numbers and ways out, if it will probably use more than is left.

    With `park` it may use the hours of several windows; what fits in none is refused all the same.
    """
    if prepared.fit is None or prepared.account is None:
        return
    _refuse_what_never_fits(prepared, prepared.fit, prepared.account)
    short, limit = prepared.fit.short, prepared.fit.limit
    if park or short is None or limit is None:
        return
    unit = prepared.account.unit
    path = prepared.path
    over_ms = prepared.fit.likely_ms - prepared.fit.free_ms
    until = ""
    if limit.next_gain_ms is not None:
        until = f" until {format_instant(limit.next_gain_ms, limit.limit.window.zone)}"
    free = f"{format_amount(max(0, prepared.fit.free_ms), unit)} are free{until}"
    too_much = f"{format_amount(over_ms, unit, exact=over_ms < 1_000)} too much"
    rows = [(way.option, way.what, f"{way.cost}  {way.later}".rstrip()) for way in prepared.ways]
    rows.append(("--cpu-only", f"skint run {path} --cpu-only does the rest now", ""))
    widths = [max(len(row[at]) for row in rows) for at in (0, 1)]
    raise DoesNotFit(
        f"{prepared.graph.name} {needed(prepared.fit, unit)} on {prepared.account.name},"
        f" {free}: {too_much}; they run out in {short.need.job.id}",
        next="\n          ".join(
            f"{option.ljust(widths[0])}  {what.ljust(widths[1])}  {cost}".rstrip()
            for option, what, cost in rows
        ),
    )


def needed(fit: Fit, unit: str) -> str:
    """ "needs 9.60 h (8.90–10.80)", or "reserves 5.00 h" where nothing better is known."""
    likely = format_amount(fit.likely_ms, unit)
    if not fit.known:
        return f"reserves {likely}"
    low, high = (format_amount(ms, unit).split(" ")[0] for ms in (fit.low_ms, fit.high_ms))
    return f"needs {likely} ({low}–{high})"


def _refuse_what_never_fits(prepared: Prepared, fit: Fit, account: Account) -> None:
    """A job that no window, or no session, has the hours for, and that cannot be cut."""
    if fit.too_big is not None and prepared.balance is not None:
        whole = format_amount(prepared.balance.whole_ms, account.unit)
        raise DoesNotFit(
            f"{fit.too_big.job.id} reserves {format_amount(fit.too_big.reserve_ms, account.unit)},"
            f" {account.name} never has more than {whole}",
            where=prepared.path,
            next="a shorter limit in the plan, or a job that resumes, with at-edge: park",
        )
    longest_ms = account.session.max_ms
    for need in fit.needs:
        if longest_ms is not None and need.job.wall_limit_ms > longest_ms and not need.job.parks:
            raise DoesNotFit(
                f"{need.job.id} may take {format_clock(need.job.wall_limit_ms)}, a session of"
                f" {account.name} lasts {format_clock(longest_ms)} at most",
                where=prepared.path,
                next="a shorter limit in the plan, or a job that resumes, with at-edge: park",
            )
