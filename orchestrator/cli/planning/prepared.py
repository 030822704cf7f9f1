"""From the words after `plan`, `submit` and `run` to what a plan would do."""

from __future__ import annotations

import argparse

from budget.ledger import Ledger
from orchestrator.home import Home
from orchestrator.settings import read_settings
from orchestrator.state.state import State
from orchestrator.submitting.judging import Prepared
from orchestrator.submitting.prepare import prepare


def prepared_of(
    arguments: argparse.Namespace, home: Home, state: State, ledger: Ledger, now_ms: int
) -> Prepared:
    """What the words of `add_plan_arguments` come to. Raises PlanError, and what `prepare` does."""
    return prepare(
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
        kept=home.checked,
        keys=home.keys,
        settings=read_settings(home.path),
    )
