"""Who is the scheduler: the lock between real processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from orchestrator.cli import main
from orchestrator.home import VARIABLE, Home, SchedulerRuns
from tests.terminal import until

LOOK = """
import sys
from pathlib import Path
from orchestrator.home import Home
home = Home(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print({home.scheduler_pid() for _ in range(int(sys.argv[2]))})
"""


def onlookers(home: Home, looks: int) -> list[subprocess.Popen[str]]:
    """Processes that all look at once, when they are told to."""
    argv = [sys.executable, "-c", LOOK, str(home.path), str(looks)]
    made = [
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in made:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == "ready\n"
    for process in made:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return made


def seen_by(processes: list[subprocess.Popen[str]]) -> set[str]:
    return {process.communicate(timeout=300)[0].strip() for process in processes}


def test_onlookers_do_not_take_each_other_for_a_scheduler(skint_home: Path) -> None:
    home = Home(skint_home)
    home.lock.write_text(str(os.getpid()))  # of one that was killed; the pid was given out again
    assert seen_by(onlookers(home, 5000)) == {"{None}"}


def test_a_scheduler_starts_while_others_look(skint_home: Path) -> None:
    home = Home(skint_home)
    home.lock.touch()
    looking = onlookers(home, 20_000)
    for _ in range(20):
        with home.locked():
            assert home.scheduler_pid() == os.getpid()
    assert seen_by(looking) <= {str({None, os.getpid()}), str({os.getpid(), None}), "{None}"}


def test_all_onlookers_see_the_scheduler_that_runs(skint_home: Path) -> None:
    home = Home(skint_home)
    with home.locked():
        assert seen_by(onlookers(home, 1000)) == {str({os.getpid()})}
        with pytest.raises(SchedulerRuns, match=str(os.getpid())), home.locked():
            pass
    assert home.scheduler_pid() is None
    assert home.lock.read_text() == ""


def begun(home: Home) -> list[int]:
    """Schedulers of `home` that this process has started and that live."""
    return [
        child.pid
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE
        and "--when-told" in child.cmdline()
        and child.environ().get(VARIABLE) == str(home.path)
    ]


def test_a_scheduler_that_is_ready_and_not_told_to_start_leaves(skint_home: Path) -> None:
    home = Home(skint_home)
    with home.scheduler_ahead():
        assert len(begun(home)) == 1
        assert home.scheduler_pid() is None
    until(lambda: begun(home) == [])
    assert home.scheduler_pid() is None and not home.store.exists()
    assert home.log.read_text() == ""


def test_a_scheduler_that_is_ready_starts_when_it_is_told_unless_another_one_does(
    skint_home: Path,
) -> None:
    home = Home(skint_home)
    with home.scheduler_ahead() as start:
        pid = home.start_scheduler()
        assert start() == pid == home.scheduler_pid()
    until(lambda: begun(home) == [pid])
    with home.scheduler_ahead() as start:  # nobody is to get ready
        assert begun(home) == [pid] and start() == pid
    os.kill(pid, signal.SIGTERM)
    until(lambda: begun(home) == [])


def test_a_folder_that_cannot_be_looked_at_is_not_taken_for_removed(skint_home: Path) -> None:
    home = Home.find()
    with home.locked() as is_scheduler:
        assert is_scheduler()
        skint_home.rename(skint_home.with_name("away"))
        skint_home.symlink_to(skint_home)  # ELOOP
        assert is_scheduler()
        skint_home.unlink()
        assert not is_scheduler()


@pytest.mark.parametrize("anew", [False, True], ids=["removed", "made anew"])
def test_a_scheduler_whose_folder_was_removed_leaves(skint_home: Path, anew: bool) -> None:
    home = Home(skint_home)
    assert main(["hold"]) == 0  # it serves: it has answered
    pid = home.scheduler_pid()
    assert pid is not None
    left = psutil.Process(pid)
    shutil.rmtree(home.path)
    if anew:
        home.path.mkdir()
        home.lock.touch()
    until(lambda: not left.is_running() or left.status() == psutil.STATUS_ZOMBIE)
    assert not home.store.exists(), "it writes nothing into the new one"
