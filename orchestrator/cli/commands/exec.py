"""The program runs in this folder, with the environment of this shell, which is
written nowhere. What it prints comes here, each stream to its own; its input is
empty. `skint exec` ends with the program's own exit code, with 6 where skint
has stopped the program, with 130 after Ctrl-C, which ends it as TERM and a
grace do, and with 141 where who reads its words is gone (`| head`), which ends
it too. At its limit it is asked to stop: what listens (skint.Callback, TERM,
the file `stop`) writes its checkpoint, and what does not is ended."""

from __future__ import annotations

import argparse

EXAMPLES = (
    "skint exec --cpu -- python -c 'print(6 * 7)'",
    "skint exec --account demo --devices 1 --for 1m --name greeting -- echo hello",
    "skint logs greeting",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.takes_program = True  # type: ignore[attr-defined]
    parser.usage = f"{parser.prog} [OPTIONS] -- PROGRAM [ARGUMENTS]"
    parser.add_argument("--account", metavar="NAME", help="what pays for the accelerator")
    parser.add_argument("--devices", metavar="N", type=int, help="accelerators at once (default 1)")
    parser.add_argument("--cpu", action="store_true", help="no accelerator, no account")
    parser.add_argument(
        "--for",
        metavar="TIME",
        dest="limit",
        help="the longest it may take, e.g. 2h: this is reserved",
    )
    parser.add_argument(
        "--grace", metavar="TIME", default="30s", help="from being asked to being ended (30s)"
    )
    parser.add_argument(
        "--cpus", metavar="N", type=int, help="cores (default: 1 with --cpu, else all)"
    )
    parser.add_argument("--name", help="name of the run; default: the program's and a number")
    parser.add_argument(
        "--park",
        action="store_true",
        help="it goes on by itself from $SKINT_PREVIOUS: it may begin with the hours that are left"
        " and go on when hours come back",
    )
    parser.add_argument("--priority", metavar="N", type=int, default=0, help="larger goes first")
    parser.add_argument(
        "--notify", metavar="PLAN", help="tell whom this plan tells: the file with its `notify:`"
    )
    parser.add_argument("--detach", action="store_true", help="do not wait for its end")
    parser.add_argument("--json", action="store_true", help="for programs: how it ended, as JSON")


def run(arguments: argparse.Namespace) -> int:
    from orchestrator.cli.program.executing import execute

    return execute(arguments)
