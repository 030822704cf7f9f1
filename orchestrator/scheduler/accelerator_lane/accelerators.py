"""The accelerator lane: one queue over all runs. What may start now, and why the rest waits.

The ledger's own reserve has the last word; here is decided what is worth asking it. A pass goes
through the queue in order (`queue`), hands out devices and hours (`room`), cuts what does not fit
whole where it can go on later (`pieces`, `budget.forecasts.edge`), and lets nobody pass a job that
is blocked at its expense (`backfill`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from budget.accounts.account import Account
from budget.amount import format_amount
from budget.ledger.balance import Balance, LimitBalance
from budget.ledger.refusal import OverBudget
from orchestrator.events import events as e
from orchestrator.executors.base import Device
from orchestrator.graph import Job
from orchestrator.scheduler.accelerator_lane import companions
from orchestrator.scheduler.accelerator_lane.backfill import (
    Shadow,
    Shortage,
    enough_ms,
    may_use_devices,
    shadow_of,
)
from orchestrator.scheduler.accelerator_lane.fitting import (
    Fit,
    Fitting,
    may_span,
    never_fits,
    wall_of,
)
from orchestrator.scheduler.accelerator_lane.queue import Candidate, in_order, passed_by
from orchestrator.scheduler.accelerator_lane.room import Room, limit_key
from orchestrator.scheduler.accelerator_lane.standby import PREPARING, name_for, prepares_until
from orchestrator.scheduler.accelerator_lane.waiting import Waiting
from orchestrator.scheduler.inputs import Inputs
from orchestrator.state.changed import changed
from orchestrator.state.job_state import JobState
from orchestrator.state.state import RunState, State


def admit(state: State, inputs: Inputs, now_ms: int) -> list[e.Event]:
    """Everything that follows for the accelerator lane now; nothing if nothing has changed."""
    return Admission(state, inputs, now_ms).decide()


@dataclass(frozen=True)
class _Blocked:
    """The first job that waits for hours of a limit."""

    candidate: Candidate
    shortage: Shortage


class Admission:
    """One pass over the queue."""

    def __init__(self, state: State, inputs: Inputs, now_ms: int) -> None:
        self._state = state
        self._inputs = inputs
        self._now_ms = now_ms
        self._events: list[e.Event] = []
        self._shadows: dict[str, Shadow] = {}
        self._blocked: dict[tuple[str, str], _Blocked] = {}
        self._usable_by: dict[str, list[Device]] = {}
        """By account."""
        self._begun: set[tuple[str, str]] = set()
        """Groups of which this pass has started a job."""
        self._overtaken: set[tuple[str, str]] = set()
        self._waiting: Sequence[Candidate] = ()
        """Those that this pass is about."""
        self._lane = Waiting(state, inputs, self._events, now_ms)
        self._fitting = Fitting(state, inputs.history, now_ms)

    @cached_property
    def _room(self) -> Room:
        return Room(self._state, self._inputs, self._now_ms)

    def decide(self) -> list[e.Event]:
        accounts = self._lane.told()
        if accounts is not None and not any(map(self._might_move, accounts)):
            return []  # the usual case, so the cheap one
        waiting = self._lane.candidates()
        if waiting:
            self._waiting = waiting
            queue = in_order(waiting, self._likely_cost_ms)
            accounts = {self._state.runs[run].graph.account for run in {one.run for one in queue}}
            taken = 0
            for place, candidate in enumerate(queue):
                if (candidate.run, candidate.job.id) in self._lane.carried | self._lane.beside:
                    continue
                if taken and self._stays_in_the_queue(candidate, taken):
                    continue
                self._consider(candidate)
                if (candidate.run, candidate.job.id) in self._lane.carried:
                    self._overtake(candidate, passed_by(candidate, queue[place + 1 :]))
                if len(accounts) == 1:
                    taken = self._taken(self._account(candidate))
        return self._events

    def _taken(self, account: Account) -> int:
        """How many devices an account has, if none of them is left and somebody waits already."""
        if account.executor not in self._shadows or self._free(account):
            return 0
        return len(self._usable(account))

    def _might_move(self, name: str | None) -> bool:
        """Whether anything can be said of those who wait for an account: a device is free."""
        account = self._inputs.accounts.get(name or "")
        if account is None or account.executor not in self._inputs.capacity:
            return True
        kept = self._state.kept_devices
        return any((account.executor, one.uuid) not in kept for one in self._usable(account))

    def _stays_in_the_queue(self, one: Candidate, devices: int) -> bool:
        """Whether it has said that it waits for its turn, where all `devices` are taken."""
        run = self._state.runs[one.run]
        known = run.jobs[one.job.id]
        if known.reason != "turn" or known.until_ms is not None:
            return False
        begun = one.begun or one.job.when_short == "begin" or run.park
        return begun and one.job.devices <= devices

    # --- one candidate ----------------------------------------------------------------------------

    def _consider(self, one: Candidate, *, alone: bool = False) -> None:
        run, job, account = self._run(one), one.job, self._account(one)
        refused = self._lane.refused.get((one.run, job.id))
        if refused is not None:
            if not run.jobs[job.id].reason:  # somebody has resumed it meanwhile
                self._lane.wait(one, refused.reason, refused.sentence, refused.again_ms)
            return
        usable = self._usable(account)
        beside = [] if alone else self._beside(one, account)
        if beside:  # as one job of all their devices, which lasts as long as the longest
            longest = self._fitting.longest(run, (job, *beside))
            job = changed(longest, devices=job.devices * (1 + len(beside)))
        if job.devices > len(usable):
            sort = "simulated " if account.kind == "simulated" else ""
            text = f"wants {job.devices} {sort}devices, {account.executor} has {len(usable)}"
            self._lane.cannot_run(run, job, "too-big", text)
            return
        if account.name not in self._inputs.balances:
            return  # nothing that is free could be given to it
        balance = self._room.balance(account)
        if balance is None:
            self._lane.wait(
                one, "ledger", f"what is left on {account.name} cannot be read now", None
            )
            return
        fit = self._fitting.in_session(run, job, account, balance)
        if isinstance(fit, str) or (beside and balance.refusing(fit.cost_ms) is not None):
            if beside:
                self._consider(one, alone=True)
            else:
                self._lane.cannot_run(run, job, "too-big", str(fit))
            return
        if self._waits_for_its_group(one, account, balance):
            return
        refusing = balance.refusing(fit.cost_ms)
        free = self._free(account)
        if job.devices > len(free):
            if refusing is not None and not never_fits(refusing, fit.cost_ms):
                self._block(one, fit.cost_ms, refusing)
            self._wait_for_devices(one, beside, account, job.devices)
            return
        if refusing is not None:
            cut = self._fitting.in_window(run, job, account, balance, refusing, fit)
            if cut is None:
                self._over_budget(one, refusing, fit.cost_ms)
                return
            fit = cut
        full = self._room.full(account)
        if full is not None:
            text = f"{full.name} admits {full.session.concurrent} at once, and as many run"
            self._lane.wait(one, "sessions", text, None)
            return
        if not self._may_pass(one, account, balance, fit, job.devices):
            return
        known = [other for other in (one.job, *beside) if run.jobs[other.id].reason]
        if any(self._lane.reuse(run, other) for other in known) or self._lane.waits_for_result(one):
            return
        kept = free[: job.devices]
        jobs = (one.job, *beside)
        until_ms = prepares_until(self._state, self._inputs, run, jobs, account, self._now_ms)
        if until_ms is None:
            self._start(one, account, balance, fit, kept, beside)
            return
        self._room.promise(account.executor, kept, one.name)
        self._lane.wait_beside(one, beside, "preparing", PREPARING, until_ms)

    def _over_budget(self, one: Candidate, refusing: LimitBalance, cost_ms: int) -> None:
        run, job = self._run(one), one.job
        spans = may_span(run, job)
        if never_fits(refusing, cost_ms) and not spans:
            cost, never = (format_amount(ms, refusing.unit) for ms in (cost_ms, refusing.whole_ms))
            text = (
                f"its limit and grace cost {cost}, {refusing.account} never has more than {never}"
            )
            text += "; with --park it goes on from one window to the next" if job.parks else ""
            self._lane.cannot_run(run, job, "too-big", text)
            return
        head = self._block(one, cost_ms, refusing)
        refusal = OverBudget(cost_ms, refusing)
        until_ms = refusing.next_gain_ms
        if not spans:
            until_ms = self._enough_ms(one, refusing, cost_ms, refusal)
        # The figures of a rolling window change all the time; nobody wants to hear of it.
        afresh = head and refusing.limit.window.kind != "rolling"
        self._lane.wait(one, "over-budget", refusal.what, until_ms, afresh=afresh)

    def _waits_for_its_group(self, one: Candidate, account: Account, balance: Balance) -> bool:
        """A group that would not come to its end with the hours that are free is not begun."""
        run, job = self._run(one), one.job
        begun = one.begun or (one.run, job.group) in self._begun
        if begun or run.park or job.when_short == "begin":
            return False
        group = [x for x in run.graph.groups()[job.group] if not run.jobs[x.id].ended]
        if len(group) < 2:
            return False
        needed_ms = self._fitting.group_needs_ms(run, account, balance, group)
        refusing = balance.refusing(needed_ms)
        if refusing is None:
            return False
        said = f"{job.group} has {len(group)} jobs to do and is not begun before all of them fit"
        way_out = "--park, or `when-short: begin` in the plan, begins it all the same"
        if never_fits(refusing, needed_ms):
            never = f"{refusing.account} never has more than"
            text = (
                f"{said}: they need {format_amount(needed_ms, refusing.unit)}, {never}"
                f" {format_amount(refusing.whole_ms, refusing.unit)}; {way_out}"
            )
            self._lane.cannot_run(run, job, "too-big", text)
            return True
        self._block(one, needed_ms, refusing)
        refusal = OverBudget(needed_ms, refusing)
        until_ms = self._enough_ms(one, refusing, needed_ms, refusal)
        self._lane.wait(one, "group", f"{said}: {refusal.what}; {way_out}", until_ms)
        return True

    # --- who may pass whom ------------------------------------------------------------------------

    def _block(self, one: Candidate, needed_ms: int, refusing: LimitBalance) -> bool:
        """Whether it is the first that waits for this limit; those behind it may not delay it."""
        key = limit_key(refusing)
        if key in self._blocked:
            return False
        shortage = Shortage(
            needed_ms=needed_ms,
            free_ms=refusing.free_ms,
            returning_ms=refusing.reserved_ms,
            whole_ms=refusing.whole_ms,
            gain_ms=refusing.next_gain_ms,
            renews=refusing.limit.window.kind in ("calendar", "first-use"),
            overtaken_ms=self._job(one).overtaken_ms,
        )
        self._blocked[key] = _Blocked(one, shortage)
        return True

    def _may_pass(
        self, one: Candidate, account: Account, balance: Balance, fit: Fit, devices: int
    ) -> bool:
        wall_ms = fit.wall_ms
        shadow = self._shadows.get(account.executor)
        if shadow and not may_use_devices(shadow, devices, wall_ms, self._now_ms):
            self._wait_for_turn(one, account, None)
            return False
        overtaken = []
        for limit in balance.limits:
            blocked = self._blocked.get(limit_key(limit))
            if blocked is None:
                continue
            may = blocked.shortage.may_use_hours(fit.cost_ms, wall_ms, self._now_ms)
            if may == "no":
                self._wait_for_turn(one, account, blocked.shortage.gain_ms)
                return False
            if may == "overtakes":
                overtaken.append(blocked.candidate)
        self._overtake(one, overtaken)
        return True

    def _overtake(self, one: Candidate, others: Sequence[Candidate]) -> None:
        """Note the first time that others wait at the expense of `one`: their patience ends."""
        for other in others:
            key = (other.run, other.job.id)
            if self._job(other).overtaken_ms is None and key not in self._overtaken:
                self._overtaken.add(key)
                self._events.append(
                    e.JobOvertaken(at_ms=self._now_ms, run=other.run, job=other.job.id, by=one.name)
                )

    # --- what comes of it -------------------------------------------------------------------------

    def _start(
        self,
        one: Candidate,
        account: Account,
        balance: Balance,
        fit: Fit,
        kept: Sequence[Device],
        beside: Sequence[Job],
    ) -> None:
        run, job = self._run(one), one.job
        fits, wall_ms = [(job, fit.piece)], fit.wall_ms
        if beside:
            fits = [(each, self._fitting.within(run, each, wall_ms)) for each in (job, *beside)]
        else:
            can = self._inputs.capabilities[account.executor]
            others = self._lane.others(one, self._waiting)
            fits += companions.after(others, job, can, account, balance, fit, self._fitting, run)
            wall_ms = sum(wall_of(part) for _, part in fits)
        devices = tuple(device.uuid for device in kept)
        number = self._lane.next_allocation(run)
        planned = e.AllocationPlanned(
            at_ms=self._now_ms,
            run=run.name,
            allocation=f"{run.name}.allocation-{number}.{run.uid[:8]}",
            account=account.name,
            executor=account.executor,
            devices=devices,
            wall_ms=wall_ms,
            amount_ms=account.cost_ms(len(devices), wall_ms),
            attempts=tuple(name_for(run, carried, account.executor) for carried, _ in fits),
            together=bool(beside),
            limits_s=tuple(part.limit_ms / 1000 for _, part in fits),
            graces_s=tuple(part.tail_ms / 1000 for _, part in fits),
            unit=account.unit,
            edge=fit.edge,
            edge_until_ms=fit.until_ms,
        )
        self._events.append(planned)
        self._room.take(planned)
        self._begun.add((run.name, job.group))
        for carried, _ in fits:
            self._lane.carried.add((run.name, carried.id))
            self._lane.making.add(run, carried)

    def _beside(self, one: Candidate, account: Account) -> list[Job]:
        if one.job.together < 2 or not self._inputs.capabilities[account.executor].together:
            return []
        most = min(one.job.together, len(self._usable(account)) // one.job.devices)
        return list(islice(self._lane.others(one, self._waiting), max(0, most - 1)))

    def _wait_for_devices(
        self, one: Candidate, beside: Sequence[Job], account: Account, wanted: int
    ) -> None:
        if account.executor in self._shadows:
            self._wait_for_turn(one, account, None)
            return
        holdings = self._room.holdings(account.executor)
        shadow = shadow_of(wanted, len(self._free(account)), holdings)
        self._shadows[account.executor] = shadow
        holders = ", ".join(self._room.holders(account.executor))
        text = f"waits for {wanted} of {len(self._usable(account))} devices ({holders})"
        self._lane.wait_beside(one, beside, "devices", text, shadow.at_ms, afresh=True)

    def _wait_for_turn(self, one: Candidate, account: Account, until_ms: int | None) -> None:
        text = f"waits for its turn: other jobs come first on {account.name}"
        self._lane.wait(one, "turn", text, until_ms)

    def _enough_ms(
        self, one: Candidate, refusing: LimitBalance, needed_ms: int, refusal: OverBudget
    ) -> int | None:
        devices = max(1, len(self._usable(account := self._account(one))))
        return enough_ms(refusing, needed_ms, refusal.until_ms, account.rate_milli(devices))

    # --- what is known ----------------------------------------------------------------------------

    def _run(self, one: Candidate) -> RunState:
        return self._state.runs[one.run]

    def _job(self, one: Candidate) -> JobState:
        return self._state.runs[one.run].jobs[one.job.id]

    def _account(self, one: Candidate) -> Account:
        return self._inputs.accounts[self._run(one).graph.account or ""]

    def _usable(self, account: Account) -> list[Device]:
        """A simulated device is never charged to a real account, nor a real one to a simulated."""
        if account.name not in self._usable_by:
            devices = self._inputs.capacity[account.executor].devices
            simulated = account.kind == "simulated"
            self._usable_by[account.name] = [d for d in devices if d.simulated == simulated]
        return self._usable_by[account.name]

    def _free(self, account: Account) -> list[Device]:
        return self._room.devices(account.executor, self._usable(account))

    def _likely_cost_ms(self, one: Candidate) -> int:
        return self._fitting.likely_cost_ms(self._run(one), one.job, self._account(one))
