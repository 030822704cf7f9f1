"""The fold is asked to stop and keeps its checkpoint; what depends on all folds is skipped.
`skint resume RUN --fold N` undoes it."""

from __future__ import annotations

import argparse
import time

from orchestrator.cli.acting import login_name, question, run_named, tell
from orchestrator.cli.folds import job_of_fold
from orchestrator.cli.inbox import ask
from orchestrator.cli.printing.asking import confirmed
from orchestrator.cli.printing.output import add_json
from orchestrator.commands import StopJobs
from orchestrator.home import Home
from orchestrator.views.run.stake import facts_of_stop
from orchestrator.views.words.job import title_of
from skint.attempt import StopHow
from skint.errors import OK

EXAMPLES = (
    "skint submit plan.yaml --set train.lr=0.02 --set train.wait=60 --name other",
    "skint abort other --fold 0",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="RUN")
    parser.add_argument("--fold", type=int, required=True, help="number of the fold, from 0")
    parser.add_argument("--job", help="plan entry, where more than one is trained per fold")
    parser.add_argument("--kill", action="store_true", help="do not wait for a checkpoint")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home, now_ms = Home.find(), time.time_ns() // 1_000_000
    known = run_named(home, arguments.name)
    job = known.graph.job(job_of_fold(known, arguments.fold, arguments.job, "--job"))
    if known.live and not known.jobs[job.id].ended:
        facts = facts_of_stop(known, [job], now_ms, whole=False)
        title = f"Abort {title_of(known, job)} of {known.name}? The others go on."
        if not confirmed(question(title, facts), arguments.manner, undoable=True):
            return OK
    home.start_scheduler()
    how: StopHow = "kill" if arguments.kill else "step"
    request = StopJobs(
        run=known.name,
        scope="attempt",
        target=job.id,
        how=how,
        reason="aborted",
        by=login_name(),
    )
    tell(arguments, "abort", [ask(home, request)], known.name)
    return OK
