"""A job is `reused` when its code, its parameters and its inputs' contents are those of a result
that is there already. Nothing is written, started or charged."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from budget.accounts.account import Account
from budget.amount import format_amount
from budget.duration import HOUR_MS, MINUTE_MS, SECOND_MS, format_hours
from budget.instant import format_instant
from budget.ledger import Ledger
from orchestrator.cli.planning.asking import asked_of
from orchestrator.cli.planning.plan_arguments import add_plan_arguments
from orchestrator.cli.printing.output import add_json, print_answer
from orchestrator.cli.printing.screen import columns, fitted, prose
from orchestrator.devices import DECLARED
from orchestrator.graph import ALWAYS
from orchestrator.home import Home
from orchestrator.plans.fitting import Fit
from orchestrator.plans.preview import Expectation
from orchestrator.store.store import read_state
from orchestrator.submitting.judging import Prepared
from orchestrator.submitting.prepare import prepare
from orchestrator.submitting.refusing import needed, refuse_if_it_does_not_fit
from orchestrator.views.comparing.judged import baseline_lines, known_lines
from skint.errors import OK, OVER_BUDGET

_BY_MODE = {"auto": "would stop early if", "ask": "would ask whether", "warn": "would only say"}
WIDEST = 36
"""Characters of what happens to a job that stand in the table; what is longer stands below it."""

LEAST = 16
"""So many do in any case, however little room the other columns leave."""

SPARE = ("needs", "lane", ">n")
"""Columns that a terminal of less room than that goes without."""

EXAMPLES = ("skint plan plan.yaml", "skint plan plan.yaml --set train.lr=0.05 --folds 0")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_plan_arguments(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home, now_ms = Home.find(), time.time_ns() // 1_000_000
    state = read_state(home.store)
    with Ledger(home.ledger, read_only=True) as ledger:
        prepared = prepare(asked_of(arguments, home), state, ledger, now_ms)
    if arguments.json:
        from orchestrator.cli.planning.plan_answer import told

        answer = told(prepared, state, park=arguments.park)
        print_answer(answer)
        return OVER_BUDGET if answer.refused else OK
    print(render(prepared))
    for line in known_lines(prepared, state):
        print(prose(line))
    refuse_if_it_does_not_fit(prepared, park=arguments.park)
    return OK


def render(prepared: Prepared) -> str:
    """The table of groups, then what the account says to it."""
    by_group: dict[str, list[Expectation]] = {}
    for expectation in prepared.expected:
        by_group.setdefault(expectation.job.group, []).append(expectation)
    heads = ("job", "lane", ">n", "needs", "what happens", ">time", ">charged")

    def drawn(widest: int, spare: Sequence[str] = ()) -> str:
        rows = (_row(group, expected, prepared, widest) for group, expected in by_group.items())
        return fitted(heads, rows, spare)

    widest = WIDEST
    while widest > LEAST and _width(drawn(widest)) > columns():
        widest -= 4
    spare = SPARE if _width(drawn(widest)) > columns() else ()
    if _width(drawn(widest, spare)) > columns():  # it would be too wide all the same
        widest, spare = WIDEST, ()
    at_length = [
        prose(f"{group}: {said}", "    ")
        for group, expected in by_group.items()
        if len(said := _what(expected)) > widest
    ]
    lines = [drawn(widest, spare), "", *at_length, *([""] if at_length else [])]
    return "\n".join([*lines, *map(prose, _account_lines(prepared))])


def _width(drawing: str) -> int:
    return max(map(len, drawing.splitlines()))


def _row(group: str, expected: list[Expectation], prepared: Prepared, widest: int) -> list[str]:
    job = expected[0].job
    needs = dict.fromkeys(prepared.graph.job(need).group for need in job.needs)
    return [
        group,
        job.lane,
        str(len(expected)),
        ", ".join(needs) or "–",
        said if len(said := _what(expected)) <= widest else _in_short(expected),
        _time(expected),
        _charge(expected, prepared.account),
    ]


def _what(expected: list[Expectation]) -> str:
    said = dict.fromkeys(_one(e) for e in expected)
    if len(said) == 1:
        return next(iter(said))
    reused = sum(e.what == "reused" for e in expected)
    others = [_one(e) for e in expected if e.what != "reused"]
    return f"{reused} reused, {len(others)} {others[0]}" if reused else "; ".join(said)


def _in_short(expected: list[Expectation]) -> str:
    counts = Counter(e.what for e in expected)
    if len(counts) == 1:
        return f"{expected[0].what}, see below"
    return ", ".join(f"{n} {what}" for what, n in counts.items()) + ", see below"


def _one(expected: Expectation) -> str:
    if expected.job.smoke and expected.what == "runs":
        return f"10-second test of the training code: {expected.why}"
    return f"{expected.what}: {expected.why}"


def _time(expected: list[Expectation]) -> str:
    runs = [e.forecast for e in expected if e.what == "runs"]
    if not runs:
        return "–"
    if any(forecast.source == "unknown" for forecast in runs):
        return "unknown"
    low_ms = sum(forecast.low_ms for forecast in runs)
    high_ms = sum(forecast.high_ms for forecast in runs)
    return time_range(low_ms, sum(forecast.likely_ms for forecast in runs), high_ms)


def time_range(low_ms: int, likely_ms: int, high_ms: int) -> str:
    """ "~2.10 h (1.90–2.40)", in the unit that the likely figure asks for."""
    unit_ms, unit, digits = HOUR_MS, "h", 2
    if likely_ms < 2 * MINUTE_MS:
        unit_ms, unit, digits = SECOND_MS, "s", 0
    elif likely_ms < HOUR_MS:
        unit_ms, unit, digits = MINUTE_MS, "min", 0
    low, likely, high = (f"{ms / unit_ms:.{digits}f}" for ms in (low_ms, likely_ms, high_ms))
    return f"~{likely} {unit} ({low}–{high})"


def _charge(expected: list[Expectation], account: Account | None) -> str:
    reserves = [e for e in expected if e.reserve_ms]
    if not reserves or account is None:
        return "–"
    count = f"{len(reserves)} × " if len(reserves) > 1 else ""
    amount_ms = account.cost_ms(reserves[0].job.devices, reserves[0].reserve_ms)
    return f"reserves {count}{format_amount(amount_ms, account.unit)}"


def _account_lines(prepared: Prepared) -> list[str]:
    lines: list[str] = []
    if prepared.fit is not None and prepared.account is not None:
        lines += _fit_lines(prepared, prepared.fit, prepared.account)
        lines += _too_many_lines(prepared, prepared.account)
    given = [rule for e in prepared.expected for rule in e.job.stop]
    if prepared.graph.explore:
        given = [rule for rule in given if rule.name == ALWAYS]
    rules = dict.fromkeys((rule.mode, rule.name) for rule in given)
    for mode, head in _BY_MODE.items():
        if names := [name for how, name in rules if how == mode]:
            lines.append(f"{head:<21} {' · '.join(names)}")
    lines += baseline_lines(prepared)
    lines += _settled_lines(prepared)
    return lines


def _settled_lines(prepared: Prepared) -> Iterator[str]:
    """What the plan leaves open and the person's settings say."""
    graph = prepared.graph
    said = {"account": graph.account or "", "notify": ", ".join(graph.notify)}
    if prepared.settled:
        words = " · ".join(f"{key} {said[key]}" for key in prepared.settled)
        yield f"{'from your settings':<21} {words} (skint config list)"


