"""A program, its arguments and the time it may take, as a run of one job."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from orchestrator.graph import Graph, Job, StopRule
from skint.calling import READS
from skint.process import Identity

JOB = "program"
"""What the one job of such a run is called."""
LONGEST_NAME = 40
_SCRIPT = re.compile(r"[^=]*\.(py|sh|bash|R|jl|pl|rb|js)")


@dataclass(frozen=True)
class Program:
    argv: tuple[str, ...]
    cwd: str
    """Where it runs, absolute."""
    devices: int = 0
    limit_s: float | None = None
    """None only without devices."""
    account: str | None = None
    """Set where it has devices."""
    grace_s: float = 30.0
    cpus: int = 0
    """Cores; 0 means all of them."""
    park: bool = False
    """Whether it may be cut at the end of a window, and goes on in another attempt."""

    @property
    def name(self) -> str:
        """What its runs are called, before their numbers: `train` for `python src/train.py`."""
        scripts = [word for word in self.argv if _SCRIPT.fullmatch(word)]
        stem = Path((scripts or [self.argv[0]])[0]).stem
        return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:LONGEST_NAME] or "exec"


def graph_of(program: Program, unique: str, caller: Identity) -> Graph:
    """One job. `unique` makes its key: what a program has done is never used again instead."""
    job = Job(
        id=JOB,
        group=JOB,
        argv=program.argv,
        devices=program.devices,
        cpus=program.cpus,
        limit_s=program.limit_s,
        limit_given=program.limit_s is not None,
        grace_s=program.grace_s,
        resumes=program.park,
        at_edge="park" if program.park else "hard-stop",
        caller=asdict(caller),
        stop=(StopRule("broken"),) if program.devices else (),
        static_key=hashlib.sha256(f"exec {unique}".encode()).hexdigest(),
    )
    return Graph(
        name=program.name,
        account=program.account,
        base=program.cwd,
        jobs=(job,),
        plan_text=as_plan(program),
    )


def called_by(graph: Graph, caller: Identity) -> Graph:
    """The same, with another process whose environment it gets."""
    (job,) = graph.jobs
    return replace(graph, jobs=(replace(job, caller=asdict(caller)),))


def read_by_caller(graph: Graph) -> Graph:
    """The same, where that process shows what is printed: nobody prints faster than it reads."""
    (job,) = graph.jobs
    return replace(graph, jobs=(replace(job, caller={**job.caller, READS: True}),))


def as_plan(program: Program) -> str:
    """The plan that does the same: what is shown of the run, and a start for a plan of one's own.

    A JSON text is YAML too, so every word of the program stands there as it is.
    """
    line = shlex.join(program.argv).replace("{", "{{").replace("}", "}}")
    entry: Mapping[str, object] = {
        "run": line,
        "devices": program.devices,
        "cpus": program.cpus,
        "limit": f"{program.limit_s:g}s" if program.limit_s is not None else None,
        "grace": f"{program.grace_s:g}s",
        "resume": program.park or None,
    }
    rows = [f"name: {program.name}", f"account: {program.account}", "jobs:", f"  {JOB}:"]
    if program.account is None:
        del rows[1]
    rows += [f"    {key}: {json.dumps(value)}" for key, value in entry.items() if value is not None]
    return "\n".join(["# by skint exec", *rows, ""])


def shown(argv: Sequence[str], most: int = 60) -> str:
    """The line as somebody typed it, cut where it is long."""
    line = shlex.join(argv)
    return line if len(line) <= most else f"{line[: most - 1]}…"
