"""The options of `skint account add` and `change`, and the account that they describe."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

from budget.accounts.account import Account, check_parent
from budget.accounts.definition import AccountError
from budget.accounts.limit import UNLIMITED_MS, Limit
from budget.accounts.presets import PRESETS, preset
from budget.duration import MINUTE_MS, format_length, parse_ms
from budget.windows import (
    KINDS,
    Calendar,
    FirstUse,
    Lots,
    PerSession,
    Rolling,
    Unbounded,
    WindowRule,
)
from orchestrator.cli.ledger.amount import parse_amount

OF_A_CALENDAR = ("every", "resets", "at", "zone")
SHORTEST_WINDOW_MS = MINUTE_MS
"""Windows from the first use are counted one after the other: those of a year of milliseconds are
never through."""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "--preset", metavar="PRESET", help="start from one of: " + ", ".join(PRESETS)
    )
    parser.add_argument("--parent", metavar="ACCOUNT", help="make a sub-budget of this account")
    _add_terms(parser)


def change_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "--limit", metavar="LIMIT", default="", help="which one; default: the first"
    )
    _add_terms(parser)


def _add_terms(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quota", metavar="AMOUNT", help="e.g. 30h, 100 credits, unlimited")
    parser.add_argument("--unlimited", action="store_true", help="count, but never refuse")
    parser.add_argument("--window", choices=KINDS, help="what the quota is counted over")
    parser.add_argument("--length", metavar="TIME", help="of a rolling or first-use window: 7d")
    parser.add_argument("--every", metavar="PERIOD", help="of a calendar: day, week or month")
    parser.add_argument("--resets", metavar="DAY", help="sat, or 1 to 31 of the month")
    parser.add_argument("--at", metavar="HH:MM", help="time of the reset on the clock of --zone")
    parser.add_argument("--zone", metavar="ZONE", help="e.g. UTC or Europe/Berlin")
    parser.add_argument("--keep-back", metavar="AMOUNT", help="never given out: for work by hand")


def described(arguments: argparse.Namespace, find: Callable[[str], Account]) -> Account:
    """The account that the options describe; `find` gives the parent. Raises `SkintError`."""
    account = _begun(arguments, find)
    limit = account.limits[0]
    moved = _with_window(limit, arguments)
    if moved.window != limit.window:
        moved = replace(moved, name=_limit_name(moved.window))
    return _with_amounts(replace(account, limits=(moved, *account.limits[1:])), moved, arguments)


def changed(account: Account, arguments: argparse.Namespace) -> Account:
    """`account` with what the options say of one of its limits. Raises `SkintError`.

    The limit keeps its name, whatever its window is now: that is how its history is found.
    """
    limit = account.limit(arguments.limit)
    moved = _with_window(limit, arguments)
    limits = tuple(moved if known is limit else known for known in account.limits)
    return _with_amounts(replace(account, limits=limits), moved, arguments)


def _with_amounts(account: Account, limit: Limit, arguments: argparse.Namespace) -> Account:
    """`account` with the quota of the options in `limit`, and what they keep back."""
    amount_ms = quota_ms(arguments.quota, account.unit)
    if arguments.unlimited:
        if amount_ms is not None:
            raise AccountError("--quota and --unlimited are two amounts", next="give one of them")
        amount_ms = UNLIMITED_MS
    limits = account.limits
    if amount_ms is not None and not isinstance(limit.window, Lots):
        given = replace(limit, amount_ms=amount_ms, assumed=False)
        limits = tuple(given if known is limit else known for known in limits)
    keep_back_ms = account.keep_back_ms
    if arguments.keep_back is not None:
        keep_back_ms = parse_amount(arguments.keep_back, account.unit, where="--keep-back")
    return replace(account, limits=limits, keep_back_ms=keep_back_ms)


def quota_ms(text: str | None, unit: str) -> int | None:
    """Weighted milliseconds of `--quota`, None where it was not given."""
    if text is None:
        return None
    if text.strip().lower() == "unlimited":
        return UNLIMITED_MS
    return parse_amount(text, unit, where="--quota")


def _begun(arguments: argparse.Namespace, find: Callable[[str], Account]) -> Account:
    """What the options change: a preset, or the parent's terms."""
    name = arguments.name
    if arguments.parent is None:
        if arguments.preset is None and name not in PRESETS:
            raise AccountError(
                "it is not said what kind of account this is",
                got=name,
                wanted=f"--preset {' | '.join(PRESETS)}",
                next=f"skint account add {name} --preset local",
            )
        return preset(arguments.preset or name, called=name)
    if arguments.preset is not None:
        raise AccountError(
            "a sub-budget has the terms of its parent, not of a preset",
            got=f"--parent {arguments.parent} --preset {arguments.preset}",
            next="leave --preset out",
        )
    if arguments.quota is None and not arguments.unlimited:
        raise AccountError(
            "a sub-budget has an amount of its own",
            wanted="--quota AMOUNT, or --unlimited to count only",
            next=f"skint account add {name} --parent {arguments.parent} --quota 10h",
        )
    parent = find(arguments.parent)
    first = parent.limits[0]
    window: WindowRule = Unbounded() if isinstance(first.window, Lots) else first.window
    limit = Limit(UNLIMITED_MS, window, _limit_name(window))
    child = replace(parent, name=name, limits=(limit,), keep_back_ms=0, parent=parent.name)
    check_parent(child, parent)
    return child


