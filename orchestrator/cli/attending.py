"""For commands that wait for the scheduler: if it dies meanwhile, it is started again."""

from __future__ import annotations

import sys
import time

from orchestrator.home import Home, SchedulerError

RESTARTS = 3
"""One that ends so often and so soon has a trouble that another start does not heal."""
STEADY_S = 60.0


class Attendant:
    """Looks after the scheduler of `home` while somebody waits for it."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._restarts = 0
        self._started_s = 0.0

    def look(self) -> bool:
        """Start a scheduler if none runs; whether that was so.

        Raises SchedulerError if it does not start, or ends again and again.
        """
        if self._home.scheduler_pid() is not None:
            return False
        now_s = time.monotonic()
        if now_s > self._started_s + STEADY_S:
            self._restarts = 0
        if self._restarts == RESTARTS:
            raise SchedulerError(
                f"the background scheduler was started {RESTARTS} times and ended each time",
                next=f"read {self._home.log}; jobs that were started go on",
            )
        pid = self._home.start_scheduler()
        self._restarts, self._started_s = self._restarts + 1, now_s
        print(f"no scheduler was running; started one, pid {pid}", file=sys.stderr)
        return True
