"""The head of a run: the one message that always says how it stands. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from budget.amount import format_amount
from budget.ledger.balance import Balance
from notifiers.base import Notice
from orchestrator.events import events as e
from orchestrator.state.state import RunState
from orchestrator.views.figures import amount, figure, mean_and_spread, to_go
from orchestrator.views.plots.glyphs import bar, sparkline
from orchestrator.views.run.job_row import JobRow
from orchestrator.views.run.view import RunView
from orchestrator.words.buttons import of_head, typed_of_head
from orchestrator.words.decisions import Decisions, doers

BAR_WIDTH = 12
CURVE_WIDTH = 24
"""Newest epochs that the head draws."""


def head(
    run: RunState,
    view: RunView,
    events: Sequence[e.Event],
    balances: Mapping[str, Balance],
    zone: str = "UTC",
) -> Notice:
    """How the run stands after `events`, which are its newest, and who did what to it last."""
    title, others = _title(run, view)
    now_ms = events[-1].at_ms
    deed = Decisions(run, view, now_ms, zone).deed()
    return Notice(
        run=run.name,
        topic="head",
        key=f"{run.name}/head/{_digest(events)}",
        title=title,
        lines=tuple(line for line in (*others, _so_far(run, view), spent(view), deed) if line),
        fields=_left(run, view, balances),
        buttons=of_head(run, view, now_ms),
        typed=typed_of_head(run, view),
        persons=doers(run),
        at_ms=now_ms,
        final=not run.live,
    )


def result(view: RunView) -> str:
    """ "val_acc 0.850 ± 0.071"; empty while no fold is done."""
    if view.mean is None:
        return ""
    return f"{view.metric} {mean_and_spread(view.mean, view.spread)}"


def folds_done(view: RunView) -> str:
    """ "2 of 3 folds done"; empty where there are no folds."""
    return f"{view.folds_done} of {view.folds} {view.unit} done" if view.folds > 1 else ""


def came_to(run: RunState, view: RunView) -> str:
    """ "2 of 3 folds done, val_acc 0.850 ± 0.071", or its jobs where none of its folds began."""
    begun = any(row.wall_ms is not None or row.value is not None for row in view.fold_rows)
    folds = folds_done(view) if begun and not run.cpu_only else ""
    return ", ".join(part for part in (folds, result(view)) if part) or run.sentence


def spent(view: RunView) -> str:
    """What it has cost and how long it will take, as far as that is known."""
    used_ms = view.used_ms
    parts = []
    if used_ms or view.eta:
        # Never "0.14 h" alone where no accelerator was there.
        parts.append(
            f"{amount(used_ms, view.amounts_in)} charged{' (simulated)' if view.simulated else ''}"
        )
    if view.eta is not None and view.eta.likely_ms:
        parts.append(to_go(view.eta))
    return " · ".join(parts)


def progress(row: JobRow) -> str:
    """ "fold 0 (1 of 5) · epoch 4/12 ▮▮▮▮▯▯▯▯▯▯▯▯ · val_acc 0.871 ▂▅▆▇"."""
    words = {"running": "", "starting": " starts", "reserving": " next"}.get(
        row.status, f" {row.status}"
    )
    parts = [f"{row.title}{words}"]
    if row.epoch is not None and row.epochs:
        share = min(1.0, row.epoch / row.epochs)
        parts.append(f"epoch {row.epoch}/{row.epochs} {bar(share, min(BAR_WIDTH, row.epochs))}")
    elif row.progress is not None:
        parts.append(f"{row.progress:.0%} {bar(row.progress, BAR_WIDTH)}")
    elif row.status == "running":
        parts.append("started")
    if row.value is not None:
        parts.append(f"{row.metric} {figure(row.value)} {sparkline(row.history, CURVE_WIDTH)}")
    return " · ".join(parts)


def _title(run: RunState, view: RunView) -> tuple[str, tuple[str, ...]]:
    """The first line, and one for each other fold that trains at the same time."""
    if not run.live:
        if run.cpu_only:
            return f"{run.outcome} · {run.sentence}", ()
        said = result(view) if run.outcome == "done" else folds_done(view)
        return f"{run.outcome} · {said or run.sentence}", ()
    if view.status == "stopping":
        return f"stopping · {view.sentence}", ()
    going = [row for row in view.rows if row.status in _GOING]
    train = sorted(
        (row for row in going if row.lane == "accelerator"),
        key=lambda row: row.status in ("starting", "reserving"),
    )
    if train:
        return progress(train[0]), tuple(progress(row) for row in train[1:])
    done = sum(row.ended for row in view.rows)
    of = f"{done} of {len(view.rows)} jobs done"
    if going:
        return f"{', '.join(row.title for row in going)} · {of}", ()
    if view.status == "waiting" and view.sentence:
        return f"waiting · {view.sentence}", ()
    return f"{view.status} · {of}", ()


_GOING = ("running", "starting", "reserving", "unreachable", "stopping", "parking")


def _so_far(run: RunState, view: RunView) -> str:
    """The folds that are done and their metric, where the title does not have them."""
    done = view.folds_done > 0 and (run.live or run.outcome == "done")
    known = view.folds_done > 0 and run.outcome != "done"
    parts = (folds_done(view) if done else "", result(view) if known else "")
    return " · ".join(part for part in parts if part)


def _left(
    run: RunState, view: RunView, balances: Mapping[str, Balance]
) -> tuple[tuple[str, str], ...]:
    balance = balances.get(run.graph.account or "")
    if balance is None:
        return ()
    said = view.simulated  # beside what is charged
    simulated = " (simulated)" if balance.simulated and not said else ""
    return ((balance.account, f"{format_amount(balance.free_ms, balance.unit)} left{simulated}"),)


def _digest(events: Sequence[e.Event]) -> str:
    """The same events have the same head: telling it again tells it once."""
    facts = [(type(event).__name__, e.to_json(event)) for event in events]
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
