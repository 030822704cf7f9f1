"""The worker: runs one job function in a process of its own.

    python -P -m skint.worker DIR                            run the attempt in DIR
    python -P -m skint.worker --describe USES [--base DIR]   print what a job takes, as JSON

Exit codes: 0 done, 1 a bug in the job (its traceback is in the log), 2 a mistake that a sentence
explains, 74 a checkpoint that could not be written, 75 stopped as asked. `run:` programs are
started by the shim, not by this.
"""

from __future__ import annotations

import argparse
import atexit
import faulthandler
import importlib.abc
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from skint.attempt import EXIT_STOPPED, EXIT_UNSAVED, AttemptDir
from skint.checkpoint import CheckpointError
from skint.context import Context, ParkFlag, StopRequested
from skint.errors import FAILED, OK, USAGE, SkintError
from skint.events import EventWriter
from skint.job import OURS, JobNotFound, find_job
from skint.libraries import versions_of
from skint.params import json_schema, read_params
from skint.process import die_with_parent
from skint.ranks import own_rank


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -P -m skint.worker", allow_abbrev=False)
    parser.add_argument("directory", nargs="?", metavar="DIR", help="the attempt to run")
    parser.add_argument("--describe", metavar="USES", help="print what a job takes, as JSON")
    parser.add_argument("--base", default=".", metavar="DIR", help="the plan's folder")
    options = parser.parse_args(arguments)
    if options.describe:
        return describe(options.describe, Path(options.base).resolve())
    if options.directory is None:
        parser.error("DIR is missing")
    directory = AttemptDir(Path(options.directory).resolve())
    if own_rank() > 0:
        die_with_parent()  # the process that has started it for another device
    code = work(directory)
    # The interpreter takes our handler away before it has ended: TERM would then change the code.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if ":" not in directory.read_task().uses:
        leave(code)
    return code


def leave(code: int) -> NoReturn:
    """End the process without taking apart what it has imported.

    For torch and Lightning that takes more than a second of processor time, with the device kept.
    Threads are waited for and `atexit` is obeyed as at any end. Not for jobs of a user's own: a
    file that their module leaves open is written out only when it is taken apart.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # what the interpreter calls first
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def work(directory: AttemptDir) -> int:
    """Run the attempt's function; returns the worker's exit code."""
    park = ParkFlag()
    park.install()
    faulthandler.enable()  # a crash in native code leaves its Python stack in the log
    task = directory.read_task()
    ctx = Context(directory, task, park)
    events = EventWriter.of(directory, task)
    try:
        _refuse_hidden_modules(task.uses, ctx.base)
        found = find_job(task.uses, ctx.base)
        found.function(read_params(found, task.params), ctx)
    except StopRequested:
        # Who has started another process than the first takes any other code for a failure.
        return EXIT_STOPPED if own_rank() == 0 else OK
    except SkintError as error:
        print(error, file=sys.stderr)
        events.error(
            error.what, where=error.where, got=error.got, wanted=error.wanted, next=error.next
        )
        return EXIT_UNSAVED if isinstance(error, CheckpointError) else USAGE
    except SystemExit as error:
        if ctx.stop_requested() is not None:  # Lightning's way of obeying TERM
            return EXIT_STOPPED
        if error.code in (None, 0):
            return OK
        events.error(f"{task.uses} called sys.exit({error.code!r})", where=place(error, ctx.base))
        return FAILED
    except BaseException as error:
        traceback.print_exc()
        events.error(in_a_line(error), where=place(error, ctx.base), trace=True)
        return FAILED
    return OK


def describe(uses: str, base: Path) -> int:
    """Print the job's lane and schema, or the error, as one line of JSON; 0 or 2."""
    # What the user's module prints while it is imported must not get into the answer.
    answer_to = os.dup(1)
    os.dup2(2, 1)
    try:
        _refuse_hidden_modules(uses, base)
        found = find_job(uses, base)
        answer: dict[str, object] = {
            "uses": uses,
            "devices": found.info.devices,
            "cpus": found.info.cpus,
            "smoke": found.info.smoke,
            "resume": found.info.resume,
            "standby": found.info.standby,
            "measures": found.info.measures,
            "libraries": versions_of(found.info.libraries),
            "params": json_schema(found),
            "source": str(found.source),
            "line": found.line,
        }
    except SkintError as error:
        parts = {"where": error.where, "got": error.got, "wanted": error.wanted}
        answer = {"error": {"what": error.what, **parts, "next": error.next}}
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        last = in_a_line(error)
        what = f"{uses} cannot be imported"
        parts = {"where": place(error, base), "got": last, "wanted": None}
        answer = {"error": {"what": what, **parts, "next": None}}
    sys.stdout.flush()
    with open(answer_to, "w", encoding="utf-8") as file:
        file.write(json.dumps(answer) + "\n")
    return USAGE if "error" in answer else OK


def in_a_line(error: BaseException) -> str:
    """Type and message, without the notes that were added to it; never empty."""
    notes = sum(len(note.split("\n")) for note in getattr(error, "__notes__", ()))
    lines = traceback.format_exception_only(error)
    return lines[len(lines) - notes - 1].strip() or type(error).__name__


def place(error: BaseException, base: Path) -> str | None:
    """`file:line` of an error: the innermost frame in the plan's folder, else the innermost."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.lineno]
    own = [
        frame
        for frame in frames
        if Path(frame.filename).is_relative_to(base) and "site-packages" not in frame.filename
    ]
    frames = own or frames
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None


class HiddenModule(importlib.abc.MetaPathFinder):
    """Refuses `import jobs` in a user's code when their own jobs.py was meant.

    Ours would be found first, and be the wrong one in silence.
    """

    def __init__(self, base: Path) -> None:
        self.base = base

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        own = (self.base / f"{name}.py", self.base / name / "__init__.py")
        for file in own:
            if name in OURS and file.exists():
                raise JobNotFound(
                    f"a module called {name} would be shadowed by skint's own package {name}",
                    where=str(file),
                    got=f"import {name}",
                    next="rename it",
                )
        return None


def _refuse_hidden_modules(uses: str, base: Path) -> None:
    if ":" in uses:  # a built-in job does import ours
        sys.meta_path.insert(0, HiddenModule(base.resolve()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
