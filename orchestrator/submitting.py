"""From a plan file to a run that may be queued: everything that can be refused is refused here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from budget.account import Account
from budget.balance import Balance
from budget.duration import format_exact, format_hours
from budget.ledger import Ledger
from budget.instant import format_instant
from orchestrator.devices import DECLARED, find_devices
from orchestrator.graph import Graph
from orchestrator.plans.expand import expand
from orchestrator.plans.plan import Plan, load_plan
from orchestrator.plans.preview import Expectation, preview
from orchestrator.results import is_there
from orchestrator.state import State
from skint.errors import OVER_BUDGET, SkintError

EXECUTORS = ("local",)
"""The executors this version has."""


class DoesNotFit(SkintError):
    """The plan reserves more than its account has left."""

    exit_code = OVER_BUDGET


@dataclass(frozen=True)
class Prepared:
    """A plan that could be submitted, and what would come of it."""

    plan: Plan
    graph: Graph
    account: Account | None
    expected: tuple[Expectation, ...]
    balance: Balance | None

    @property
    def reserve_ms(self) -> int:
        """What all its accelerator jobs reserve together on the account."""
        if self.account is None:
            return 0
        return sum(
            self.account.cost_ms(e.job.devices, e.reserve_ms) for e in self.expected if e.reserve_ms
        )

    @property
    def all_known(self) -> bool:
        """Every result of it is there already."""
        return all(e.what == "reused" for e in self.expected)


def prepare(
    path: str,
    state: State,
    ledger: Ledger,
    now_ms: int,
    *,
    sets: Sequence[str] = (),
    account: str | None = None,
    cpu_only: bool = False,
    again: bool = False,
) -> Prepared:
    """Load, expand and check a plan. Raises PlanError and what the plan's parts raise."""
    plan = load_plan(path, sets, account)
    graph = expand(plan)
    expected = preview(graph, state, cpu_only=cpu_only, again=again, has_output=is_there)
    known = {known.name: known for known in ledger.accounts()}
    needs_account = graph.account is not None and not cpu_only
    used = _account(plan, known, graph) if needs_account else known.get(graph.account or "")
    balance = ledger.balance(used.name, now_ms) if used else None
    return Prepared(plan, graph, used, expected, balance)


def _account(plan: Plan, known: Mapping[str, Account], graph: Graph) -> Account:
    """The plan's account, if it can be used here."""
    name = graph.account or ""
    account = known.get(name)
    if account is None:
        raise plan.error(
            ("account",),
            "there is no such account",
            got=name,
            wanted=", ".join(known) or "an account (there is none yet)",
            next=f"skint account add {name} --preset {_preset_like(name)}",
        )
    if not any(job.devices for job in graph.jobs):
        return account
    if account.executor not in EXECUTORS:
        raise plan.error(
            ("account",),
            f"this account needs the executor {account.executor!r}, which this skint does not have",
            got=name,
            wanted=f"an account whose executor is one of: {', '.join(EXECUTORS)}",
            next="skint account list",
        )
    source, devices = find_devices()
    if not devices:
        raise plan.error(
            ("account",),
            "this machine has no accelerator to use",
            got=f"{DECLARED}=none",
            wanted=f"{DECLARED}=simulated, a list of devices, or nothing set",
            next=f"skint run {plan.path} --cpu-only does the rest",
        )
    if source == "simulated" and account.kind != "simulated":
        raise plan.error(
            ("account",),
            "this machine has no accelerator; its simulated one cannot be charged to this account",
            got=f"{name} (kind {account.kind})",
            wanted="an account of kind simulated, or a machine with an accelerator",
            next="skint account add practice --preset simulated",
        )
    if source != "simulated" and account.kind == "simulated":
        raise plan.error(
            ("account",),
            "this machine has accelerators; they cannot be charged to a simulated account",
            got=name,
            wanted="an account of another kind",
            next="skint account add lab --preset lab-server",
        )
    return account


def _preset_like(name: str) -> str:
    from budget.presets import PRESETS

    return name if name in PRESETS else "simulated"


def refuse_if_it_does_not_fit(prepared: Prepared) -> None:
    """Raise DoesNotFit, with numbers and ways out, if too little is left on the account."""
    if prepared.balance is None or prepared.account is None:
        return
    limit = prepared.balance.tightest
    over_ms = prepared.reserve_ms - limit.free_ms
    if not prepared.reserve_ms or over_ms <= 0:
        return
    path = prepared.plan.path
    resets = format_instant(limit.window.end_ms, limit.limit.window.zone)
    fits = f"after {resets}" if prepared.reserve_ms <= limit.amount_ms else "with a shorter limit"
    raise DoesNotFit(
        f"{prepared.graph.name} reserves {format_hours(prepared.reserve_ms)}"
        f" on {prepared.account.name}, {format_hours(max(0, limit.free_ms))} are free"
        f" until {resets}: {format_exact(over_ms)} too much",
        next=f"skint run {path} --cpu-only does the rest now; what needs the accelerator"
        f" fits {fits}",
    )


def next_run_name(graph: Graph, state: State, runs_dir: Path) -> str:
    """`NAME-1`, `NAME-2`, …: the first number above all that are taken.

    A folder in `runs_dir` takes one too: the store that knew of it may be gone.
    """
    prefix = f"{graph.name}-"
    folders = [path.name for path in runs_dir.iterdir()] if runs_dir.is_dir() else []
    numbers = [
        int(name.removeprefix(prefix))
        for name in (*state.runs, *folders)
        if name.startswith(prefix) and name.removeprefix(prefix).isdigit()
    ]
    return f"{prefix}{max(numbers, default=0) + 1}"
