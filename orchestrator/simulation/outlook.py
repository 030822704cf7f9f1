"""What a user would get of an account, week by week: the real scheduler on a demand of drawn
fortunes, with nothing going wrong but what the fortunes say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from budget.accounts.account import Account
from budget.accounts.limit import Limit
from budget.windows import Calendar
from budget.windows.base import NoUsage
from orchestrator.executors.simulated import SimulatedEngine
from orchestrator.graph import Graph, Job
from orchestrator.simulation.fortune import Fortunes
from orchestrator.simulation.standing import Standing
from orchestrator.simulation.tally import Tally, Week
from orchestrator.simulation.world import House, World
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.attempt_state import AttemptState
from orchestrator.state.state import RunState

WEEK_MS = 7 * 24 * 3_600_000
POLL_S = 600.0
"""How often what runs is looked at; starts and ends are seen when they happen."""
IDLE_S = 7 * 24 * 3600.0


@dataclass(frozen=True)
class Asked:
    """A plan is submitted."""

    at_ms: int
    graph: Graph
    again: bool = False
    park: bool = False


@dataclass(frozen=True)
class Setting:
    """Who asks for what, of which account, and what comes of each job."""

    accounts: tuple[Account, ...]
    """The account last, its parents before it."""
    demand: tuple[Asked, ...]
    """In the order of time."""
    fortunes: Fortunes
    weeks: tuple[Week, ...]
    devices: int = 1
    cpus: int = 2
    standing: Standing | None = None
    """What is used up already as the first week begins; None: nothing."""

    @property
    def account(self) -> Account:
        return self.accounts[-1]

    def fresh(self, policy: str) -> Tally:
        """The weeks, with nothing in them yet."""
        weeks = [replace(week) for week in self.weeks]
        return Tally(policy, weeks, for_good=_is_for_good(_followed(self.account)))


def simulated(account: Account) -> Account:
    """The same account, to be charged with simulated hours."""
    return replace(account, kind="simulated", executor="simulated")


def weeks_of(account: Account, start_ms: int, count: int) -> tuple[Week, ...]:
    """`count` windows of a weekly account from that of `start_ms` on; of another, seven days each,
    which have what a window has."""
    limit = _followed(account)
    if _is_weekly(limit):
        found = []
        for _ in range(count):
            window = limit.window.window_at(start_ms, NoUsage())
            found.append(Week(window.start_ms, window.end_ms, limit.amount_ms))
            start_ms = window.end_ms
        return tuple(found)
    starts = range(start_ms, start_ms + count * WEEK_MS, WEEK_MS)
    return tuple(Week(at_ms, at_ms + WEEK_MS, limit.amount_ms) for at_ms in starts)


def weeks_from(account: Account, standing: Standing, count: int) -> tuple[Week, ...]:
    """As `weeks_of`, but the first one begins now, with what is left in it; so do the others where
    nothing comes back."""
    weeks = weeks_of(account, standing.at_ms, count)
    limit = _followed(account)
    now = standing.of(limit.name)
    left_ms = now.amount_ms - now.used_ms
    if _is_for_good(limit):
        return tuple(replace(week, amount_ms=left_ms) for week in weeks)
    amount_ms = left_ms if _is_weekly(limit) else limit.amount_ms
    return replace(weeks[0], from_ms=standing.at_ms, amount_ms=amount_ms), *weeks[1:]


def _followed(account: Account) -> Limit:
    """The limit whose windows are the weeks, or else the smallest."""
    smallest = min(account.limits, key=lambda limit: limit.amount_ms)
    return next((limit for limit in account.limits if _is_weekly(limit)), smallest)


def _is_for_good(limit: Limit) -> bool:
    """Nothing of it comes back by itself."""
    return limit.window.kind in ("lots", "unbounded")


def _is_weekly(limit: Limit) -> bool:
    return isinstance(limit.window, Calendar) and limit.window.every == "week"


def look_ahead(setting: Setting, *, poll_s: float = POLL_S) -> Tally:
    """Live through the weeks under skint's own scheduler and count what came of them."""
    world = World(setting.fortunes.seed, setting.accounts, setting.weeks[0].from_ms)
    if setting.standing is not None:
        setting.standing.note(world.ledger)
    engines: list[SimulatedEngine] = []
    graphs: dict[str, Graph] = {}
    house = world.add_house(
        setting.account,
        setting.fortunes.script_of(lambda: engines[0], graphs.__getitem__),
        devices=setting.devices,
        cpus=setting.cpus,
        tells=False,
    )
    engines.append(house.engine)
    _live(world, house, setting, graphs, poll_s)
    tally = count(setting, house)
    tally.waiting = _waiting(house)
    world.ledger.close()
    engines.clear()  # which hold their scripts, which hold them: all of the world is freed at once
    return tally


