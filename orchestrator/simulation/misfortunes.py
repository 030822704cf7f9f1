"""What goes wrong in one week, and how badly: all of it is drawn from the week's dice."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from budget.accounts.account import Account
from orchestrator.executors.base import Capabilities
from orchestrator.executors.simulated import Faults, Script, SimulatedEngine
from orchestrator.simulation.admitted import Admitted
from orchestrator.simulation.fortune import done_before
from orchestrator.simulation.mortal import NEVER
from orchestrator.simulation.world import House, World
from skint.attempt import StopHow, Task

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
MOST_MS = 1000 * HOUR_MS
"""More is never asked for: no limit is raised above it."""


def draw_faults(dice: random.Random) -> Faults:
    """Those of an engine and of the way to it."""
    return Faults(
        capabilities=Capabilities(
            shared_disk=dice.random() < 0.5,
            live_events=dice.random() < 0.7,
            hard_cancel=dice.random() < 0.5,
            attempts_per_allocation=dice.choice((1, 1, 2, 3)),
        ),
        start_delay_s=dice.choice((0, 0, 300)),
        lost_submit_share=dice.choice((0, 0.3)),
        unsent_submit_share=dice.choice((0, 0.3)),
        refused_submit_share=dice.choice((0, 0, 0.1)),
        lost_poll_share=dice.choice((0, 0.1, 0.4)),
        answer_delay_s=dice.choice((0, 0, 7, 400)),
        doubled_line_share=dice.choice((0, 0, 0.2)),
        swapped_line_share=dice.choice((0, 0, 0.2)),
        late_line_share=dice.choice((0, 0, 0.2)),
        late_line_s=dice.choice((30, 3000)),
    )


def scripts(
    seed: int, happened: Counter[str], engine: Callable[[], SimulatedEngine]
) -> Callable[[Task], Script]:
    """What an attempt does follows from its name, however often it is asked. One that goes on from
    a checkpoint does the rest; all of them write one now and then."""

    def script_of(task: Task) -> Script:
        job = random.Random(f"{seed} {task.run} {task.job}")
        trains = bool(task.devices) or task.standby_s is not None
        seconds: float = job.choice((1, 60, 600, 2400, 4000, 9000 if trains else 30))
        count = job.randrange(6) if trains else 0
        broken = job.random() < 0.06
        dice = random.Random(f"{seed} {task.attempt}")
        done_s = done_before(engine(), task) if task.previous else 0.0
        lines: list[tuple[float, Mapping[str, Any]]] = []
        for n in range(count):
            at_s = (n + 1) * seconds / (count + 1) - done_s
            if at_s <= 0:
                continue
            loss = "nan" if broken and n > 1 else 1 / (n + 1)
            report = {"epoch": n + 1, "epochs": count, "train_loss": loss}
            lines.append((at_s, {"kind": "report", "values": report}))
            kept = {"kind": "checkpoint", "path": "last.ckpt", "epoch": n + 1, "step": n + 1}
            lines.append((at_s, kept))
            if dice.random() < 0.3:
                lines.append((at_s, {"kind": "note", "text": f"{task.attempt} at {n}"}))
            if dice.random() < 0.3:  # a process of an older attempt that nobody could kill
                lines.append((at_s, {"kind": "note", "text": "zombie", "fence": task.fence - 1}))
                happened["zombie line"] += 1
        failed = dice.random() < (0.2 if trains else 0.03)
        happened["worker crashed"] += failed
        seconds = max(1.0, seconds - done_s) * (dice.random() if failed else 1)
        prepares = random.Random(f"{seed} {task.attempt} prepares")
        return Script(
            seconds=seconds,
            lines=tuple(lines),
            code=int(failed),
            stops_after_s=dice.choice((None, 1, 5)),
            prepare_s=min(seconds, prepares.choice((0, 40, 900))),
        )

    return script_of


@dataclass
class Misfortunes:
    """Strikes after each round. `happened` counts what did, by kind."""

    world: World
    dice: random.Random
    admitted: Admitted
    submit: Callable[[House], None]
    happened: Counter[str]
    readings: int = 0
    over: bool = False
    """Nothing more goes wrong: what was begun comes to its end."""
    clock_restored_ms: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        several = tuple(self.kinds())
        self.chosen = self.dice.sample(several, self.dice.randrange(2, len(several)))
        self.often = self.dice.choice((0.05, 0.15, 0.3))

    def kinds(self) -> Mapping[str, Callable[[House], bool]]:
        """Each says whether it could happen to that house now."""
        return {
            "scheduler restarted": self._restart,
            "node died": self._lose_node,
            "cancel": self._cancel,
            "another run": self._another_run,
            "clock step": self._step_clock,
            "suspended": self._suspend,
            "store disk": self._fill_store,
            "ledger disk": self._fill_ledger,
            "account changed": self._change_account,
            "reading": self._read_provider,
            "store lost": self._lose_store,
        }

    def strike(self) -> None:
        """Perhaps one thing goes wrong, somewhere."""
        now_ms = self.world.clock.now_ms()
        for house in self.world.houses:
            if house.clock.ahead_ms and now_ms >= self.clock_restored_ms[house.name]:
                house.clock.ahead_ms = 0
            if house.fate is not None and house.fate.full and self.dice.random() < 0.3:
                house.fate.full.clear()
        if self.over or self.dice.random() > self.often:
            return
        kind = self.dice.choice(self.chosen)
        if self.kinds()[kind](self.dice.choice(self.world.houses)):
            self.happened[kind] += 1

    def end(self) -> None:
        """The storm is over: disks have room, clocks are right, engines answer."""
        self.over = True
        for house in self.world.houses:
            house.clock.ahead_ms = 0
            kept = house.engine.faults
            house.engine.faults = Faults(
                capabilities=kept.capabilities,
                start_delay_s=kept.start_delay_s,
                answer_delay_s=kept.answer_delay_s,
            )
            if house.fate is not None:
                house.fate.full.clear()
                house.fate.edges = NEVER

    def died(self, house: House) -> None:
        """Its scheduler is dead: somebody will start another, at once or much later."""
        minutes = 0 if self.over else self.dice.choice((0, 0, 5, 240))
        house.away_until_ms = self.world.clock.now_ms() + minutes * MINUTE_MS
        if house.fate is not None and not self.over:
            house.fate.draw(self.dice)

    # --- kinds --------------------------------------------------------------------------------

    def _restart(self, house: House) -> bool:
        house.scheduler = None
        return True

    def _lose_node(self, house: House) -> bool:
        now_ms = self.world.clock.now_ms()
        running = [h for h in house.engine.running.values() if h.end_ms > now_ms]
        if running:
            house.engine.lose(self.dice.choice(running).submission.name)
        return bool(running)

    def _lose_store(self, house: House) -> bool:
        """Rarely; somebody submits anew afterwards. What ran is paid in full once it is overdue."""
        if house.lost or self.dice.random() > 0.2:
            return False
        house.lose_store(self.dice.getrandbits(64))
        self.submit(house)
        return True

    def _cancel(self, house: House) -> bool:
        """A run, a group or a job; twice, of something queued, or of something long over."""
        run = self.dice.choice(house.submitted)
        known = house.state.runs.get(run)
        jobs = [job.id for job in known.graph.jobs] if known else ["train.fold0"]
        for _ in range(self.dice.choice((1, 1, 2))):
            how: StopHow = "step" if self.dice.random() < 0.5 else "kill"
            kind = self.dice.random()
            if kind < 0.2:
                house.stop(run, "run", run, how)
            elif kind < 0.4:
                house.stop(run, "group", "train", how)
            else:
                house.stop(run, "attempt", self.dice.choice(jobs), how)
        return True

    def _another_run(self, house: House) -> bool:
        if len(house.submitted) >= 3:
            return False
        self.submit(house)
        return True

    def _step_clock(self, house: House) -> bool:
        """The clock is set, perhaps past a reset, and set right again later."""
        step_ms = self.dice.choice((-2 * HOUR_MS, -MINUTE_MS, HOUR_MS, 30 * HOUR_MS, -30 * HOUR_MS))
        house.clock.ahead_ms = step_ms
        until_ms = self.world.clock.now_ms() + self.dice.randrange(1, 6 * HOUR_MS)
        self.clock_restored_ms[house.name] = until_ms
        self.happened["clock forward" if step_ms > 0 else "clock back"] += 1
        return True

    def _suspend(self, house: House) -> bool:
        """The lid is closed. Where the jobs run on the same machine, they sleep as well."""
        if self.world.clock.now_ms() < house.away_until_ms:
            return False
        by_ms = self.dice.choice((MINUTE_MS, HOUR_MS, 9 * HOUR_MS, 50 * HOUR_MS))
        house.away_until_ms = self.world.clock.now_ms() + by_ms
        house.clock.slept_ms += by_ms
        if self.dice.random() < 0.5:
            house.engine.suspend(by_ms)
            self.happened["jobs suspended"] += 1
        return True

    def _fill_store(self, house: House) -> bool:
        return self._fill(house, "store")

    def _fill_ledger(self, house: House) -> bool:
        return self._fill(house, "ledger")

    def _fill(self, house: House, disk: str) -> bool:
        if house.fate is None:
            return False
        house.fate.full.add(disk)
        return True

    def _change_account(self, house: House) -> bool:
        """Somebody raises or lowers what a limit gives."""
        account = self.world.ledger.account(self.dice.choice(self.world.accounts).name)
        factor = self.dice.choice((50, 80, 150, 300))
        limits = tuple(
            replace(limit, amount_ms=limit.amount_ms * factor // 100) for limit in account.limits
        )
        if any(not account.keep_back_ms <= limit.amount_ms < MOST_MS for limit in limits):
            return False
        changed: Account = replace(account, limits=limits)
        self.world.ledger.change_account(changed, self.world.clock.now_ms())
        self.admitted.writes += 1
        return True

    def _read_provider(self, house: House) -> bool:
        """The provider's own counter: work by hand is in it, and it lags behind or rounds down."""
        account = self.world.ledger.account(self.dice.choice(self.world.accounts).name)
        now_ms = self.world.clock.now_ms()
        balance = self.world.ledger.balance(account.name, now_ms)
        known = next(limit for limit in balance.limits if limit.limit == account.limits[0])
        by_hand_ms = self.dice.choice((-HOUR_MS, -MINUTE_MS, 0, HOUR_MS, 5 * HOUR_MS))
        used_ms = max(0, known.settled_ms + known.in_flight_ms + known.foreign_ms + by_hand_ms)
        self.readings += 1
        self.world.ledger.reading(
            account.name,
            id=f"reading-{self.readings}",
            used_ms=used_ms,
            at_ms=now_ms,
            now_ms=now_ms,
            limit=account.limits[0].name,
        )
        self.admitted.read(account.name, account.limits[0].name, used_ms, now_ms)
        self.happened["reading over" if by_hand_ms > 0 else "reading under"] += 1
        return True
