"""What is known of the selected line, for a terminal that has room beside the jobs. Pure."""

from __future__ import annotations

from budget.amount import format_amount
from budget.duration import format_clock
from orchestrator.dashboard.ink import Line, Piece, cut, headed, padded
from orchestrator.dashboard.jobs.rows import COLOURS, TableLine, to_go, why_of
from orchestrator.dashboard.reading.snapshot import Screen
from orchestrator.state.state import RunState
from orchestrator.views.budget.charges import freed_ms
from orchestrator.views.plots.glyphs import bar, sparkline
from orchestrator.views.run.job_row import JobRow
from orchestrator.views.run.view import RunView

NAMES = 10


def selected_lines(screen: Screen, line: TableLine | None, width: int) -> tuple[Line, ...]:
    """The head of the section and a line a fact; a sentence may take two."""
    view = screen.view(line.run) if line else None
    run = screen.state.runs.get(line.run) if line else None
    if line is None or view is None or run is None:
        return headed("Selected", width), (("  nothing", "dim"),)
    if line.job:
        row = view.row(line.job)
        facts = _of_job(screen, run, view, row)
        title = f"{row.title} of {view.name}"
        status = row.status
    else:
        facts, title, status = _of_run(screen, run, view), view.name, view.status
    colour = COLOURS.get(status, "")
    lines: list[Line] = [headed("Selected", width)]
    lines.append(((f" {padded(title, width - 3 - len(status))} ", "bold"), (status, colour)))
    for name, words, role in facts:
        if words:
            lines += _fact(name, words, role, width)
    return tuple(lines)


def _fact(name: str, words: str, role: str, width: int) -> list[Line]:
    """Folded once where it is too long."""
    room = width - NAMES - 3
    head: Piece = (f" {padded(name, NAMES)} ", "dim")
    if len(words) <= room:
        return [(head, (words, role))]
    at = words.rfind(" ", 0, room + 1)
    at = at if at > room // 2 else room
    rest = cut(words[at:].lstrip(), room)
    return [(head, (words[:at], role)), ((" " * (NAMES + 2), ""), (rest, role))]


def _of_run(screen: Screen, run: RunState, view: RunView) -> list[tuple[str, str, str]]:
    unit = view.amounts_in
    ahead = [one for (name, _), one in screen.outlook.expected.items() if name == view.name]
    used_ms = view.used_ms
    spent = format_amount(used_ms, unit)
    to_come = format_amount(sum(one.cost_ms for one in ahead), unit)
    score = "" if view.mean is None else f"{view.metric} {view.mean:.4f}"
    spread = "" if view.spread is None else f" ± {view.spread:.4f}"
    account = f"{view.account or 'none'}{', simulated' if view.simulated else ''}"
    open_jobs = [run.graph.job(job.id) for job in run.open_jobs]
    freed = freed_ms(run, open_jobs, screen.now_ms) if run.live else 0
    return [
        ("account", account, ""),
        ("folds", f"{view.folds_done} of {view.folds} {view.unit} done" if view.folds else "", ""),
        ("score", score + spread if score else "", "accent"),
        ("spent", f"{spent}{f', about {to_come} to come' if ahead else ''}", ""),
        ("to go", to_go(view.eta), ""),
        ("cancel", f"frees up to {format_amount(freed, unit)}" if freed else "", "attention"),
        ("says", view.sentence, ""),
    ]


def _of_job(
    screen: Screen, run: RunState, view: RunView, row: JobRow
) -> list[tuple[str, str, str]]:
    unit = view.amounts_in
    attempt = run.current(row.id)
    devices = ", ".join(attempt.devices) if attempt else ""
    metered = attempt.metered if attempt else None
    use = screen.lanes.uses.get((run.name, row.id))
    memory = metered.peak_memory_mib if metered else None
    busy = f" · {use:.0%} busy" if use is not None else ""
    peak = f" · peak {memory / 1024:.1f} GiB" if memory is not None else ""
    ahead = screen.outlook.expected.get((run.name, row.id))
    used_ms = row.used_ms
    to_come = f"about {format_amount(ahead.cost_ms, unit)} to come" if ahead else ""
    spent = format_amount(used_ms, unit) if used_ms or row.lane == "accelerator" else ""
    model = str(run.graph.job(row.id).params.get("model", ""))
    freed = 0 if row.ended else freed_ms(run, [run.graph.job(row.id)], screen.now_ms)
    advance = f"{bar(row.progress or 0.0, 16)} " if row.progress is not None else ""
    counted = f"epoch {row.epoch or 0} of {row.epochs}" if row.epochs else row.counted
    value = "" if row.value is None else f"{row.value:.4f}"
    best = f", best {row.best:.4f}" if row.best is not None else ""
    return [
        ("model", model, ""),
        ("device", f"{devices}{busy}{peak}" if devices else "", ""),
        ("progress", advance + counted, "good"),
        (row.metric or "score", value + best if value else "", ""),
        ("curve", sparkline(row.history, 40), "accent"),
        ("spent", ", ".join(part for part in (spent, to_come) if part), ""),
        ("time", "" if row.wall_ms is None else format_clock(row.wall_ms), ""),
        ("to go", to_go(row.eta), ""),
        ("abort", f"frees up to {format_amount(freed, unit)}" if freed else "", "attention"),
        ("why", why_of(row), ""),
        ("note", row.note, ""),
    ]
