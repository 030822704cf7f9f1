"""From the words after `submit` and `run` to a plan that the scheduler has judged."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeVar

from orchestrator.cli.inbox import Refused
from orchestrator.cli.numbering import numbered
from orchestrator.cli.planning.asking import asked_of
from orchestrator.cli.planning.known import Known
from orchestrator.commands import SubmitRun
from orchestrator.graph import exploring
from orchestrator.home import Home
from orchestrator.plans.ingredients import KeptIngredients

T = TypeVar("T")


def queued(arguments: argparse.Namespace, home: Home, send: Callable[[SubmitRun], T]) -> T | Known:
    """What `send` gives, which asks a scheduler to queue the plan; Known where it has not.

    The scheduler has read what it takes to judge the plan: this process reads neither the runs nor
    the ledger. Raises what is wrong with the plan, and what is against it, with figures and ways
    out.
    """
    made = asked_of(arguments, home).read()
    if made.graph.notify:
        from orchestrator.words.notifying import check_notify

        check_notify(made.graph)
    KeptIngredients(home.keys).keep(made.ingredients.values())
    graph = exploring(made.graph) if arguments.explore else made.graph

    def sent(run: str) -> T | Known:
        request = SubmitRun(
            run=run,
            graph=graph.to_json(),
            cpu_only=arguments.cpu_only,
            again=arguments.again,
            priority=arguments.priority,
            park=arguments.park,
            judge=True,
        )
        try:
            return send(request)
        except Refused:
            # All is read that it takes to say why.
            from orchestrator.cli.planning.objecting import objection

            if (known := objection(arguments, home)) is not None:
                return known
            raise  # another terminal has taken the name, or only the scheduler sees it

    return numbered(home, arguments.name, graph.name, sent)
