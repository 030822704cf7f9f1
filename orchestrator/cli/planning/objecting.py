"""Why the scheduler has not queued a plan, with every figure and way out."""

from __future__ import annotations

import argparse
import time

from budget.ledger import Ledger
from orchestrator.cli.planning.asking import asked_of
from orchestrator.cli.planning.known import Known
from orchestrator.home import Home
from orchestrator.store.store import read_state
from orchestrator.submitting.known_saving import book_known
from orchestrator.submitting.prepare import prepare
from orchestrator.submitting.refusing import refuse_if_it_does_not_fit
from orchestrator.views.comparing.before import before_of
from orchestrator.words.known import known_already


def objection(arguments: argparse.Namespace, home: Home) -> Known | None:
    """What is against the plan: that all of it is known, which saves what it has cost. None where
    nothing is. Raises what `prepare` does, and DoesNotFit."""
    now_ms = time.time_ns() // 1_000_000
    state = read_state(home.store)
    with Ledger(home.ledger) as ledger:
        prepared = prepare(asked_of(arguments, home), state, ledger, now_ms)
        if prepared.all_known:
            saved = book_known(ledger, prepared, state, now_ms)
            found = before_of(prepared.expected, state)
            said = [known_already(prepared, state), *([saved] if saved else [])]
            return Known(found[0].run if found else None, "\n".join(said))
    refuse_if_it_does_not_fit(prepared, park=arguments.park)
    return None
