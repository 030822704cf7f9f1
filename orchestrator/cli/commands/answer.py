"""Answer a stop rule that asks, or let run what a rule has spoken against."""

from __future__ import annotations

import argparse

from orchestrator.cli.acting import login_name, run_named
from orchestrator.cli.inbox import ask
from orchestrator.cli.printing.output import add_json, print_done
from orchestrator.commands import AnswerVerdict
from orchestrator.home import Home
from orchestrator.state.questions import open_questions
from skint.errors import NOT_FOUND, OK, USAGE, SkintError


class NothingAsked(SkintError):
    exit_code = NOT_FOUND


class SeveralAsked(SkintError):
    exit_code = USAGE


EXAMPLES = (
    "skint submit plan.yaml --set train.lr=9 --set train.wait=60 --name doubtful",
    "skint answer doubtful --stop",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="RUN")
    said = parser.add_mutually_exclusive_group(required=True)
    said.add_argument("--stop", action="store_true", help="stop it; checkpoints are kept")
    said.add_argument("--let-run", action="store_true", help="the rule says no more of it")
    parser.add_argument("--rule", default="", help="where several rules have spoken")
    parser.add_argument(
        "--about", default="", metavar="WHAT", help="a fold, a group or the run, where several are"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    home = Home.find()
    rule, target = meant(home, arguments.name, arguments.rule, arguments.about)
    # The answer is there before a scheduler is started that would find the question overdue.
    said = AnswerVerdict(
        run=arguments.name,
        rule=rule,
        target=target,
        answer="stop" if arguments.stop else "let-run",
        by=login_name(),
    )
    print_done("answer", ask(home, said), arguments.name, as_json=arguments.json)
    return OK


def meant(home: Home, name: str, rule: str, about: str) -> tuple[str, str]:
    """The one question that is open, unless it is named."""
    known = run_named(home, name)
    if not known.verdicts:
        raise NothingAsked(f"no stop rule has said anything of {name}", next=f"skint show {name}")
    if not any(rule in ("", said.rule) and about in ("", said.target) for said in known.verdicts):
        who = f"{rule} has said nothing" if rule else "no stop rule has said anything"
        raise NothingAsked(
            f"{who} of {about or name}",
            wanted="; ".join(
                dict.fromkeys(f"--rule {one.rule} --about {one.target}" for one in known.verdicts)
            ),
            next=f"skint show {name}",
        )
    asked = [
        said
        for said in open_questions(known)
        if rule in ("", said.rule) and about in ("", said.target)
    ]
    if len(asked) > 1:
        raise SeveralAsked(
            f"{len(asked)} questions about {name} are open",
            wanted="; ".join(f"--rule {one.rule} --about {one.target}" for one in asked),
        )
    return (asked[0].rule, asked[0].target) if asked else (rule, about)
