"""A store that the previous version wrote opens, and its events replay to the same state."""

from __future__ import annotations

import shutil
from pathlib import Path

from orchestrator.store import Store

KEPT = Path(__file__).parent.parent / "data" / "versions" / "store-1.db"
"""Written by version 1: one run of three folds, to its end."""


def test_a_store_of_version_1_reads_as_it_did(tmp_path: Path) -> None:
    copy = tmp_path / "store.db"
    shutil.copy(KEPT, copy)
    with Store(copy) as store:
        assert store.last_event() == 65
        state = store.state()
        assert store.replayed() == state
        (run,) = state.runs.values()
        assert run.name == "seedlings-1"
        assert (run.outcome, run.ended_ms) == ("done", 1_795_219_670_000)
        assert list(run.jobs) == [
            "scan", "packed", "folds", "train.fold0", "train.fold1", "train.fold2", "errors",
        ]  # fmt: skip
        assert {job.status for job in run.jobs.values()} == {"done"}
        assert {attempt.outcome for attempt in run.attempts.values()} == {"done"}
        assert run.attempts["seedlings-1.train.fold0.1"].reports[-1]["score"] == 0.8
