"""Accounts: one allowance of one person at one provider."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from budget.accounts.definition import AccountError, check_whole, check_word, matches
from budget.accounts.limit import Limit
from budget.accounts.machine import Machine, Metering, Session
from budget.amount import format_amount
from budget.duration import LONGEST_MS

__all__ = ["Account", "AccountError", "Machine", "Metering", "Session", "check_parent"]

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
KINDS = ("simulated", "machine", "provider")
"""Pretended devices; devices of our own or of the lab; devices that somebody else meters."""
UNITS = ("device", "session", "credit")
"""`device`: time x devices. `session`: the time alone, however many devices the session has.
`credit`: time x credits an hour of the machine; 3,600,000 weighted ms are one credit."""
OVERRUNS = ("finishes", "killed", "billed")
"""What the provider does with a session that is running when the amount is used up."""
OBSERVED = ("api", "cli", "manual", "none")
"""How the provider's own counter is read."""


@dataclass(frozen=True, slots=True)
class Account:
    """One allowance: all of `limits` must admit what is to be reserved, and those of `parent`.

    `executor` names what starts work that is charged here. `keep_back_ms` of each limit is never
    given out: it is kept for work by hand. `parent` makes this a sub-budget: what is charged here
    counts on the parent too. Raises `AccountError`.
    """

    name: str
    kind: str
    executor: str
    limits: tuple[Limit, ...]
    unit: str = "device"
    machines: tuple[Machine, ...] = ()
    session: Session = field(default_factory=Session)
    metering: Metering = field(default_factory=Metering)
    keep_back_ms: int = 0
    overrun: str = "killed"
    observe: str = "none"
    best_effort: bool = False
    """The provider may have no machine free."""
    parent: str = ""

    def __post_init__(self) -> None:
        if not matches(_NAME, self.name):
            raise AccountError(
                "the name of the account is wrong",
                got=repr(self.name),
                wanted="letters, digits, '.', '_' and '-', at most 64",
            )
        of = f"of account {self.name}"
        check_word(f"kind {of}", self.kind, KINDS)
        check_word(f"unit {of}", self.unit, UNITS)
        check_word(f"overrun {of}", self.overrun, OVERRUNS)
        check_word(f"way to observe {of}", self.observe, OBSERVED)
        if not matches(r"\S+", self.executor):
            raise AccountError(f"account {self.name} names no executor", got=repr(self.executor))
        if not self.limits:
            raise AccountError(f"account {self.name} has no limit", wanted="at least one limit")
        _check_distinct(f"limits {of}", (limit.name for limit in self.limits))
        _check_distinct(f"machines {of}", (machine.name for machine in self.machines))
        if self.unit == "credit" and not self.machines:
            raise AccountError(
                f"account {self.name} counts credits and has no machine",
                wanted="a rate in credits an hour for each machine",
            )
        self._check_keep_back()
        if type(self.best_effort) is not bool:
            raise AccountError(
                f"best effort {of} is wrong", got=repr(self.best_effort), wanted="true or false"
            )
        if self.parent != "" and not matches(_NAME, self.parent):
            raise AccountError(f"the parent {of} is wrong", got=repr(self.parent))
        if self.parent == self.name:
            raise AccountError(f"account {self.name} cannot be its own parent")

    def _check_keep_back(self) -> None:
        check_whole(f"what account {self.name} keeps back", self.keep_back_ms)
        for limit in self.limits:
            if limit.window.kind != "lots" and self.keep_back_ms > limit.amount_ms:
                raise AccountError(
                    f"account {self.name} keeps back more than its limit {limit.name} has",
                    got=format_amount(self.keep_back_ms, self.unit),
                    wanted=f"at most {format_amount(limit.amount_ms, self.unit)}",
                )

    def limit(self, name: str) -> Limit:
        """The limit called `name`; "" is the only one, or the first. Raises `AccountError`."""
        for limit in self.limits:
            if name in ("", limit.name):
                return limit
        raise AccountError(
            f"account {self.name} has no such limit",
            got=name,
            wanted=", ".join(limit.name for limit in self.limits),
        )

    def rate_milli(self, devices: int, machine: str = "") -> int:
        """What a millisecond with `devices` devices costs, in thousandths of a weighted one.

        Where no machine is named it is the dearest one's rate: it is never guessed in our favour.
        Raises `AccountError` for a machine that the account does not have.
        """
        rate_milli = 1_000
        if self.machines or machine:
            named = [known for known in self.machines if machine in ("", known.name)]
            if not named:
                raise AccountError(
                    f"account {self.name} has no such machine",
                    got=machine,
                    wanted=", ".join(known.name for known in self.machines) or "no machine",
                )
            rate_milli = max(known.rate_milli for known in named)
        return rate_milli * devices if self.unit == "device" else rate_milli

    def cost_ms(self, devices: int, duration_ms: int, machine: str = "") -> int:
        """What a session of `duration_ms` costs, rounded up: the amount to reserve for it."""
        billed_ms = self.metering.billed_ms(duration_ms)
        return -(-self.rate_milli(devices, machine) * billed_ms // 1_000)

    def duration_ms(self, devices: int, amount_ms: int, machine: str = "") -> int:
        """The longest session that `amount_ms` pays for; 0 if it pays for none."""
        if amount_ms <= 0:
            return 0
        billed_ms = amount_ms * 1_000 // self.rate_milli(devices, machine)
        return self.metering.longest_ms(min(billed_ms, LONGEST_MS))


def check_parent(account: Account, parent: Account) -> None:
    """Raise AccountError unless `account` can be a sub-budget of `parent`.

    What is charged to the one counts on the other: an hour must cost the same on both.
    """
    for (what, mine), (_, wanted) in zip(_nature(account), _nature(parent), strict=True):
        if mine != wanted:
            raise AccountError(
                f"a sub-budget has the {what} of its parent {parent.name}", got=mine, wanted=wanted
            )


def _nature(account: Account) -> Iterator[tuple[str, str]]:
    for what in ("kind", "executor", "unit"):
        yield what, getattr(account, what)
    machines = [f"{one.name} x{one.devices} at {one.rate_milli / 1000}" for one in account.machines]
    yield "machines", ", ".join(machines) or "none"
    for what in Metering.__slots__:
        yield f"{what} of the meter", str(getattr(account.metering, what))


def _check_distinct(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise AccountError(f"two {what} have the same name", got=name)
        seen.add(name)
