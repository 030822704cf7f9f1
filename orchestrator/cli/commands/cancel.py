"""Jobs are asked to stop and write a checkpoint; after their grace they are killed. The time that
was reserved and not used is free again once the last process is gone. `skint resume` undoes it."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from orchestrator.cli.acting import login_name, question, run_named, tell
from orchestrator.cli.inbox import Refused, ask
from orchestrator.cli.printing.asking import confirmed
from orchestrator.cli.printing.output import add_json
from orchestrator.commands import StopJobs
from orchestrator.home import Home
from orchestrator.state.state import RunState
from orchestrator.store.store import read_recent
from orchestrator.views.run.stake import facts_of_stop
from skint.attempt import StopHow
from skint.errors import OK, USAGE, SkintError

EXAMPLES = ("skint submit plan.yaml --set train.wait=60 --name wide", "skint cancel wide")


class WhichRun(SkintError):
    """Neither a run is named, nor all of them, or both."""

    exit_code = USAGE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", metavar="RUN", nargs="*", help="one or more")
    parser.add_argument("--all", action="store_true", help="every run that has not ended")
    parser.add_argument("--kill", action="store_true", help="do not wait for a checkpoint")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    if bool(arguments.names) == arguments.all:
        wanted = "skint cancel RUN [RUN …], or skint cancel --all"
        raise WhichRun("which run is to be stopped?", wanted=wanted, next="skint status")
    home, now_ms = Home.find(), time.time_ns() // 1_000_000
    runs = _meant(home, arguments.names)
    live = [one for one in runs if one.live]
    if live and not confirmed(_question(live, now_ms), arguments.manner, undoable=True):
        return OK
    if not runs:
        tell(arguments, "cancel", ["no run is live: there is nothing to cancel"], None)
        return OK
    home.start_scheduler()
    how: StopHow = "kill" if arguments.kill else "step"
    done, refused = [], []
    for one in runs:
        try:
            whole = StopJobs(run=one.name, scope="run", target=one.name, how=how, by=login_name())
            done.append(ask(home, whole))
        except Refused as error:
            refused.append(error.what)
    if done:
        tell(arguments, "cancel", done, runs[0].name if len(runs) == 1 else None)
    if refused:
        raise Refused("; ".join(refused), next="skint status")
    return OK


def _meant(home: Home, names: Sequence[str]) -> list[RunState]:
    if names:
        return [run_named(home, name) for name in dict.fromkeys(names)]
    return [one for one in read_recent(home.store, 0).runs.values() if one.live]


def _question(runs: Sequence[RunState], now_ms: int) -> str:
    """With the hours at stake: of one run in full, of several a line each."""
    facts = []
    for one in runs:
        jobs = [job for job in one.graph.jobs if not one.jobs[job.id].ended]
        found = facts_of_stop(one, jobs, now_ms, whole=True)
        if len(runs) == 1:
            return question(f"Cancel the run {one.name}?", found)
        money = (f"{name} {words}" for name, words in found if name in ("charged", "freed"))
        facts.append((one.name, "; ".join(money)))
    return question(f"Cancel {len(runs)} runs?", tuple(facts))
