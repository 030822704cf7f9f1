"""Pauses, retries and holds in words: in Slack, and in the dashboard's list of events."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orchestrator.commands import PauseJobs, ReleaseHold, ResumeJobs, SetHold
from orchestrator.events import events as e
from orchestrator.words.announce import notices
from orchestrator.words.telling import tell, tone
from tests.orchestrator.scheduler.obeying.test_resuming import RUN, Living, epoch_of, folds


def test_a_pause_is_told_once_with_its_hours_and_how_to_go_on(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.submit(replace(folds(), notify={"slack": {"channel": "C0123456"}}))
    world.until(epoch_of(0, 1))
    fold = {"run": RUN, "scope": "attempt", "target": "train.fold0"}
    world.ask(PauseJobs(**fold, by="ana"))  # type: ignore[arg-type]
    world.ask(ResumeJobs(**fold, by="slack:U0BEN00001"))  # type: ignore[arg-type]
    world.ask(SetHold(account="lab", reason="too warm", by="ana"))
    world.ask(ReleaseHold(by="cli"))
    state = world.scheduler.state
    paused, unpaused = world.kept(e.JobsPaused)[0], world.kept(e.JobsUnpaused)[0]
    stop = world.kept(e.StopAsked)[0]
    assert tell(paused, state) == "fold 0 (1 of 3) paused by ana"
    assert tone(paused) == "attention"
    assert tell(unpaused, state) == (
        "fold 0 (1 of 3) paused no more: resumed by a person on Slack (U0BEN00001)"
    )
    held, released = world.kept(e.HoldSet)[0], world.kept(e.HoldReleased)[0]
    assert tell(held, state) == "no new job starts on lab, held by ana: too warm"
    assert tell(released, state) == (
        "jobs start again on lab: released by somebody at the command line"
    )
    replies = [one for _, one in notices([paused, stop, unpaused], state) if one.topic == "reply"]
    titles = [one.title for one in replies]
    assert titles[0].startswith("fold 0 (1 of 3) paused by ana")
    assert titles[1].startswith("paused no more: resumed by slack:U0BEN00001")
    assert len(titles) == 2
    lines = replies[0].lines
    assert lines[0].startswith("keeps free up to")
    assert lines[1] == f"go on with `skint resume {RUN} --fold 0`"
