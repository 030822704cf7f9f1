"""Completes commands, options, runs, their jobs and folds, accounts and plans.

Try it in this shell:

  source <(skint completion bash)"""

from __future__ import annotations

import argparse
import sys

from orchestrator.cli.completing.shells import SCRIPTS, WHERE
from skint.errors import OK

EXAMPLES = ("skint completion bash", "skint completion zsh", "skint completion fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=tuple(SCRIPTS), help="prints a script for this shell")


def run(arguments: argparse.Namespace) -> int:
    print(SCRIPTS[arguments.shell].strip())
    sys.stdout.flush()
    if sys.stdout.isatty() and not arguments.manner.quiet:
        print(f"to keep it   {WHERE[arguments.shell]}", file=sys.stderr)
    return OK
