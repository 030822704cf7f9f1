"""Attempts of this machine are metered while their shim is alive, on real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from budget.accounts.account import Account
from budget.accounts.limit import weekly
from budget.meters.base import HostReading
from budget.meters.fake import FakeMeter
from budget.meters.log import Metered
from orchestrator.cli.commands.show import render
from orchestrator.commands import SubmitRun
from orchestrator.executors.local_meters import LocalMeters
from orchestrator.graph import Graph, Job
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.projection import apply_all
from orchestrator.state.state import RunState, State
from skint.attempt import AttemptDir, write_json
from skint.process import identity
from tests.orchestrator.homes import HOUR_MS, LivingHome
from tests.stand_ins.nvml import compiled


def state_of(folder: Path, **changes: Any) -> State:
    """A state with one live attempt of the local executor, `small-1.train.1`, in `folder`."""
    known: dict[str, Any] = {"devices": ("x",), "status": "running", **changes}
    attempt = AttemptState(
        "small-1.train.1", "train", 1, "key", str(folder), "local", cpus=1, mem_mb=0
    )
    graph = Graph("small", "lab", "/plans", (Job("train", "train", devices=1),))
    attempts = {attempt.id: replace(attempt, **known)}
    return State(runs={"small-1": RunState("small-1", graph, 0, attempts=attempts)})


def started(folder: Path) -> Path:
    """An attempt directory whose shim is this process."""
    folder.mkdir()
    me = identity(os.getpid())
    assert me is not None
    write_json(AttemptDir(folder).handle, {**vars(me)})
    return folder


def test_an_attempt_is_read_when_a_reading_is_due_and_not_more_often(tmp_path: Path) -> None:
    folder, meter = started(tmp_path / "1"), FakeMeter()
    meters = LocalMeters(meter, every_s=5)
    for now_ms in (0, 4_999, 5_000, 9_999, 30_000, 1_000, 2_000):  # the clock is set back
        meters.look(state_of(folder), now_ms)
    assert [at_ms for at_ms, _ in meter.asked] == [0, 5_000, 30_000, 1_000]
    (watched,) = meter.asked[0][1]
    assert (watched.attempt, watched.devices, watched.pid) == (
        "small-1.train.1",
        ("x",),
        os.getpid(),
    )


def test_the_first_attempt_is_read_as_soon_as_it_runs(tmp_path: Path) -> None:
    meter, folder = FakeMeter(), tmp_path / "1"
    meters = LocalMeters(meter, every_s=5)
    for now_ms in (0, 200, 400):
        assert meters.look(state_of(folder), now_ms) == {}
    started(folder)
    assert meters.look(state_of(folder), 600).keys() == {"small-1.train.1"}
    meters.look(state_of(folder), 800)
    assert [at_ms for at_ms, watched in meter.asked if watched] == [600]


@pytest.mark.parametrize(
    "break_it",
    [
        lambda handle: handle.unlink(),
        lambda handle: handle.write_text("{"),
        lambda handle: handle.write_text("{}"),
        lambda handle: handle.write_text(
            json.dumps({**json.loads(handle.read_text()), "boot_id": "another"})
        ),
    ],
    ids=["not started yet", "torn", "empty", "of another boot"],
)
def test_what_has_no_living_shim_is_not_read(
    tmp_path: Path, break_it: Callable[[Path], object]
) -> None:
    """Edge 18: a pid that was given out again after a reboot is somebody else's."""
    folder, meter = started(tmp_path / "1"), FakeMeter()
    break_it(AttemptDir(folder).handle)
    assert LocalMeters(meter).look(state_of(folder), 0) == {}
    assert meter.asked[0][1] == ()


def test_attempts_of_other_executors_and_those_that_ended_are_not_read(tmp_path: Path) -> None:
    folder, meter = started(tmp_path / "1"), FakeMeter()
    LocalMeters(meter).look(state_of(folder, executor="slurm"), 0)
    LocalMeters(meter).look(state_of(folder, status="ended"), 0)
    assert [watched for _, watched in meter.asked] == [(), ()]


def test_a_log_goes_on_from_what_was_kept_and_ends_with_its_attempt(tmp_path: Path) -> None:
    folder = started(tmp_path / "1")
    meters = LocalMeters(FakeMeter(host_of=lambda attempt, now_ms: HostReading(9.0, 1.0)))
    before = state_of(folder, metered=Metered(covered_s=60, cpu_s=7))
    assert meters.look(before, 0)["small-1.train.1"].covered_s == 60
    found = meters.look(before, 5_000)["small-1.train.1"]
    assert (found.covered_s, found.cpu_s) == (65, 9)
    assert meters.look(state_of(folder, status="ended"), 10_000) == {}


def measured(folder: Path) -> State:
    """An attempt that a scheduler, which is no more, has read twice in five seconds."""
    meters = LocalMeters(FakeMeter(host_of=lambda attempt, now_ms: HostReading(9.0, 1.0)))
    state = state_of(started(folder))
    for now_ms in (0, 5_000):
        meters.look(state, now_ms)
    return state


def test_what_a_killed_scheduler_has_measured_counts_where_the_next_one_goes_on(
    tmp_path: Path,
) -> None:
    state = measured(tmp_path / "1")
    meters = LocalMeters(FakeMeter(host_of=lambda attempt, now_ms: HostReading(11.0, 1.0)))
    meters.look(state, 9_000)  # in the four seconds before nobody looked
    (found,) = meters.look(state, 14_000).values()
    assert (found.covered_s, found.cpu_s, found.at_ms) == (10, 11, 14_000)
    assert found.utilisation is None  # nothing was read of its device


