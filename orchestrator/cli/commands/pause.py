"""What has devices parks at its next step, losslessly, and gives them back; nothing more of it
starts until `skint resume`. CPU work that has begun goes to its end, and so does a training that
keeps no checkpoints."""

from __future__ import annotations

import argparse
import time

from orchestrator.cli.acting import add_part, login_name, part_meant, question, run_named, tell
from orchestrator.cli.inbox import ask
from orchestrator.cli.printing.asking import confirmed
from orchestrator.cli.printing.output import add_json
from orchestrator.commands import PauseJobs
from orchestrator.home import Home
from orchestrator.state.questions import jobs_meant
from orchestrator.views.run.stake import live_titles, money_facts, settled_ms
from skint.errors import OK

EXAMPLES = ("skint pause other --fold 1",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="RUN")
    add_part(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home, now_ms = Home.find(), time.time_ns() // 1_000_000
    known = run_named(home, arguments.name)
    scope, target = part_meant(known, arguments.fold, arguments.group)
    meant = list(jobs_meant(known.graph, scope, target))
    jobs = [job for job in meant if not known.jobs[job.id].ended]
    if known.live and any(not known.jobs[job.id].paused for job in jobs):
        live = live_titles(known, [job for job in jobs if job.devices])
        facts = (
            *money_facts(known, jobs, settled_ms(known, meant), now_ms),
            ("parks", ", ".join(live) or "nothing that runs"),
            ("kept", "the checkpoint: skint resume goes on from it, to the bit"),
        )
        what = known.name if scope == "run" else f"{target} of {known.name}"
        if not confirmed(question(f"Pause {what}?", facts), arguments.manner, undoable=True):
            return OK
    home.start_scheduler()
    request = PauseJobs(run=known.name, scope=scope, target=target, by=login_name())
    tell(arguments, "pause", [ask(home, request)], known.name)
    return OK
