"""Nothing is changed without --fix, which does only what loses nothing: it starts a scheduler that
is missing, or starts one anew that is older than the code. Nobody is asked over the network without
--online. Exit code: 1 where something is bad."""

from __future__ import annotations

import argparse
import os

from orchestrator.checkup.all import CHECKS, look
from orchestrator.checkup.finding import Finding
from orchestrator.checkup.machine import Machine
from orchestrator.cli.parsing.parser import WrongLine
from orchestrator.cli.printing.output import add_json, print_answer
from orchestrator.cli.printing.screen import prose
from orchestrator.home import Home
from orchestrator.settings import Settings, SettingsError, read_settings
from skint.errors import FAILED, OK
from skint.job import nearest

EXAMPLES = (
    "skint doctor python extras clock disk files accounts scheduler slack",
    "skint doctor disk --json",
)
INDENT = " " * 6
WIDTH = 14


def add_arguments(parser: argparse.ArgumentParser) -> None:
    words = ", ".join(CHECKS)
    parser.add_argument("checks", metavar="CHECK", nargs="*", help=f"only these: {words}")
    parser.add_argument("--fix", action="store_true", help="do what can be done without a loss")
    parser.add_argument("--online", action="store_true", help="ask Slack, and a clock elsewhere")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    unknown = [name for name in arguments.checks if name not in CHECKS]
    if unknown:
        raise WrongLine(
            "there is no such check",
            got=unknown[0],
            wanted=", ".join(CHECKS),
            next=nearest(unknown[0], CHECKS),
        )
    machine = Machine(home, os.environ, arguments.online, settings=_settings(home))
    done: list[tuple[Finding, str]] = []
    for finding in look(machine, tuple(arguments.checks)):
        fixed = finding.repair() if arguments.fix and finding.repair is not None else ""
        done.append((finding, fixed))
        if not arguments.manner.json:
            _print(finding, fixed, arguments.manner.quiet)
    wrong = [finding for finding, fixed in done if finding.level == "bad" and not fixed]
    if arguments.manner.json:
        _print_json(done, healthy=not wrong)
    else:
        _print_sum(done)
    return FAILED if wrong else OK


def _settings(home: Home) -> Settings:
    """What is wrong with them is said by the check `files`."""
    try:
        return read_settings(home.path)
    except SettingsError:
        return Settings()


def _print(finding: Finding, fixed: str, quiet: bool) -> None:
    if quiet and finding.level == "ok":
        return
    head = f"{finding.level:<4}  {finding.check:<{WIDTH}}  "
    print(prose(head + finding.said, " " * len(head)), flush=True)
    if fixed:
        print(f"{INDENT}{'fixed':<{WIDTH}}  {fixed}")
    elif finding.fix:
        print(f"{INDENT}{'fix':<{WIDTH}}  {finding.fix}")


def _print_sum(done: list[tuple[Finding, str]]) -> None:
    left = [finding for finding, fixed in done if not fixed]
    counts = {level: sum(one.level == level for one in left) for level in ("bad", "warn")}
    if not any(counts.values()):
        print("all is well")
        return
    words = [f"{counts['bad']} bad"] if counts["bad"] else []
    words += [f"{counts['warn']} to know of"] if counts["warn"] else []
    able = sum(one.repair is not None for one in left)
    print(", ".join(words) + (f" · skint doctor --fix mends {able}" if able else ""))


def _print_json(done: list[tuple[Finding, str]], *, healthy: bool) -> None:
    from orchestrator.shapes import doctor

    print_answer(
        doctor.Doctor(
            healthy,
            tuple(
                doctor.Finding(one.check, one.level, one.said, one.fix, fixed)
                for one, fixed in done
            ),
        )
    )
