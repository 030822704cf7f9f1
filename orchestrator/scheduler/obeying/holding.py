"""Holds are set and released: while one stands, nothing that it covers is started."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.commands import ReleaseHold, SetHold
from orchestrator.events import events as e
from orchestrator.scheduler.balances import lineage
from orchestrator.scheduler.inputs import Inputs
from orchestrator.state.state import State
from orchestrator.views.words.hold import undone_by, what_is_held, where_held


def hold(
    state: State, command: str, request: SetHold, inputs: Inputs, now_ms: int
) -> Iterator[e.Event]:
    """The hold, and the reply. One of the same account and lane is replaced."""
    ok = not request.account or request.account in inputs.accounts
    text = f"there is no account {request.account}"
    if ok:
        yield e.HoldSet(
            at_ms=now_ms,
            run="",
            account=request.account,
            lane=request.lane,
            accounts=_covered(request.account, inputs),
            reason=request.reason,
            by=request.by,
        )
        live = sum(1 for _ in state.live_attempts())
        goes = f"{live} job{'s that run go' if live != 1 else ' that runs goes'} on"
        what = what_is_held(request.account, request.lane)
        text = f"no new job starts {what}; {goes if live else 'nothing runs now'}"
        text += f"; undo with {undone_by(request.account, request.lane)}"
    yield e.CommandAnswered(at_ms=now_ms, run="", command=command, ok=ok, text=text)


def widened(state: State, inputs: Inputs, now_ms: int) -> Iterator[e.HoldWidened]:
    """Holds that cover accounts which were added since below theirs."""
    for one in state.holds:
        covered = _covered(one.account, inputs)
        if not set(covered) <= set(one.accounts):
            yield e.HoldWidened(
                at_ms=now_ms, run="", account=one.account, lane=one.lane, accounts=covered
            )


def _covered(account: str, inputs: Inputs) -> tuple[str, ...]:
    """It and those below it; none where every account is meant."""
    known = inputs.accounts
    return tuple(name for name in known if account in lineage(known, name)) if account else ()


def release(state: State, command: str, request: ReleaseHold, now_ms: int) -> Iterator[e.Event]:
    """The end of the holds that are meant, and the reply."""
    meant = [
        one
        for one in state.holds
        if request.account in ("", one.account) and request.lane in ("", one.lane)
    ]
    for one in meant:
        yield e.HoldReleased(
            at_ms=now_ms, run="", account=one.account, lane=one.lane, by=request.by
        )
    if meant:
        text = "; ".join(f"jobs start again {where_held(one.account, one.lane)}" for one in meant)
        left = [one for one in state.holds if one not in meant]
        text += "".join(f"; still held {where_held(one.account, one.lane)}" for one in left)
    elif state.holds:
        kept = [f"{undone_by(one.account, one.lane)}" for one in state.holds]
        text = f"there is no such hold; {' or '.join(kept)}"
    else:
        text = "nothing is held"
    yield e.CommandAnswered(at_ms=now_ms, run="", command=command, ok=bool(meant), text=text)
