"""What `skint exec` does: from the words on the line to the end of the program."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from budget.accounts.account import Account
from budget.amount import format_amount
from budget.duration import MINUTE_MS, format_clock, parse_ms
from budget.ledger import Ledger
from orchestrator.cli.inbox import ask
from orchestrator.cli.numbering import numbered
from orchestrator.cli.program.outlet import standard_outlet
from orchestrator.cli.program.streaming import streamed
from orchestrator.cli.running import until_over
from orchestrator.commands import SubmitRun
from orchestrator.devices import find_devices
from orchestrator.forecasts.forecasting import forecast_queue
from orchestrator.graph import Graph
from orchestrator.home import Home
from orchestrator.programs.keeper import start_keeper
from orchestrator.programs.program import JOB, Program, called_by, graph_of, read_by_caller, shown
from orchestrator.programs.room import Room, room_for
from orchestrator.settings import read_settings
from orchestrator.state.state import RunState, State
from orchestrator.store.store import read_run, read_state
from orchestrator.submitting.usable import usable_account
from orchestrator.words.notifying import check_notify
from skint.attempt import AttemptDir
from skint.errors import INTERRUPTED, NOT_FOUND, OK, RUN_FAILED, USAGE, SkintError
from skint.process import Identity, identity

if TYPE_CHECKING:
    from orchestrator.cli.parsing.manner import Manner

LEFT = 141
"""Who read our output is gone: of a program in a shell 128 + SIGPIPE."""
SMALL_MS = 6 * MINUTE_MS


class WrongProgram(SkintError):
    """What is said about the program does not go together."""

    exit_code = USAGE


class ProgramNotFound(SkintError):
    """There is no such program on the PATH of this shell."""

    exit_code = NOT_FOUND


def execute(arguments: argparse.Namespace) -> int:
    """Raises what refuses it, before anything is reserved."""
    home, manner = Home.find(), arguments.manner
    settings = read_settings(home.path)
    program = _program(arguments, settings.account)
    state = read_state(home.store)
    graph = graph_of(program, f"{time.time_ns()}", _own_identity())
    notify = settings.notify if arguments.notify is None else _notify_of(arguments.notify)
    if notify:
        graph = replace(graph, notify=notify)
        check_notify(graph)
    room = _room(graph, home, state)
    say = partial(_say, manner)
    outlet = None if arguments.detach else standard_outlet(only_errors=manner.json)

    def send(name: str) -> tuple[RunState, bool]:
        kept = read_by_caller(graph) if outlet else called_by(graph, start_keeper(home, name))
        request = SubmitRun(
            run=name,
            graph=kept.to_json(),
            again=True,
            priority=arguments.priority,
            park=program.park,
        )
        begins = _begins(name, program, room)
        if outlet is None:
            home.start_scheduler()
            ask(home, request)
            say(begins)
            return read_run(home.store, name).runs[name], False
        ended, interrupted = until_over(
            home,
            request,
            partial(streamed, outlet=outlet, say=lambda why: say(f"{name} {why}")),
            lambda state: None,
            say=lambda reply: say(begins),
            by=outlet.who_stopped,
        )
        return ended.runs[name], interrupted

    found, interrupted = numbered(home, arguments.name, graph.name, send)
    if outlet is None:
        if manner.json:
            _answer(found, None, room, None)
        else:
            print(found.name)
        say(f"follow with `skint logs -f {found.name}` · stop with `skint cancel {found.name}`")
        return OK
    if outlet.is_left:
        return LEFT
    outlet.check()
    say(_ended(found, room, home))
    own = None if interrupted else own_code_of(found)
    code = own if own is not None else (INTERRUPTED if interrupted else RUN_FAILED)
    if manner.json:
        _answer(found, code, room, "skint" if own is None else "program")
    return code


def _answer(run: RunState, code: int | None, room: Room | None, ended_by: str | None) -> None:
    from orchestrator.cli.printing.output import print_answer
    from orchestrator.shapes.exec import exec_shape

    print_answer(exec_shape(run, code, room, ended_by))


def own_code_of(run: RunState) -> int | None:
    """What the program has ended with by itself, whichever code that is; None where skint has
    ended it, or it was lost or never begun."""
    job, attempt = run.jobs[JOB], run.current(JOB)
    if job.status == "done":
        return OK
    if attempt is not None and attempt.outcome == "failed":
        exit = AttemptDir(Path(attempt.folder)).read_exit()
        if exit is not None and exit.reason == "failed":
            return exit.code
    return None


def _program(arguments: argparse.Namespace, usual_account: str | None) -> Program:
    devices = 0 if arguments.cpu else arguments.devices
    if arguments.cpu and (arguments.account or arguments.devices):
        raise WrongProgram(
            "a program without an accelerator needs no account and no devices",
            got="--cpu" + " --account" * bool(arguments.account),
            wanted="one of the two",
        )
    if devices is None:
        devices = 1
    if devices < 0 or (arguments.cpus or 0) < 0:
        raise WrongProgram("there are no fewer than none of them", wanted="a number from 0 on")
    account = arguments.account or usual_account
    if devices and account is None:
        raise WrongProgram(
            "it is not said what pays for the accelerator",
            wanted="--account NAME, or --cpu",
            next="skint account list; skint config set account NAME pays from then on",
        )
    if devices and arguments.limit is None:
        raise WrongProgram(
            "it is not said how long it may take, and that is what is reserved",
            wanted="--for TIME, e.g. --for 2h",
        )
    limit_ms = None if arguments.limit is None else parse_ms(arguments.limit, where="--for")
    if limit_ms == 0:
        raise WrongProgram("a program cannot have no time at all", got="--for 0s", wanted="2h")
    if shutil.which(arguments.program[0]) is None:
        raise ProgramNotFound(
            "there is no such program", got=arguments.program[0], wanted="one on your PATH"
        )
    return Program(
        argv=tuple(arguments.program),
        cwd=str(Path.cwd()),
        devices=devices,
        limit_s=None if limit_ms is None else limit_ms / 1000,
        account=account if devices else None,
        grace_s=parse_ms(arguments.grace, where="--grace") / 1000,
        cpus=arguments.cpus if arguments.cpus is not None else (0 if devices else 1),
        park=arguments.park,
    )


def _notify_of(plan: str) -> Mapping[str, Mapping[str, Any]]:
    from orchestrator.plans.plan import load_plan

    return load_plan(plan).spec.notify


def _room(graph: Graph, home: Home, state: State) -> Room | None:
    """What it would reserve; None in the CPU lane.

    Raises AccountNotFound, DoesNotFit and WrongProgram.
    """
    if graph.account is None:
        return None
    now_ms = time.time_ns() // 1_000_000
    _, devices = find_devices()
    job = graph.job(JOB)
    with Ledger(home.ledger) as ledger:
        ledger.account(graph.account)  # or exit code 3, where a plan says in which line it stands
        known = {account.name: account for account in ledger.accounts()}
        account = usable_account(
            graph.account,
            known,
            devices,
            partial(WrongProgram, where="--account"),
            "skint exec --cpu -- " + shown(job.argv),
        )
        if job.devices > len(devices):
            raise WrongProgram(
                "this machine does not have so many devices",
                where="--devices",
                got=job.devices,
                wanted=f"at most {len(devices)}",
            )
        others = {
            other: ledger.balance(other.name, now_ms)
            for other in known.values()
            if other.kind == account.kind and other.executor == account.executor
        }
        queued_ms = forecast_queue(state, account, now_ms).waiting_ms
        return room_for(job, account, others[account], queued_ms, others)


def _own_identity() -> Identity:
    found = identity(os.getpid())
    assert found is not None, "this very process"
    return found


def _begins(name: str, program: Program, room: Room | None) -> str:
    if room is None:
        limit = "no limit" if program.limit_s is None else "stopped at its limit"
        return f"{name} · free of charge, on CPUs · {limit}"
    account = room.account
    simulated = " (simulated)" if account.kind == "simulated" else ""
    free = f" of {_amount(room.free_ms, account)} free" if room.free_ms is not None else ""
    return (
        f"{name} · {account.name}{simulated} reserves {_amount(room.reserve_ms, account)}{free}"
        " · at its limit parked if it listens, stopped if not"
    )


def _ended(run: RunState, room: Room | None, home: Home) -> str:
    job = run.jobs[JOB]
    wall_ms = sum(
        (one.ended_ms or 0) - (one.started_ms or one.ended_ms or 0) for one in run.attempts.values()
    )
    how = job.status if job.status == "done" else f"{job.status}: {job.sentence or job.reason}"
    parts = [f"{run.name} {how}", f"took {format_clock(wall_ms)}"]
    if room is not None:
        account = room.account
        charged_ms = sum(one.charged_ms for one in run.allocations.values())
        parts.append(
            f"charged {_amount(charged_ms, account)} of"
            f" {_amount(room.reserve_ms, account)} reserved"
        )
        with Ledger(home.ledger, read_only=True) as ledger:
            balance = ledger.balance(account.name, time.time_ns() // 1_000_000)
        parts.append(f"{_amount(balance.free_ms, account)} free on {account.name}")
    return " · ".join(parts)


def _amount(ms: int, account: Account) -> str:
    """To the millisecond where two digits of an hour say too little."""
    return format_amount(ms, account.unit, exact=0 < ms < SMALL_MS)


def _say(manner: Manner, line: str) -> None:
    if not manner.quiet:
        print(line, file=sys.stderr, flush=True)
