"""One listener for each token."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.presses.claim import Claim

TOKEN = "xapp-1-A0-1-secret"

_HOLD = """
import sys, pathlib
from orchestrator.presses.claim import Claim
assert Claim(sys.argv[1], pathlib.Path(sys.argv[2])).take("SKINT_HOME /elsewhere")
print("held", flush=True)
sys.stdin.read()
"""


def test_the_second_process_is_told_who_has_it_until_that_is_killed(tmp_path: Path) -> None:
    claim = Claim(TOKEN, tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, TOKEN, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert not claim.take("SKINT_HOME /here")
        assert claim.holder() == f"pid {other.pid}, SKINT_HOME /elsewhere"
        other.kill()
    assert claim.take("SKINT_HOME /here")
    assert claim.take("SKINT_HOME /here")
    assert claim.holder() == f"pid {os.getpid()}, SKINT_HOME /here"
    claim.release()
    assert Claim(TOKEN, tmp_path).take("again")


def test_another_token_is_another_claim_and_stands_in_no_name(tmp_path: Path) -> None:
    one, other = Claim(TOKEN, tmp_path), Claim(TOKEN + "2", tmp_path)
    assert one.take("one") and other.take("other")
    assert "secret" not in "".join(path.name + path.read_text() for path in tmp_path.glob("*.lock"))
    one.release()
    other.release()


def test_a_claim_that_could_not_be_written_down_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, length: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.ftruncate", full)
        with pytest.raises(OSError, match="No space"):
            Claim(TOKEN, tmp_path).take("first")
    assert Claim(TOKEN, tmp_path).take("second")
