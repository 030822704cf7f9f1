"""Real processes, real signals: a job is parked at an edge and goes on, and no step is lost."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from budget.accounts.account import Account, Session
from budget.accounts.limit import Limit
from budget.windows import FirstUse
from orchestrator.commands import SubmitRun
from orchestrator.events import events as e
from orchestrator.graph import AtEdge, Graph, Job
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState
from tests.orchestrator import parkable
from tests.orchestrator.homes import HOUR_MS, LivingHome

STEPS = 40
PIECE_S = 6
"""What a cut attempt has until it is asked to stop."""
GRACE_S = 4
EDGE_MS = (PIECE_S + GRACE_S + 2) * 1000

pytestmark = pytest.mark.slow


def parked(living: LivingHome, at_edge: AtEdge, limit: Limit, session: Session) -> RunState:
    """A run of one job that is cut, to its end."""
    shutil.copy(parkable.__file__, living.base / "parkable.py")
    account = Account("lab", "simulated", "local", (limit,), session=session)
    living.ledger.change_account(account, living.clock.now_ms())
    counting = Job(
        "count", "count", uses="./parkable.py:count", static_key="count",
        params={"steps": STEPS, "log": "steps.txt"},
        devices=1, limit_s=300, grace_s=GRACE_S, resumes=True, at_edge=at_edge,
    )  # fmt: skip
    graph = Graph("small", "lab", str(living.base), (counting,))
    request = SubmitRun(run="small-1", graph=graph.to_json(), park=True)
    living.store.ask(request, living.clock.now_ms())
    living.begin()
    return living.until_settled()


def every_step_once(living: LivingHome) -> list[tuple[int, str]]:
    """The steps in the order in which they were done, and by which attempt."""
    lines = (living.base / "steps.txt").read_text().splitlines()
    done = [(int(step), attempt) for step, attempt in map(str.split, lines)]
    assert [step for step, _ in done] == list(range(1, STEPS + 1))
    return done


def pieces(run: RunState) -> list[AttemptState]:
    found = list(run.attempts.values())
    assert run.outcome == "done" and len(found) >= 2 and found[-1].outcome == "done"
    for before, after in pairwise(found):
        assert after.previous == before.out
        assert (after.started_ms or 0) >= (before.ended_ms or 0)
    return found


def test_a_job_is_parked_at_the_end_of_its_window_and_goes_on_in_the_next_one(
    living: LivingHome,
) -> None:
    """Edge 44: it is parked when the hours end, and goes on by itself, once."""
    limit = Limit(EDGE_MS, FirstUse(2 * EDGE_MS), "first-use")
    run = parked(living, "park", limit, Session())
    every_step_once(living)
    *cut, _ = pieces(run)
    assert {(a.outcome, a.edge) for a in cut} == {("deadline", "window")}
    waits = [x for _, x in living.store.events() if isinstance(x, e.JobWaited)]
    assert [x.reason for x in waits].count("parked") == len(cut)
    # Each window is used once: the next piece began when it was over, not before.
    for before, after in pairwise(run.attempts.values()):
        assert (after.started_ms or 0) - (before.started_ms or 0) >= 2 * EDGE_MS - 1000
    charged = {name: ms for a in run.allocations.values() for name, ms in a.shares.items()}
    assert charged == living.ends()
    assert all(ms <= EDGE_MS for ms in charged.values())
    assert Path(run.jobs["count"].out, "counted.txt").read_text() == f"{STEPS}\n"
    assert living.store.state() == living.store.replayed()


def test_a_job_longer_than_a_session_ends_each_one_with_a_whole_epoch(living: LivingHome) -> None:
    """Edge 37 and 44: split at the ends of epochs."""
    limit = Limit(HOUR_MS, FirstUse(HOUR_MS), "first-use")
    run = parked(living, "finish-epoch", limit, Session(max_ms=EDGE_MS))
    done = every_step_once(living)
    *cut, _ = pieces(run)
    assert {a.edge for a in cut} == {"session"}
    at_an_epoch = [a for a in cut if a.outcome == "stopped"]
    assert at_an_epoch
    for attempt in at_an_epoch:
        last = max(step for step, name in done if name == attempt.id)
        assert last % 5 == 0
    # Nobody was killed: each one was over before its devices had to be.
    assert all(ms < EDGE_MS for ms in living.ends().values())
