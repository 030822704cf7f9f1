"""Results are reused where job, parameters, code, libraries and inputs are the same. What is
removed is made again when a plan needs it. What a run that goes on needs is never removed, nor what
cost accelerator hours unless --accelerator says so. Records and logs stay."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial

from budget.duration import DAY_MS, HOUR_MS, MINUTE_MS, format_clock, parse_ms
from orchestrator.cache.choice import Wish, chosen
from orchestrator.cache.entry import Entry, entries, needed_keys
from orchestrator.cache.removal import Removed, remove, size_of, sweep
from orchestrator.cli.printing.output import add_json, print_answer
from orchestrator.cli.printing.screen import table
from orchestrator.cli.printing.size import format_size, parse_size
from orchestrator.home import Home
from orchestrator.plans.ingredients import KeptIngredients
from orchestrator.state.state import State
from orchestrator.store.store import read_state
from orchestrator.submitting.results import wrong_with
from orchestrator.views.figures import amount
from skint.errors import FAILED, OK, USAGE, SkintError

USERS_SHOWN = 2


class NothingAsked(SkintError):
    """Nobody has said what is to go."""

    exit_code = USAGE


class NotConfirmed(SkintError):
    """Nobody is there to be asked, and nobody has said yes beforehand."""

    exit_code = USAGE


EXAMPLES = (
    "skint cache ls",
    "skint cache verify",
    "skint cache prune --older-than 30d --dry-run",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    shown = actions.add_parser("ls", help="what is on disk, the newest use first")
    add_json(shown)
    verified = actions.add_parser("verify", help="read every result and compare it with its hashes")
    add_json(verified)
    pruned = actions.add_parser(
        "prune",
        help="remove results, the oldest use first",
        description="Removes results, the oldest use first. Of several conditions all must hold.",
    )
    pruned.add_argument(
        "--max-size", metavar="SIZE", help="until all is no larger than this, e.g. 20GB"
    )
    pruned.add_argument("--older-than", metavar="TIME", help="not used for so long, e.g. 30d")
    pruned.add_argument("--unused", action="store_true", help="what the newest run of no plan has")
    pruned.add_argument(
        "--accelerator",
        action="store_true",
        help="also checkpoints and results that cost accelerator hours",
    )
    pruned.add_argument("--dry-run", action="store_true", help="only say what would go")
    add_json(pruned)


def run(arguments: argparse.Namespace) -> int:
    home, now_ms = Home.find(), time.time_ns() // 1_000_000
    state = read_state(home.store)
    found = entries(state, size_of, now_ms)
    if arguments.action == "ls":
        _list(found, arguments.json, now_ms)
        return OK
    if arguments.action == "verify":
        return _verify(found, arguments.json)
    return _prune(home, state, found, arguments, now_ms)


# --- ls -------------------------------------------------------------------------------------------


def _list(found: Sequence[Entry], as_json: bool, now_ms: int) -> None:
    if as_json:
        from orchestrator.shapes.cache import CacheList, entry_shape

        print_answer(CacheList(_bytes(found), tuple(map(entry_shape, found))))
        return
    if not found:
        print("nothing is kept yet; `skint run PLAN` makes results")
        return
    print(_table(found[::-1], now_ms))
    print()
    parts = []
    for sort, words in (("result", "results"), ("replaced", "replaced"), ("unfinished", "begun")):
        of = [entry for entry in found if entry.sort == sort]
        if of:
            parts.append(f"{len(of)} {words} {format_size(_bytes(of))}")
    print(f"{format_size(_bytes(found))} in all: {' · '.join(parts)}")


def _table(found: Sequence[Entry], now_ms: int) -> str:
    heads = ("result", "kind", ">size", ">made", ">last used", ">took", "used by")
    rows = [
        (
            f"{entry.job} of {entry.run}",
            entry.sort,
            format_size(entry.size_bytes),
            _ago(entry.made_ms, now_ms),
            "now" if entry.needed_by else _ago(entry.used_ms, now_ms),
            _cost(entry),
            _users(entry),
        )
        for entry in found
    ]
    return table(heads, rows)


def _users(entry: Entry) -> str:
    if not entry.used_by:
        return f"{entry.needed_by}, which goes on" if entry.needed_by else "–"
    newest = entry.used_by[::-1]
    more = len(newest) - USERS_SHOWN
    return ", ".join(newest[:USERS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _ago(at_ms: int, now_ms: int) -> str:
    ms = max(0, now_ms - at_ms)
    for unit_ms, unit in ((DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "min")):
        if ms >= unit_ms:
            return f"{ms // unit_ms} {unit} ago"
    return "just now"


def _cost(entry: Entry) -> str:
    """What making it took: hours of an account, or time of this machine."""
    if entry.charged_ms:
        return f"{amount(entry.charged_ms, entry.unit)} of {entry.account}"
    return format_clock(entry.wall_ms)


def _bytes(found: Sequence[Entry]) -> int:
    return sum(entry.size_bytes for entry in found)


# --- verify ---------------------------------------------------------------------------------------


def _verify(found: Sequence[Entry], as_json: bool) -> int:
    results = [entry for entry in found if entry.sort == "result"]
    bad: list[tuple[Entry, str]] = []
    for number, entry in enumerate(results, 1):
        if sys.stderr.isatty():
            size = format_size(entry.size_bytes)
            print(
                f"\r\033[K{number} of {len(results)} · {entry.attempt} · {size}",
                end="",
                file=sys.stderr,
            )
        wrong = wrong_with(entry.out, whole=True)
        if wrong:
            bad.append((entry, wrong))
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    if as_json:
        from orchestrator.shapes.cache import CacheVerify, Damaged

        damaged = (Damaged(entry.attempt, entry.out, why) for entry, why in bad)
        print_answer(CacheVerify(len(results), tuple(damaged)))
        return FAILED if bad else OK
    for entry, wrong in bad:
        print(f"damaged  {entry.job} of {entry.run}: {wrong}; it is made again when it is needed")
    whole = f"{len(results) - len(bad)} of {len(results)} results are whole"
    print(f"{whole} ({format_size(_bytes(results))} read)")
    return FAILED if bad else OK


# --- prune ----------------------------------------------------------------------------------------


def _prune(
    home: Home, state: State, found: list[Entry], arguments: argparse.Namespace, now_ms: int
) -> int:
    wish = _wish(arguments)
    going = chosen(found, wish, now_ms)
    if not arguments.json:
        _announce(going, found, now_ms, dry=arguments.dry_run)
    removed = Removed()
    if going and not arguments.dry_run:
        if not arguments.manner.yes and not _confirmed(going, as_json=arguments.json):
            print("nothing was removed")
            return FAILED
        scheduler_runs = home.scheduler_pid() is not None
        removed = remove(going, partial(read_state, home.store), scheduler_runs=scheduler_runs)
    gone = going if arguments.dry_run else removed.gone
    left = [entry for entry in found if entry not in gone]
    if not arguments.dry_run:
        sweep(home.runs, now_ms)
        KeptIngredients(home.keys).forget_all_but(needed_keys(state, left))
    if arguments.json:
        from orchestrator.shapes.cache import CachePrune, Failed, entry_shape

        print_answer(
            CachePrune(
                dry_run=arguments.dry_run,
                removed=tuple(map(entry_shape, gone)),
                freed_bytes=_bytes(gone),
                left_bytes=_bytes(left),
                failed=tuple(Failed(entry.attempt, why) for entry, why in removed.failed),
            )
        )
    elif going and not arguments.dry_run:
        _report(removed, left)
    too_large = wish.max_bytes is not None and _bytes(left) > wish.max_bytes
    if too_large and not arguments.json:
        print(_why_not_less(left, wish))
    return FAILED if too_large or removed.failed else OK


def _wish(arguments: argparse.Namespace) -> Wish:
    if arguments.max_size is None and arguments.older_than is None and not arguments.unused:
        raise NothingAsked(
            "it is not said what is to go",
            wanted="--max-size 20GB, --older-than 30d or --unused",
            next="skint cache ls",
        )
    return Wish(
        None if arguments.max_size is None else parse_size(arguments.max_size, where="--max-size"),
        None
        if arguments.older_than is None
        else parse_ms(arguments.older_than, where="--older-than"),
        arguments.unused,
        arguments.accelerator,
    )


def _announce(going: Sequence[Entry], found: Sequence[Entry], now_ms: int, *, dry: bool) -> None:
    if not going:
        print(f"nothing to remove; {format_size(_bytes(found))} are kept")
        return
    print(_table(going, now_ms))
    print()
    if dry:
        print(f"would free {format_size(_bytes(going))}; {_again(going)}")


def _again(gone: Sequence[Entry]) -> str:
    """What making them again costs."""
    results = [entry for entry in gone if entry.sort == "result"]
    free_ms = sum(entry.wall_ms for entry in results if not entry.charged_ms)
    costs = [f"{format_clock(free_ms)} of this machine"]
    paid: dict[tuple[str, str], int] = {}
    for entry in results:
        if entry.charged_ms:
            account = entry.account, entry.unit
            paid[account] = paid.get(account, 0) + entry.charged_ms
    costs += [f"{amount(ms, unit)} of {account}" for (account, unit), ms in paid.items()]
    if not results:
        return "none of it is a result"
    return f"making all of it again would take {' and '.join(costs)}"


def _confirmed(going: Sequence[Entry], *, as_json: bool) -> bool:
    """A person at a terminal is asked; whoever cannot be asked says `--yes`, or NotConfirmed."""
    if as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NotConfirmed(
            "nothing was removed: nobody said yes, and there is no terminal to ask at",
            got=f"{len(going)} to remove, {format_size(_bytes(going))}",
            next="say --yes to remove them, --dry-run to look only",
        )
    asked = f"remove these {len(going)}, {format_size(_bytes(going))}? [y/N] "
    return input(asked).strip().lower() in ("y", "yes")


def _report(removed: Removed, left: Sequence[Entry]) -> None:
    if removed.gone:
        freed = format_size(_bytes(removed.gone))
        print(f"freed {freed}; {_again(removed.gone)}; {format_size(_bytes(left))} are left")
    for entry in removed.spared:
        print(f"kept  {entry.job} of {entry.run}: a run has just begun to use it")
    for entry, why in removed.failed:
        print(f"kept  {entry.job} of {entry.run}: {why.lower()}", file=sys.stderr)


def _why_not_less(left: Sequence[Entry], wish: Wish) -> str:
    """Why it is still larger than was asked for, and what else could be done."""
    live = _bytes([entry for entry in left if entry.needed_by])
    paid = _bytes([entry for entry in left if entry.accelerator and not entry.needed_by])
    parts = []
    if live:
        parts.append(f"{format_size(live)} are needed by runs that go on")
    if paid and not wish.accelerator:
        parts.append(f"{format_size(paid)} cost accelerator hours (--accelerator removes them too)")
    if wish.older_ms is not None or wish.unused:
        parts.append("the rest does not meet the other conditions")
    return f"still {format_size(_bytes(left))}: {' · '.join(parts)}"