def _live(
    world: World, house: House, setting: Setting, graphs: dict[str, Graph], poll_s: float
) -> None:
    end_ms = setting.weeks[-1].end_ms
    waiting = list(setting.demand)
    while world.clock.now_ms() < end_ms:
        now_ms = world.clock.now_ms()
        while waiting and waiting[0].at_ms <= now_ms:
            asked = waiting.pop(0)
            graphs[house.submit(asked.graph, again=asked.again, park=asked.park)] = asked.graph
        house.round()
        if not waiting and house.settled:
            return
        running = any(True for _ in house.state.live_attempts())
        next_ms = waiting[0].at_ms if waiting else end_ms
        left_s = (min(next_ms, end_ms) - now_ms) / 1000
        world.pass_time(min(left_s, poll_s if running else IDLE_S))


def _waiting(house: House) -> dict[str, str]:
    """What each group that has not ended waits for, of the first of its jobs that says so."""
    found: dict[str, str] = {}
    for run in house.state.runs.values():
        for job in run.graph.jobs:
            known = run.jobs[job.id]
            if known.status in ("waiting", "failed") and known.sentence:
                found.setdefault(f"{run.name} {job.group}", known.sentence)
    return found


def count(setting: Setting, house: House) -> Tally:
    """What has come of it, from the state and from the fortunes, which know what was of use."""
    tally = setting.fresh("skint")
    done: set[str] = set()
    for run in house.state.runs.values():
        for allocation in run.allocations.values():
            for attempt, start_ms, end_ms, amount_ms in _uses(house, run, allocation):
                wasted = not _of_use(setting, run, attempt, done)
                tally.use(start_ms, end_ms, amount_ms, amount_ms if wasted else 0.0)
        _count_saved(setting, run, tally)
        week = tally.week_at(run.ended_ms or 0)
        if week is not None and run.outcome == "done":
            week.runs += 1
        for job in run.graph.jobs:
            last = run.current(job.id)
            if not job.devices or last is None or last.outcome != "done":
                continue
            week = tally.week_at(last.ended_ms or 0)
            useful = setting.fortunes.of(job, run.name).useful
            if week is not None and useful and job.static_key not in done:
                week.folds += 1
            done.add(job.static_key)
    tally.hand_down()
    return tally


def _uses(
    house: House, run: RunState, allocation: AllocationState
) -> Iterator[tuple[AttemptState, int, int, int]]:
    """From and to when each attempt of an allocation kept it, and its share of the charge."""
    now_ms = house.clock.now_ms()
    shares: Mapping[str, int] = allocation.shares
    for name in allocation.attempts:
        attempt = run.attempts.get(name)
        if attempt is None or allocation.start_ms is None or attempt.started_ms is None:
            continue
        end_ms = attempt.ended_ms or allocation.end_ms or now_ms
        if allocation.status == "settled":
            amount_ms = shares.get(name, 0)
        else:
            account = house.ledger.account(allocation.account)
            lasted_ms = max(0, end_ms - attempt.started_ms)
            amount_ms = account.cost_ms(len(allocation.devices), lasted_ms)
        yield attempt, attempt.started_ms, max(end_ms, attempt.started_ms + 1), amount_ms


def _of_use(setting: Setting, run: RunState, attempt: AttemptState, done: set[str]) -> bool:
    """Whether an attempt served a result that somebody wants, or still may."""
    job = run.graph.job(attempt.job)
    if not setting.fortunes.of(job, run.name).useful or job.static_key in done:
        return False
    if attempt.outcome in ("failed", "lost", "killed"):
        return False
    known = run.jobs[attempt.job]
    return known.has_result or not known.ended


def _count_saved(setting: Setting, run: RunState, tally: Tally) -> None:
    """What jobs would have used that were reused, or stopped because they led nowhere."""
    for job in run.graph.jobs:
        known = run.jobs[job.id]
        if not job.devices or known.status not in ("reused", "stopped", "skipped"):
            continue
        account = setting.account
        whole_ms = account.cost_ms(
            job.devices, round(setting.fortunes.of(job, run.name).seconds * 1000)
        )
        used_ms = _used_by(run, job)
        attempt = run.current(job.id)
        at_ms = attempt.ended_ms if attempt and attempt.ended_ms else run.ended_ms
        week = tally.week_at(at_ms or 0)
        if week is not None:
            week.saved_ms += max(0, whole_ms - used_ms)


def _used_by(run: RunState, job: Job) -> int:
    names: Sequence[str] = run.jobs[job.id].attempts
    return sum(
        allocation.shares.get(name, 0) for allocation in run.allocations.values() for name in names
    )
