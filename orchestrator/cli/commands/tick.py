"""Looks at every live job once, books what has ended and starts what may start."""

from __future__ import annotations

import argparse

from orchestrator.home import Home
from orchestrator.serving import scheduler_in
from skint.errors import OK

EXAMPLES = ("skint tick",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(arguments: argparse.Namespace) -> int:
    with scheduler_in(Home.find()) as serving:
        before = serving.scheduler.store.last_event()
        serving.scheduler.tick()
        after = serving.scheduler.store.last_event()
        live = sum(1 for _ in serving.scheduler.state.live_attempts())
        serving.drain()
    events = after - before
    print(f"{events} event{'s' if events != 1 else ''} · {live} job{'s' if live != 1 else ''} live")
    return OK
