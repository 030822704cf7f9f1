"""The results that accelerators make at this moment. To wait for one costs no hours. Pure."""

from __future__ import annotations

from orchestrator.graph import Job
from orchestrator.scheduler.admission import key_of
from orchestrator.scheduler.earlier import waits_for
from orchestrator.state.state import RunState, State, job_of


class Making:
    """What is being made, by its key."""

    def __init__(self, state: State) -> None:
        self._makers: dict[str, tuple[str, str]] = {}
        for run in state.busy:
            for allocation in run.kept:
                for name in allocation.attempts:
                    attempt = run.attempts.get(name)
                    if attempt is None or attempt.live:
                        self.add(run, run.graph.job(job_of(name)))

    def add(self, run: RunState, job: Job) -> None:
        """One that has devices, or is about to."""
        self._makers.setdefault(key_of(run, job), (run.name, job.id))

    def waited_for_by(self, run: RunState, job: Job) -> str:
        """That the job waits for one of them, in words; empty where it need not or is not to."""
        if run.again and run.graph.runs_again(job):
            return ""
        maker = self._makers.get(key_of(run, job))
        return waits_for(run, *maker) if maker else ""
