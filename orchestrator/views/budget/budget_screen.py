"""`skint budget` as text: what an account has used and left, limit by limit. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from budget.accounts.account import Account
from budget.amount import format_amount
from budget.duration import SECOND_MS, format_clock
from budget.instant import format_instant
from budget.ledger.balance import Balance, LimitBalance
from budget.ledger.lot import Lot
from budget.ledger.reading import Reading
from budget.windows import Lots, PerSession
from orchestrator.views.budget.budget_parts import Part, shown_amount, shown_parts
from orchestrator.views.budget.dry_words import dry_words
from orchestrator.views.budget.queue_words import queue_words
from orchestrator.views.budget.reading_words import reading_due
from orchestrator.views.budget.windows import window_words
from orchestrator.views.figures import amount

if TYPE_CHECKING:
    from orchestrator.forecasts.forecasting import Queue

WIDTH = 40
"""Cells of the bar of a whole amount."""
LEAST_WIDTH = 10
NAME_WIDTH = 10

SAVED = {
    "early-stop": "by early stops",
    "cache": "by cache",
    "refused": "refused",
    "parked": "parked instead of lost",
}
"""Kinds of hours saved, in the order and the words of the screen."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A name, an amount, a share of a bar and words; without a name the words are a head line."""

    name: str
    amount: str
    words: str
    mark: str = ""
    share: float = 0.0


def account_screen(
    account: Account,
    balance: Balance,
    readings: Sequence[Reading],
    now_ms: int,
    *,
    lots: Sequence[Lot] = (),
    queue: Queue | None = None,
    exact: bool = False,
    columns: int | None = None,
) -> str:
    """Every limit of `account` itself, then what was saved and what the provider says.

    `readings` and `lots` are those of the account, `queue` is what waits and runs there. Limits of
    parents are shown with the parents; where they leave less than the account's own do, a line
    says so. Lines are broken at `columns`, and bars are shorter where those are few; None: never.
    """
    lines = [*_lines(account, balance, readings, now_ms, exact), *_lot_lines(account, lots, now_ms)]
    own = [limit for limit in balance.limits if limit.account == account.name]
    summed = [limit for limit in own if not isinstance(limit.limit.window, PerSession)]
    if summed:
        lines += _ahead(min(summed, key=lambda limit: limit.free_ms), queue, now_ms)
    width = max(10, *(len(line.amount) for line in lines))
    return "\n".join(_drawn(line, width, columns) for line in lines)


def saved_words(balance: Balance) -> str:
    """ "3.10 h by early stops · 1.75 h by cache"."""
    known = [*SAVED, *sorted(kind for kind in balance.saved if kind not in SAVED)]
    return " · ".join(
        f"{amount(balance.saved[kind], balance.unit)} {SAVED.get(kind, kind)}"
        for kind in known
        if balance.saved.get(kind, 0) >= SECOND_MS
    )


def newest_reading(readings: Sequence[Reading], limit: LimitBalance) -> Reading | None:
    """The last one that was taken of this limit until its window ends, or before it began."""
    own = [
        reading
        for reading in readings
        if (reading.account, reading.limit) == (limit.account, limit.limit.name)
        and reading.at_ms < limit.window.end_ms
    ]
    return max(own, key=lambda reading: reading.at_ms, default=None)


def _drawn(line: _Line, width: int, columns: int | None) -> str:
    if not line.name:
        return _broken(line.words, columns, 2)
    amount = f" {line.amount:>{width}}" if line.amount else ""
    begin = f"  {line.name:<{NAME_WIDTH}}{amount}  "
    bar = _bar(line, WIDTH if columns is None else max(LEAST_WIDTH, columns - len(begin)))
    return _broken(f"{begin}{'  '.join(filter(None, (bar, line.words)))}", columns, NAME_WIDTH + 4)


