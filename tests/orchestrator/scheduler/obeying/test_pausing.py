"""A pause parks what runs, starts nothing more, and is undone to the bit."""

from __future__ import annotations

from pathlib import Path

from orchestrator.commands import PauseJobs, ResumeJobs
from orchestrator.events import events as e
from tests.orchestrator.scheduler.courses import attempts
from tests.orchestrator.scheduler.obeying.test_resuming import (
    RUN,
    Living,
    epoch_of,
    epochs_told,
    folds,
    resume,
    stop,
)
from tests.orchestrator.worlds import HOUR_MS, kfold, statuses


def pause(scope: str = "run", target: str = RUN) -> PauseJobs:
    return PauseJobs(run=RUN, scope=scope, target=target, by="ana")  # type: ignore[arg-type]


def hours_later(world: Living, hours: float) -> None:
    end_ms = world.clock.now_ms() + round(hours * HOUR_MS)
    world.until(lambda _: world.clock.now_ms() >= end_ms)


def test_a_paused_run_parks_waits_and_goes_on_to_the_bit(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.submit(folds())
    world.until(epoch_of(1, 2))
    ok, text = world.ask(pause())
    assert ok
    assert "train.fold1 parks at its next step" in text
    assert "1.33 h spent, up to 3.68 h kept free on lab" in text
    assert text.endswith("go on with skint resume seedlings-1")
    hours_later(world, 0.5)
    assert statuses(world.run)["train.fold1"] == "waiting"
    assert not list(world.run.live_attempts)
    waiting = world.run.jobs["train.fold1"]
    assert waiting.reason == "paused"
    assert waiting.sentence.startswith("paused by ana Sat 21 Nov 2026")
    spent_ms = world.settled_ms
    assert world.ask(resume())[0]
    done = world.until_settled().runs[RUN]
    assert done.outcome == "done"
    assert epochs_told(done, "train.fold1") == [1, 2, 3, 4, 5, 6]
    assert len(attempts(done, "train.fold1")) == 2
    assert spent_ms < world.settled_ms
    assert world.store.replayed() == world.store.state() == world.scheduler.state


def test_a_pause_survives_the_death_of_the_scheduler(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.submit(folds())
    world.until(epoch_of(0, 1))
    world.ask(pause())
    for _ in range(20):
        world.restart()
        world.scheduler.tick()
        world.clock.advance(600)
    assert not list(world.run.live_attempts)
    assert len(attempts(world.run, "train.fold0")) == 1
    world.ask(resume())
    assert world.until_settled().runs[RUN].outcome == "done"


def test_one_fold_is_paused_and_the_others_go_on(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.submit(folds())
    world.until(epoch_of(0, 1))
    ok, text = world.ask(pause("attempt", "train.fold0"))
    assert ok
    assert "skint resume seedlings-1 --fold 0" in text
    hours_later(world, 2.5)
    assert statuses(world.run)["train.fold0"] == "waiting"
    assert statuses(world.run)["train.fold2"] == "done"
    assert not world.ask(pause("attempt", "train.fold0"))[0]
    ok, text = world.ask(resume("attempt", "train.fold0"))
    assert ok
    assert "train.fold0 of seedlings-1 is paused no more" in text
    assert world.until_settled().runs[RUN].outcome == "done"


def test_a_pause_taken_back_before_it_has_parked_loses_nothing(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.submit(folds())
    world.until(epoch_of(0, 3))
    world.ask(pause())
    world.ask(resume())
    done = world.until_settled().runs[RUN]
    assert done.outcome == "done"
    assert epochs_told(done, "train.fold0") == [1, 2, 3, 4, 5, 6]


def test_what_has_no_checkpoint_runs_to_its_end_and_nothing_follows(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.submit(kfold(limit_s=7200))
    world.until(epoch_of(0, 2))
    ok, text = world.ask(pause())
    assert ok
    assert "train.fold0 cannot go on from a checkpoint" in text
    hours_later(world, 1.5)
    assert statuses(world.run)["train.fold0"] == "done"
    assert statuses(world.run)["train.fold1"] == "waiting"
    assert not world.kept(e.StopAsked)


def test_a_run_is_paused_before_anything_of_it_has_begun(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.submit(folds())
    world.store.ask(pause(), world.clock.now_ms())
    world.scheduler.tick()
    hours_later(world, 0.2)
    # What CPU work there was had begun in the same look, and goes to its end.
    assert not world.kept(e.AllocationPlanned)
    assert world.run.open_jobs
    world.ask(resume())
    assert world.until_settled().runs[RUN].outcome == "done"


def test_a_paused_run_is_cancelled_and_resumed(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.submit(folds())
    world.until(epoch_of(0, 2))
    world.ask(pause())
    hours_later(world, 0.2)
    assert world.ask(stop())[0]
    assert world.until_settled().runs[RUN].outcome == "cancelled"
    assert not world.ask(pause())[0]
    world.ask(resume())
    done = world.until_settled().runs[RUN]
    assert done.outcome == "done"
    assert epochs_told(done, "train.fold0") == [1, 2, 3, 4, 5, 6]


def test_a_pause_of_a_run_that_is_not_there_is_refused(tmp_path: Path) -> None:
    world = Living(tmp_path)
    assert world.ask(pause()) == (False, "there is no run seedlings-1")
    world.submit(folds())
    world.scheduler.tick()
    assert world.ask(PauseJobs(run=RUN, scope="group", target="nope"))[1] == (
        "seedlings-1 has no nope"
    )
    assert world.ask(ResumeJobs(run=RUN, scope="run", target=RUN))[0] is False
