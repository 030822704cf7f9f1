"""Whether a run is queued that somebody wants to have judged first. Pure.

The scheduler has read all that it takes, and nothing changes between its answer and the queue.
"""

from __future__ import annotations

from orchestrator.commands import SubmitRun
from orchestrator.graph import Graph
from orchestrator.scheduler.inputs import Inputs
from orchestrator.state.state import State
from orchestrator.submitting.judging import Grounds, judge
from orchestrator.submitting.refusing import refuse_if_it_does_not_fit
from orchestrator.submitting.usable import DoesNotFit, usable_account
from orchestrator.views.comparing.judged import baseline_lines, known_lines
from skint.errors import SkintError

KNOWN = "all of its results are known already"


def objection(
    state: State, request: SubmitRun, graph: Graph, inputs: Inputs, now_ms: int
) -> tuple[str, list[str]]:
    """Why it is not queued, empty where it is; and what to know of it before it runs."""
    costs = any(job.devices for job in graph.jobs) and not request.cpu_only
    account = inputs.accounts.get(graph.account or "")
    here = inputs.capacity.get(account.executor) if account is not None and costs else None
    devices = here.devices if here is not None else ()
    try:
        if graph.account is not None and not request.cpu_only:
            account = usable_account(
                graph.account,
                inputs.accounts,
                devices if costs else None,
                DoesNotFit,
                without="",
                executors=inputs.capacity.keys(),
            )
        grounds = Grounds(
            state=state,
            now_ms=now_ms,
            history=inputs.history.update(state),
            book=inputs.book,
            wrong_with=inputs.wrong_with,
            account=account,
            balance=inputs.balances.get(account.name) if account is not None else None,
            devices=devices,
        )
        judged = judge(graph, grounds, cpu_only=request.cpu_only, again=request.again)
        if judged.all_known:
            return KNOWN, []
        refuse_if_it_does_not_fit(judged, park=request.park)
    except SkintError as error:
        return error.what, []
    return "", [*known_lines(judged, state), *baseline_lines(judged)]