def _broken(text: str, columns: int | None, hang: int) -> str:
    """`text` in lines of at most `columns`, those after the first behind `hang` spaces."""
    if columns is None or len(text) <= columns:
        return text.rstrip()
    return textwrap.fill(
        text.lstrip(),
        columns,
        initial_indent=" " * (len(text) - len(text.lstrip())),
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _lines(
    account: Account, balance: Balance, readings: Sequence[Reading], now_ms: int, exact: bool
) -> Iterator[_Line]:
    own = [limit for limit in balance.limits if limit.account == account.name]
    for limit in own:
        yield _Line("", "", _head(account, limit, now_ms, several=len(own) > 1))
        reading = newest_reading(readings, limit)
        yield from _amounts(limit, reading, exact)
        if reading is not None:
            yield _Line("reading", "", _reading_words(reading, limit, now_ms))
    if due := reading_due(account, readings, now_ms):
        is_read = any(newest_reading(readings, limit) for limit in own)
        yield _Line("next" if is_read else "reading", "", due)
    tightest = balance.tightest
    if own and tightest.free_ms < min(limit.free_ms for limit in own):
        shown = format_amount(tightest.free_ms, balance.unit, exact=exact)
        yield _Line("at most", shown, f"{tightest.account} has no more than this free")
    saved_ms = sum(balance.saved.values())
    if saved_ms >= SECOND_MS:
        shown = format_amount(saved_ms, balance.unit, exact=exact)
        yield _Line("saved", shown, saved_words(balance))


def _lot_lines(account: Account, lots: Sequence[Lot], now_ms: int) -> Iterator[_Line]:
    """Lots that can be used, the one that is used first at the head."""
    live = [lot for lot in lots if lot.granted_ms <= now_ms < lot.end_ms]
    for lot in sorted(live, key=lambda lot: (lot.end_ms, lot.granted_ms)):
        words = "no expiry"
        if lot.expires_ms is not None:
            at = format_instant(lot.expires_ms, "UTC")
            words = f"expires {at} ({format_clock(lot.expires_ms - now_ms)})"
        granted = format_amount(lot.amount_ms, account.unit)
        yield _Line("lot", granted, f"{words}: {lot.reason}")


def _ahead(limit: LimitBalance, queue: Queue | None, now_ms: int) -> Iterator[_Line]:
    """What becomes of the limit."""
    if queue is not None and queue.jobs:
        yield _Line(
            "queued", amount(queue.likely_ms, limit.unit), queue_words(queue, limit, now_ms)
        )
    words = dry_words(limit, now_ms, queued=queue is not None and queue.jobs > 0)
    if words:
        yield _Line("forecast", "", words)


def _head(account: Account, limit: LimitBalance, now_ms: int, *, several: bool) -> str:
    name = f"{account.name} · {limit.limit.name}" if several else account.name
    marks = (
        f"part of {account.parent}" if account.parent else "",
        "simulated" if account.kind == "simulated" else "",
        "best effort" if account.best_effort else "",
    )
    said = "".join(f"  ({mark})" for mark in marks if mark)
    return f"{name}   {window_words(limit, now_ms)}{said}"


def _amounts(limit: LimitBalance, reading: Reading | None, exact: bool) -> Iterator[_Line]:
    whole = shown_amount(limit.amount_ms, limit, exact=exact)
    guess = "assumed: the provider publishes no figure" if limit.limit.assumed else ""
    if isinstance(limit.limit.window, PerSession):
        yield _Line("at most", whole, guess)
        return
    for part in shown_parts(limit):
        if limit.limit.unlimited:
            shown = (
                whole if part.name == "free" else shown_amount(part.amount_ms, limit, exact=exact)
            )
            yield _Line(part.name, shown, "")
        else:
            words = _said_of(part, limit, reading, exact)
            shown = shown_amount(part.amount_ms, limit, exact=exact)
            share = part.amount_ms / limit.amount_ms if limit.amount_ms else 0.0
            yield _Line(part.name, shown, words, part.mark, share)
    yield _Line("of", whole, guess)


def _bar(line: _Line, most: int) -> str:
    """At least a cell of what there is some of."""
    width = min(most, WIDTH)
    cells = round(width * max(0.0, line.share))
    return line.mark * min(max(cells, 1 if line.share > 0 else 0), width)


def _said_of(part: Part, limit: LimitBalance, reading: Reading | None, exact: bool) -> str:
    if part.name == "free" and part.amount_ms < 0:
        until = "until hours come back" if limit.next_gain_ms is not None else "for now"
        over = shown_amount(-part.amount_ms, limit, exact=exact)
        return f"overdrawn by {over}: nothing new starts {until}"
    if part.name == "foreign":
        return _foreign_words(part.amount_ms, limit, reading, exact)
    if part.name == "kept back":
        return "(never given out)"
    return ""


def _foreign_words(
    foreign_ms: int, limit: LimitBalance, reading: Reading | None, exact: bool
) -> str:
    counted_ms = foreign_ms - (reading.others_reserved_ms if reading else 0)
    if reading is None or counted_ms <= 0 or isinstance(limit.limit.window, Lots):
        return "(by others, says the provider)"
    theirs = shown_amount(reading.used_ms, limit, exact=exact)
    ours = shown_amount(reading.used_ms - counted_ms, limit, exact=exact)
    return f"(by others: the provider counts {theirs}, skint {ours} by then)"


def _reading_words(reading: Reading, limit: LimitBalance, now_ms: int) -> str:
    """ "Sun 22 Nov 2026 14:02 UTC (2 h 05 min ago, manual): used 13.30 h of 30.00 h"."""
    at = format_instant(reading.at_ms, limit.limit.window.zone)
    when = f"{format_clock(now_ms - reading.at_ms)} ago" if reading.at_ms <= now_ms else "ahead"
    words = f"{at} ({when}, {reading.source}): used {shown_amount(reading.used_ms, limit)}"
    if reading.allowed_ms is not None:
        words += f" of {shown_amount(reading.allowed_ms, limit)}"
    if reading.reserved_ms:
        words += f", {shown_amount(reading.reserved_ms, limit)} set aside"
    if reading.at_ms < limit.window.start_ms:
        return f"{words} · in an earlier window: it no longer counts"
    return words
