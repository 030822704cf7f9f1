"""What is told of whole runs, as they happen on a simulated clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from notifiers.base import Notice
from orchestrator.events import events as e
from orchestrator.executors.simulated import Script
from orchestrator.graph import Graph
from orchestrator.state.state import RunState, State
from orchestrator.words.announce import notices
from skint.attempt import Task
from tests.orchestrator.worlds import World, epochs, kfold

RUN = "seedlings-1"


def folds(*scores: Sequence[float], metric: str = "val_acc") -> Callable[[Task], Script]:
    """CPU jobs of five seconds; fold n reports `scores[n]`, one value a minute."""

    def script_of(task: Task) -> Script:
        if task.fold is None:
            return Script(seconds=5, outputs={f"{task.job}.csv": b"1"})
        return epochs([*scores[task.fold]], metric=metric)

    return script_of


def failing(fold: int, error: dict[str, str]) -> Callable[[Task], Script]:
    def script_of(task: Task) -> Script:
        if task.fold != fold:
            return folds([0.5, 0.7], [0.5, 0.7], [0.5, 0.7])(task)
        report = {"epoch": 1, "epochs": 2, "val_acc": 0.5}
        lines = [(60.0, {"kind": "report", "values": report})]
        if error:
            lines.append((65.0, {"kind": "error", **error}))
        return Script(seconds=70, lines=tuple(lines), code=1)

    return script_of


def told(
    world: World,
    graph: Graph | None = None,
    meanwhile: Callable[[RunState], None] = lambda run: None,
    run: str = RUN,
    cpu_only: bool = False,
) -> list[Notice]:
    """Everything that is told of a run, to the one place that it tells."""
    found: list[Notice] = []

    def on_events(events: Iterable[e.Event], state: State) -> None:
        balances = {"lab": world.ledger.balance("lab", world.clock.now_ms())}
        found.extend(notice for _, notice in notices([*events], state, lambda accounts: balances))
        meanwhile(state.runs[run])

    world.scheduler.on_events = on_events
    world.submit(graph or kfold(), run=run, cpu_only=cpu_only)
    world.until_settled(run)
    return found


def said(notices: Iterable[Notice], *topics: str) -> list[str]:
    """Title and details in one line, as the console prints them."""
    return [
        " · ".join([f"{notice.topic}: {notice.title}", *notice.details()])
        for notice in notices
        if notice.topic in (topics or ("reply", "alert"))
    ]


def once(does: Callable[[], None], when: Callable[[RunState], bool]) -> Callable[[RunState], None]:
    done: list[RunState] = []

    def meanwhile(run: RunState) -> None:
        if not done and when(run):
            done.append(run)
            does()

    return meanwhile


def reports_of(run: RunState, job: str) -> int:
    attempt = run.current(job) if job in run.jobs else None
    return len(attempt.reports) if attempt else 0
