"""`skint top` on a real terminal, which tmux gives it: real keys, real sizes, real bytes."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from skint.errors import USAGE
from tests.orchestrator.dashboard.screens import second_fold
from tests.terminal import Terminal, until

MOST_BYTES_A_SECOND = 600
"""A clock that ticks and hours in flight that grow: over SSH nobody feels that."""


class Tmux:
    """One window of a tmux server of its own."""

    def __init__(self, folder: Path) -> None:
        self.socket = str(folder / "tmux")
        self.bytes = folder / "bytes"

    def __call__(self, *words: str) -> str:
        command = ["tmux", "-S", self.socket, "-f", os.devnull, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def start(self, command: str, width: int, height: int) -> None:
        size = ("-x", str(width), "-y", str(height))
        self("new-session", "-d", *size, "sh", "-c", f"{command}; echo left with $?; sleep 600")
        self("set-option", "-g", "window-size", "manual")
        self("pipe-pane", "-o", f"cat >> {shlex.quote(str(self.bytes))}")

    def text(self) -> str:
        return self("capture-pane", "-p")

    def shows(self, words: str) -> None:
        try:
            until(lambda: re.search(words, self.text()) is not None)
        except AssertionError as error:
            error.add_note(self.text())
            raise

    def press(self, *keys: str) -> None:
        self("send-keys", *keys)


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    server = Tmux(tmp_path)
    yield server
    subprocess.run(["tmux", "-S", server.socket, "kill-server"], capture_output=True)


def test_a_real_terminal_shows_it_hears_its_keys_is_resized_and_gets_few_bytes(
    tmp_path: Path, tmux: Tmux
) -> None:
    world = second_fold(tmp_path / "home")
    world.store.close()
    program = f"{shlex.quote(sys.executable)} -P -m orchestrator.cli top --readonly"
    home = shlex.quote(str(world.path))
    # A size that the environment names would hold for good.
    tmux.start(f"env -u COLUMNS -u LINES SKINT_HOME={home} NO_COLOR=1 {program}", 80, 24)
    tmux.shows(r"seedlings-1 +running")
    tmux.shows(r"c Cancel|Detail .* q Quit")
    assert "skint read-only" in tmux.text().splitlines()[0]
    assert all(len(line) <= 80 for line in tmux.text().splitlines())

    def clock() -> str:
        found = re.search(r"\d\d:\d\d:\d\d", tmux.text())
        return found[0] if found else ""

    seen = [clock()]
    before = tmux.bytes.stat().st_size
    while len(seen) < 4:
        until(lambda: clock() not in ("", seen[-1]))
        seen.append(clock())
    assert tmux.bytes.stat().st_size - before < 3 * MOST_BYTES_A_SECOND

    tmux.press("Down", "Down")
    tmux.shows(r"(?m)^▌   fold 1 \(2 of 3\)")
    tmux.press("?")
    tmux.shows(r"Runs and folds")
    tmux.press("q")
    tmux.shows(r"seedlings-1 +running")
    tmux.press("/", "n", "o", "n", "e")  # at once: n, o and e are keys of their own elsewhere
    tmux.shows("0 of 1 runs with “none”")
    tmux.press("Escape")
    tmux.shows(r"seedlings-1 +running")
    tmux.press("c")
    tmux.shows("this screen is read-only")
    tmux("resize-window", "-x", "140", "-y", "40")
    tmux.shows(r"─ Selected ─")
    tmux("resize-window", "-x", "50", "-y", "10")
    tmux.shows("50 x 10 is too")
    tmux("resize-window", "-x", "80", "-y", "24")
    tmux.shows(r"seedlings-1 +running")
    tmux.press("q")
    tmux.shows("left with 0")
    assert "seedlings-1" not in tmux.text(), "the screen is as it was before"


def test_without_a_terminal_it_says_what_to_type_instead(tmp_path: Path) -> None:
    said = Terminal(tmp_path).skint("top")
    assert (said.code, said.out) == (USAGE, "")
    assert "the dashboard needs a terminal" in said.err
    assert "skint status, skint queue" in said.err
