"""A world to schedule in: one true clock, one ledger, and houses whose schedulers share both."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from budget.accounts.account import Account
from budget.ledger import Ledger, LedgerError
from orchestrator.clock import SimulatedClock
from orchestrator.commands import StopJobs, SubmitRun
from orchestrator.events.events import StopScope
from orchestrator.executors.simulated import Faults, Script, SimulatedEngine, SimulatedExecutor
from orchestrator.graph import Graph
from orchestrator.scheduler.cpu_lane.room import LOCAL
from orchestrator.scheduler.shell import Scheduler
from orchestrator.simulation.host_clock import HostClock
from orchestrator.simulation.memory_store import MemoryStore
from orchestrator.simulation.mortal import Fate, Killed, Mortal
from orchestrator.state.state import State
from orchestrator.store.errors import StoreError
from skint.attempt import StopHow, Task

LEDGER_WRITES = (
    "reserve",
    "start",
    "settle",
    "release",
    "adjust",
    "expire",
    "reading",
    "grant",
    "book_saving",
    "take_back_saving",
)
STORE_WRITES = ("keep", "ask")

NO_FAULTS = Faults()


def disk_is_full(of: type[LedgerError] | type[StoreError]) -> Callable[[], Exception]:
    """What a write raises where there is no room."""
    return lambda: of("the disk is full: nothing was written", next="make room")


@dataclass
class House:
    """One person's machine: a store, a clock, an engine, and a scheduler while it lives."""

    name: str
    clock: HostClock
    ledger: Ledger
    engine: SimulatedEngine
    store: MemoryStore
    account: str
    executor: str
    fate: Fate | None = None
    """None: nothing stands between the scheduler and its world."""
    tells: bool = True
    """Notices are made, as if somebody read them."""
    keeps_files: bool = False
    """What an attempt has left in its folder is there; the engine has no files."""
    scheduler: Scheduler | None = None
    away_until_ms: int = 0
    """True time until which no scheduler lives here, or the machine sleeps."""
    wake_ms: int | None = None
    submitted: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """Runs that went with a store that was lost."""
    generation: int = 0
    """How many stores were lost here."""
    heard: Callable[[str, dict[str, Any], Any], None] = lambda name, given, answer: None
    """Told of every call to the ledger that was carried out."""

    def begin(self) -> None:
        """A new scheduler on what is kept: all the memory of the old one is gone."""
        executors: Mapping[str, Any] = {
            name: SimulatedExecutor(self.engine, name) for name in (LOCAL, self.executor)
        }
        store: Any = self.store
        ledger: Any = self.ledger
        if self.fate is not None:
            fate = self.fate
            executors = {name: Mortal(executor, fate) for name, executor in executors.items()}
            store = Mortal(
                store, fate, disk="store", writes=STORE_WRITES, refusal=disk_is_full(StoreError)
            )
            ledger = Mortal(
                ledger,
                fate,
                disk="ledger",
                writes=LEDGER_WRITES,
                refusal=disk_is_full(LedgerError),
                after=self.heard,
            )
        self.scheduler = None
        self.scheduler = Scheduler(
            store,
            ledger,
            executors,
            self.clock,
            runs_dir=Path("/simulated") / self.name,
            environ={},
            has_output=lambda out: True,
            has_files=lambda path: self.keeps_files,
            has_folder=lambda path: False,
            tells=self.tells,
        )

    def round(self) -> bool:
        """One round of the scheduler, which begins anew if none lives; False where it died."""
        if self.clock.true.now_ms() < self.away_until_ms:
            return True
        if self.fate is not None:
            self.fate.calls = 0
        try:
            if self.scheduler is None:
                self.begin()
            assert self.scheduler is not None
            wake_ms = self.scheduler.tick()
        except (Killed, StoreError):
            self.scheduler = None
            return False
        self.wake_ms = None if wake_ms is None else wake_ms - self.clock.ahead_ms
        return True

    def submit(
        self, graph: Graph, *, again: bool = False, priority: int = 0, park: bool = False
    ) -> str:
        """Put a run into the inbox; its name."""
        name = f"{graph.name}-{len(self.submitted) + len(self.lost) + 1}"
        self.submitted.append(name)
        request = SubmitRun(
            run=name, graph=graph.to_json(), again=again, priority=priority, park=park
        )
        self.store.ask(request, self.clock.now_ms())
        return name

    def lose_store(self, seed: int) -> None:
        """The disk with the store is gone; the ledger stands on another one."""
        self.lost += self.submitted
        self.submitted = []
        self.generation += 1
        self.store = MemoryStore(seed)
        self.scheduler = None
        self.wake_ms = None

    def stop(self, run: str, scope: StopScope, target: str, how: StopHow = "step") -> None:
        request = StopJobs(run=run, scope=scope, target=target, how=how)
        self.store.ask(request, self.clock.now_ms())

    @property
    def state(self) -> State:
        return self.store.state()

    @property
    def settled(self) -> bool:
        """All that was asked for has ended and is paid, and every command has its reply."""
        runs = self.state.runs
        return (
            not self.store.unanswered()
            and all(name in runs for name in self.submitted)
            and all(run.settled for run in runs.values())
        )


@dataclass
class World:
    """The clock that is right, and the ledger that houses share."""

    seed: int
    accounts: tuple[Account, ...]
    """Parents before their sub-budgets."""
    start_ms: int
    clock: SimulatedClock = field(init=False)
    ledger: Ledger = field(init=False)
    houses: list[House] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = SimulatedClock(self.start_ms)
        self.ledger = Ledger(":memory:")
        for account in self.accounts:
            self.ledger.add_account(account, self.start_ms)

    def add_house(
        self,
        account: Account,
        script_of: Callable[[Task], Script],
        *,
        faults: Faults = NO_FAULTS,
        devices: int = 1,
        cpus: int = 2,
        fate: Fate | None = None,
        tells: bool = True,
    ) -> House:
        """One more machine with a scheduler, which charges `account`."""
        number = len(self.houses)
        dice = random.Random(f"house {number} {self.seed}")
        engine = SimulatedEngine(
            self.clock,
            script_of,
            faults=faults,
            cpus=cpus,
            devices=devices,
            simulated=account.kind == "simulated",
            files=False,
            wakes_for_lines=False,
            seed=dice.getrandbits(64),
        )
        house = House(
            f"house-{number + 1}",
            HostClock(self.clock),
            self.ledger,
            engine,
            MemoryStore(dice.getrandbits(64)),
            account.name,
            account.executor,
            fate,
            tells,
        )
        self.houses.append(house)
        return house

    def pass_time(self, most_s: float) -> None:
        """Let `most_s` seconds pass, or less where something is due before."""
        now_ms = self.clock.now_ms()
        due = [house.wake_ms for house in self.houses if house.wake_ms is not None]
        due += [house.away_until_ms for house in self.houses]
        soonest_ms = min((at_ms for at_ms in due if at_ms > now_ms), default=None)
        if soonest_ms is not None:
            most_s = min(most_s, (soonest_ms - now_ms) / 1000)
        self.clock.nap(most_s)
