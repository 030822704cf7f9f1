"""Both lanes as lines: what each device and the cores do, and why not where they do nothing. Pure.

Nothing waits unexplained: a lane that is free says what waits for it, and for what.
"""

from __future__ import annotations

from budget.meters.log import IDLE_BELOW
from orchestrator.dashboard.ink import Line, Piece, cut, fitted, headed, padded
from orchestrator.dashboard.jobs.lanes import DeviceNow
from orchestrator.dashboard.jobs.rows import to_go
from orchestrator.dashboard.reading.snapshot import Screen
from orchestrator.views.plots.glyphs import bar, level
from orchestrator.views.run.job_row import JobRow
from orchestrator.views.run.view import RunView

MOST_DEVICES = 8
"""More of them are counted in the last line."""


def lane_lines(screen: Screen, width: int, *, most: int = MOST_DEVICES) -> tuple[Line, ...]:
    """The head of the section, a line for each device and one for the cores."""
    devices = screen.lanes.devices
    shown = devices if len(devices) <= most else devices[: most - 1]
    waiting = _waiting(screen, "accelerator")
    lines = [_device_line(device, screen, waiting, width) for device in shown]
    if len(shown) < len(devices):
        busy = sum(bool(device.run) for device in devices[len(shown) :])
        text = f"  and {len(devices) - len(shown)} devices more, {busy} of them kept"
        lines.append(((text, "dim"),))
    return headed("Lanes", width), *lines, _cpu_line(screen, width)


def _names(width: int) -> int:
    return 16 if width < 100 else 22


def _device_line(
    device: DeviceNow, screen: Screen, waiting: list[tuple[RunView, JobRow]], width: int
) -> Line:
    name = device.uuid if device.simulated or not device.name else device.name
    short = f"{device.name} {device.uuid[-4:]}" if name == device.name else name
    pieces: list[Piece] = [(f" {padded(short, _names(width))} ", "bold")]
    pieces += _use(device, width)
    if not device.run:
        pieces.append(("free · ", "dim"))
        pieces.append((_why_free(waiting), "dim"))
        return fitted(pieces, width)
    view = screen.view(device.run)
    rows = [view.row(job) for job in device.jobs] if view else []
    pieces += _work(device.run, rows, 8 if width >= 100 else 4)
    return fitted(pieces, width)


def _use(device: DeviceNow, width: int) -> list[Piece]:
    """The share that is used and how it was; a word where nobody can read it."""
    curve = 12 if width >= 100 else 5
    if device.use is None:
        word = "simulated" if device.simulated else "no meter"
        return [(padded(word, curve + 6), "dim")]
    history = "".join(level(share) for share in device.history[-curve:])
    if device.mean:
        history = "mean"
    idle = bool(device.run) and device.use < IDLE_BELOW
    share = padded(f"{device.use:.0%}", 4, right=True)
    return [
        (share, "bold attention" if idle else ""),
        (f" {padded(history, curve)} ", "accent"),
    ]


def _work(run: str, rows: list[JobRow], cells: int) -> list[Piece]:
    """What it does: all jobs of one device, mostly one."""
    pieces: list[Piece] = [(f"{run} ", "bold")]
    for number, row in enumerate(rows):
        pieces.append((f"{' · ' if number else ''}{row.title} ", ""))
        if row.epochs:
            pieces.append(
                (f"{bar(row.progress or 0.0, cells)} {row.epoch or 0}/{row.epochs}", "good")
            )
        elif row.progress is not None:
            pieces.append((f"{bar(row.progress, cells)} {row.progress:.0%}", "good"))
        else:
            pieces.append((row.status, "good"))
        if row.eta is not None:
            pieces.append((f" · {to_go(row.eta)}{' to go' if cells > 4 else ''}", ""))
        elif row.status != "running":
            pieces.append((f" · {row.status}", "attention"))
    return pieces


def _cpu_line(screen: Screen, width: int) -> Line:
    lanes = screen.lanes
    slots = f"CPU {lanes.taken} of {lanes.cores} cores"
    pieces: list[Piece] = [(f" {padded(slots, _names(width))} ", "bold")]
    curve = 12 if width >= 100 else 5
    if lanes.cpu is None:
        pieces.append((padded("", curve + 6), ""))
    else:
        history = "".join(level(share) for share in lanes.cpu_history[-curve:])
        pieces.append((padded(f"{lanes.cpu:.0%}", 4, right=True), ""))
        pieces.append((f" {padded(history, curve)} ", "accent"))
    waiting = _waiting(screen, "cpu")
    if not lanes.working:
        pieces += [("free · ", "dim"), (_why_free(waiting), "dim")]
        return fitted(pieces, width)
    for number, (run, job) in enumerate(lanes.working):
        view = screen.view(run)
        row = view.row(job) if view else None
        title = row.title if row else job
        pieces.append((f"{' · ' if number else ''}{title} ", ""))
        pieces.append((f"of {run} " if len(screen.live) > 1 else "", "dim"))
        if row is not None and row.progress is not None:
            pieces.append((f"{row.progress:.0%}", "good"))
            left = row.counted.rsplit(" · ", 1)[-1]
            pieces.append((f" {left}" if left.endswith("left") else "", ""))
    ready = [(view, row) for view, row in waiting if not row.why.startswith("needs ")]
    if ready:
        pieces.append((f" · {_why_free(ready)}", "dim"))
    return fitted(pieces, width)


def _waiting(screen: Screen, lane: str) -> list[tuple[RunView, JobRow]]:
    return [
        (view, row)
        for view in screen.views
        if view.ended_ms is None
        for row in view.rows
        if row.lane == lane and row.status == "waiting"
    ]


def _why_free(waiting: list[tuple[RunView, JobRow]]) -> str:
    """What waits, and the reason of the first one that could be next."""
    ready = [(view, row) for view, row in waiting if not row.why.startswith("needs ")]
    if not ready:
        later = f": {len(waiting):,} wait for other jobs" if waiting else ""
        return f"nothing waits for it{later}"
    view, row = ready[0]
    count = "1 waits" if len(ready) == 1 else f"{len(ready):,} wait"
    return cut(f"{count} · {view.name} {row.title}: {row.why or 'its turn comes'}", 400)
