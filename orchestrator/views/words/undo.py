"""The command that undoes a stop or a pause. Pure."""

from __future__ import annotations

from orchestrator.events.verdict import StopScope
from orchestrator.graph import Job
from orchestrator.state.state import RunState


def resume_command(run: RunState, scope: StopScope, target: str) -> str:
    """ "skint resume seedlings-1", "skint resume seedlings-1 --fold 2", "… --group sweep"; of a
    job that has no option of its own, that of its run."""
    words = ["skint resume", run.name]
    if scope == "group":
        words += ["--group", target]
    elif scope == "attempt" and target in run.jobs:
        words += fold_options(run, run.graph.job(target))
    return " ".join(words)


def fold_options(run: RunState, job: Job) -> list[str]:
    """The options that name this fold; none of a job that is no fold."""
    if job.fold is None or job.smoke:
        return []
    same = {other.cell for other in run.graph.jobs if other.fold == job.fold and not other.smoke}
    return ["--fold", str(job.fold), *(["--group", job.cell] if len(same) > 1 else [])]
