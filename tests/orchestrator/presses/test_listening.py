"""A scheduler process that listens to a Slack on loopback: presses act on real jobs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.commands import SubmitRun
from orchestrator.graph import Graph, Job
from orchestrator.presses.press import Do, press_of
from orchestrator.state import RunState
from tests.orchestrator import parkable
from tests.orchestrator.homes import LivingHome
from tests.stand_ins.slack import CHANNEL, TOKEN, Message, SlackStandIn
from tests.stand_ins.slack_reading import ReadingStandIn
from tests.stand_ins.slack_socket import APP_TOKEN, SocketModeStandIn
from tests.terminal import until

RUN = "small-1"
ANNA, STRANGER = "U0ANNA0001", "U0STRANGER"
STEPS = 40


@pytest.fixture
def slack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackStandIn]:
    with SlackStandIn() as slack:
        monkeypatch.setenv("SLACK_API_URL", slack.url)
        monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
        monkeypatch.delenv("SLACK_APP_TOKEN", raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))  # the claim of a token stands there
        yield slack


@pytest.fixture
def reading(slack: SlackStandIn) -> ReadingStandIn:
    return ReadingStandIn(slack)


@pytest.fixture
def sockets(slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[SocketModeStandIn]:
    with SocketModeStandIn(slack, ack_s=1.0) as sockets:
        monkeypatch.setenv("SLACK_APP_TOKEN", APP_TOKEN)
        yield sockets


def submit(living: LivingHome, folds: int = 1) -> None:
    """A run whose folds count slowly, one device after the other, until somebody presses."""
    shutil.copy(parkable.__file__, living.base / "parkable.py")
    jobs = tuple(
        Job(
            f"count.fold{n}", "count", uses="./parkable.py:count", static_key=f"count{n}",
            params={"steps": STEPS, "log": f"steps{n}.txt"}, fold=n, folds=folds,
            devices=1, limit_s=300, grace_s=5, resumes=True,
        )
        for n in range(folds)
    )  # fmt: skip
    notify = {"slack": {"channel": CHANNEL, "allow": [ANNA]}}
    graph = Graph("small", "lab", str(living.base), jobs, notify=notify)
    living.store.ask(SubmitRun(run=RUN, graph=graph.to_json()), living.clock.now_ms())


def counting(living: LivingHome, fold: int = 0) -> RunState:
    """The run, once that fold has done a step."""
    log = living.base / f"steps{fold}.txt"
    until(lambda: log.exists() and bool(log.read_text()))
    return living.store.state().runs[RUN]


def value(run: RunState, do: Do, target: str = "", rule: str = "") -> str:
    return press_of(run, do, target, rule).to_json()


def head(slack: SlackStandIn) -> Message:
    until(lambda: bool(slack.heads()))
    return slack.heads()[0]


def steps_done(living: LivingHome, fold: int = 0) -> list[tuple[int, str]]:
    lines = (living.base / f"steps{fold}.txt").read_text().splitlines()
    return [(int(step), attempt) for step, attempt in map(str.split, lines)]


def test_a_press_ends_a_running_fold_within_one_step_and_its_checkpoint_is_kept(
    living: LivingHome, sockets: SocketModeStandIn
) -> None:
    submit(living, folds=2)
    living.begin()
    run = counting(living)
    until(lambda: bool(sockets.links))
    before = len(steps_done(living))
    until(sockets.press(value(run, "abort-fold", "count.fold0"), user=ANNA).acked.is_set)
    living.until(lambda state: state.runs[RUN].jobs["count.fold0"].status == "stopped")
    run = counting(living, fold=1)  # the others go on
    attempt = run.attempts["small-1.count.fold0.1"]
    assert attempt.outcome == "stopped"
    asked = next(stop for stop in run.stops if stop.target == "count.fold0")
    assert (asked.by, asked.how) == (f"slack:{ANNA}", "step")
    done = [step for step, _ in steps_done(living)]
    assert before <= len(done) < STEPS
    assert attempt.checkpoint == (done[-1] // 5, done[-1])  # nothing that was done is lost