def _with_window(limit: Limit, arguments: argparse.Namespace) -> Limit:
    """`limit` over the window of the options; as it is if they say nothing of it."""
    window = limit.window
    calendar = [f"--{name}" for name in OF_A_CALENDAR if getattr(arguments, name) is not None]
    kind = arguments.window or ("calendar" if calendar else window.kind)
    if calendar and kind != "calendar":
        raise AccountError(
            f"{' '.join(calendar)} is of a calendar, and this window is {kind}",
            next=f"leave {' '.join(calendar)} out, or --window calendar",
        )
    if arguments.length is not None and kind not in ("rolling", "first-use"):
        raise AccountError(
            f"a window that is {kind} has no --length",
            got=arguments.length,
            next="--window rolling, or --window first-use",
        )
    if kind == window.kind and not calendar and arguments.length is None:
        return limit
    return replace(limit, window=_rule(kind, window, arguments))


def _rule(kind: str, old: WindowRule, arguments: argparse.Namespace) -> WindowRule:
    if kind == "calendar":
        return _calendar(old if isinstance(old, Calendar) else Calendar(), arguments)
    if kind in ("rolling", "first-use"):
        if arguments.length is None:
            raise AccountError(
                f"a window that is {kind} has a length", wanted="--length, e.g. --length 7d"
            )
        length_ms = parse_ms(arguments.length, where="--length")
        if length_ms < SHORTEST_WINDOW_MS:
            raise AccountError(
                "this window is too short to be counted by",
                where="--length",
                got=arguments.length,
                wanted=f"{format_length(SHORTEST_WINDOW_MS)} or more",
                next="--length 1h, or --window per-session for a limit of each session",
            )
        return Rolling(length_ms) if kind == "rolling" else FirstUse(length_ms)
    simple: dict[str, WindowRule] = {
        "lots": Lots(),
        "per-session": PerSession(),
        "unbounded": Unbounded(),
    }
    return simple[kind]


def _calendar(old: Calendar, arguments: argparse.Namespace) -> Calendar:
    every = (arguments.every or old.every).lower()
    on = old.on if every == old.every else ""
    if arguments.resets is not None:
        on = arguments.resets.lower()[:3] if every == "week" else arguments.resets
    return Calendar(every, on, arguments.at or old.at, arguments.zone or old.zone)


def _limit_name(window: WindowRule) -> str:
    if isinstance(window, Calendar):
        return {"day": "daily", "week": "weekly", "month": "monthly"}[window.every]
    return {"unbounded": "grant"}.get(window.kind, window.kind)
