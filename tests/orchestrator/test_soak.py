"""The scheduler is killed again and again, at random moments, and every run comes to its end."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from orchestrator.graph import Job
from tests.orchestrator.homes import LivingHome

FOLDS = 3


def submit(living: LivingHome, run: str) -> None:
    """Three CPU jobs, three folds on the simulated device one after the other, and one at the end.

    Nothing of it is known from an earlier run.
    """
    work = "say 1; sleep 0.1; say 2; sleep 0.1; echo $SKINT_ATTEMPT > $SKINT_OUT/it; say 3"

    def job(id: str, *needs: str, **more: Any) -> Job:
        return living.job(id, work, *needs, static_key=f"{run} {id}", **more)

    folds = [
        job(f"train.fold{n}", "packed", group="train", devices=1, limit_s=120, fold=n, retries=1)
        for n in range(FOLDS)
    ]
    living.submit(
        job("scan"),
        job("look"),
        job("packed", "scan"),
        *folds,
        job("errors", *(fold.id for fold in folds)),
        run=run,
    )


@pytest.mark.soak
def test_every_run_of_a_scheduler_that_is_killed_at_random_comes_to_its_end(
    living: LivingHome, kills: int
) -> None:
    dice = random.Random(f"{kills} kills")
    runs: list[str] = []
    for _ in range(kills):
        if all(name in living.store.state().runs for name in runs) and not any(
            True for _ in living.store.state().live_runs()
        ):
            runs.append(f"small-{len(runs) + 1}")
            submit(living, runs[-1])
            if len(runs) % 4 == 0:
                living.stop(runs[-1])
        scheduler = living.begin()
        time.sleep(dice.uniform(0, 0.6))
        scheduler.send_signal(signal.SIGKILL)
        scheduler.wait()
        assert living.store.state() == living.store.replayed()

    last = living.begin()
    for name in runs:
        living.until_settled(name)
    state = living.store.state()
    assert state == living.store.replayed()
    outcomes = [state.runs[name].outcome for name in runs]
    assert outcomes == ["cancelled" if n % 4 == 0 else "done" for n in range(1, len(runs) + 1)]
    # No attempt ran twice, and each line of each counted once.
    assert [name for name, times in Counter(living.started()).items() if times > 1] == []
    for run in state.runs.values():
        for attempt in run.attempts.values():
            if attempt.outcome == "done":
                assert [report["epoch"] for report in attempt.reports] == [1, 2, 3]
                assert Path(attempt.out, "it").read_text() == f"{attempt.id}\n"
    # The ledger's sum is that of the settled allocations, which is what the shims measured.
    allocations = [a for run in state.runs.values() for a in run.allocations.values()]
    charged = {name: ms for a in allocations for name, ms in a.shares.items()}
    took = living.ends()
    assert charged == {name: took[name] for name in charged}
    lines = living.ledger.charges("lab")
    assert sum(line.amount_ms for line in lines) == sum(charged.values())
    assert living.ledger.reservations(open_only=True) == ()
    assert len(charged) >= FOLDS * outcomes.count("done")
    assert living.processes() == []
    last.send_signal(signal.SIGTERM)
    assert last.wait() == 0
