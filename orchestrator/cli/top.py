"""Keys: c cancels the run of the selected line after a question, e shows the events, q leaves."""

from __future__ import annotations

import argparse

from orchestrator.home import Home
from skint.errors import OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--read-only", action="store_true", help="look, but let nothing be stopped")


def run(arguments: argparse.Namespace) -> int:
    from orchestrator.dashboard.app import Dashboard

    Dashboard(Home.find(), read_only=arguments.read_only).run()
    return OK
