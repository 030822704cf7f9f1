"""Whether a program's reservation fits in the hours that are free, and what would if it does not.

Of a program nothing is known but the time that it may take: that counts, grace included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from budget.accounts.account import Account
from budget.amount import format_amount
from budget.duration import MINUTE_MS, format_clock
from budget.instant import format_instant
from budget.ledger.balance import Balance, LimitBalance
from orchestrator.graph import Job
from orchestrator.submitting.usable import DoesNotFit


@dataclass(frozen=True)
class Room:
    """What a program would reserve, and what is there to reserve it from."""

    account: Account
    reserve_ms: int
    free_ms: int | None
    """Without what is queued before it; None where each session has its hours anew."""


def room_for(
    job: Job,
    account: Account,
    balance: Balance,
    queued_ms: int,
    others: Mapping[Account, Balance],
) -> Room:
    """Raises DoesNotFit, with ways out. `others` are accounts that could be charged instead."""
    reserve_ms = account.cost_ms(job.devices, job.wall_limit_ms)
    unit = account.unit
    longest_ms = account.session.max_ms
    if longest_ms is not None and job.wall_limit_ms > longest_ms and not job.parks:
        raise DoesNotFit(
            f"it may take {format_clock(job.wall_limit_ms)}, grace included, and a session of"
            f" {account.name} lasts {format_clock(longest_ms)} at most",
            next=_rows([_shorter(job, longest_ms), ("--park", "cut there, it goes on in another")]),
        )
    counted = [one for one in balance.limits if one.limit.window.kind != "per-session"]
    limit = min(counted, key=lambda one: one.free_ms, default=None)
    if limit is None:
        return Room(account, reserve_ms, None)
    free_ms = max(0, limit.free_ms - queued_ms)
    if reserve_ms <= free_ms or (job.parks and balance.whole_ms > 0):
        return Room(account, reserve_ms, free_ms)
    until = ""
    if limit.next_gain_ms is not None:
        until = f" until {format_instant(limit.next_gain_ms, limit.limit.window.zone)}"
    queued = f", without the {format_amount(queued_ms, unit)} that are queued" if queued_ms else ""
    raise DoesNotFit(
        f"it reserves {format_amount(reserve_ms, unit, exact=True)} on {account.name},"
        f" {format_amount(free_ms, unit, exact=True)} are free{until}{queued}",
        next=_rows(list(_ways(job, account, balance, limit, free_ms, reserve_ms, others))),
    )


def _ways(
    job: Job,
    account: Account,
    balance: Balance,
    limit: LimitBalance,
    free_ms: int,
    reserve_ms: int,
    others: Mapping[Account, Balance],
) -> Iterator[tuple[str, str]]:
    wall_ms = account.duration_ms(job.devices, free_ms)
    if wall_ms - _beside_ms(job) >= MINUTE_MS:
        yield _shorter(job, wall_ms)
    if job.devices > 1:
        one_ms = account.cost_ms(1, job.wall_limit_ms)
        if one_ms <= free_ms:
            yield "--devices 1", f"reserves {format_amount(one_ms, account.unit)}"
    gain = limit.next_gain_ms
    if gain is not None and balance.whole_ms > 0 and free_ms > 0:
        at = format_instant(gain, limit.limit.window.zone)
        yield "--park", f"begins now, is cut when the hours end, goes on {at}"
    if gain is not None and reserve_ms <= limit.whole_ms:
        yield "later", f"all of it, after {format_instant(gain, limit.limit.window.zone)}"
    for other, has in others.items():
        cost_ms = other.cost_ms(job.devices, job.wall_limit_ms)
        if other.name != account.name and has.refusing(cost_ms) is None:
            free = format_amount(has.free_ms, other.unit)
            yield f"--account {other.name}", f"has {free} free"
    yield "--cpu", "without an accelerator, free of charge"


def _shorter(job: Job, wall_ms: int) -> tuple[str, str]:
    minutes = max(1, (wall_ms - _beside_ms(job)) // MINUTE_MS)
    return f"--for {minutes}m", "the longest that fits now"


def _beside_ms(job: Job) -> int:
    """What is reserved beyond the time that the program may take."""
    return job.wall_limit_ms - round((job.limit_s or 0) * 1000)


def _rows(ways: list[tuple[str, str]]) -> str:
    width = max(len(option) for option, _ in ways)
    return "\n          ".join(f"{option.ljust(width)}  {what}" for option, what in ways)
