"""Keys: ? shows them all; c cancels the run of the selected line after a question, q leaves."""

from __future__ import annotations

import argparse
import gc
import importlib.util
import sys
from pathlib import Path

from orchestrator.dashboard.web.guard import WebError
from orchestrator.home import Home
from orchestrator.settings import read_settings
from skint.errors import OK, USAGE, SkintError

NEEDS = ("textual_serve", "aiohttp", "aiohttp_jinja2")
"""What the extra `skint[web]` brings."""


EXAMPLES = ("skint top",)


class TopError(SkintError):
    """These options do not go together, or there is no terminal."""

    exit_code = USAGE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--read-only", "--readonly", action="store_true", help="look, but let nothing be stopped"
    )
    parser.add_argument(
        "--web", action="store_true", help="in a browser on this machine; prints a link to open"
    )
    parser.add_argument("--port", type=int, metavar="N", help="with --web; default: a free one")
    parser.add_argument("--open", action="store_true", help="with --web: open the browser")


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    read_only = arguments.read_only or read_settings(home.path).read_only
    if arguments.web:
        _serve(arguments.port, read_only, home.path if arguments.open else None)
        return OK
    if arguments.open or arguments.port is not None:
        raise TopError("--port and --open are for the browser", next="skint top --web")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise TopError(
            "the dashboard needs a terminal",
            got="standard input or output is none",
            next="skint status, skint queue, or skint top --web",
        )
    gc.disable()  # nothing of what is imported is garbage
    from orchestrator.dashboard.app import Dashboard

    gc.freeze()
    gc.enable()
    app = Dashboard(home, read_only=read_only)
    app.run()
    return app.return_code or OK


def _serve(port: int | None, read_only: bool, open_in: Path | None) -> None:
    missing = [name for name in NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        raise WebError(
            "the dashboard in a browser needs an extra",
            got=f"{', '.join(missing)} not installed",
            next="pip install 'skint[web]'",
        )
    if port is not None and not 0 < port < 65536:
        raise TopError("this is no port", where="--port", got=port, wanted="1 to 65535")
    from orchestrator.dashboard.web.server import serve

    serve(port=port, read_only=read_only, open_in=open_in)
