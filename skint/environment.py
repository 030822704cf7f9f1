"""The environment variables of a worker: who it is, which devices it sees, how many threads.

Standard library only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from skint.attempt import AttemptDir, Task
from skint.bell import VARIABLE
from skint.context import usable_cores
from skint.ranks import RANK
from skint.report import ATTEMPT, ATTEMPT_DIR
from skint.visibility import visibility

THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
OUT = "SKINT_OUT"
"""The folder whose files are the result."""
PREVIOUS = "SKINT_PREVIOUS"
"""What the job's attempt before this one left in its output folder; only where there was one."""
INPUT = "SKINT_INPUT_"
"""`SKINT_INPUT_SCAN`: what the entry `scan` published; a group's folders stand one after the other,
with `:` between."""


def worker_environment(
    directory: AttemptDir, task: Task, inherited: Mapping[str, str]
) -> dict[str, str]:
    """The environment in which the worker, or the program of a `run:` job, is started."""
    threads = str(task.cpus or usable_cores())
    environment = {
        # Whoever it is that started us, its processes are not those of this training, and its bell
        # is the shim's to ring.
        **{name: value for name, value in inherited.items() if name not in (RANK, VARIABLE)},
        ATTEMPT_DIR: str(directory.path),
        ATTEMPT: task.attempt,
        OUT: str(directory.out),
        **({PREVIOUS: task.previous} if task.previous else {}),
        **{
            f"{INPUT}{entry.upper().replace('-', '_')}": os.pathsep.join(folders)
            for entry, folders in task.inputs.items()
        },
        "PYTHONUNBUFFERED": "1",  # what it prints stands in the log at once, also if it is killed
        **dict.fromkeys(THREADS, threads),
    }
    environment.update(visibility(task.devices, environment))
    if task.device_count > 1 and not task.argv:
        # Lightning starts the worker again for each device, by name and without its -P: a file of
        # the plan's folder would stand before an installed module of that name.
        environment["PYTHONSAFEPATH"] = "1"
    if task.argv:
        # `run: python train.py` means the Python of the plan's environment, activated or not.
        own = str(Path(task.python or sys.executable).parent)
        environment["PATH"] = os.pathsep.join([own, inherited.get("PATH", os.defpath)])
    return environment
