"""A whole scheduler in a small world: real store, real ledger, simulated clock and engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from budget.accounts.account import Account
from budget.accounts.limit import weekly
from budget.ledger import Ledger
from orchestrator.clock import SimulatedClock
from orchestrator.commands import StopJobs, SubmitRun
from orchestrator.events.events import Event
from orchestrator.executors.simulated import Faults, Script, SimulatedEngine, SimulatedExecutor
from orchestrator.graph import Graph, Job, StopRule
from orchestrator.scheduler.shell import Scheduler
from orchestrator.state.state import RunState, State
from orchestrator.store.store import Store
from skint.attempt import Task

SATURDAY_MS = 1_795_219_200_000
"""Sat 21 Nov 2026 00:00 UTC, a weekly reset."""
HOUR_MS = 3_600_000


def epochs(
    values: list[float], *, seconds_each: float = 60, metric: str = "val_acc", **more: Any
) -> Script:
    """A training attempt that reports one value an epoch."""
    lines: list[tuple[float, Mapping[str, Any]]] = []
    for n, value in enumerate(values, 1):
        shown = value if value == value else "nan"
        report = {"epoch": n, "epochs": len(values), metric: shown, **more}
        lines.append((n * seconds_each, {"kind": "report", "values": report}))
    last = {"metric": metric, "score": values[-1] if values else None, "n": 100}
    end_s = (len(values) + 0.5) * seconds_each
    lines.append((end_s, {"kind": "report", "values": last}))
    return Script(seconds=end_s, lines=tuple(lines), outputs={"model": b"weights"})


def kfold(
    name: str = "seedlings",
    *,
    folds: int = 3,
    limit_s: float = 1800,
    stop: tuple[StopRule, ...] = (StopRule("broken"),),
    retries: int = 0,
) -> Graph:
    """scan → packed → folds → train × folds → errors, as a plan would make it."""
    cpu = [
        Job("scan", "scan", uses="scan", static_key="scan"),
        Job("packed", "packed", uses="resize", needs=("scan",), static_key="packed"),
        Job("folds", "folds", uses="folds", needs=("packed",), static_key="folds"),
    ]
    train = [
        Job(
            f"train.fold{n}",
            "train",
            uses="train",
            needs=("folds",),
            fold=n,
            folds=folds,
            devices=1,
            limit_s=limit_s,
            grace_s=30,
            stop=stop,
            retries=retries,
            static_key=f"train{n}",
        )
        for n in range(folds)
    ]
    errors = Job(
        "errors",
        "errors",
        uses="errors",
        needs=tuple(job.id for job in train),
        static_key="errors",
    )
    return Graph(name, "lab", "/plans", (*cpu, *train, errors))


def job(id: str, *needs: str, **more: Any) -> Job:
    """A small job; of the CPU lane unless `devices` and `limit_s` are given."""
    return Job(id, more.pop("group", id), uses=id, needs=needs, static_key=id, **more)


def graph(*jobs: Job, account: str = "lab") -> Graph:
    return Graph("small", account, "/plans", jobs)


def training(task: Task) -> Script:
    """CPU jobs take five seconds, folds two epochs."""
    if task.fold is None:
        return Script(seconds=5, outputs={f"{task.job}.csv": b"1"})
    return epochs([0.5, 0.8])


FOLD_MS = 150_000
"""What a fold of two epochs is charged."""
WALL_MS = kfold().job("train.fold0").wall_limit_ms
"""What a fold reserves."""


def statuses(run: RunState) -> dict[str, str]:
    return {name: known.status for name, known in run.jobs.items()}


def reasons(run: RunState) -> dict[str, str]:
    """Of the jobs that have no result."""
    return {
        name: known.reason
        for name, known in run.jobs.items()
        if known.reason and known.ended and not known.has_result
    }


@dataclass
class World:
    """Everything outside the scheduler survives `restart`, as it does in life."""

    path: Path
    script_of: Callable[[Task], Script] = lambda task: Script(outputs={task.job: b"x"})
    faults: Faults = field(default_factory=Faults)
    devices: int = 1
    week_ms: int = 30 * HOUR_MS
    start_ms: int = SATURDAY_MS
    seed: int = 0
    clock: SimulatedClock = field(init=False)
    engine: SimulatedEngine = field(init=False)
    store: Store = field(init=False)
    scheduler: Scheduler = field(init=False)

    def __post_init__(self) -> None:
        self.clock = SimulatedClock(self.start_ms)
        self.engine = SimulatedEngine(
            self.clock,
            self.script_of,
            faults=self.faults,
            devices=self.devices,
            seed=self.seed,
        )
        self.ledger = Ledger(self.path / "ledger.db")
        limit = weekly(self.week_ms)
        account = Account("lab", "simulated", "simulated", limits=(limit,))
        self.ledger.add_account(account, self.start_ms)
        self.restart()

    def restart(self, wrap: Callable[[Any], Any] = lambda outside: outside) -> None:
        """A new scheduler on the same store: all the memory of the old one is gone.

        `wrap` may put something between it and its store, ledger and executors.
        """
        executors = {
            name: wrap(SimulatedExecutor(self.engine, name)) for name in ("local", "simulated")
        }
        if "store" in vars(self):
            self.store.close()
        self.store = Store(self.path / "store.db")
        self.scheduler = Scheduler(
            wrap(self.store),
            wrap(self.ledger),
            executors,
            self.clock,
            runs_dir=self.path / "runs",
            environ={},
        )

    def submit(self, graph: Graph, run: str = "seedlings-1", **more: Any) -> None:
        self.store.ask(SubmitRun(run=run, graph=graph.to_json(), **more), self.clock.now_ms())

    def stop(
        self, run: str = "seedlings-1", scope: Any = "run", target: str = "", **more: Any
    ) -> None:
        request = StopJobs(run=run, scope=scope, target=target or run, **more)
        self.store.ask(request, self.clock.now_ms())

    def until(self, condition: Callable[[State], bool], *, days: float = 30) -> State:
        """Let time pass until `condition`; fails after `days`."""
        end_ms = self.clock.now_ms() + round(days * 24 * HOUR_MS)
        return self.scheduler.run(
            lambda state: condition(state) or _late(self.clock.now_ms(), end_ms), poll_s=5
        )

    def until_settled(self, run: str = "seedlings-1") -> State:
        return self.until(lambda state: run in state.runs and state.runs[run].settled)

    def until_settled_with_restarts(self, run: str = "seedlings-1") -> State:
        """The same with a scheduler that dies after every look."""
        for _ in range(300):
            state = self.scheduler.state
            if run in state.runs and state.runs[run].settled:
                return state
            self.scheduler.tick()
            self.restart()
            self.clock.advance(5)
        raise AssertionError("it did not come to its end")

    def settle(self, graph: Graph, run: str = "seedlings-1", **more: Any) -> RunState:
        """Submit a graph and let it come to its end."""
        self.submit(graph, run, **more)
        return self.until_settled(run).runs[run]

    @property
    def settled_ms(self) -> int:
        """What the ledger has charged this week."""
        return self.ledger.balance("lab", self.clock.now_ms()).settled_ms

    def kept(self, kind: type[Event]) -> list[Any]:
        """The events of a kind that the store has."""
        return [event for _, event in self.store.events() if isinstance(event, kind)]


def _late(now_ms: int, end_ms: int) -> bool:
    assert now_ms < end_ms, "it did not come to that"
    return False
