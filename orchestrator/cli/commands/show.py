"""The metric, the hours and the end of every job of a run."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from budget.amount import format_amount
from budget.duration import format_clock
from budget.instant import format_instant
from budget.ledger import Ledger
from budget.ledger.balance import Balance
from orchestrator.baselines.book import Book
from orchestrator.cli.named import run_named
from orchestrator.cli.printing.job_words import below, cut, said
from orchestrator.cli.printing.output import add_json, print_answer
from orchestrator.cli.printing.screen import fitted, prose, room_for_last, table
from orchestrator.commands import RetryJobs
from orchestrator.home import Home
from orchestrator.resuming.resumption import is_resumable
from orchestrator.scheduler.books import owner_of
from orchestrator.scheduler.obeying.retrying import to_retry
from orchestrator.state.state import RunState, State
from orchestrator.store.store import read_state
from orchestrator.views.budget.savings import exactly, kept, saving_line
from orchestrator.views.comparing.baselines import comparisons_of, lines, sentence
from orchestrator.views.figures import exact_figure
from orchestrator.views.plots.glyphs import sparkline
from orchestrator.views.run.gaps import usage_lines
from orchestrator.views.run.job_row import JobRow
from orchestrator.views.run.meters import HEADS as METER_HEADS
from orchestrator.views.run.meters import NOT_READ, meter_notes, meter_rows
from orchestrator.views.run.stages import stage_rows
from orchestrator.views.run.view import RunView, run_view
from orchestrator.views.words.question import question_lines
from orchestrator.views.words.said import resumed_lines, said_line
from orchestrator.views.words.scheduler import scheduler_line
from skint.errors import OK

if TYPE_CHECKING:
    from orchestrator.shapes.show import Show

CURVE_WIDTH = 16
LEAST_SAID = 24
"""Characters of what a job says that stand in the table, however wide the rest of it is."""

EXAMPLES = ("skint show seedlings-1",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="RUN")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home, now_ms = Home.find(), time.time_ns() // 1_000_000
    state = read_state(home.store)
    found = run_named(state, arguments.name)
    with Ledger(home.ledger, read_only=True) as ledger:
        if arguments.json:
            print_answer(told(found, state, ledger, now_ms))
            return OK
        print(render(found, state, ledger, now_ms))
    if not found.settled and home.scheduler_pid() is None:
        print(prose(scheduler_line(None, [found])))
    return OK


def render(run: RunState, state: State, ledger: Ledger, now_ms: int) -> str:
    """Jobs with metric and charge, what they had to say, then what the ledger says of them."""
    view = run_view(run, now_ms, state.runs, state.holds)
    charged = ledger.charged_by(owner_of(run.name))
    heads = ("job", "lane", "state", "metric", ">wall", ">charged", "")
    rows: list[tuple[str, ...]] = [
        (
            row.title,
            row.lane,
            row.status,
            _metric(row),
            format_clock(row.wall_ms) if row.wall_ms is not None else "–",
            _charged(run, row, charged, view.amounts_in),
            said(row),
        )
        for row in view.rows
    ]
    drawn, most = _jobs(heads, rows)
    more = below(view.rows, most)
    details = [*more, *([""] if more else []), *_stages(run, view, charged), *_meters(run)]
    compared = lines(comparisons_of(Book().update(state), run), over=not run.live)
    against = [f"{head:<18} {text}" for head, text in compared]
    said_of_it = [*against, *_summary(run, view, ledger, charged, now_ms)]
    summary = [prose(line, " " * (19 if line[18:19] == " " else 2)) for line in said_of_it]
    asked = map(prose, question_lines(run, now_ms))
    return "\n".join([drawn, "", *details, *summary, *asked])


def _jobs(heads: Sequence[str], rows: Sequence[tuple[str, ...]]) -> tuple[str, int]:
    """The table of jobs, and how many characters of what each says stand in it: none on a terminal
    that has room for too few."""
    longest = max((len(text) for *_, text in rows), default=0)
    if sys.stdout.isatty() and room_for_last(heads, rows, 0) < min(LEAST_SAID, longest):
        return fitted(heads[:-1], [cells for *cells, _ in rows], ("lane", ">wall")), 0
    most = room_for_last(heads, rows, LEAST_SAID)
    return table(heads, [(*cells, cut(text, most)) for *cells, text in rows]), most


def told(run: RunState, state: State, ledger: Ledger, now_ms: int) -> Show:
    """The same for programs."""
    from orchestrator.shapes.run import run_shape
    from orchestrator.shapes.shape import instant
    from orchestrator.shapes.show import Attempt, Compared, Saving, Show

    charged = ledger.charged_by(owner_of(run.name))
    view = run_view(run, now_ms, state.runs, state.holds)
    compared = comparisons_of(Book().update(state), run)
    return Show(
        at=instant(now_ms),
        run=run_shape(run, view),
        attempts=tuple(
            Attempt(
                id=one.id,
                job=one.job,
                status=one.status,
                started=instant(one.started_ms),
                ended=instant(one.ended_ms),
                outcome=one.outcome,
                reason=one.reason,
                sentence=one.sentence,
                devices=tuple(one.devices),
                charged_ms=charged.get(one.id),
                folder=one.folder,
            )
            for one in run.attempts.values()
        ),
        savings=tuple(
            Saving(one.job, one.account, one.kind, one.amount_ms, one.derivation)
            for one in kept(view.savings)
        ),
        compared=tuple(
            Compared(
                group=name,
                baseline=found.baseline.run if found.baseline else None,
                sentence=sentence(found, group, over=not run.live),
            )
            for name, (group, found) in compared.items()
        ),
    )


def _stages(run: RunState, view: RunView, charged: dict[str, int]) -> list[str]:
    """What was paid for getting ready, for epochs, and for the rest; nothing before a charge."""
    titles = {row.id: row.title for row in view.rows}
    heads, rows = stage_rows(run, titles, charged, view.amounts_in)
    return [table(heads, rows), ""] if rows else []


def _meters(run: RunState) -> list[str]:
    """What the attempts did with what was kept for them; nothing where nobody read a meter."""
    metered = meter_rows(run)
    if not metered:
        return []
    # What nobody could read of any job would only make the table too wide for a terminal.
    columns = zip(METER_HEADS, *metered, strict=True)
    read = [column for column in columns if set(column[1:]) != {NOT_READ}]
    heads, *rows = zip(*read, strict=True)
    return [table(heads, rows), *map(prose, meter_notes(run)), ""]


def _metric(row: JobRow) -> str:
    # Numbers of other CPU jobs are no scores; a training in the CPU lane counts epochs.
    if row.value is None or (row.lane != "accelerator" and row.epochs is None):
        return ""
    curve = f" {sparkline(row.history, CURVE_WIDTH)}" if len(row.history) > 1 else ""
    return f"{row.metric} {exact_figure(row.value)}{curve}"


def _charged(run: RunState, row: JobRow, charged: dict[str, int], unit: str) -> str:
    amounts = [charged[name] for name in run.jobs[row.id].attempts if name in charged]
    return format_amount(sum(amounts), unit, exact=True) if amounts else "–"


def _summary(
    run: RunState, view: RunView, ledger: Ledger, charged: dict[str, int], now_ms: int
) -> list[str]:
    lines = []
    if view.mean is not None:
        spread = f" ± {view.spread:.4f} (sd over folds)" if view.spread is not None else ""
        trained = [job for job in run.graph.jobs if job.fold is not None and not job.smoke]
        groups = {job.group for job in trained}
        whose = f" of {view.fold_rows[0].group}" if len(groups) > 1 else ""
        lines.append(f"{f'mean{whose}':<18} {view.metric} {exact_figure(view.mean)}{spread}")
    spoken = [said_line(said) for said in view.verdicts if not said.open]
    heads = ["stop rules", *[""] * len(spoken)]
    lines += [f"{head:<18} {text}" for head, text in zip(heads, spoken, strict=False)]
    lines += [f"{'resumed':<18} {text}" for text in resumed_lines(run)]
    simulated = "  (simulated)" if view.simulated else ""
    count = len({name for name in charged if charged[name]})
    if charged:
        total = format_amount(sum(charged.values()), view.amounts_in, exact=True)
        attempts = "1 attempt" if count == 1 else f"{count} attempts"
        lines.append(f"{'charged':<18} {total} for {attempts}, by the ledger{simulated}")
    lines += [f"{head:<18} {text}" for head, text in usage_lines(run)]
    if savings := kept(view.savings):
        lines.append(f"{'saved':<18} {exactly(savings)}{simulated}")
        lines += [f"{'':<18} {saving_line(saving)}" for saving in savings]
    if run.graph.account and run.graph.account in {a.name for a in ledger.accounts()}:
        lines.append(_left(ledger.balance(run.graph.account, now_ms)))
    lines.append(f"{run.name} {view.status}" + (f": {view.sentence}" if view.sentence else ""))
    if after := _next(run):
        lines.append(f"{'next':<18} {after}")
    return lines


def _next(run: RunState) -> str:
    """What can be typed after an end that was not the plan's."""
    if run.outcome == "failed":
        return f"skint retry {run.name}; or submit the plan again once its code is mended"
    if run.outcome not in ("stopped", "cancelled"):
        return ""
    if is_resumable(run):
        return f"skint resume {run.name} undoes it"
    if any(to_retry(run, RetryJobs(run=run.name, scope="run", target=run.name))):
        return f"skint retry {run.name} begins anew what has no checkpoints"
    return "submit the plan again: what was stopped has no checkpoints"


def _left(balance: Balance) -> str:
    limit = balance.tightest
    zone, gain_ms = limit.limit.window.zone, limit.next_gain_ms
    until = "" if gain_ms is None else f" until {format_instant(gain_ms, zone)}"
    simulated = "  (simulated)" if balance.simulated else ""
    return (
        f"{'left':<18} {format_amount(limit.free_ms, limit.unit, exact=True)}"
        f" of {format_amount(limit.amount_ms, limit.unit)} on {balance.account}{until}{simulated}"
    )
