"""What attempts and results were charged. Pure."""

from __future__ import annotations

from orchestrator.state.state import State, run_of


def charge_of(state: State, attempt: str, account: str) -> int | None:
    """What `account` was charged for an attempt of any run, in ms; None where that is not known.

    What another account was charged says nothing: its unit and its rates may be others.
    """
    run = state.runs.get(run_of(attempt))
    known = run.attempts.get(attempt) if run else None
    allocation = run.allocations.get(known.allocation or "") if run and known else None
    if allocation is None or allocation.status != "settled" or allocation.account != account:
        return None
    return allocation.shares.get(attempt)


def cost_of(state: State, attempt: str, account: str) -> tuple[int, int] | None:
    """What `account` was charged for the result of an attempt, in ms, and of how many attempts.

    These are the attempts of its run at the very same up to this one: it may have gone on from
    where they were parked or interrupted. None where of this one nothing is known.
    """
    if charge_of(state, attempt, account) is None:
        return None
    run = state.runs[run_of(attempt)]
    made = run.attempts[attempt]
    charges = [
        charge_of(state, other.id, account)
        for name in run.jobs[made.job].attempts
        if (other := run.attempts[name]).key == made.key and other.fence <= made.fence
    ]
    charged = [charge_ms for charge_ms in charges if charge_ms is not None]
    return sum(charged), len(charged)


def makers(attempt: str, attempts: int) -> str:
    """ "toy-1.train.2", or "toy-1.train.2 with 1 attempt before it"."""
    if attempts < 2:
        return attempt
    before = "1 attempt" if attempts == 2 else f"{attempts - 1} attempts"
    return f"{attempt} with {before} before it"
