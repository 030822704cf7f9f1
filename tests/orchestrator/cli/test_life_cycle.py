"""Pause, hold, retry and queue as a person has them: real commands, a real scheduler, kill -9."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.home import Home
from orchestrator.state.state import RunState
from orchestrator.store.store import read_state
from tests.orchestrator import parkable
from tests.orchestrator.cli.conftest import InProcess
from tests.terminal import Said, until

STEPS = 30
PLAN = f"""
name: small
account: practice
jobs:
  count:
    uses: ./parkable.py:count
    with: {{steps: {STEPS}, seconds: 0.1, log: steps.txt}}
    devices: 1
    limit: 10m
    smoke: false
  sum: {{run: "test -e mended", needs: [count], devices: 1, limit: 1m, smoke: false}}
  last: {{run: "true", needs: [sum]}}
"""


def did(said: Said) -> str:
    assert said.code == 0, said.err
    return said.out


def run_now() -> RunState:
    return read_state(Home.find().store).runs["small-1"]


def steps(folder: Path) -> list[int]:
    path = folder / "steps.txt"
    return [int(line.split()[0]) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def skint(in_process: InProcess) -> Iterator[InProcess]:
    """Commands in this process, with an account; their background scheduler is one of its own."""
    did(in_process("account", "add", "practice", "--preset", "simulated"))
    yield in_process
    in_process("scheduler", "stop")


def test_a_run_is_paused_held_released_and_retried(skint: InProcess, tmp_path: Path) -> None:
    def queued() -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(did(skint("queue", "--json")))
        assert answer["schema"] == "queue/1"
        return answer

    shutil.copy(Path(parkable.__file__), tmp_path / "parkable.py")
    (tmp_path / "plan.yaml").write_text(PLAN)
    did(skint("submit", "plan.yaml"))
    until(lambda: len(steps(tmp_path)) >= 3)

    said = did(skint("pause", "small-1"))
    assert "count parks at its next step and keeps its checkpoint" in said
    assert "go on with skint resume small-1" in said
    until(lambda: not run_now().live_attempts)
    before = steps(tmp_path)
    assert len(before) < STEPS
    os.kill(queued()["scheduler_pid"], signal.SIGKILL)
    until(lambda: queued()["scheduler_pid"] is None)

    did(skint("scheduler", "start"))
    did(skint("hold", "--lane", "accelerator", "--reason", "too warm"))
    first = queued()["jobs"][0]
    assert (first["job"], first["status"], first["reason"]) == ("count", "paused", "paused")
    assert "is paused no more" in did(skint("resume", "small-1"))
    answer = queued()
    assert [(hold["lane"], hold["reason"]) for hold in answer["holds"]] == [
        ("accelerator", "too warm")
    ]
    assert (answer["jobs"][0]["reason"], answer["running"]) == ("held", 0)
    for command in ("status", "budget", "queue"):
        assert "no new job starts in the accelerator lane: too warm" in did(skint(command))
    assert skint("release", "--lane", "cpu").code == 1
    assert steps(tmp_path) == before

    did(skint("release"))
    until(lambda: not run_now().live)
    failed = run_now()
    assert steps(tmp_path) == list(range(1, STEPS + 1))  # each one once: nothing was lost
    assert {name: job.status for name, job in failed.jobs.items()} == {
        "count": "done",
        "sum": "failed",
        "last": "skipped",
    }
    (tmp_path / "mended").touch()
    said = did(skint("retry", "small-1"))
    assert "sum of small-1 waits again" in said
    assert "1 that was skipped waits with it" in said
    assert "costs about" in said
    until(lambda: not run_now().live)
    assert run_now().outcome == "done"
    refused = skint("retry", "small-1")
    assert (refused.code, "nothing of small-1 failed or was aborted" in refused.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("cancel",), 2, "which run is to be stopped?"),
        (("cancel", "a", "--all"), 2, "which run is to be stopped?"),
        (("cancel", "nobody"), 3, "there is no run nobody"),
        (("cancel", "--all"), 0, "there is nothing to cancel"),
        (("pause", "nobody"), 3, "there is no run nobody"),
        (("retry", "nobody"), 3, "there is no run nobody"),
        (("retry", "a", "--failed", "--aborted"), 2, "--failed and --aborted"),
        (("hold", "--lane", "gpu"), 2, "cpu, accelerator"),
    ],
)
def test_what_cannot_be_meant_is_one_error(
    words: tuple[str, ...], code: int, says: str, in_process: InProcess
) -> None:
    said = in_process(*words)
    assert said.code == code, said.err
    assert says in said.err + said.out
