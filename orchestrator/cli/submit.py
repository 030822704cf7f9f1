"""The scheduler is started if none runs. Exit code 5: it does not fit in what is left."""

from __future__ import annotations

import argparse
import sqlite3
import time

from budget.ledger import Ledger
from orchestrator.cli.attending import Attendant
from orchestrator.cli.plan import add_plan_arguments, baseline_lines
from orchestrator.cli.screen import prose
from orchestrator.clock import SystemClock
from orchestrator.commands import RUN_NAME, RUN_NAME_WANTED, Request, SubmitRun
from orchestrator.graph import exploring
from orchestrator.home import Home
from orchestrator.known_saving import book_known
from orchestrator.plans.ingredients import KeptIngredients
from orchestrator.settings import read_settings
from orchestrator.state import State
from orchestrator.store import Store, StoreError, read_state
from orchestrator.submitting import next_run_name, prepare, refuse_if_it_does_not_fit
from orchestrator.words.known import known_already
from orchestrator.words.notifying import check_notify
from skint.errors import FAILED, OK, UNREACHABLE, USAGE, SkintError

REPLY_TIMEOUT_S = 20.0
REPLY_POLL_S = 0.005
"""The bell has rung: the scheduler answers within its next round, which is short."""


class NoReply(SkintError):
    """The scheduler does not answer."""

    exit_code = UNREACHABLE


class WrongName(SkintError):
    """No run can be called so."""

    exit_code = USAGE


class Refused(SkintError):
    """The scheduler says no."""

    exit_code = FAILED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_plan_arguments(parser)
    add_run_arguments(parser)


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """What `submit` and `run` have in common beyond the plan."""
    parser.add_argument("--name", help="name of the run; default: the plan's name and a number")
    parser.add_argument(
        "--priority",
        metavar="N",
        type=int,
        default=0,
        help="added to the priority of each of its jobs; larger goes first, default 0",
    )
    parser.add_argument("--explore", action="store_true", help="no stop rule but `broken` stops it")


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    request = prepare_request(arguments, home)
    if request is None:
        return OK
    pid = home.start_scheduler()
    print(f"{ask(home, request)} · scheduler pid {pid}")
    print(f"follow with `skint top` or `skint status` · stop with `skint cancel {request.run}`")
    return OK


def prepare_request(arguments: argparse.Namespace, home: Home) -> SubmitRun | None:
    """The request to queue the plan, or None (and words on the screen) if its result is known."""
    now_ms = time.time_ns() // 1_000_000
    state = read_state(home.store)
    with Ledger(home.ledger) as ledger:
        prepared = prepare(
            arguments.file,
            state,
            ledger,
            now_ms,
            sets=arguments.sets,
            account=arguments.account,
            cpu_only=arguments.cpu_only,
            again=arguments.again,
            folds=arguments.folds,
            remembered=home.parsed,
            keys=home.keys,
            settings=read_settings(home.path),
        )
    if prepared.all_known:
        print(known_already(prepared, state))
        with Ledger(home.ledger) as ledger:
            saved = book_known(ledger, prepared, state, now_ms)
        if saved:
            print(saved)
        return None
    refuse_if_it_does_not_fit(prepared, park=arguments.park)
    check_notify(prepared.graph)
    KeptIngredients(home.keys).keep(prepared.ingredients.values())
    for line in baseline_lines(prepared):
        print(prose(line))
    return SubmitRun(
        run=checked_name(arguments.name, state) or next_run_name(prepared.graph, state, home.runs),
        graph=(prepared.graph if not arguments.explore else exploring(prepared.graph)).to_json(),
        cpu_only=arguments.cpu_only,
        again=arguments.again,
        priority=arguments.priority,
        park=arguments.park,
    )


def checked_name(given: str | None, state: State) -> str | None:
    """Raises WrongName where no run can be called so, or one is."""
    if given is not None and not RUN_NAME.fullmatch(given):
        raise WrongName("a run cannot have this name", got=given, wanted=RUN_NAME_WANTED)
    if given in state.runs:
        raise WrongName("there is a run of this name already", got=given, wanted="another name")
    return given


def ask(home: Home, request: Request) -> str:
    """Put a command into the inbox and wait for its reply. Raises Refused or NoReply.

    Also StoreError if it cannot be put there, and SchedulerError if none runs and none starts.
    """
    clock, attendant = SystemClock(), Attendant(home)
    with Store(home.store) as store:
        id = put(store, request, clock.now_ms())
        asked_ms = clock.now_ms()
        while (reply := store.reply(id)) is None:
            if attendant.look():
                asked_ms = clock.now_ms()
            if clock.now_ms() > asked_ms + round(REPLY_TIMEOUT_S * 1000):
                raise NoReply(
                    "the scheduler did not answer; the command stays queued for it",
                    next="skint status",
                )
            clock.sleep(REPLY_POLL_S)
    if not reply.ok:
        raise Refused(reply.text, next="skint status")
    return reply.text


def put(store: Store, request: Request, now_ms: int) -> str:
    """Put a command into the inbox; its id. Raises StoreError, say on a full disk."""
    try:
        return store.ask(request, now_ms)
    except sqlite3.Error as error:
        raise StoreError(
            f"the command cannot be put into the store: {error}",
            where=str(store.path),
            next="see that the disk is not full and that the file may be written; then try again",
        ) from error
