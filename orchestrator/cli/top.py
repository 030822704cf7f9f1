"""Keys: ? shows them all; c cancels the run of the selected line after a question, q leaves."""

from __future__ import annotations

import argparse

from orchestrator.home import Home
from orchestrator.settings import read_settings
from skint.errors import OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--read-only", "--readonly", action="store_true", help="look, but let nothing be stopped"
    )


def run(arguments: argparse.Namespace) -> int:
    from orchestrator.dashboard.app import Dashboard

    home = Home.find()
    read_only = arguments.read_only or read_settings(home.path).read_only
    Dashboard(home, read_only=read_only).run()
    return OK
