"""One HTML file about a run, which needs nothing else: what came of it, the learning curves of all
folds, what it is compared with, what stop rules said, where the hours went, the pages of its jobs
(the costliest mistakes, where `errors` has looked for them), and the recipe."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from budget.ledger import Ledger
from orchestrator.cli.named import run_named
from orchestrator.cli.printing.output import add_json, print_done
from orchestrator.home import Home
from orchestrator.plans.ingredients import KeptIngredients
from orchestrator.scheduler.books import owner_of
from orchestrator.store.store import read_state
from skint.attempt import write_atomic
from skint.errors import OK, SkintError

EXAMPLES = ("skint report seedlings-1", "skint report seedlings-1 -o report.html")
OURS = b'<meta name="generator" content="skint">'
HEAD_BYTES = 400


class CannotWrite(SkintError):
    """The page cannot be put there."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="RUN")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="default: RUN.html in this folder; - is the screen"
    )
    parser.add_argument("--open", action="store_true", help="show it in the browser")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home, now_ms = Home.find(), time.time_ns() // 1_000_000
    state = read_state(home.store)
    found = run_named(state, arguments.name)
    path = Path(arguments.output or f"{found.name}.html")
    if arguments.output != "-":
        _refuse_to_overwrite(path, yes=arguments.manner.yes)
    from orchestrator.report.page import page  # numpy and jinja2

    with Ledger(home.ledger, read_only=True) as ledger:
        charged = ledger.charged_by(owner_of(found.name))
    content = page(found, state, charged, now_ms, KeptIngredients(home.keys))
    # backslashreplace: a file name need not be UTF-8, the page must be.
    encoded = content.encode("utf-8", "backslashreplace")
    if arguments.output == "-":
        sys.stdout.write(encoded.decode())
        return OK
    try:
        write_atomic(path, encoded)
    except OSError as error:
        raise CannotWrite(
            "the report cannot be written",
            where=str(path),
            got=error.strerror,
            wanted="a file in a folder that is there",
        ) from error
    print_done("report", str(path), found.name, as_json=arguments.json)
    if arguments.open:
        _open(path)
    return OK


def _refuse_to_overwrite(path: Path, *, yes: bool) -> None:
    """An older report makes room for the new one; any other file does not."""
    try:
        with open(path, "rb") as file:
            ours = OURS in file.read(HEAD_BYTES)
    except FileNotFoundError:
        return
    except OSError as error:
        raise CannotWrite(
            "the report cannot be written", where=str(path), got=error.strerror
        ) from error
    if not ours and not yes:
        raise CannotWrite(
            "there is another file of this name, and it is no report",
            where=str(path),
            next="another name with -o, or --yes to overwrite it",
        )


def _open(path: Path) -> None:
    import webbrowser

    if not webbrowser.open(path.absolute().as_uri()):
        print(f"there is no browser here; open {path.absolute()}", file=sys.stderr)
