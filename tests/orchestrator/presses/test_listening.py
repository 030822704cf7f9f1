"""A scheduler process that listens to a Slack on loopback: presses act on real jobs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.commands import SubmitRun
from orchestrator.events import events as e
from orchestrator.graph import Graph, Job, StopRule
from orchestrator.presses.press import Do, Press, press_of
from orchestrator.state.state import RunState
from tests.orchestrator.homes import LivingHome
from tests.orchestrator.presses import gated
from tests.stand_ins.slack import CHANNEL, TOKEN, Message, SlackStandIn
from tests.stand_ins.slack_reading import ReadingStandIn
from tests.stand_ins.slack_socket import APP_TOKEN, SocketModeStandIn
from tests.terminal import until

RUN = "small-1"
ANNA, STRANGER = "U0ANNA0001", "U0STRANGER"

pytestmark = pytest.mark.slow


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


def submit(
    living: LivingHome, folds: int = 1, *, loss: str = "0.5", stop: tuple[StopRule, ...] = ()
) -> None:
    """A run whose folds stand before a gate, one after the other, until somebody presses."""
    shutil.copy(gated.__file__, living.base / "gated.py")
    jobs = tuple(
        Job(
            f"count.fold{n}", "count", uses="./gated.py:count", static_key=f"count{n}",
            params={"log": f"steps{n}.txt", "gate": "gate", "loss": loss}, fold=n, folds=folds,
            devices=1, limit_s=300, grace_s=5, resumes=True, stop=stop,
        )
        for n in range(folds)
    )  # fmt: skip
    notify = {"slack": {"channel": CHANNEL, "allow": [ANNA]}}
    graph = Graph("small", "lab", str(living.base), jobs, notify=notify)
    living.store.ask(SubmitRun(run=RUN, graph=graph.to_json()), living.clock.now_ms())


def at_the_gate(living: LivingHome, fold: int = 0) -> RunState:
    """The run, once that fold stands there."""
    log = living.base / f"steps{fold}.txt"
    until(lambda: log.exists() and len(steps_done(living, fold)) == gated.GATE)
    return living.store.state().runs[RUN]


def value(run: RunState, do: Do, target: str = "", rule: str = "") -> str:
    return press_of(run, do, target, rule).to_json()


def steps_done(living: LivingHome, fold: int = 0) -> list[tuple[int, str]]:
    lines = (living.base / f"steps{fold}.txt").read_text().splitlines()
    return [(int(step), attempt) for step, attempt in map(str.split, lines)]


def pressable(slack: SlackStandIn, label: str) -> Message:
    """The run's head, once it has that button."""

    def has_it() -> bool:
        return any(label in str(block) for head in slack.heads() for block in head.blocks)

    until(has_it)
    (head,) = slack.heads()
    return head


def test_a_press_ends_a_running_fold_within_one_step_and_its_checkpoint_is_kept(
    living: LivingHome, slack: SlackStandIn, sockets: SocketModeStandIn
) -> None:
    submit(living, folds=2)
    living.begin()
    at_the_gate(living)
    head = pressable(slack, "Abort fold 0")
    until(lambda: bool(sockets.links))
    until(sockets.press_button(head, "Abort fold 0", user=ANNA).acked.is_set)
    living.until(lambda state: state.runs[RUN].jobs["count.fold0"].status == "stopped")
    run = at_the_gate(living, fold=1)  # the others go on
    attempt = run.attempts["small-1.count.fold0.1"]
    assert attempt.outcome == "stopped"
    asked = next(stop for stop in run.stops if stop.target == "count.fold0")
    assert (asked.by, asked.how) == (f"slack:{ANNA}", "step")
    assert attempt.checkpoint == (0, gated.GATE)  # it stood before the next step
    assert len(steps_done(living)) == gated.GATE
    # Everybody reads who it was, and that it has come to pass.
    until(lambda: any(f"<@{ANNA}>" in reply.text for reply in slack.thread(head)))
    until(lambda: "Abort fold 1" in str(head.blocks) and "Abort fold 0" not in str(head.blocks))