def test_what_was_measured_of_one_that_ended_while_nobody_looked_is_told(tmp_path: Path) -> None:
    state = measured(tmp_path / "1")
    AttemptDir(tmp_path / "1").handle.unlink()
    meter = FakeMeter()
    (found,) = LocalMeters(meter).look(state, 60_000).values()
    assert (found.covered_s, found.cpu_s, found.at_ms) == (5, 9, 5_000)
    assert meter.asked == [(60_000, ())]


@pytest.mark.parametrize("kept", ["", "{", None], ids=["empty", "torn", "gone"])
def test_where_its_file_says_nothing_the_figures_in_the_state_count(
    tmp_path: Path, kept: str | None
) -> None:
    measured(folder := tmp_path / "1")
    file = AttemptDir(folder).meters
    file.unlink() if kept is None else file.write_text(kept)
    (found,) = LocalMeters(FakeMeter()).look(state_of(folder, metered=Metered(7, 60)), 9).values()
    assert found.covered_s == 60


DRIVE = """
import sys
from pathlib import Path
from budget.ledger import Ledger
from budget.meters.machine import MachineMeter
from orchestrator.clock import SystemClock
from orchestrator.executors.local import LocalExecutor
from orchestrator.executors.local_meters import LocalMeters
from orchestrator.home import Home
from orchestrator.scheduler.shell import Scheduler
from orchestrator.store.store import Store

home, cards, go = Home(Path(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3])
phases = sys.argv[4:]
meters = LocalMeters(MachineMeter(), every_s=0.01)
looks = 0

def read_meters(state, now_ms):  # each phase is read several times
    global looks
    found = meters.look(state, now_ms)
    looks += bool(found)
    if looks % 4 == 3:
        phase = looks // 4
        if phase < len(phases):
            cards.with_suffix(".new").write_text(phases[phase])
            cards.with_suffix(".new").replace(cards)
        else:
            go.touch()
    return found

with Store(home.store) as store, Ledger(home.ledger) as ledger:
    scheduler = Scheduler(
        store, ledger, {"local": LocalExecutor(home.runs)}, SystemClock(), runs_dir=home.runs,
        read_meters=read_meters,
    )
    scheduler.run(lambda state: any(run.settled for run in state.runs.values()), poll_s=0.05)
"""


def drive(living: LivingHome, cards: Path, go: Path, *phases: str, **environ: str) -> None:
    """A scheduler in a fresh process, which says how the cards are and then lets the job end."""
    paths = (str(living.home.path), str(cards), str(go))
    subprocess.run(
        [sys.executable, "-P", "-c", DRIVE, *paths, *phases],
        env={**os.environ, **environ},
        check=True,
    )


def test_from_the_driver_to_the_screen_with_a_card_that_vanishes_in_mid_run(
    living: LivingHome, tmp_path: Path
) -> None:
    folder = tmp_path / "driver"
    folder.mkdir()
    driver, go = compiled(folder), tmp_path / "go"
    phases = (  # % MiB mW mJ: 2000 J on the first card, 500 J on the second, which then is gone
        "GPU-aaaa 80 2048 100000 1000000 0\nGPU-bbbb 60 1024 100000 7000 0\n",
        "GPU-aaaa 80 4096 100000 2000000 0\nGPU-bbbb 60 4096 100000 507000 0\n",
        "GPU-aaaa 80 1024 100000 3000000 0\n",
    )
    driver.say(phases[0])
    account = Account("server", "machine", "local", (weekly(HOUR_MS),))
    living.ledger.add_account(account, living.clock.now_ms())
    train = living.job(
        "train", f"while ! [ -e {go} ]; do sleep 0.05; done", devices=2, limit_s=300.0
    )
    graph = Graph("small", "server", str(tmp_path), (train,))
    living.store.ask(SubmitRun(run="small-1", graph=graph.to_json()), living.clock.now_ms())
    drive(living, driver.cards, go, *phases, SKINT_DEVICES="", **driver.environ)
    state = apply_all(State(), (event for _, event in living.store.events()))
    run = state.runs["small-1"]
    (attempt,) = run.attempts.values()
    assert attempt.devices == ("GPU-aaaa", "GPU-bbbb")
    metered = attempt.metered
    assert metered is not None and metered.utilisation is not None
    assert 0.7 <= metered.utilisation <= 0.8
    assert metered.energy_j == pytest.approx(2500)
    assert metered.max_utilisation == pytest.approx(0.8)
    assert metered.peak_memory_mib == 8192
    assert metered.silent == ("GPU-bbbb",)
    assert metered.cpu_s is not None and (metered.peak_ram_mib or 0) > 1
    shown = render(run, state, living.ledger, living.clock.now_ms())
    assert "device busy" in shown and "8.0 GiB" in shown and "0.7 Wh" in shown
    assert "GPU-bbbb could not be read, all the time or at times" in shown


def test_on_a_simulated_device_only_the_host_is_read(living: LivingHome) -> None:
    folder = living.base
    living.submit(
        living.job("train", f"while ! [ -e {folder}/go ]; do :; done", devices=1, limit_s=300.0)
    )
    drive(living, folder / "cards", folder / "go")
    state = living.store.state()
    run = state.runs["small-1"]
    (attempt,) = run.attempts.values()
    metered = attempt.metered
    assert metered is not None and metered.covered_s > 0
    assert (metered.utilisation, metered.energy_j, metered.idle_s) == (None, None, None)
    assert metered.cpu_s is not None and metered.peak_ram_mib is not None
    shown = render(run, state, living.ledger, living.clock.now_ms())
    assert "simulated-0: no accelerator, so there is nothing to read of it" in shown