def _too_many_lines(prepared: Prepared, account: Account) -> Iterator[str]:
    """Which jobs would be refused for want of devices, and what to do."""
    here = f"{prepared.devices} device{'s' if prepared.devices != 1 else ''}"
    wanted = {e.job.group: e.job.devices for e in prepared.expected if e.what == "runs"}
    for group, devices in wanted.items():
        if devices > prepared.devices:
            practise = f", or practise with {DECLARED}=simulated:{devices}"
            yield (
                f"{group} wants {devices} devices, this machine has {here}: it cannot run here;"
                f" write `devices: {prepared.devices}`"
                f"{practise if account.kind == 'simulated' else ''}"
            )


def _fit_lines(prepared: Prepared, fit: Fit, account: Account) -> Iterator[str]:
    """What is left, what the plan will use of it, on what that stands, and where it ends."""
    simulated = " (simulated)" if account.kind == "simulated" else ""
    head = f"{account.name}{simulated}   "
    asks = f" · this plan {needed(fit, account.unit)}" if fit.needs else ""
    if fit.limit is None:
        yield f"{head}every session has its hours anew{asks}"
    else:
        limit, zone = fit.limit, fit.limit.limit.window.zone
        until = f" until {format_instant(limit.next_gain_ms, zone)}" if limit.next_gain_ms else ""
        yield (
            f"{head}{format_amount(limit.free_ms, account.unit)} free of"
            f" {format_amount(limit.amount_ms, account.unit)}{until}{asks}"
        )
        if fit.queued_ms:
            queued = format_amount(fit.queued_ms, account.unit)
            yield f"queued before it   {queued}, as runs that wait will probably use"
    for group, basis in {need.job.group: need.forecast.basis for need in fit.needs}.items():
        yield f"time of {group}   {basis}"
    for need in fit.needs:
        if need.forecast.source != "unknown" and need.forecast.low_ms > need.job.wall_limit_ms:
            yield (
                f"{need.job.id} would be stopped at its limit:"
                f" it probably takes {format_hours(need.forecast.likely_ms)}"
            )
    if fit.waits is not None and fit.limit is not None:
        reserve = format_amount(fit.waits.reserve_ms, account.unit)
        yield f"{fit.waits.job.id} would wait: it reserves {reserve}, and less will be left"
    if fit.short is not None and fit.limit is not None:
        at = format_instant(fit.short.at_ms, fit.limit.limit.window.zone)
        yield f"the hours run out in {fit.short.need.job.id}, about {at}"
