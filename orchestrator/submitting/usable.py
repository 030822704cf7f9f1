"""Which account can be charged for what this machine has."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from budget.accounts.account import Account
from orchestrator.devices import DECLARED
from orchestrator.executors.base import Device
from skint.errors import OVER_BUDGET, SkintError

EXECUTORS = ("local",)
"""The executors this version has."""


class DoesNotFit(SkintError):
    """The plan will probably use more than its account has left."""

    exit_code = OVER_BUDGET


def usable_account(
    name: str,
    known: Mapping[str, Account],
    devices: Sequence[Device] | None,
    error: Callable[..., SkintError],
    without: str,
    executors: Collection[str] = EXECUTORS,
) -> Account:
    """The account, if it can be charged for these devices; `devices` is None where none is needed.

    `error` makes an error that stands where the account was named; `without` is the command that
    does without a device.
    """
    account = known.get(name)
    if account is None:
        raise error(
            "there is no such account",
            got=name,
            wanted=", ".join(known) or "an account (there is none yet)",
            next=f"skint account add {name} --preset {_preset_like(name)}",
        )
    if devices is None:
        return account
    if account.executor not in executors:
        raise error(
            f"this account needs the executor {account.executor!r}, which this skint does not have",
            got=name,
            wanted=f"an account whose executor is one of: {', '.join(executors)}",
            next="skint account list",
        )
    if not devices:
        raise error(
            "this machine has no accelerator to use",
            got=f"{DECLARED}=none",
            wanted=f"{DECLARED}=simulated, a list of devices, or nothing set",
            next=without,
        )
    if devices[0].simulated and account.kind != "simulated":
        raise error(
            "this machine has no accelerator; its simulated one cannot be charged to this account",
            got=f"{name} (kind {account.kind})",
            wanted="an account of kind simulated, or a machine with an accelerator",
            next="skint account add practice --preset simulated",
        )
    if not devices[0].simulated and account.kind == "simulated":
        raise error(
            "this machine has accelerators; they cannot be charged to a simulated account",
            got=name,
            wanted="an account of another kind",
            next="skint account add lab --preset lab-server",
        )
    return account


def _preset_like(name: str) -> str:
    from budget.accounts.presets import PRESETS

    return name if name in PRESETS else "simulated"
