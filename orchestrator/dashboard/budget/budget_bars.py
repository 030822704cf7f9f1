"""The budget: a line for each limit of each account, the most important words last. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from budget.amount import format_amount
from budget.duration import DAY_MS, HOUR_MS, MINUTE_MS
from budget.forecasts.dry import dry_at_ms, mean_rate_milli
from budget.instant import format_instant
from budget.ledger.balance import LimitBalance
from orchestrator.dashboard.ink import RULE, Line, fitted, headed, padded, width_of
from orchestrator.dashboard.reading.snapshot import AccountLimit, Screen
from orchestrator.views.budget.budget_parts import (
    ALWAYS,
    MARKS,
    cells_of,
    shown_amount,
    shown_parts,
)
from orchestrator.views.budget.dry_words import SOONEST_MS
from orchestrator.views.budget.reading_words import reading_age
from orchestrator.views.budget.windows import gain_words

if TYPE_CHECKING:
    from orchestrator.views.budget.ahead import Dry

LOW_SHARE = 0.1
"""Less than this left is said in words."""
NO_ACCOUNTS = "no accounts yet · add one: skint account add NAME --preset simulated"
HEADS = (("spent", 6), ("committed", 9), ("free", 7), ("of", 9))
"""Of the amounts, with their cells; committed is `held` where there is little room."""
NARROW = 6


@dataclass(frozen=True)
class Columns:
    name: int
    bar: int
    heads: tuple[tuple[str, int], ...]
    words: int

    @classmethod
    def fitting(cls, width: int) -> Columns:
        """Amounts are as wide as they must be; the words get what the bar leaves."""
        name = 14 if width < 100 else 16 if width < 120 else 24
        heads = tuple(
            (head, cells)
            if width >= 100
            else ("held", NARROW)
            if head == "committed"
            else (head, min(cells, 8))
            for head, cells in HEADS
        )
        rest = width - 1 - name - 1 - sum(cells + 1 for _, cells in heads) - 2
        bar = max(6, min(30, rest // 3))
        return cls(name, bar, heads, max(0, rest - bar))


def budget_lines(screen: Screen, width: int) -> tuple[Line, ...]:
    """The head of the section, and a line for each limit; the limit of an account that runs dry
    says when and in which job."""
    if not screen.accounts:
        return headed("Budget", width), ((f"  {NO_ACCOUNTS}", "dim"),)
    columns = Columns.fitting(width)
    named = {part.name for shown in screen.accounts for part in shown_parts(shown.limit)}
    lines = [_head(columns, named, width)]
    for shown in screen.accounts:
        lines.append(_line(shown, screen.outlook.dry, screen.now_ms, columns, width))
    return tuple(lines)


def _head(columns: Columns, named: set[str], width: int) -> Line:
    legend = " ".join(f"{MARKS[name]} {name}" for name in MARKS if name in {*ALWAYS, *named})
    room = columns.words + 1
    legend = legend if len(legend) + 2 <= room else ""
    head: list[tuple[str, str]] = [(f"{RULE} ", "rule"), ("Budget", "bold"), (" ", "")]
    head.append((RULE * (1 + columns.name + 1 + columns.bar - width_of(head) + 1), "rule"))
    for name, cells in columns.heads:
        head += [(RULE * (cells - len(name) - 1), "rule"), (f" {name} ", "dim")]
    rest = width - width_of(head)
    if legend:
        head += [(RULE * max(0, rest - len(legend) - 3), "rule"), (f" {legend} ", "dim")]
    head.append((RULE * (width - width_of(head)), "rule"))
    return fitted(head, width)


def _line(
    shown: AccountLimit,
    dry: Mapping[tuple[str, str], Dry],
    now_ms: int,
    columns: Columns,
    width: int,
) -> Line:
    account, limit = shown.account, shown.limit
    name = "  " * shown.depth + _name(shown)
    simulated = account.kind == "simulated"
    kind = " simulated" if simulated and len(name) + 10 <= columns.name else " sim." * simulated
    room = columns.name - len(kind)
    head = padded(name, min(len(name), room))
    pieces = [(" ", ""), (head, "bold"), (padded(kind, columns.name - len(head)), "dim"), (" ", "")]
    for part, count in cells_of(limit, columns.bar).items():
        pieces.append((MARKS[part] * count, part))
    low = limit.free_ms < LOW_SHARE * limit.amount_ms and not limit.limit.unlimited
    free_role = "bold bad" if limit.free_ms <= 0 else "bold attention" if low else "bold"
    roles = ("", "", free_role, "dim")
    for words, role, (_, cells) in zip(_figures(limit), roles, columns.heads, strict=True):
        pieces.append((" " + padded(words, cells, right=True), role))
    ahead = dry.get((account.name, limit.limit.name))
    return fitted((*pieces, ("  ", ""), *_words(shown, ahead, now_ms, columns.words)), width)


def _words(shown: AccountLimit, dry: Dry | None, now_ms: int, room: int) -> Line:
    """How far it reaches, and how old what the provider said is where that is too old: in little
    room the age alone, unless hours are short."""
    said, role = _said(shown.limit, dry, now_ms, room)
    age = reading_age(shown.account, shown.read_ms, now_ms)
    if not age:
        return ((said, role),)
    shorter, its_role = _said(shown.limit, dry, now_ms, room - len(age) - 3)
    if shorter and its_role == role and (role == "dim" or shorter == said):
        return ((shorter, role), (" · ", "dim"), (age, "attention"))
    return ((age, "attention"),) if role in ("dim", "") else ((said, role),)


def _name(shown: AccountLimit) -> str:
    if len(shown.account.limits) == 1:
        return shown.account.name
    return f"{shown.account.name} · {shown.limit.limit.name}"


def _figures(limit: LimitBalance) -> tuple[str, str, str, str]:
    """Spent, committed, free, and of how much; the unit stands with the last one."""
    spent_ms = limit.settled_ms + limit.in_flight_ms + limit.foreign_ms
    if limit.limit.unlimited:
        return _bare(spent_ms, limit), _bare(limit.reserved_ms, limit), "–", "no limit"
    whole = _bare(limit.amount_ms, limit)
    unit = "cr" if limit.unit == "credit" else "h" if limit.amount_ms >= HOUR_MS else "min"
    amounts = (spent_ms, limit.reserved_ms, limit.free_ms)
    spent, held, free = (_bare(ms, limit) for ms in amounts)
    return spent, held, free, f"{whole} {unit}".strip()


def _bare(ms: int, limit: LimitBalance) -> str:
    """Without its unit: hours, credits, or minutes where the whole limit is less than an hour."""
    if limit.unit != "credit" and limit.amount_ms < HOUR_MS:
        return f"{ms / MINUTE_MS:.1f}"
    text = shown_amount(ms, limit)
    return text.removesuffix(" h").removesuffix(" credits")


def _said(limit: LimitBalance, dry: Dry | None, now_ms: int, room: int) -> tuple[str, str]:
    """The words that fit best, and their role."""
    for words, role in _candidates(limit, dry, now_ms):
        fitting = next((text for text in words if len(text) <= room), None)
        if fitting is not None:
            return fitting, role
    return "", ""


def _candidates(
    limit: LimitBalance, dry: Dry | None, now_ms: int
) -> Iterator[tuple[tuple[str, ...], str]]:
    """What matters most first; each from the longest words to the shortest."""
    gains = gain_words(limit, now_ms)
    foreign = next((p for p in shown_parts(limit) if p.name == "foreign"), None)
    aside = f"; foreign {shown_amount(foreign.amount_ms, limit)}" if foreign else ""
    if limit.free_ms < 0:
        over = f"overdrawn by {shown_amount(-limit.free_ms, limit)}"
        yield (*_joined(over + aside, gains), over, "overdrawn"), "bold bad"
    if dry is not None and dry.at_ms is not None:
        when = _clock(dry.at_ms, limit, now_ms)
        short = f"{shown_amount(-dry.left_ms, limit)} short"
        job = f"{dry.run} {dry.title}"
        yield (
            (
                f"dry {when} in {job}; {short}",
                f"dry {when} in {job}",
                f"dry {when} in {dry.run}; {short}",
                f"dry {when} in {dry.run}",
                f"dry {when} (-{shown_amount(-dry.left_ms, limit)})",
                f"dry {when}",
            ),
            "bold attention",
        )
    if limit.free_ms < LOW_SHARE * limit.amount_ms and not limit.limit.unlimited:
        yield (*_joined("nearly used up" + aside, gains), "nearly used up", "nearly"), "attention"
    if dry is not None:
        ends = _clock(dry.ends_ms, limit, now_ms)
        if limit.limit.unlimited:
            yield (f"the queue is over {ends}",), "dim"
        elif dry.left_ms < 0:
            short = f"lasts to the reset; {shown_amount(-dry.left_ms, limit)} more after it"
            yield (*_joined(short + aside, gains), short, "lasts to the reset"), "dim"
        left = shown_amount(dry.left_ms, limit)
        words = f"lasts: {left} left when all has run, {ends}"
        brief = f"lasts: {left} left {ends}"
        yield (
            (*_joined(words + aside, gains), *_joined(brief, gains), brief, f"lasts: {left} left"),
            "dim",
        )
    if words := _at_this_rate(limit, now_ms):
        yield (*_joined(words + aside, gains), words + aside, words), "dim"
    if gains:
        yield tuple(f"{words}{aside}" for words in gains) + gains, "dim"
    yield (aside.removeprefix("; "),), "dim"


def _at_this_rate(limit: LimitBalance, now_ms: int) -> str:
    """Where nothing is queued: how far it reaches if it is used as it was so far."""
    rate_milli = mean_rate_milli(limit, now_ms)
    if now_ms - limit.window.start_ms < SOONEST_MS or rate_milli <= 0 or limit.limit.unlimited:
        return ""
    rate = f"{format_amount(rate_milli * DAY_MS // 1_000, limit.unit)} a day"
    dry_ms = dry_at_ms(limit, now_ms, rate_milli)
    return "" if dry_ms is None else f"at {rate} dry {_clock(dry_ms, limit, now_ms)}"


def _clock(at_ms: int, limit: LimitBalance, now_ms: int) -> str:
    """ "Thu 14:10", with its date where it is not within a week."""
    weekday, day, month, _, *clock = format_instant(at_ms, limit.limit.window.zone).split()
    far = at_ms - now_ms > 6 * DAY_MS
    return f"{weekday} {day} {month} {clock[0]}" if far else f"{weekday} {clock[0]}"


def _joined(words: str, gains: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{words} · {gain}" for gain in gains)


def amount_of(ms: int, unit: str) -> str:
    """Short, for the columns of a table: "1.50", "12.5c"."""
    if unit != "credit":
        return format_amount(ms, unit).split()[0]
    digits = 2 if ms < 10 * HOUR_MS else 1 if ms < 100 * HOUR_MS else 0
    return f"{ms / HOUR_MS:.{digits}f}c"
