"""`skint top` behind a page of the web server: the process of one tab. Never outlives the server.

Textual reads a pipe here that it does not notice the end of: without its server it would spin for
ever. So the kernel kills it where it can (`PR_SET_PDEATHSIG`), and a thread looks for the rest.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import select
import signal
import sys
import threading

from orchestrator.home import Home

PR_SET_PDEATHSIG = 1
LOOK_EVERY_S = 0.5
LAST_WORDS_S = 3.0
"""What is left for the app to end by itself after its pipe was closed."""


def die_with(parent: int) -> None:
    """End this process at once when `parent`, which started it, ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    watch = threading.Thread(target=_watch, args=(parent,), name="skint-top-parent", daemon=True)
    watch.start()


def _watch(parent: int) -> None:
    """For other systems, for a parent that was gone before the kernel was told, and for a server
    that has closed the pipe of this tab."""
    poll = select.poll()
    poll.register(0, 0)  # a hang-up is told without being asked for
    while os.getppid() == parent:
        if any(event & (select.POLLHUP | select.POLLERR) for _, event in _polled(poll)):
            threading.Event().wait(LAST_WORDS_S)
            break
    os._exit(1)


def _polled(poll: select.poll) -> list[tuple[int, int]]:
    return poll.poll(LOOK_EVERY_S * 1000)


def main() -> int:
    """Raises SystemExit for wrong arguments."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--read-only", action="store_true")
    arguments = parser.parse_args()
    die_with(arguments.parent)
    from orchestrator.dashboard.app import Dashboard

    Dashboard(Home.find(), read_only=arguments.read_only).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
