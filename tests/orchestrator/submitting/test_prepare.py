"""What a run is called when nobody says, and what is refused before it becomes one."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from budget.accounts.account import Account
from budget.accounts.limit import weekly
from budget.accounts.machine import Session
from budget.accounts.presets import preset
from budget.ledger import Ledger
from orchestrator.state.state import State
from orchestrator.submitting.asked import Asked
from orchestrator.submitting.judging import Prepared
from orchestrator.submitting.prepare import prepare
from orchestrator.submitting.refusing import refuse_if_it_does_not_fit
from orchestrator.submitting.run_name import next_run_name
from orchestrator.submitting.usable import DoesNotFit
from tests.orchestrator.worlds import HOUR_MS, SATURDAY_MS, World, kfold


def next_name(world: World) -> str:
    return next_run_name("seedlings", world.scheduler.state.runs, world.path / "runs")


def test_runs_of_a_plan_are_numbered(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert next_name(world) == "seedlings-1"
    world.settle(kfold(), "seedlings-7")
    world.settle(kfold("seed"), "seed-9")
    assert next_name(world) == "seedlings-8"


def test_a_number_whose_folder_is_there_is_taken_even_if_no_store_knows_it(tmp_path: Path) -> None:
    for name in ("seedlings-3", "seedlings-notes", "other-5"):
        (tmp_path / name).mkdir()
    assert next_run_name("seedlings", State().runs, tmp_path) == "seedlings-4"


PLAN = """
name: long
account: pool
jobs:
  fit: {run: python fit.py, devices: 1, limit: 14h, resume: RESUMES, at-edge: EDGE}
"""


def prepared(tmp_path: Path, account: Account, *, resumes: bool = True) -> Prepared:
    """A plan of one job of fourteen hours, on a Saturday morning."""
    text = PLAN.replace("RESUMES", str(resumes).lower())
    path = tmp_path / "plan.yaml"
    path.write_text(text.replace("EDGE", "park" if resumes else "hard-stop"))
    (tmp_path / "fit.py").write_text("")
    with Ledger(":memory:") as ledger:
        ledger.add_account(account, SATURDAY_MS)
        return prepare(Asked(path=str(path)), State(), ledger, SATURDAY_MS)


def pool(hours: float, session: Session | None = None) -> Account:
    account = replace(preset("simulated", "pool"), limits=(weekly(round(hours * HOUR_MS)),))
    return replace(account, session=session or Session())


def test_a_job_longer_than_a_session_is_refused_at_plan_time_unless_it_can_be_cut(
    tmp_path: Path,
) -> None:
    """Edge 37: fourteen hours, and sessions of twelve."""
    account = pool(30, Session(max_ms=12 * HOUR_MS))
    rigid = prepared(tmp_path, account, resumes=False)
    with pytest.raises(DoesNotFit, match=r"fit may take 14 h 00 min, a session of pool lasts 12 h"):
        refuse_if_it_does_not_fit(rigid)
    with pytest.raises(DoesNotFit):
        refuse_if_it_does_not_fit(rigid, park=True)
    refuse_if_it_does_not_fit(prepared(tmp_path, account))


def test_a_job_larger_than_any_window_is_refused_unless_it_parks(tmp_path: Path) -> None:
    """Edge 37: fourteen hours, and a week of ten."""
    with pytest.raises(DoesNotFit, match=r"fit reserves 14\.01 h, pool never has more than 10"):
        refuse_if_it_does_not_fit(prepared(tmp_path, pool(10), resumes=False), park=True)
    parks = prepared(tmp_path, pool(10))
    with pytest.raises(DoesNotFit, match=r"14\.01 h on pool, 10\.00 h are free until Sat 28") as no:
        refuse_if_it_does_not_fit(parks)
    assert no.value.exit_code == 5
    assert re.search(r"--park +fit in two parts, the second after Sat 28", no.value.next or "")
    refuse_if_it_does_not_fit(parks, park=True)


def test_a_limit_of_nothing_admits_nothing(tmp_path: Path) -> None:
    """Edge 30: a cap of 0."""
    with pytest.raises(DoesNotFit, match=r"never has more than 0\.00 h"):
        refuse_if_it_does_not_fit(prepared(tmp_path, pool(0), resumes=False))
    with pytest.raises(DoesNotFit, match=r"never has more than 0\.00 h"):
        refuse_if_it_does_not_fit(prepared(tmp_path, pool(0)), park=True)
