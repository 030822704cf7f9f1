"""Work that goes on where it was stopped, for tests of jobs that are cut."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from budget.accounts.account import Account, Session
from budget.accounts.limit import weekly
from orchestrator.executors.simulated import Script
from orchestrator.graph import Job
from orchestrator.state.state import RunState, State
from skint.attempt import Task
from tests.orchestrator.worlds import World, job


@dataclass
class Course:
    """Work of so many epochs that goes on in each attempt where the one before was stopped."""

    epochs: int = 15
    epoch_s: float = 600
    stop_s: float = 1.0
    checkpoints: bool = True
    world: World | None = None

    def __call__(self, task: Task) -> Script:
        done_s = self._done_s(task)
        lines: list[tuple[float, dict[str, Any]]] = []
        for n in range(1, self.epochs + 1):
            at_s = n * self.epoch_s - done_s
            if at_s > 0 and self.checkpoints:
                lines.append((at_s, {"kind": "report", "values": {"epoch": n, "val_acc": 0.5}}))
                kept = {"kind": "checkpoint", "path": "last.ckpt", "epoch": n, "step": n}
                lines.append((at_s, kept))
        left_s = self.epochs * self.epoch_s - done_s
        return Script(left_s, tuple(lines), stops_after_s=self.stop_s, outputs={"m": b"weights"})

    def _done_s(self, task: Task) -> float:
        """What the attempts before it did, which it finds through `previous` alone."""
        assert self.world is not None
        if task.previous is None:
            return 0.0
        before = Path(task.previous).parent
        name = f"{task.run}.{task.job}.{before.name}"
        for held in self.world.engine.submissions.values():
            for attempt in held.attempts:
                if attempt.task.attempt == name:
                    worked_s = (attempt.exit.ended_ms - attempt.exit.started_ms) / 1000
                    return self._done_s(attempt.task) + worked_s - self.stop_s
        raise AssertionError(f"nobody ran {name}")


def living(path: Path, course: Course, **more: Any) -> World:
    course.world = World(path, course, **more)
    return course.world


def parkable(id: str = "train", *, limit_s: float = 3 * 3600, **more: Any) -> Job:
    more = {"devices": 1, "grace_s": 60, "resumes": True, "at_edge": "park", **more}
    return job(id, limit_s=limit_s, **more)


def with_sessions(world: World, **session: int) -> None:
    """From now on the account has sessions like that."""
    limits = (weekly(world.week_ms),)
    account = Account("lab", "simulated", "simulated", limits, session=Session(**session))
    world.ledger.change_account(account, world.clock.now_ms())


def attempts(run: RunState, id: str = "train") -> list[Any]:
    return [run.attempts[name] for name in run.jobs[id].attempts]


def has_reports(state: State) -> bool:
    return any(attempt.reports for _, attempt in state.live_attempts())
