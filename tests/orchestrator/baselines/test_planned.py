"""What a plan would be compared with, before it is submitted."""

from __future__ import annotations

from pathlib import Path

import pytest

from budget.accounts.presets import preset
from budget.ledger import Ledger
from orchestrator.graph import Graph
from orchestrator.plans.expand import expand
from orchestrator.plans.keys import job_key
from orchestrator.plans.plan import load_plan
from orchestrator.state.state import Result, State
from orchestrator.submitting.asked import Asked
from orchestrator.submitting.prepare import prepare
from orchestrator.views.comparing.judged import baseline_lines
from tests.orchestrator.baselines.trained import START_MS, digest_of, run_of, state_of

PLAN = """
name: seedlings
account: pool
jobs:
  scan:   {uses: scan, with: {source: photos}}
  packed: {uses: resize, needs: [scan], with: {size: 32}}
  folds:  {uses: folds, needs: [packed], with: {k: 3, seed: 0}}
  train:
    run: python fit.py --rate RATE --fold {fold}
    needs: [folds]
    per: fold
    devices: 1
    limit: 5m
    metric: METRIC
    stop: [beats-baseline]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    (tmp_path / "fit.py").write_text("")
    return tmp_path / "plan.yaml"


def graph(path: Path, rate: float, metric: str = "val_acc") -> Graph:
    path.write_text(PLAN.replace("RATE", str(rate)).replace("METRIC", metric))
    return expand(load_plan(str(path), (), None))


def trained(path: Path) -> State:
    """A run of the plan is over; what it made on the CPU lies there."""
    known = graph(path, 0.1)
    run = run_of((0.8, 0.9, 0.85), graph=known)
    results, digests = {}, {}
    for job in known.jobs:
        if not job.devices:
            digests[job.id] = digest_of(known, job)
            above = {name: digests[name] for name in known.ancestors(job.id)}
            key = job_key(job.static_key, above)
            out = path.with_name(job.id)
            out.mkdir()
            name = f"{run.name}.{job.id}.1"
            results[key] = Result(key, run.name, job.id, name, str(out), digests[job.id], 1)
    return State(state_of(run).runs, results)


def said(path: Path, state: State, *sets: str) -> list[str]:
    with Ledger(":memory:") as ledger:
        ledger.add_account(preset("simulated", "pool"), START_MS)
        return baseline_lines(prepare(Asked(path=str(path), sets=sets), state, ledger, START_MS))


def test_another_recipe_on_the_same_folds_has_a_baseline(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKINT_DEVICES", "simulated")
    state = trained(path)

    graph(path, 0.2)
    assert said(path, state) == ["baseline: seedlings-1 (0.850 ± 0.050, 0.5 h)"]

    graph(path, 0.2, metric="val_loss")
    assert said(path, state) == [
        "baseline: no baseline yet: beats-baseline will not fire; seedlings-1 cannot be compared:"
        " another metric: val_loss here, val_acc there"
    ]
    assert said(path, state, "folds.seed=1") == ["baseline: known when its folds are made"]
    assert said(path, State()) == ["baseline: no baseline yet: beats-baseline will not fire"]
