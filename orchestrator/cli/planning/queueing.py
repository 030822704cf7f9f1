"""From the words after `submit` and `run` to the request to queue a plan."""

from __future__ import annotations

import argparse
from collections.abc import Collection

from orchestrator.commands import SubmitRun
from orchestrator.graph import Graph, exploring
from orchestrator.home import Home
from orchestrator.plans.ingredients import KeptIngredients
from orchestrator.settings import read_settings
from orchestrator.store.inbox import Inbox
from orchestrator.submitting.reading import read_plan
from orchestrator.submitting.run_name import checked_name, next_run_name


def request_to_judge(arguments: argparse.Namespace, home: Home) -> SubmitRun:
    """Of a plan without a mistake; the scheduler refuses what is known or does not fit.

    It has read already what that takes: this process reads neither the runs nor the ledger.
    """
    made = read_plan(
        arguments.file,
        sets=arguments.sets,
        account=arguments.account,
        folds=arguments.folds,
        remembered=home.parsed,
        kept=home.checked,
        settings=read_settings(home.path),
    )
    if made.graph.notify:
        from orchestrator.words.notifying import check_notify

        check_notify(made.graph)
    with Inbox(home.store) as inbox:
        names = inbox.run_names()
    request = request_of(arguments, made.graph, names, home, judge=True)
    KeptIngredients(home.keys).keep(made.ingredients.values())
    return request


def request_of(
    arguments: argparse.Namespace,
    graph: Graph,
    names: Collection[str],
    home: Home,
    *,
    judge: bool,
) -> SubmitRun:
    """`names` are those of the runs that there are. Raises WrongName."""
    return SubmitRun(
        run=checked_name(arguments.name, names) or next_run_name(graph.name, names, home.runs),
        graph=(graph if not arguments.explore else exploring(graph)).to_json(),
        cpu_only=arguments.cpu_only,
        again=arguments.again,
        priority=arguments.priority,
        park=arguments.park,
        judge=judge,
    )
