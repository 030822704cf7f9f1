"""How large the pictures of a job are. Pure."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.graph import Job


def side_px(job: Job) -> int | None:
    """What its parameter `size` says; None where it has none, or several at once.

    A number in the plan is a list of one in the parameters of `resize`.
    """
    size = job.params.get("size")
    if isinstance(size, list | tuple) and len(size) == 1:
        size = size[0]
    return size if type(size) is int else None


def with_side(job: Job, px: int) -> Job:
    """The job with pictures of another size, said in the same manner."""
    listed = isinstance(job.params.get("size"), list | tuple)
    return replace(job, params={**job.params, "size": [px] if listed else px})
