from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from budget.ledger.lease import OLD_S, Holder, Lease, LeaseLost, LeaseTaken, lease, may_take

ME = Holder.me()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder / "ledger.db.lease"


def leave(path: Path, holder: Holder, age_s: float = 0) -> None:
    """The lease as somebody left it."""
    path.write_text(json.dumps(asdict(holder)))
    made = path.stat().st_mtime - age_s
    os.utime(path, (made, made))


@pytest.fixture
def ended() -> Holder:
    """A process of this host that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return replace(ME, pid=process.pid, token="dead")


@pytest.fixture
def living() -> Iterator[Holder]:
    """A process of this host that lives."""
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    )
    stat = Path(f"/proc/{process.pid}/stat").read_text()
    yield replace(ME, pid=process.pid, born=stat.rpartition(")")[2].split()[19], token="other")
    process.communicate()


def test_a_lease_is_a_file_that_says_who_holds_it_and_is_gone_afterwards(path: Path) -> None:
    with lease(path) as held:
        said = json.loads(path.read_text())
        assert (said["host"], said["pid"]) == (os.uname().nodename, os.getpid())
        held.check()
    assert list(path.parent.iterdir()) == []


def test_a_living_holder_keeps_others_out(path: Path, living: Holder) -> None:
    leave(path, living, age_s=2 * OLD_S)
    with (
        pytest.raises(LeaseTaken, match=f"process {living.pid} on {living.host}"),
        lease(path, wait_s=0.05),
    ):
        pass
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_another_thread_waits_for_its_turn(path: Path) -> None:
    gate, order = threading.Event(), []

    def other() -> None:
        gate.wait()
        with lease(path):
            order.append("other")

    thread = threading.Thread(target=other)
    thread.start()
    with lease(path):
        gate.set()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "other"]


def test_the_lease_of_a_process_that_died_here_is_taken_over_at_once(
    path: Path, ended: Holder
) -> None:
    leave(path, ended)
    with lease(path, wait_s=0.05) as held:
        held.check()


def test_a_process_number_that_was_given_again_is_not_the_holder(
    path: Path, living: Holder
) -> None:
    """Edge 18, for the lease of the ledger."""
    leave(path, replace(living, born="1"))
    with lease(path, wait_s=0.05) as held:
        held.check()


def test_the_lease_of_another_host_is_waited_for_until_it_is_old(path: Path) -> None:
    elsewhere = replace(ME, host="elsewhere", pid=1, token="x")
    leave(path, elsewhere, age_s=OLD_S - 60)
    with (
        pytest.raises(LeaseTaken, match=r"process 1 on elsewhere, for 5[0-9][0-9] s"),
        lease(path, wait_s=0.05),
    ):
        pass
    leave(path, elsewhere, age_s=OLD_S + 1)
    with lease(path, wait_s=0.05) as held:
        held.check()


def test_a_torn_lease_is_somebodys_until_it_is_old(path: Path) -> None:
    path.write_text('{"host": "els')
    with pytest.raises(LeaseTaken, match="somebody"), lease(path, wait_s=0.05):
        pass
    made = path.stat().st_mtime - OLD_S - 1
    os.utime(path, (made, made))
    with lease(path, wait_s=0.05) as held:
        held.check()


def test_who_was_stopped_for_too_long_learns_that_the_lease_is_anothers(path: Path) -> None:
    stopped = Lease(path, ME)
    stopped.take(0.05)
    made = path.stat().st_mtime - OLD_S - 1
    os.utime(path, (made, made))
    leave(path, replace(ME, host="elsewhere", token="x"))
    with pytest.raises(LeaseLost):
        stopped.check()
    stopped.give_back()
    assert path.exists()


def test_a_new_lease_that_is_moved_away_for_a_dead_one_is_put_back(
    path: Path, ended: Holder, living: Holder
) -> None:
    leave(path, living)
    Lease(path, ME)._take_over(ended)
    assert json.loads(path.read_text())["token"] == living.token


@pytest.mark.parametrize(
    ("holder", "age_s", "lives", "taken"),
    [
        (ME, 0, True, False),
        (ME, 0, False, True),
        (ME, 9 * OLD_S, True, False),
        (replace(ME, boot="older/pid:[1]"), 0, True, True),
        (replace(ME, boot=ME.boot.split("/")[0] + "/pid:[1]"), 0, False, False),
        (replace(ME, host="elsewhere"), OLD_S, False, False),
        (replace(ME, host="elsewhere"), OLD_S + 1, True, True),
        (None, 0, False, False),
        (None, OLD_S + 1, False, True),
    ],
)
def test_a_lease_is_dead_if_its_process_is_known_to_be_or_if_it_is_old(
    holder: Holder | None, age_s: float, lives: bool, taken: bool
) -> None:
    assert may_take(holder, age_s, ME, lives) is taken
