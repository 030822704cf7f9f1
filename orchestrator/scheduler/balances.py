"""Of which accounts a step has to know what is left. Pure, and as few as possible: in most rounds
no device is free, and nothing is read of the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from budget.accounts.account import Account
from orchestrator.commands import (
    AnswerVerdict,
    ReleaseHold,
    ResumeJobs,
    RetryJobs,
    SubmitRun,
)
from orchestrator.events.holding import holding
from orchestrator.scheduler import inputs as i
from orchestrator.state.state import RunState, State

_GOES_ON = ResumeJobs | RetryJobs | AnswerVerdict
FREEING = i.Refused | i.NotAccepted | i.Released


def wanted_accounts(state: State, inputs: i.Inputs) -> set[str]:
    """Those that a step with `inputs` may admit something on, or say of a job what it waits for."""
    found = {
        str(command.request.graph.get("account") or "")
        for command in inputs.commands
        if isinstance(command.request, SubmitRun)
    }
    for command in inputs.commands:  # a run that has ended waits for devices again
        request = command.request
        if isinstance(request, _GOES_ON) and request.run in state.runs:
            found.add(state.runs[request.run].graph.account or "")
    # What ends now frees devices, or was needed by others.
    stirs = bool(inputs.commands) or any(
        seen.condition not in ("pending", "running", "unknown")
        for seen in inputs.observations.values()
    )
    stirs = stirs or any(isinstance(answer, FREEING) for answer in inputs.answers)
    released = any(isinstance(command.request, ReleaseHold) for command in inputs.commands)
    holds = () if released else state.holds
    waiting = [
        (run, account)
        for run in state.with_queue
        if (account := inputs.accounts.get(run.graph.account or "")) is not None
        and account.executor in inputs.capacity
        and holding(holds, account.name, "accelerator") is None
    ]
    executors = {account.executor for _, account in waiting}
    free = any(
        (executor, device.uuid) not in state.kept_devices
        for executor in executors
        for device in inputs.capacity[executor].devices
    )
    if stirs or any(_may_be_told(run, free) for run, _ in waiting):
        found |= {account.name for _, account in waiting}  # whoever waits may be in the way
    return found & inputs.accounts.keys()


def _may_be_told(run: RunState, free: bool) -> bool:
    """Whether one of its jobs may start, or has not said yet why it waits."""
    for known in run.ready if free else run.untold:
        carrier = run.allocation_of(known.id)
        if carrier is None or not carrier.keeps_devices:
            return True
    return False


def lineage(accounts: Mapping[str, Account], name: str) -> Iterator[str]:
    """The account and those above it, as far as they are known."""
    account = accounts.get(name)
    while account is not None:
        yield account.name
        account = accounts.get(account.parent)
