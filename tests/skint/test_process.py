"""Identity, descent and survivors, on real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from skint.process import descendants, identity, is_alive, kill_all, survivors

STRAYS = Path(f"/attempts/{os.getpid()}/strays.1")


@pytest.fixture
def shell() -> Iterator[subprocess.Popen[bytes]]:
    """A shell with a child and a grandchild, of an attempt called `strays.1` in STRAYS."""
    script = "sh -c 'sleep 600 & wait' & wait"
    told = {"SKINT_ATTEMPT": "strays.1", "SKINT_ATTEMPT_DIR": str(STRAYS)}
    environment = {**os.environ, **told}
    process = subprocess.Popen(["sh", "-c", script], env=environment)
    while len(descendants(process.pid)) < 2:
        time.sleep(0.01)
    yield process
    kill_all([process.pid, *descendants(process.pid)])
    process.wait()


def test_a_zombie_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    me = identity(child.pid)
    assert me and is_alive(me)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended and is not reaped
    assert not is_alive(me)
    assert identity(child.pid) is None
    child.wait()
    assert not is_alive(me)


def test_another_process_with_the_same_pid_is_another_one() -> None:
    me = identity(os.getpid())
    assert me and is_alive(me)
    assert not is_alive(replace(me, start_ticks="1"))
    assert not is_alive(replace(me, boot_id="another boot"))


def test_a_name_with_spaces_and_parentheses_does_not_confuse() -> None:
    rename = "open('/proc/self/comm', 'w').write(') R 1 (x '); print(flush=True); input()"
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", rename], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout and child.stdout.readline()
    assert child.pid in descendants(os.getpid())
    child.kill()
    child.communicate()


def test_descendants_stand_after_their_parents(shell: subprocess.Popen[bytes]) -> None:
    below = descendants(shell.pid)
    assert len(below) == 2
    assert descendants(below[0]) == (below[1],)


def test_survivors_are_found_by_the_attempt_in_their_environment(
    shell: subprocess.Popen[bytes],
) -> None:
    assert set(survivors("strays.1", STRAYS)) == {shell.pid, *descendants(shell.pid)}
    assert survivors("strays") == ()
    assert survivors("strays.1", STRAYS.parent) == ()
    assert kill_all(survivors("strays.1", STRAYS)) == ()
    assert survivors("strays.1", STRAYS) == ()


def test_killing_who_is_gone_is_no_error() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    assert kill_all([child.pid]) == ()
