"""A scheduler that sleeps for long is woken by what it has to see: commands, and ends of attempts,
also of those that another scheduler has started."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from orchestrator.clock import Clock
from orchestrator.commands import StopJobs
from orchestrator.serving import Leaving, scheduler_in
from orchestrator.state.state import State
from orchestrator.store.store import Store
from skint.attempt import AttemptDir
from tests.orchestrator.homes import LivingHome

LONG_S = 300.0
"""Between two looks of a scheduler that nobody wakes; none of them may last so long."""
WAITS = 'while ! [ -e "$SKINT_OUT/go" ]; do sleep 0.02; done'
IGNORES_TERM = """
trap '' TERM
setsid sh -c 'trap "" TERM; while :; do sleep 600; done' &
sh -c 'while :; do sleep 600; done' &
echo up > "$SKINT_OUT/up"
while :; do sleep 600; done
"""


class Sleeper:
    """A clock that does something as soon as the scheduler sleeps, and sees whether it is woken."""

    def __init__(self, clock: Clock, *as_it_sleeps: Callable[[], object]) -> None:
        self._clock = clock
        self._todo = list(as_it_sleeps)
        self.overslept = False
        self.now_ms, self.awake_ms = clock.now_ms, clock.awake_ms

    def sleep(self, seconds: float, wake_ms: int | None = None) -> None:
        if self._todo:
            self._todo.pop(0)()
        begun_ms = self.awake_ms()
        self._clock.sleep(seconds, None)
        self.overslept |= self.awake_ms() - begun_ms >= seconds * 1000


def run(
    living: LivingHome, until: Callable[[State], bool], *as_it_sleeps: Callable[[], object]
) -> State:
    """Be the scheduler until then; it looks by itself once a minute only."""
    with scheduler_in(living.home) as serving:
        sleeper = Sleeper(serving.clock, *as_it_sleeps)
        serving.scheduler.clock = sleeper
        state = serving.scheduler.run(
            lambda state: sleeper.overslept or until(state), poll_s=LONG_S, idle_s=LONG_S
        )
        assert not sleeper.overslept
        return state


def settled(state: State) -> bool:
    return "small-1" in state.runs and state.runs["small-1"].settled


def folder_of(living: LivingHome, job: str) -> AttemptDir:
    return AttemptDir(living.home.runs / "small-1" / job / "1")


def test_a_command_and_the_ends_of_jobs_wake_a_scheduler_that_sleeps(living: LivingHome) -> None:
    jobs = [living.job("first", ":"), living.job("second", ":", "first")]
    state = run(living, settled, lambda: living.submit(*jobs))
    assert state.runs["small-1"].outcome == "done"


@pytest.fixture
def handlers() -> Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
def test_a_scheduler_that_is_told_to_leave_as_it_starts_answers_first(living: LivingHome) -> None:
    leaving = Leaving()
    with scheduler_in(living.home) as serving, Store(living.home.store) as store:
        asked = store.ask(StopJobs(run="none", scope="run", target="none"), 0)
        os.kill(os.getpid(), signal.SIGTERM)
        serving.until_told(leaving)
        reply = store.reply(asked)
    assert reply is not None and reply.text == "there is no run none"


def test_what_a_killed_scheduler_has_started_wakes_the_next_one(living: LivingHome) -> None:
    first = living.begin()
    living.submit(living.job("first", WAITS), living.job("second", ":", "first"))
    living.until(lambda state: any(a.started_ms for _, a in state.live_attempts()))
    first.send_signal(signal.SIGKILL)
    first.wait()
    state = run(living, settled, lambda: (folder_of(living, "first").out / "go").touch())
    assert state.runs["small-1"].outcome == "done"
    assert living.started() == ["small-1.first.1", "small-1.second.1"]


def test_a_cancel_ends_a_tree_that_ignores_term(living: LivingHome) -> None:
    living.begin()
    living.submit(living.job("tree", IGNORES_TERM, grace_s=0.2))
    up = folder_of(living, "tree").out / "up"
    living.until(lambda state: up.exists() and len(living.processes()) >= 3)
    living.stop()
    assert living.until_settled().outcome == "cancelled"
    assert living.processes() == []
