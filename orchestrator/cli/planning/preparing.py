"""From the words after `submit` and `run` to a plan that was judged here, with every figure and way
out: for who is the scheduler, and for who was refused by it."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

from budget.ledger import Ledger
from orchestrator.cli.planning.prepared import prepared_of
from orchestrator.cli.planning.queueing import request_of
from orchestrator.cli.printing.screen import prose
from orchestrator.commands import SubmitRun
from orchestrator.home import Home
from orchestrator.plans.ingredients import KeptIngredients
from orchestrator.store.store import read_state
from orchestrator.submitting.refusing import refuse_if_it_does_not_fit
from orchestrator.views.comparing.judged import baseline_lines, known_lines
from orchestrator.words.notifying import check_notify


@dataclass(frozen=True)
class Known:
    """Nothing is to be queued."""

    run: str | None
    """The one that has most of the results."""


def prepare_request(
    arguments: argparse.Namespace, home: Home, say: Callable[[str], None] = print
) -> SubmitRun | Known:
    """The request to queue the plan, unless its result is known; `say` is told which, and what to
    know of what is queued."""
    now_ms = time.time_ns() // 1_000_000
    state = read_state(home.store)
    with Ledger(home.ledger) as ledger:
        prepared = prepared_of(arguments, home, state, ledger, now_ms)
    if prepared.all_known:
        from orchestrator.submitting.known_saving import book_known
        from orchestrator.views.comparing.before import before_of
        from orchestrator.words.known import known_already

        say(known_already(prepared, state))
        with Ledger(home.ledger) as ledger:
            saved = book_known(ledger, prepared, state, now_ms)
        if saved:
            say(saved)
        found = before_of(prepared.expected, state)
        return Known(found[0].run if found else None)
    refuse_if_it_does_not_fit(prepared, park=arguments.park)
    check_notify(prepared.graph)
    KeptIngredients(home.keys).keep(prepared.ingredients.values())
    for line in [*known_lines(prepared, state), *baseline_lines(prepared)]:
        say(prose(line))
    return request_of(arguments, prepared.graph, state.runs, home, judge=False)
