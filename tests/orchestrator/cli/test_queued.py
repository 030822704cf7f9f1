"""What `skint budget` measures the queue by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from budget.accounts.presets import preset
from orchestrator.cli.commands.budget import live_runs
from orchestrator.devices import DECLARED
from orchestrator.events import events as e
from orchestrator.home import Home
from orchestrator.state.allocation_state import AllocationState
from orchestrator.store.store import Store
from tests.orchestrator.pasts import (
    DONE_MS,
    GPU,
    START_MS,
    attempt_of,
    done_fold,
    folds_graph,
    run_of,
    state_of,
)

OTHER = "GPU-77aa"
LIMIT_MS = 3_630_000


def on_two_devices(home: Home) -> None:
    """Fold 0 ran on one, fold 1 has just begun on the other, fold 2 waits."""
    first = AllocationState(
        "one", "lab", "local", (GPU,), LIMIT_MS, LIMIT_MS, ("seedlings-1.train.fold0.1",),
        status="settled", start_ms=START_MS,
    )  # fmt: skip
    second = replace(
        first,
        id="two",
        devices=(OTHER,),
        attempts=("seedlings-1.train.fold1.1",),
        status="running",
        start_ms=START_MS + DONE_MS,
    )
    begun = attempt_of("train.fold1", device=OTHER, start_ms=START_MS + DONE_MS)
    run = run_of(folds_graph(), [done_fold(), begun], allocations=[first, second], over=False)
    event = e.AttemptStarted(
        at_ms=START_MS, run=run.name, attempt=begun.id, started_ms=START_MS + DONE_MS
    )
    with Store(home.store) as store:
        store.keep([event], state_of(run))


@pytest.mark.parametrize(
    ("other", "each_ms"), [("Tesla T4", DONE_MS), ("A100", LIMIT_MS), ("", LIMIT_MS)]
)
def test_two_devices_of_one_model_are_of_one_kind(
    other: str, each_ms: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DECLARED, f"{GPU}:Tesla T4,{OTHER}:{other}")
    home = Home(tmp_path)
    on_two_devices(home)
    lab = preset("lab-server", "lab")
    assert live_runs(home) is None, "nobody runs them"
    with home.locked():
        live = live_runs(home)
        assert live is not None
        queue = live.queue(lab, START_MS + DONE_MS)
    assert (queue.jobs, queue.likely_ms) == (2, 2 * each_ms)
