"""Small weeks in which everything goes wrong that can, each drawn from a seed.

Answers are lost or late, nodes die, people cancel, and the scheduler is killed between any two
calls to what is outside of it. What must hold is checked against the engine's own records.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from orchestrator.events import events as e
from orchestrator.executors.base import Capabilities
from orchestrator.executors.simulated import Faults, Script
from orchestrator.simulation.mortal import Fate, Killed, Mortal
from orchestrator.state.state import RunState, State
from skint.attempt import Task
from tests.orchestrator.worlds import WALL_MS, World, kfold

WEEKS = 150
SHM = Path("/dev/shm")
ROUNDS = 5_000
"""Far more than any week takes."""

seen: Counter[str] = Counter()
"""What happened in the weeks that were lived so far."""


def draw_faults(dice: random.Random) -> Faults:
    return Faults(
        capabilities=Capabilities(
            shared_disk=dice.random() < 0.5,
            live_events=dice.random() < 0.7,
            hard_cancel=dice.random() < 0.5,
            attempts_per_allocation=dice.choice((1, 1, 2, 3)),
        ),
        start_delay_s=dice.choice((0, 0, 20)),
        lost_submit_share=dice.choice((0, 0.3)),
        unsent_submit_share=dice.choice((0, 0.3)),
        refused_submit_share=dice.choice((0, 0, 0.1)),
        lost_poll_share=dice.choice((0, 0.1, 0.4)),
        answer_delay_s=dice.choice((0, 0, 7, 45)),
    )


def scripts(seed: int) -> Callable[[Task], Script]:
    """What an attempt does follows from its name, however often it is asked."""

    def script_of(task: Task) -> Script:
        dice = random.Random(f"{seed} {task.attempt}")
        seconds = dice.choice((1, 10, 90, 400, 400, 3000 if task.fold is not None else 30))
        loss = "nan" if dice.random() < 0.08 else 0.5
        lines: list[tuple[float, Mapping[str, Any]]] = []
        for n in range(dice.randrange(4)):
            at_s = n * seconds / 4
            lines.append((at_s, {"kind": "report", "values": {"epoch": n, "train_loss": loss}}))
            # A process of an older attempt that nobody could kill writes on.
            lines.append((at_s, {"kind": "note", "text": "zombie", "fence": task.fence - 1}))
        return Script(
            seconds=seconds,
            lines=tuple(lines),
            code=int(dice.random() < (0.05 if task.fold is None else 0.2)),
            stops_after_s=dice.choice((None, 1, 5)),
            outputs={"it": task.job.encode()},
            prepare_s=min(seconds, 8),
        )

    return script_of


@dataclass
class Week:
    """A world, its misfortunes, and what must hold whatever they are."""

    path: Path
    seed: int
    dice: random.Random = field(init=False)
    world: World = field(init=False)
    fate: Fate = field(default_factory=Fate)
    submitted: list[str] = field(default_factory=list)
    kills: int = 0

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        faults = draw_faults(self.dice)
        if self.ahead:
            can = replace(faults.capabilities, standby=True, together=True)
            faults = replace(faults, capabilities=can)
        self.world = World(
            self.path,
            scripts(self.seed),
            faults,
            devices=self.dice.choice((1, 2)),
            week_ms=self.dice.choice((WALL_MS, 3 * WALL_MS, 99 * WALL_MS)),
            seed=self.seed,
        )
        self.restart()
        self.submit()

    @property
    def ahead(self) -> bool:
        """In every other week workers are started ahead."""
        return self.seed % 2 == 1

    def restart(self) -> None:
        while True:
            self.fate.draw(self.dice)
            try:
                self.world.restart(lambda outside: Mortal(outside, self.fate))
                return
            except Killed:
                continue

    def submit(self) -> None:
        name = f"seedlings-{len(self.submitted) + 1}"
        self.submitted.append(name)
        again = self.dice.random() < 0.5
        graph = kfold(retries=self.dice.choice((0, 1, 2)))
        together = 2 if self.ahead and self.seed % 3 == 0 else 1
        jobs = (
            replace(job, standby=self.ahead, together=together) if job.devices else job
            for job in graph.jobs
        )
        self.world.submit(replace(graph, jobs=tuple(jobs)), name, again=again)

    def live(self) -> State:
        """To the end of all that was asked for."""
        for _ in range(ROUNDS):
            self.fate.calls = 0
            try:
                wake_ms = self.world.scheduler.tick()
                self.world.clock.sleep(5, wake_ms)
            except Killed:
                assert self.world.store.state() == self.world.store.replayed()
                self.kills += 1
                self.restart()
            self.chance()
            state = self.world.store.state()
            if all(name in state.runs and state.runs[name].settled for name in self.submitted):
                return state
        raise AssertionError("nothing more happens, or too much")

    def chance(self) -> None:
        dice = self.dice.random()
        if dice < 0.04:
            self.restart()
        elif dice < 0.06 and len(self.submitted) < 3:
            self.submit()
        elif dice < 0.11:
            held = list(self.world.engine.submissions.values())
            running = [s for s in held if s.attempts[-1].end_ms > self.world.clock.now_ms()]
            if running:
                self.world.engine.lose(self.dice.choice(running).submission.name)
        elif dice < 0.15:
            run = self.dice.choice(self.submitted)
            scope, target = self.dice.choice(
                (
                    ("run", run),
                    ("group", "train"),
                    *(("attempt", f"train.fold{n}") for n in range(3)),
                    ("attempt", "errors"),
                )
            )
            how = self.dice.choice(("step", "kill"))
            self.world.stop(run, scope, target, how=how)

    # --- what must hold -----------------------------------------------------------------------

    def check(self, state: State) -> None:
        self.nothing_started_twice()
        self.no_device_was_shared()
        self.no_attempt_began_before_the_former_one_was_over(state)
        self.the_store_agrees_with_itself()
        self.the_ledger_has_what_the_allocations_have(state)
        for run in state.runs.values():
            for allocation in run.allocations.values():
                self.the_charge_is_what_was_measured(allocation)
            self.every_line_counted_once(run)
            self.results_were_brought(run)

    def nothing_started_twice(self) -> None:
        assert [name for name, n in Counter(self.world.engine.starts).items() if n > 1] == []

    def spans(self) -> Iterator[tuple[Any, int, int]]:
        """Each submission with the time from which and to which it had its devices."""
        for held in self.world.engine.submissions.values():
            end_ms = held.end_ms
            if held.lost_ms is not None:
                end_ms = min(end_ms, held.lost_ms)
            yield held.submission, held.start_ms, end_ms

    def no_device_was_shared(self) -> None:
        for device in self.world.engine.capacity.devices:
            used = sorted(
                (start_ms, end_ms)
                for submission, start_ms, end_ms in self.spans()
                if device.uuid in submission.devices
            )
            assert all(before[1] <= after[0] for before, after in pairwise(used)), used

    def no_attempt_began_before_the_former_one_was_over(self, state: State) -> None:
        live: set[tuple[str, str]] = set()
        for _, event in self.world.store.events():
            if isinstance(event, e.AttemptPlanned):
                assert (event.run, event.job) not in live
                live.add((event.run, event.job))
            elif isinstance(event, e.AttemptEnded):
                attempt = state.attempt(event.attempt)
                assert attempt is not None
                live.remove((event.run, attempt.job))
        assert live == set()
        truth = {}
        for held in self.world.engine.submissions.values():
            for real in held.attempts:
                if real.task.standby_s is not None:
                    continue  # no attempt
                end_ms = min(real.end_ms, held.lost_ms or real.end_ms)
                truth[real.task.attempt] = (real.start_ms, end_ms)
        for run in state.runs.values():
            for job in run.jobs.values():
                tries = [truth[name] for name in job.attempts if name in truth]
                assert all(before[1] <= after[0] for before, after in pairwise(tries)), tries

    def the_store_agrees_with_itself(self) -> None:
        self.world.restart()
        store = self.world.store
        assert store.state() == store.replayed() == self.world.scheduler.state

    def the_ledger_has_what_the_allocations_have(self, state: State) -> None:
        ledger = self.world.ledger
        assert ledger.reservations(open_only=True) == ()
        allocations = [a for run in state.runs.values() for a in run.allocations.values()]
        charged = {a.id: a.charged_ms for a in allocations if a.status == "settled"}
        lines = {c.id: c.amount_ms for c in ledger.charges("lab") if c.kind != "released"}
        assert lines == charged
        for allocation in allocations:
            assert sum(allocation.shares.values()) == allocation.charged_ms
            assert allocation.status in ("settled", "released", "refused")

    def the_charge_is_what_was_measured(self, allocation: Any) -> None:
        held = self.world.engine.submissions.get(allocation.id)
        if held is None:
            assert allocation.charged_ms == 0
            return
        rate = len(allocation.devices)
        start_ms, end_ms = held.start_ms, held.end_ms
        if held.lost_ms is not None and held.lost_ms < end_ms:
            assert (allocation.charged_ms, allocation.estimated) == (allocation.amount_ms, True)
        else:
            assert allocation.charged_ms == rate * (end_ms - start_ms)
            assert not allocation.estimated

    def every_line_counted_once(self, run: RunState) -> None:
        for held in self.world.engine.submissions.values():
            for truth in held.attempts:
                attempt = run.attempts.get(truth.task.attempt)
                if attempt is None or truth.task.standby_s is not None:
                    continue
                wrote = [at_ms for at_ms, line in truth.lines if b'"report"' in line]
                heard = [report["at_ms"] for report in attempt.reports]
                if attempt.outcome == "lost":
                    assert heard == wrote[: len(heard)]
                else:
                    assert heard == [at_ms for at_ms in wrote if at_ms <= truth.end_ms]
                assert attempt.notes == ()

    def results_were_brought(self, run: RunState) -> None:
        for job in run.jobs.values():
            if job.has_result:
                assert Path(job.out, "it").read_text() == job.id


@pytest.fixture
def quick_path() -> Iterator[Path]:
    """A folder in memory where there is one: a week writes as much as a real one, durably."""
    with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None) as path:
        yield Path(path)


@pytest.mark.parametrize("seed", range(WEEKS))
def test_whatever_goes_wrong_nothing_runs_twice_and_every_hour_is_paid_once(
    quick_path: Path, seed: int
) -> None:
    lived(quick_path, seed)


def lived(path: Path, seed: int) -> None:
    week = Week(path, seed)
    state = week.live()
    week.check(state)
    for run in state.runs.values():
        seen.update(attempt.outcome or "" for attempt in run.attempts.values())
        seen["side by side"] += sum(kept.together for kept in run.allocations.values())
        seen["stood by"] += sum(attempt.stood_by for attempt in run.attempts.values())
        seen.update(job.status for job in run.jobs.values())
        seen.update(allocation.status for allocation in run.allocations.values())
        seen.update(stop.how for stop in run.stops)
        seen.update(verdict.rule for verdict in run.verdicts)
    seen["weeks"] += 1
    seen["killed in between"] += week.kills
    seen["given up"] += len(week.world.kept(e.StandbyDropped))
    seen["unreachable"] += len(week.world.kept(e.AttemptUnreachable))
    seen.update(wait.reason for wait in week.world.kept(e.JobWaited))


def test_the_weeks_are_as_bad_as_they_are_meant_to_be(quick_path: Path) -> None:
    """Else all of the above would hold of a scheduler that nothing ever happened to."""
    for seed in range(seen["weeks"], 60):
        lived(quick_path / str(seed), seed)
    wanted = {"done", "failed", "stopped", "killed", "lost", "reused", "skipped", "deadline"}
    wanted |= {
        "settled",
        "over-budget",
        "step",
        "kill",
        "broken",
        "side by side",
        "stood by",
        "given up",
        "unreachable",
        "killed in between",
    }
    assert wanted <= {what for what, n in seen.items() if n}
