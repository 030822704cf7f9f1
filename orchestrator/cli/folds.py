"""Which job somebody means who names a run, a fold and perhaps a plan entry."""

from __future__ import annotations

from orchestrator.state.state import RunState
from skint.errors import NOT_FOUND, SkintError


class FoldNotFound(SkintError):
    exit_code = NOT_FOUND


def job_of_fold(run: RunState, fold: int, entry: str | None, option: str) -> str:
    """The id of the job; `entry` may be one combination of a matrix, and is given with `option`.

    Raises FoldNotFound where there is none, or more than one.
    """
    folds = [job for job in run.graph.jobs if job.fold is not None and not job.smoke]
    meant = [job for job in folds if job.fold == fold and entry in (None, job.group, job.cell)]
    if len(meant) == 1:
        return meant[0].id
    if not meant:
        wanted = ", ".join(f"{job.cell} {job.fold}" for job in folds) or "a run with folds"
        raise FoldNotFound(
            f"{run.name} has no such fold",
            got=str(fold),
            wanted=wanted,
            next=None if folds else "in skint top the key a stops one job, p parks it",
        )
    entries = ", ".join(dict.fromkeys(job.cell for job in meant))
    raise FoldNotFound(f"several entries have a fold {fold}", wanted=f"{option}: one of {entries}")
