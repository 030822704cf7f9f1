"""A disk that fills up while a run is under way: a small one, in a name space of mounts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLAN = """
name: fill
jobs:
  fill: {run: "sh -c 'sleep 1; dd if=/dev/zero of=$SKINT_OUT/it bs=64k; sleep 1; exit 3'"}
  other: {run: "sh -c 'while ! [ -e go ]; do sleep 0.05; done; echo hello > $SKINT_OUT/it'"}
"""
STORY = """
set -u
mount -t tmpfs -o size=12m none disk || exit 99
export SKINT_HOME="$PWD/disk/home"
skint() { "$PYTHON" -P -m orchestrator.cli "$@" 2>&1; echo "$1: code $?"; }
skint run plan.yaml
skint status
skint cache ls
rm disk/home/runs/fill-1/fill/1/out/it
touch go
for n in $(seq 200); do
    skint tick > ticked.txt
    grep -q '· 0 jobs live' ticked.txt && break
    sleep 0.1
done
skint show fill-1
skint replay
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the commands of the story say."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "disk").mkdir()
    (folder / "plan.yaml").write_text(PLAN)
    environ = {**os.environ, "PYTHON": sys.executable, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", STORY],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip(f"no disks can be mounted here: {done.stderr.strip()}")
    assert "Traceback" not in done.stdout + done.stderr, done.stdout
    return done.stdout


def test_the_command_ends_with_one_clear_error(told: str) -> None:
    said = told[: told.index("run: code")]
    assert "store.db: the disk is full: nothing more can be written" in said
    assert "make room" in said and "nothing of it is lost" in said
    assert "run: code 1" in told


def test_what_can_be_looked_at_still_can(told: str) -> None:
    assert "status: code 0" in told and "2 jobs go on without one" in told
    assert "ls: code 0" in told or "cache: code 0" in told


def test_with_room_again_the_run_goes_on_to_its_end(told: str) -> None:
    shown = told[told.index("cache: code") :]
    assert "other  cpu   done" in shown
    assert "fill   cpu   failed" in shown and "the disk is full" in shown
    assert "fill-1 failed" in shown
    assert "replay: code 0" in shown
