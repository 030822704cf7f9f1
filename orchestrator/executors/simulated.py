"""One connection to a simulated engine: a restarted scheduler makes a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.executors.base import (
    AttemptSight,
    Capacity,
    ExecutorRefused,
    ExecutorUnreachable,
    Handle,
    Observation,
    Submission,
)
from orchestrator.executors.simulated_engine import (
    Faults,
    RealAttempt,
    RealSubmission,
    Script,
    SimulatedEngine,
)
from skint.attempt import EXIT_STOPPED, Exit, StopRequest

__all__ = ["Faults", "Script", "SimulatedEngine", "SimulatedExecutor"]


class SimulatedExecutor:
    """The interface of `orchestrator.executors.base` to an engine in memory."""

    name = "simulated"

    def __init__(self, engine: SimulatedEngine, name: str = "simulated") -> None:
        self.engine = engine
        self.name = name
        self.capabilities = engine.faults.capabilities

    def _answers(self, share: float, kind: str = "poll lost") -> bool:
        return not self.engine.goes_wrong(share, kind)

    def stage(self, digests: Sequence[str]) -> None:
        """Inputs are not simulated."""

    def submit(self, submission: Submission) -> None:
        faults = self.engine.faults
        if not self._answers(faults.unsent_submit_share, "submission lost"):
            raise ExecutorUnreachable("the engine did not answer")
        if submission.name not in self.engine.submissions and not self._answers(
            faults.refused_submit_share, "submission refused"
        ):
            raise ExecutorRefused("the engine is full")
        self.engine.accept(submission)
        if not self._answers(faults.lost_submit_share, "answer lost"):
            raise ExecutorUnreachable("the engine did not answer")

    def poll(self, handles: Sequence[Handle]) -> Mapping[str, Observation]:
        return {handle.name: self._see(handle) for handle in handles}

    def _see(self, handle: Handle) -> Observation:
        if not self._answers(self.engine.faults.lost_poll_share):
            return Observation("unknown", "the engine did not answer")
        held = self.engine.submissions.get(handle.name)
        if held is None:
            return self._kept(handle)
        now_ms = self.engine.seen_ms()
        sights = {a.task.attempt: _sight(a, held, now_ms) for a in held.attempts}
        started_ms = held.start_ms if held.start_ms <= now_ms else None
        if held.lost_ms is not None and held.lost_ms < held.end_ms and now_ms >= held.lost_ms:
            return Observation("lost", "its node is down", started_ms, None, sights)
        if now_ms >= held.end_ms:
            return Observation("ended", "", held.start_ms, held.end_ms, sights)
        return Observation(
            "pending" if started_ms is None else "running", "", started_ms, None, sights
        )

    def _kept(self, handle: Handle) -> Observation:
        """Of a submission that never arrived: ended, if it was told not to start."""
        kept_ms = [self.engine.kept_ms.get(name) for name in handle.attempts]
        if None in kept_ms:
            return Observation("absent")
        sights = {}
        for name in handle.attempts:
            at_ms = self.engine.kept_ms[name]
            exit = Exit(EXIT_STOPPED, "stopped", at_ms, at_ms)
            sights[name] = AttemptSight("ended", at_ms, exit)
        at_ms = max(self.engine.kept_ms[name] for name in handle.attempts)
        return Observation("ended", "", at_ms, at_ms, sights)

    def read(self, attempt: str, folder: Path, cursor: int) -> tuple[Sequence[bytes], int]:
        """Lines written by now; the cursor counts lines here."""
        if not self._answers(self.engine.faults.lost_poll_share):
            raise ExecutorUnreachable("the engine did not answer")
        found = _find(self.engine, attempt)
        if found is None:
            return (), cursor
        now_ms = min(self.engine.seen_ms(), found.end_ms)
        whole = [line for at_ms, line in found.lines if at_ms <= now_ms]
        return whole[cursor:], max(cursor, len(whole))

    def signal(self, handle: Handle, request: StopRequest) -> None:
        if not self._answers(self.engine.faults.lost_poll_share):
            raise ExecutorUnreachable("the engine did not answer")
        self.engine.ask(handle, "stopped")

    def cancel(self, handle: Handle) -> None:
        if not self._answers(self.engine.faults.lost_poll_share):
            raise ExecutorUnreachable("the engine did not answer")
        if self.capabilities.hard_cancel:
            self.engine.ask(handle, "killed", kill=True)

    def collect(self, attempt: str, folder: Path) -> None:
        if not self._answers(self.engine.faults.lost_poll_share):
            raise ExecutorUnreachable("the engine did not answer")
        found = _find(self.engine, attempt)
        if found is None or not self.engine.files:
            return
        for name, content in found.script.outputs.items():
            path = folder / "out" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (folder / "out").mkdir(parents=True, exist_ok=True)

    def discover(self) -> Sequence[Handle]:
        if not self._answers(self.engine.faults.lost_poll_share):
            raise ExecutorUnreachable("the engine did not answer")
        now_ms = self.engine.seen_ms()
        self.engine.running = {
            name: held
            for name, held in self.engine.running.items()
            if held.lost_ms is None and now_ms < held.end_ms and name in self.engine.submissions
        }
        return [held.submission.handle for held in self.engine.running.values()]

    def capacity(self) -> Capacity:
        return self.engine.capacity


def _sight(attempt: RealAttempt, held: RealSubmission, now_ms: int) -> AttemptSight:
    started_ms = attempt.start_ms if attempt.start_ms <= now_ms else None
    if now_ms >= attempt.end_ms and not (
        held.lost_ms is not None and held.lost_ms < attempt.end_ms
    ):
        return AttemptSight("ended", attempt.start_ms, attempt.exit)
    if held.lost_ms is not None and now_ms >= held.lost_ms:
        return AttemptSight("lost", started_ms, lost_ms=held.lost_ms)
    return AttemptSight("pending" if started_ms is None else "running", started_ms)


def _find(engine: SimulatedEngine, attempt: str) -> RealAttempt | None:
    held = engine.submissions.get(engine.submission_of.get(attempt, ""))
    if held is None:
        return None
    return next((a for a in held.attempts if a.task.attempt == attempt), None)