def test_resume_goes_on_from_the_checkpoint_and_no_step_is_lost_or_done_twice(
    living: LivingHome, slack: SlackStandIn, sockets: SocketModeStandIn
) -> None:
    submit(living)
    living.begin()
    at_the_gate(living)
    until(lambda: bool(sockets.links))
    sockets.press_button(pressable(slack, "Abort run"), "Abort run", user=ANNA)
    stopped = living.until_settled(RUN)
    (living.base / "gate").touch()
    assert (stopped.outcome, len(stopped.attempts)) == ("cancelled", 1)
    sockets.press_button(pressable(slack, "Resume"), "Resume", user=ANNA)
    living.until(lambda state: state.runs[RUN].outcome == "done" and state.runs[RUN].settled)
    done = steps_done(living)
    assert [step for step, _ in done] == list(range(1, gated.STEPS + 1))
    assert len({attempt for _, attempt in done}) == 2


def test_let_it_run_answers_the_question_in_place_and_the_fold_goes_on(
    living: LivingHome, slack: SlackStandIn, sockets: SocketModeStandIn
) -> None:
    submit(living, loss="nan", stop=(StopRule("broken", mode="ask", after_s=3600),))
    living.begin()

    def asked() -> list[Message]:
        return [m for m in slack.messages if "Let it run" in str(m.blocks)]

    until(lambda: bool(asked()) and bool(sockets.links))
    (question,) = asked()
    until(sockets.press_button(question, "Let it run", user=ANNA).acked.is_set)
    (living.base / "gate").touch()
    assert living.until_settled(RUN).outcome == "done"
    until(lambda: f"<@{ANNA}>" in question.text)
    assert asked() == []  # its buttons are gone


def test_presses_that_do_not_count_are_refused_answered_and_logged(
    living: LivingHome, sockets: SocketModeStandIn, reading: ReadingStandIn
) -> None:
    submit(living)
    living.begin()
    run = at_the_gate(living)
    until(lambda: bool(sockets.links))
    press = Press(**{**vars(press_of(run, "abort-run")), "run": "of-another-machine"})
    replayed = Press(**{**vars(press_of(run, "abort-run")), "nonce": "0" * 16})
    for presser, carried in (
        (STRANGER, value(run, "abort-run")),
        (ANNA, press.to_json()),
        (ANNA, replayed.to_json()),
        (ANNA, "rm -rf /"),
    ):
        before = len(reading.whispers)
        until(sockets.press(carried, user=presser).acked.is_set)
        until(lambda seen=before: len(reading.whispers) > seen)  # type: ignore[misc]
    assert [(whisper.user, whisper.text.split(":")[0][:34]) for whisper in reading.whispers] == [
        (STRANGER, "you are not among those who may do"),
        (ANNA, "there is no run of-another-machine"),
        (ANNA, "this message is about an earlier r"),
        (ANNA, "this button cannot be read"),
    ]
    log = living.home.log.read_text()
    for why in ("stranger", "unknown-run", "old", "malformed"):
        assert f"refused ({why})" in log
    assert TOKEN not in log and APP_TOKEN not in log
    assert living.store.state().runs[RUN].stops == ()


def test_a_press_that_was_acknowledged_acts_although_the_scheduler_is_killed_at_once(
    living: LivingHome, sockets: SocketModeStandIn
) -> None:
    submit(living)
    scheduler = living.begin()
    run = at_the_gate(living)
    until(lambda: bool(sockets.links))
    delivery = sockets.press(value(run, "abort-run"), user=ANNA)
    assert delivery.acked.wait(300)
    scheduler.kill()
    scheduler.wait()
    living.begin()
    assert living.until_settled(RUN).outcome == "cancelled"
    stops = [x for _, x in living.store.events() if isinstance(x, e.StopAsked)]
    assert [stop.by for stop in stops] == [f"slack:{ANNA}"]


def test_a_press_that_is_delivered_again_to_the_next_scheduler_acts_once(
    living: LivingHome, sockets: SocketModeStandIn, reading: ReadingStandIn
) -> None:
    submit(living)
    scheduler = living.begin()
    run = at_the_gate(living)
    until(lambda: bool(sockets.links))
    sockets.lost_acks = 1
    sockets.redeliveries = 100
    delivery = sockets.press(value(run, "abort-run"), user=ANNA)
    until(lambda: sockets.lost_acks == 0)
    scheduler.kill()
    scheduler.wait()
    living.begin()
    until(delivery.acked.is_set)
    assert living.until_settled(RUN).outcome == "cancelled"
    assert delivery.tries > 1
    stops = [x for _, x in living.store.events() if isinstance(x, e.StopAsked)]
    assert len(stops) == 1
    assert reading.whispers == []
