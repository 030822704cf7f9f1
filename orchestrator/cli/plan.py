"""A job is `reused` when its code, its parameters and its inputs' contents are those of a result
that is there already. Nothing is written, started or charged."""

from __future__ import annotations

import argparse
import time

from budget.duration import format_clock, format_hours
from budget.instant import format_instant
from budget.ledger import Ledger
from orchestrator.cli.screen import table
from orchestrator.home import Home
from orchestrator.plans.preview import Expectation
from orchestrator.store import read_state
from orchestrator.submitting import Prepared, prepare, refuse_if_it_does_not_fit
from skint.errors import OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_plan_arguments(parser)


def add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    """What `plan`, `run` and `submit` have in common."""
    parser.add_argument("file", metavar="FILE", help="the plan")
    parser.add_argument(
        "--set",
        metavar="JOB.KEY=VALUE",
        action="append",
        default=[],
        dest="sets",
        help="change a parameter of a job, e.g. train.lr=0.05; may be repeated",
    )
    parser.add_argument("--account", metavar="NAME", help="charge another account than the plan's")
    parser.add_argument(
        "--cpu-only", action="store_true", help="do all the free work, leave the accelerator alone"
    )
    parser.add_argument(
        "--again", action="store_true", help="pay for accelerator results that are known already"
    )


def run(arguments: argparse.Namespace) -> int:
    home, now_ms = Home.find(), time.time_ns() // 1_000_000
    with Ledger(home.ledger, read_only=True) as ledger:
        prepared = prepare(
            arguments.file,
            read_state(home.store),
            ledger,
            now_ms,
            sets=arguments.sets,
            account=arguments.account,
            cpu_only=arguments.cpu_only,
            again=arguments.again,
        )
    print(render(prepared))
    refuse_if_it_does_not_fit(prepared)
    return OK


def render(prepared: Prepared) -> str:
    """The table of groups, then what the account says to it."""
    by_group: dict[str, list[Expectation]] = {}
    for expectation in prepared.expected:
        by_group.setdefault(expectation.job.group, []).append(expectation)
    heads = ("job", "lane", ">n", "needs", "what happens", ">time", ">charged")
    rows = [_row(group, expected, prepared) for group, expected in by_group.items()]
    return "\n".join([table(heads, rows), "", *_account_lines(prepared)])


def _row(group: str, expected: list[Expectation], prepared: Prepared) -> list[str]:
    job = expected[0].job
    needs = dict.fromkeys(prepared.graph.job(need).group for need in job.needs)
    return [
        group,
        job.lane,
        str(len(expected)),
        ", ".join(needs) or "–",
        _what(expected),
        _time(expected),
        _charge(expected),
    ]


def _what(expected: list[Expectation]) -> str:
    said = dict.fromkeys(_one(e) for e in expected)
    if len(said) == 1:
        return next(iter(said))
    reused = sum(e.what == "reused" for e in expected)
    others = [_one(e) for e in expected if e.what != "reused"]
    return f"{reused} reused, {len(others)} {others[0]}" if reused else "; ".join(said)


def _one(expected: Expectation) -> str:
    if expected.job.smoke and expected.what == "runs":
        return f"10-second test of the training code: {expected.why}"
    return f"{expected.what}: {expected.why}"


def _time(expected: list[Expectation]) -> str:
    runs = [e for e in expected if e.what == "runs"]
    if not runs:
        return "–"
    known = [e.wall_ms for e in runs if e.wall_ms is not None]
    return f"~{format_clock(sum(known))}" if len(known) == len(runs) else "unknown"


def _charge(expected: list[Expectation]) -> str:
    reserves = [e.reserve_ms for e in expected if e.reserve_ms]
    if not reserves:
        return "–"
    count = f"{len(reserves)} × " if len(reserves) > 1 else ""
    return f"reserves {count}{format_hours(reserves[0])}"


def _account_lines(prepared: Prepared) -> list[str]:
    lines = []
    if prepared.account is not None and prepared.balance is not None:
        limit = prepared.balance.tightest
        resets = format_instant(limit.window.end_ms, limit.limit.window.zone)
        simulated = " (simulated)" if prepared.account.kind == "simulated" else ""
        lines.append(
            f"{prepared.account.name}{simulated}   {format_hours(limit.free_ms)} free of"
            f" {format_hours(limit.amount_ms)} until {resets}"
            f" · this plan reserves {format_hours(prepared.reserve_ms)}"
        )
    rules = {rule.name: None for e in prepared.expected for rule in e.job.stop}
    if rules:
        lines.append(f"would stop early if   {' · '.join(rules)}")
    if prepared.all_known:
        lines.append("everything in it is known already; run it again with --again")
    return lines
