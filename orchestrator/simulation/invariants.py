"""What must hold whatever goes wrong, checked against what the engines themselves have recorded.

Each of these is worked out anew here, from the lines and from the engines' records, and not with
the functions that are being checked.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from budget.accounts.account import Account
from budget.ledger.line import ADJUSTMENT, ESTIMATED, RELEASED, Charge
from orchestrator.events import events as e
from orchestrator.events.holding import holding
from orchestrator.executors.simulated_engine import RealSubmission
from orchestrator.simulation.admitted import Admitted, InvariantBroken, must
from orchestrator.simulation.as_rows import AsRows
from orchestrator.simulation.world import House, World
from orchestrator.state.allocation_state import AllocationState
from orchestrator.state.projection import apply
from orchestrator.state.state import RunState, State, job_of, run_of

__all__ = ["InvariantBroken", "Invariants"]


@dataclass
class _Seen:
    """How far a house has been checked."""

    event: int = 0
    state: State = field(default_factory=State)
    live: set[tuple[str, str]] = field(default_factory=set)
    """Jobs that have an attempt which has not ended."""
    planned: set[str] = field(default_factory=set)
    reserved: set[str] = field(default_factory=set)
    decided: dict[str, int] = field(default_factory=dict)
    """What each allocation was to cost, in the order in which they were planned."""
    rows: AsRows = field(default_factory=AsRows)


@dataclass
class Invariants:
    world: World
    admitted: Admitted
    rounds: int = 0
    seen: dict[tuple[str, int], _Seen] = field(default_factory=dict)
    """By house and store."""
    written: int = -1

    def after_round(self) -> None:
        """All that can be told at any time."""
        self.rounds += 1
        for house in self.world.houses:
            seen = self.seen.setdefault((house.name, house.generation), _Seen())
            fresh = [event for _, event in house.store.events_as_text(seen.event)]
            seen.event += len(fresh)
            for event in fresh:
                self._in_order(house, seen, event)
                seen.state = apply(seen.state, event)
            moved = {event.run for event in fresh}
            self._replay_is_state(house, seen.state, moved)
            seen.rows.write(house.state.runs[run] for run in sorted(moved - {""}))
            if fresh:
                self._each_job_says_why_it_waits(house)
                self._nothing_started_twice(house)
        self._the_ledger_adds_up()

    def at_the_end(self) -> None:
        """Everything has come to its end: nothing is owed any more."""
        self.after_round()
        must(not self.world.ledger.reservations(), "a reservation never ends")
        for house in self.world.houses:
            self._no_device_is_shared(house)
            self._no_attempt_begins_before_the_former_one_is_over(house)
            self._all_that_ran_is_paid(house)
            for run in house.state.runs.values():
                rows = self.seen[house.name, house.generation].rows
                must(rows.read(run.name) == run, "the rows of a run are not the run")
                self._every_job_has_ended(run)
                for allocation in run.allocations.values():
                    self._the_charge_is_what_was_kept(house, run, allocation)
                self._every_line_counts_once(house, run)
                self._a_stop_saves_once(run)
        self._every_charge_is_somebodys()

    # --- the store ----------------------------------------------------------------------------

    def _replay_is_state(self, house: House, replayed: State, runs: set[str]) -> None:
        state = house.state
        for run in runs - {""}:
            must(state.runs[run] == replayed.runs[run], "replaying the events gives another state")
        must(state.runs.keys() == replayed.runs.keys(), "replaying gives other runs")
        must(state.holds == replayed.holds, "replaying gives other holds")
        if self.rounds % 16 == 0:
            must(state.results == replayed.results, "replaying gives other results")

    def _in_order(self, house: House, seen: _Seen, event: e.Event) -> None:
        """No attempt before the money, none beside another of its job."""
        if isinstance(event, e.AllocationPlanned):
            self._nobody_more_important_waits(seen.state, event)
            for name in event.attempts:
                self._nobody_keeps_it_back(seen.state, event.run, job_of(name))
            seen.decided[event.allocation] = event.amount_ms
        elif isinstance(event, e.AllocationReserved):
            self._its_group_fits(seen, event)
            must(event.allocation not in seen.reserved, "reserved twice", event.allocation)
            seen.reserved.add(event.allocation)
        elif isinstance(event, e.AttemptPlanned):
            if event.allocation is None:
                self._nobody_keeps_it_back(seen.state, event.run, event.job)
            must((event.run, event.job) not in seen.live, "two attempts at once", event.job)
            seen.live.add((event.run, event.job))
            must(event.attempt not in seen.planned, "an attempt planned twice", event.attempt)
            seen.planned.add(event.attempt)
            if event.devices:
                must(event.allocation in seen.reserved, "devices without a reservation", event)
        elif isinstance(event, e.AttemptEnded):
            attempt = house.state.attempt(event.attempt)
            must(attempt is not None, "the end of no attempt", event.attempt)
            assert attempt is not None
            must((event.run, attempt.job) in seen.live, "an attempt ended twice", event.attempt)
            seen.live.discard((event.run, attempt.job))

    # --- jobs ---------------------------------------------------------------------------------

    def _nobody_keeps_it_back(self, state: State, name: str, job: str) -> None:
        """Nothing is to start that is paused, or that a hold covers."""
        run = state.runs[name]
        held = holding(state.holds, run.graph.account, run.graph.job(job).lane) is not None
        must(not held, "it starts although it is held", job)
        must(not run.jobs[job].paused, "it starts although it is paused", job)

    def _nobody_more_important_waits(self, state: State, event: e.AllocationPlanned) -> None:
        """No job of a higher priority that would fit where this one does waits for its turn."""
        run = state.runs[event.run]
        job = run.graph.job(job_of(event.attempts[0]))
        if run.jobs[job.id].overtaken_ms is not None:
            return  # so many have passed it by that it comes first
        mine = run.priority + job.priority
        for other in state.live_runs():
            if other.graph.account != event.account:
                continue
            for waiting in other.graph.jobs:
                known = other.jobs[waiting.id]
                if known.status != "waiting" or known.reason not in ("turn", "devices"):
                    continue
                if waiting.together > 1:
                    continue  # it may wait for more devices than it has itself
                more = other.priority + waiting.priority > mine
                fits = waiting.devices == job.devices and not event.edge
                fits = fits and waiting.wall_limit_ms <= job.wall_limit_ms
                fits = fits and other.stop_of(waiting) is None
                allocation = other.allocation_of(waiting.id)
                tried = allocation is not None and (
                    allocation.open or allocation.again_ms > event.at_ms
                )
                must(not (more and fits) or tried, "one less important goes first", waiting.id)

    def _its_group_fits(self, seen: _Seen, event: e.AllocationReserved) -> None:
        """A group that is to wait for all its hours is not begun with less. Where nothing like it
        has been done before, each of its jobs needs its whole limit. What was decided after it
        may be reserved before it: that was free when it was decided."""
        state = seen.state
        run = state.runs[event.run]
        kept = run.allocations[event.allocation]
        job = run.graph.job(job_of(kept.attempts[0]))
        group = [run.jobs[other.id] for other in run.graph.groups()[job.group]]
        begun = any(known.attempts or known.ended for known in group) or any(
            allocation.id != kept.id and allocation.open for allocation in run.allocations.values()
        )
        history = any(
            attempt.devices and attempt.started_ms is not None
            for other in state.runs.values()
            for attempt in other.attempts.values()
        )
        if begun or history or run.park or job.when_short == "begin" or len(group) < 2:
            return
        account = self.admitted.accounts[kept.id]
        one_ms = account.cost_ms(job.devices, job.wall_limit_ms)
        needed_ms = one_ms * len(group)
        free_ms = self.admitted.free_ms.get(kept.id, needed_ms)
        decided = list(seen.decided)
        for later in decided[decided.index(kept.id) + 1 :]:
            other = self.admitted.accounts.get(later)
            if later in seen.reserved and other is not None and _top(other) == _top(account):
                free_ms += seen.decided[later]
        must(free_ms >= needed_ms, "a group is begun that cannot finish", kept.id, free_ms)

    def _each_job_says_why_it_waits(self, house: House) -> None:
        """Of a live scheduler that has just looked: whatever could start and does not, says why."""
        if house.scheduler is None or house.clock.true.now_ms() < house.away_until_ms:
            return
        for run in house.state.runs.values():
            if not run.live:
                continue
            for job in run.graph.jobs:
                known = run.jobs[job.id]
                if known.status != "waiting":
                    continue
                needs = [run.jobs[need] for need in job.needs]
                if not all(need.has_result for need in needs):
                    idle = all(need.ended for need in needs)
                    must(not idle, "it waits for what will not come", run.name, job.id)
                    continue
                allocation = run.allocation_of(job.id)
                if allocation is not None and allocation.open:
                    continue
                if holding(house.state.holds, run.graph.account, job.lane) is not None:
                    continue  # the hold says it
                said = bool(known.reason and known.sentence)
                must(said, "it waits and does not say why", run.name, job.id)

    def _every_job_has_ended(self, run: RunState) -> None:
        for job in run.jobs.values():
            must(job.ended, "a job never ends", run.name, job.id, job.reason)
            must(job.has_result or bool(job.reason), "a job ends without a reason", job.id)

    def _nothing_started_twice(self, house: House) -> None:
        starts = house.engine.starts
        if len(set(starts)) != len(starts):
            twice = [name for name, n in Counter(starts).items() if n > 1]
            must(False, "started twice", twice)

    def _no_device_is_shared(self, house: House) -> None:
        """By one store: what runs for one that was lost, only locks beside the devices can tell."""
        for device in house.engine.capacity.devices:
            for lost in (False, True):
                spans = sorted(
                    _kept(held)
                    for name, held in house.engine.submissions.items()
                    if device.uuid in held.submission.devices
                    and (run_of(name) in house.lost) == lost
                )
                for before, after in pairwise(spans):
                    must(before[1] <= after[0], "a device was given twice", before, after)

    def _no_attempt_begins_before_the_former_one_is_over(self, house: House) -> None:
        truth = {}
        for held in house.engine.submissions.values():
            for real in held.attempts:
                if real.task.standby_s is not None:
                    continue  # no attempt: it had no devices
                end_ms = min(real.end_ms, held.lost_ms or real.end_ms)
                truth[real.task.attempt] = (real.start_ms, end_ms)
        for run in house.state.runs.values():
            for job in run.jobs.values():
                tries = [truth[name] for name in job.attempts if name in truth]
                for before, after in pairwise(tries):
                    must(before[1] <= after[0], "two copies of a job ran at once", job.id)

    def _a_stop_saves_once(self, run: RunState) -> None:
        """What was resumed and stopped again saves what its last stop saved, and no more."""
        back = {saving.takes_back for saving in run.savings.values()}
        counted = Counter(
            saving.job
            for saving in run.savings.values()
            if saving.kind == "early-stop" and not saving.takes_back and saving.id not in back
        )
        must(all(n == 1 for n in counted.values()), "the hours of a stop count twice", counted)

    def _every_line_counts_once(self, house: House, run: RunState) -> None:
        for name, attempt in run.attempts.items():
            held = house.engine.submissions.get(house.engine.submission_of.get(name, ""))
            if held is None:
                continue
            real = next(real for real in held.attempts if real.task.attempt == name)
            wrote = Counter(
                line
                for at_ms, line in dict.fromkeys(real.lines)
                if b'"report"' in line and at_ms <= real.end_ms
            )
            heard = Counter(report["at_ms"] for report in attempt.reports)
            zombies = [note for note in attempt.notes if note == "zombie"]
            must(not zombies, "a line of an older attempt counts", name, zombies)
            notes = Counter(
                json.loads(line)["text"]
                for at_ms, line in real.lines
                if b'"note"' in line and at_ms <= real.end_ms
            )
            must(Counter(attempt.notes) <= notes, "a note counts twice", name, attempt.notes)
            stamps = Counter(json.loads(line)["at"] for line in wrote)
            if attempt.outcome == "lost":
                must(heard <= stamps, "a line counts twice", name, heard - stamps)
            else:
                must(heard == stamps, "a line counts twice or not at all", name, heard, stamps)

    # --- hours --------------------------------------------------------------------------------

    def _the_ledger_adds_up(self) -> None:
        """The lines add up to the balance, in windows that are found anew."""
        written = self.admitted.writes
        if written == self.written and self.rounds % 16:
            return
        self.written = written
        problems = self.world.ledger.check()
        must(not problems, "the ledger does not agree with itself", *problems)
        for house in self.world.houses:
            self.admitted.agree(house.clock.now_ms())

    def _the_charge_is_what_was_kept(
        self, house: House, run: RunState, allocation: AllocationState
    ) -> None:
        """Nothing charged twice or not at all: the engine's own record is the measure."""
        name = allocation.id
        must(not allocation.open, "an allocation never ends", name, allocation.status)
        must(sum(allocation.shares.values()) == allocation.charged_ms, "shares do not add up", name)
        held = house.engine.submissions.get(name)
        line = self.admitted.line(name)
        if line is None:
            must(allocation.status == "refused", "it is booked nowhere", name, allocation.status)
            must(held is None, "it ran and was never paid", name)
            return
        must(line.amount_ms == allocation.charged_ms, "ledger and state differ", name, line)
        if held is None:
            must(_is_least(line) or _is_forgotten(line), "paid for nothing", name, line)
            return
        must(line.kind != RELEASED or _never_ran(held), "released though it ran", name)
        start_ms, end_ms = held.start_ms, held.end_ms
        lost = held.lost_ms is not None and held.lost_ms < end_ms
        if lost or _is_forgotten(line):
            full = line.kind == ESTIMATED and line.amount_ms == line.reserved_ms
            must(full, "what is not known is not charged in full", name, line)
            return
        account = self.admitted.accounts[name]
        cost_ms = account.cost_ms(line.devices, end_ms - start_ms)
        must(line.amount_ms == cost_ms, "the charge is not what was kept", name, line, cost_ms)

    def _all_that_ran_is_paid(self, house: House) -> None:
        """Whatever the store knows of it."""
        for name, held in house.engine.submissions.items():
            if not held.submission.devices:
                continue
            line = self.admitted.line(name)
            must(line is not None, "it ran and is booked nowhere", name)
            assert line is not None
            must(line.kind != RELEASED or _never_ran(held), "released though it ran", name)

    def _every_charge_is_somebodys(self) -> None:
        """Each line is that of one allocation; nobody has adjusted anything."""
        seen = Counter(charge.id for charge in self.world.ledger.charges())
        must(all(n == 1 for n in seen.values()), "a line stands twice")
        for charge in self.world.ledger.charges():
            must(charge.kind != ADJUSTMENT, "an adjustment that nobody has made", charge)
            if charge.kind == RELEASED or _is_least(charge):
                continue  # it was kept from starting
            known = [house.engine.submissions.get(charge.id) for house in self.world.houses]
            must(
                any(held is not None for held in known) or _is_forgotten(charge),
                "a charge without anything that ran",
                charge,
            )


def _kept(held: RealSubmission) -> tuple[int, int]:
    """From and to when its devices were really kept."""
    end_ms = held.end_ms
    return held.start_ms, min(end_ms, end_ms if held.lost_ms is None else held.lost_ms)


def _top(account: Account) -> str:
    """The account whose hours it uses in the end: here parts have no parts."""
    return account.parent or account.name


def _never_ran(held: RealSubmission) -> bool:
    return all(real.start_ms == real.end_ms for real in held.attempts)


def _is_least(line: Charge) -> bool:
    """No time at all: nothing, or what the provider takes at least for a session."""
    return line.start_ms == line.end_ms


def _is_forgotten(line: Charge) -> bool:
    """It was charged because nobody had settled it for a week after its deadline."""
    return line.kind == ESTIMATED and line.reason.startswith("expired")
