"""A week in which much goes wrong, from one seed; all invariants are checked after each round."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from budget.accounts.account import Account, Metering, Session
from budget.accounts.limit import Limit, weekly
from budget.windows import Rolling, Unbounded
from orchestrator.executors.simulated import Faults, Script
from orchestrator.graph import AtEdge, Graph, Job, StopRule, WhenShort
from orchestrator.simulation.admitted import Admitted, InvariantBroken
from orchestrator.simulation.invariants import Invariants
from orchestrator.simulation.misfortunes import Misfortunes, draw_faults, scripts
from orchestrator.simulation.mortal import Fate
from orchestrator.simulation.people import KeepingBack, SecondThoughts
from orchestrator.simulation.world import NO_FAULTS, House, World
from skint.attempt import Task

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
STORMY_ROUNDS = 500
ROUNDS = 4_000
"""Far more than any week takes."""
PATIENCE_MS = 15 * DAY_MS
"""How long after the storm somebody cancels what still waits for hours that may never come."""
STARTS = (
    datetime(2026, 11, 21, tzinfo=UTC),
    datetime(2026, 10, 24, tzinfo=UTC),  # the night in which Europe's clocks go back
    datetime(2026, 10, 31, tzinfo=UTC),  # the same in New York
    datetime(2026, 3, 7, tzinfo=UTC),  # New York's clocks go forward
    datetime(2026, 3, 28, tzinfo=UTC),  # Europe's do
    datetime(2026, 12, 31, 18, tzinfo=UTC),
    datetime(2028, 2, 28, 18, tzinfo=UTC),
)
ZONES = ("UTC", "UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe")


@dataclass
class FaultWeek:
    """`live()` runs it to its end. Raises InvariantBroken, whose text ends with the seed."""

    seed: int
    happened: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    days: float = 0.0

    def __post_init__(self) -> None:
        self.dice = random.Random(f"week {self.seed}")
        # By dice of its own, as everything drawn after it would be another week.
        own = random.Random(f"ahead {self.seed}")
        self.ahead, self.together = own.random() < 0.5, own.random() < 0.3
        self.thoughts = SecondThoughts(random.Random(f"thoughts {self.seed}"), self.happened)
        self.keeping = KeepingBack(random.Random(f"keeping {self.seed}"), self.happened)
        accounts = draw_accounts(self.dice)
        start = self.dice.choice(STARTS)
        start_ms = round(start.timestamp() * 1000) + self.dice.randrange(2 * DAY_MS)
        self.world = World(self.seed, accounts, start_ms)
        self.admitted = Admitted(self.world.ledger)
        self.waited = False
        self.invariants = Invariants(self.world, self.admitted)
        for number in range(self.dice.choice((1, 1, 2))):
            house = self.world.add_house(
                self.dice.choice(accounts),
                self._scripts(number),
                faults=self._faults(),
                devices=self.dice.choice((1, 2)),
                fate=Fate(happened=self.happened),
                tells=self.dice.random() < 0.3,
            )
            house.heard = self.admitted.heard
            house.keeps_files = self.thoughts.some
            assert house.fate is not None
            house.fate.draw(self.dice)
            self.happened["second scheduler"] += number
        self.misfortunes = Misfortunes(
            self.world, self.dice, self.admitted, self.submit, self.happened
        )
        self.stormy_ms = start_ms + self.dice.randrange(DAY_MS, 7 * DAY_MS)
        self.coarse_s = self.dice.choice((120, 300, 1200))
        for house in self.world.houses:
            self.submit(house)

    def _faults(self) -> Faults:
        faults = draw_faults(self.dice) if self.dice.random() < 0.8 else NO_FAULTS
        can = replace(faults.capabilities, standby=self.ahead, together=self.together)
        return replace(faults, capabilities=can)

    def _scripts(self, number: int) -> Callable[[Task], Script]:
        seed = self.dice.getrandbits(32)
        return scripts(seed, self.happened, lambda: self.world.houses[number].engine)

    def submit(self, house: House) -> None:
        """One more run of a k-fold plan; about half of them are paid for anew."""
        graph = draw_graph(self.dice, house.account)
        jobs = (
            replace(job, standby=self.ahead, together=1 + self.together) if job.devices else job
            for job in graph.jobs
        )
        graph = self.thoughts.asking(replace(graph, jobs=tuple(jobs)))
        dice = self.dice
        house.submit(
            graph,
            again=dice.random() < 0.5,
            priority=dice.choice((0, 0, 5)),
            park=dice.random() < 0.4,
        )

    def live(self) -> None:
        """To the end of all that was asked for."""
        clock = self.world.clock
        begun_ms = clock.now_ms()
        try:
            for _ in range(ROUNDS):
                self.rounds += 1
                for house in self.world.houses:
                    if not house.round():
                        self.misfortunes.died(house)
                self.misfortunes.strike()
                for house in () if self.misfortunes.over else self.world.houses:
                    self.thoughts.strike(house)
                    self.keeping.strike(house)
                self.invariants.after_round()
                self._end_of_the_storm()
                if all(house.settled for house in self.world.houses):
                    if not self.misfortunes.over:
                        self.stormy_ms = clock.now_ms()
                        self._calm()
                    if not self._overdue():
                        self.invariants.at_the_end()
                        return
                self._pass_time()
            raise InvariantBroken(f"nothing more happens, or too much: {self._what_waits()}")
        except InvariantBroken as broken:
            raise InvariantBroken(f"{broken}\n{replay_command(self.seed)}") from broken
        finally:
            for house in self.world.houses:
                self.happened.update(house.engine.happened)
            self.days = (clock.now_ms() - begun_ms) / DAY_MS
            self.world.ledger.close()

    def _end_of_the_storm(self) -> None:
        now_ms = self.world.clock.now_ms()
        if not self.misfortunes.over:
            if now_ms > self.stormy_ms or self.rounds > STORMY_ROUNDS:
                self.stormy_ms = now_ms
                self._calm()
        elif now_ms > self.stormy_ms + PATIENCE_MS:
            self.stormy_ms = now_ms
            for house in self.world.houses:
                for run in house.state.runs.values():
                    if run.live:
                        house.stop(run.name, "run", run.name)
                        self.happened["given up"] += 1

    def _calm(self) -> None:
        self.misfortunes.end()
        for house in self.world.houses:
            self.keeping.calm(house)

    def _overdue(self) -> bool:
        """Whether reservations of lost stores stay; time is let pass until they are overdue."""
        left = self.world.ledger.reservations()
        if not left or self.waited or not any(house.lost for house in self.world.houses):
            return False
        self.waited = True
        due_ms = max(
            max(reservation.expires_ms or 0, reservation.deadline_ms or 0) for reservation in left
        )
        wait_ms = max(0, due_ms - self.world.clock.now_ms()) + 1
        self.world.clock.advance(wait_ms / 1000)
        for house in self.world.houses:
            house.scheduler = None
            house.away_until_ms = 0
        return True

    def _pass_time(self) -> None:
        busy = any(True for house in self.world.houses for _ in house.state.live_attempts()) or any(
            house.store.unanswered() for house in self.world.houses
        )
        self.world.pass_time(self.coarse_s if busy else 6 * 3600)

    def _what_waits(self) -> list[str]:
        return [
            f"{job.id} {job.status} {job.sentence}"
            for house in self.world.houses
            for run in house.state.runs.values()
            for job in run.jobs.values()
            if not job.ended
        ]


def replay_command(seed: int) -> str:
    """What a person types to see the same week again."""
    return f"replay it: skint simulate --faults --seed {seed}"


def draw_accounts(dice: random.Random) -> tuple[Account, ...]:
    """One account, perhaps with two limits, perhaps with sub-budgets."""
    amount_ms = dice.choice((3, 8, 40)) * HOUR_MS
    limits: list[Limit] = []
    kind = dice.random()
    if kind < 0.6:
        day, at = dice.choice(("sat", "sun", "mon")), dice.choice(("00:00", "02:30"))
        limits.append(weekly(amount_ms, day, at, dice.choice(ZONES)))
    elif kind < 0.9:
        limits.append(Limit(amount_ms, Rolling(dice.choice((1, 3, 7)) * DAY_MS), "rolling"))
    if kind > 0.8 or not limits:
        limits.append(Limit(5 * amount_ms, Unbounded(), "in-all"))
    unit = dice.choice(("device", "device", "session"))
    own = Account(
        "lab",
        "simulated",
        "simulated",
        tuple(limits),
        unit=unit,
        session=Session(dice.choice((None, None, 2 * HOUR_MS)), dice.choice((None, None, 1))),
        metering=dice.choice((Metering(), Metering(), Metering(60_000, 300_000))),
        keep_back_ms=dice.choice((0, 0, HOUR_MS)),
    )
    if dice.random() < 0.6:
        return (own,)
    part = Limit(max(3 * HOUR_MS, amount_ms // 2), limits[0].window, "part")
    thesis = replace(own, name="thesis", limits=(part,), keep_back_ms=0, parent="lab")
    return own, thesis


def draw_graph(dice: random.Random, account: str) -> Graph:
    """scan → folds → train × folds → errors."""
    folds = dice.choice((2, 3, 5))
    cpu = (
        Job("scan", "scan", uses="scan", static_key="scan", retries=1),
        Job("folds", "folds", uses="folds", needs=("scan",), static_key="folds", retries=1),
    )
    limit_s = dice.choice((900.0, 3600.0, 5400.0))
    devices = dice.choice((1, 1, 1, 2))
    retries = dice.choice((0, 1, 2))
    rules = (StopRule("broken"),) if dice.random() < 0.7 else ()
    edges: tuple[AtEdge, ...] = ("park", "finish-epoch", "hard-stop")
    resumes = dice.random() < 0.5
    at_edge = dice.choice(edges) if resumes else "hard-stop"
    when_short: WhenShort = "begin" if dice.random() < 0.5 else "wait"
    train = tuple(
        Job(
            f"train.fold{n}",
            "train",
            uses="train",
            needs=("folds",),
            fold=n,
            folds=folds,
            devices=devices,
            limit_s=limit_s,
            grace_s=30,
            stop=rules,
            retries=retries,
            priority=dice.choice((0, 0, 0, 3)),
            value=dice.choice((1.0, 1.0, 4.0)),
            resumes=resumes,
            at_edge=at_edge,
            when_short=when_short,
            static_key=f"train {n} {limit_s} {devices}",
        )
        for n in range(folds)
    )
    needs = tuple(job.id for job in train)
    errors = Job("errors", "errors", uses="errors", needs=needs, static_key="errors")
    return Graph("seedlings", account, "/plans", (*cpu, *train, errors))
