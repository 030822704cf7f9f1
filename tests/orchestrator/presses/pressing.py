"""A run in a small world that somebody may press buttons of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestrator.executors.simulated import Script
from orchestrator.graph import Graph
from orchestrator.presses.desk import Desk
from orchestrator.presses.kept import Arrival
from orchestrator.presses.press import Do, Press, press_of
from orchestrator.state.state import RunState
from skint.attempt import Task
from tests.orchestrator.worlds import World, kfold, training

RUN = "seedlings-1"
ANNA, BEN, STRANGER = "U0ANNA0001", "U0BEN00001", "U0STRANGER"
CHANNEL = "C0STANDIN01"


def pressable(graph: Graph | None = None, **more: Any) -> Graph:
    """A graph whose plan lets Anna and Ben press in Slack."""
    slack = {"channel": CHANNEL, "allow": [ANNA, BEN], **more}
    return replace(graph or kfold(), notify={"slack": slack})


@dataclass
class Pressing:
    """Buttons that are pressed, and what is answered to whom."""

    world: World
    answers: list[tuple[str, str]] = field(default_factory=list)
    """(who, what)."""
    woken: list[None] = field(default_factory=list)
    desk: Desk = field(init=False)
    _count: int = 0

    @classmethod
    def of(
        cls,
        path: Path,
        graph: Graph | None = None,
        script_of: Callable[[Task], Script] = training,
    ) -> Pressing:
        world = World(path, script_of)
        world.submit(graph or pressable())
        world.until(lambda state: RUN in state.runs)
        return cls(world)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new desk on the same store."""
        self.desk = Desk(
            self.world.path / "store.db",
            self.world.clock,
            lambda arrival, text: self.answers.append((arrival.person, text)),
            lambda: self.woken.append(None),
        )

    @property
    def run(self) -> RunState:
        return self.world.scheduler.state.runs[RUN]

    def until(self, condition: Callable[[RunState], bool]) -> None:
        self.world.until(lambda state: condition(state.runs[RUN]))

    def button(self, do: Do, target: str = "", rule: str = "") -> Press:
        return press_of(self.run, do, target, rule)

    def arrival(self, press: Press | str, person: str = ANNA, key: str = "") -> Arrival:
        self._count += 1
        value = press if isinstance(press, str) else press.to_json()
        now_ms = self.world.clock.now_ms()
        return Arrival(key or f"key {self._count}", now_ms, person, value, CHANNEL, "1.000001")

    def press(self, press: Press | str, person: str = ANNA, key: str = "") -> None:
        """Press, and let desk and scheduler work until it has been dealt with."""
        self.desk.take(self.arrival(press, person, key))
        if self.desk.work():
            self.world.scheduler.tick()
            assert not self.desk.work()
