"""Stops are undone: what was stopped goes on from its checkpoint; what it saved is taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.commands import Request, ResumeJobs, StopJobs
from orchestrator.events import events as e
from orchestrator.executors.simulated import Script
from orchestrator.graph import Graph
from orchestrator.state.state import RunState, State
from skint.attempt import Task
from tests.orchestrator.scheduler.courses import Course, attempts
from tests.orchestrator.worlds import World, graph, job, kfold, statuses

RUN = "seedlings-1"
FOLDS = ("train.fold0", "train.fold1", "train.fold2")


class Living(World):
    """Folds of six epochs of ten minutes that go on where they were stopped."""

    def __init__(self, path: Path, **more: Any) -> None:
        self.course = Course(epochs=6, epoch_s=600)
        super().__init__(path, self.script, **more)
        self.course.world = self
        self.scheduler.has_files = lambda out: True

    def script(self, task: Task) -> Script:
        if task.fold is None:
            return Script(seconds=5, outputs={f"{task.job}.csv": b"1"})
        return self.course(task)

    def restart(self, *arguments: Any, **more: Any) -> None:
        super().restart(*arguments, **more)
        self.scheduler.has_files = lambda out: True

    def ask(self, request: Request) -> tuple[bool, str]:
        """What the scheduler answers at its next look."""
        id = self.store.ask(request, self.clock.now_ms())
        self.scheduler.tick()
        reply = self.store.reply(id)
        assert reply is not None
        return reply.ok, reply.text

    @property
    def run(self) -> RunState:
        return self.scheduler.state.runs[RUN]


def folds(**more: Any) -> Graph:
    """k folds that keep checkpoints."""
    plain = kfold(limit_s=7200, **more)
    jobs = [replace(job, resumes=True) if job.devices else job for job in plain.jobs]
    return replace(plain, jobs=tuple(jobs))


def resume(scope: Any = "run", target: str = RUN) -> ResumeJobs:
    return ResumeJobs(run=RUN, scope=scope, target=target)


def stop(scope: Any = "run", target: str = RUN, how: Any = "step") -> StopJobs:
    return StopJobs(run=RUN, scope=scope, target=target, how=how)


def epoch_of(fold: int, least: int) -> Any:
    def reached(state: State) -> bool:
        run = state.runs.get(RUN)
        attempt = run.current(f"train.fold{fold}") if run else None
        return attempt is not None and len(attempt.reports) >= least

    return reached


def epochs_told(run: RunState, job: str) -> list[int]:
    return [report["epoch"] for attempt in attempts(run, job) for report in attempt.reports]


def test_a_cancelled_run_that_has_ended_goes_on_from_its_checkpoints(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.submit(folds())
    world.until(epoch_of(1, 2))
    world.stop()
    before = world.until_settled().runs[RUN]
    assert before.outcome == "cancelled"
    ok, text = world.ask(resume())
    assert ok
    assert "train.fold1, train.fold2, errors of seedlings-1 wait again" in text
    assert world.run.live and world.run.ended_ms is None
    run = world.until_settled().runs[RUN]
    assert run.outcome == "done"
    assert set(statuses(run).values()) == {"done"}
    first, second = attempts(run, "train.fold1")
    assert second.previous == first.out
    assert epochs_told(run, "train.fold1") == [1, 2, 3, 4, 5, 6]
    assert len(attempts(run, "train.fold0")) == 1
    assert world.store.replayed() == world.store.state()


def test_one_fold_is_resumed_and_what_was_skipped_because_of_it_waits_again(
    tmp_path: Path,
) -> None:
    world = Living(tmp_path)
    world.submit(folds())
    world.until(epoch_of(0, 2))
    world.stop(scope="attempt", target="train.fold0")
    run = world.until_settled().runs[RUN]
    assert statuses(run)["errors"] == "skipped"
    ok, text = world.ask(resume("attempt", "train.fold0"))
    assert ok
    assert text == (
        "train.fold0 of seedlings-1 waits again; it goes on from its checkpoint;"
        " so does 1 that needed it"
    )
    assert set(statuses(world.until_settled().runs[RUN]).values()) == {"done"}


def test_the_other_folds_of_a_stopped_group_stay_stopped(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.submit(folds())
    world.until(epoch_of(0, 1))
    world.stop(scope="group", target="train")
    world.until_settled()
    assert world.ask(resume("attempt", "train.fold2"))[0]
    run = world.until_settled().runs[RUN]
    assert [statuses(run)[job] for job in FOLDS] == ["stopped", "stopped", "done"]
    assert statuses(run)["errors"] == "skipped"
    assert world.ask(resume("group", "train"))[0]  # they can be resumed later
    assert set(statuses(world.until_settled().runs[RUN]).values()) == {"done"}


def test_a_stop_that_has_not_ended_anything_yet_is_undone_by_parking(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.course.stop_s = 20
    world.submit(folds())
    world.until(epoch_of(0, 2))
    assert world.ask(stop())[0]
    assert world.run.live
    ok, _ = world.ask(resume())
    assert ok
    run = world.until_settled().runs[RUN]
    assert set(statuses(run).values()) == {"done"}
    assert epochs_told(run, "train.fold0") == [1, 2, 3, 4, 5, 6]
    assert run.savings == {}


def test_what_was_killed_and_resumed_has_failed_no_more_often_than_before(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.submit(folds(retries=1))
    world.until(epoch_of(0, 3))
    assert world.ask(stop("attempt", "train.fold0", "kill"))[0]
    world.until(lambda state: state.runs[RUN].jobs["train.fold0"].ended)
    assert world.ask(resume("attempt", "train.fold0"))[0]
    world.until(lambda state: len(state.runs[RUN].jobs["train.fold0"].attempts) == 2)
    world.until(lambda state: state.runs[RUN].attempts[f"{RUN}.train.fold0.2"].status == "running")
    world.engine.lose(world.engine.submission_of[f"{RUN}.train.fold0.2"])
    run = world.until_settled().runs[RUN]
    assert statuses(run)["train.fold0"] == "done"  # its one retry was still there


def test_it_is_refused_where_there_is_nothing_to_undo(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.submit(folds())
    world.until(epoch_of(0, 1))
    assert world.ask(resume()) == (False, "nothing of seedlings-1 was stopped")
    assert world.ask(resume("attempt", "train.fold9")) == (False, "seedlings-1 has no train.fold9")
    nobody = ResumeJobs(run="nobody-1", scope="run", target="nobody-1")
    assert world.ask(nobody) == (False, "there is no run nobody-1")
    world.until_settled()
    text = "nothing of train was stopped: it is done"
    assert world.ask(resume("group", "train")) == (False, text)
    assert world.kept(e.JobsResumed) == []


def test_it_is_refused_where_the_account_is_gone_and_can_be_once_it_is_back(
    tmp_path: Path,
) -> None:
    world = Living(tmp_path)
    world.submit(folds())
    world.until(epoch_of(0, 1))
    world.ask(stop())
    before = world.until_settled().runs[RUN]
    account = world.ledger.account("lab")
    world.ledger.remove_account("lab", world.clock.now_ms())
    text = "the account lab is gone; bring it back with skint account add lab"
    assert world.ask(resume()) == (False, text)
    assert world.run == before
    world.ledger.add_account(account, world.clock.now_ms())
    assert world.ask(resume())[0]
    run = world.until_settled().runs[RUN]
    assert {statuses(run)[job] for job in FOLDS} == {"done"}


def test_it_is_refused_where_the_checkpoint_is_gone_and_nothing_changes(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.submit(folds())
    world.until(epoch_of(0, 2))
    world.stop()
    before = world.until_settled().runs[RUN]
    world.scheduler.has_files = lambda out: False
    ok, text = world.ask(resume())
    assert not ok
    assert "the checkpoint of train.fold0 is gone" in text
    assert "submit the plan again" in text
    assert world.run == before


def test_a_training_that_starts_from_the_beginning_each_time_is_not_resumed(
    tmp_path: Path,
) -> None:
    world = Living(tmp_path)
    plain = folds()
    jobs = tuple(replace(job, resumes=False) for job in plain.jobs)
    world.submit(replace(plain, jobs=jobs))
    world.until(epoch_of(0, 2))
    world.stop(scope="attempt", target="train.fold0")
    world.until(lambda state: state.runs[RUN].jobs["train.fold0"].ended)
    ok, text = world.ask(resume("attempt", "train.fold0"))
    assert not ok
    assert "has no checkpoints" in text
    assert text.endswith(f"skint retry {RUN} begins anew"), "a person had stopped it"
    world.stop()
    world.until_settled()
    # What had not begun goes on all the same.
    assert world.ask(resume("attempt", "train.fold2"))[0]


def test_the_hours_that_a_stop_saved_are_taken_back_and_booked_anew_by_the_next(
    tmp_path: Path,
) -> None:
    world = Living(tmp_path)
    world.submit(folds())
    world.until(epoch_of(1, 2))
    world.stop(scope="group", target="train")
    world.until_settled()
    saved = world.ledger.balance("lab", world.clock.now_ms()).saved["early-stop"]
    assert saved > 30 * 60_000
    assert world.ask(resume("group", "train"))[0]
    world.until(lambda state: len(state.runs[RUN].jobs["train.fold1"].attempts) == 2)
    assert world.ledger.balance("lab", world.clock.now_ms()).saved["early-stop"] == 0
    world.stop(scope="group", target="train")
    run = world.until_settled().runs[RUN]
    again = world.ledger.balance("lab", world.clock.now_ms()).saved["early-stop"]
    assert again > 0
    ids = [saving.id for saving in run.savings.values()]
    assert len(set(ids)) == len(ids) == len(world.ledger.savings()) == 3
    assert sum(saving.amount_ms for saving in run.savings.values()) == again
    assert world.store.replayed() == world.store.state()


def test_it_is_resumed_once_by_a_scheduler_that_dies_all_the_time(tmp_path: Path) -> None:
    world = Living(tmp_path)
    world.course.epoch_s = 60
    world.submit(folds())
    world.until(epoch_of(0, 2))
    world.stop()
    world.until_settled()
    world.store.ask(resume(), world.clock.now_ms(), id="once")
    world.store.ask(resume(), world.clock.now_ms(), id="once")
    world.scheduler.tick()
    run = world.until_settled_with_restarts().runs[RUN]
    assert set(statuses(run).values()) == {"done"}
    assert len(world.kept(e.JobsResumed)) == 1


def test_what_was_skipped_because_a_smoke_test_was_stopped_is_resumed_with_it(
    tmp_path: Path,
) -> None:
    smoke = job("train.smoke", "scan", smoke=True)
    train = replace(job("train", "scan", "train.smoke", devices=1, limit_s=600), resumes=True)
    world = Living(tmp_path)
    world.course = Course(epochs=1, epoch_s=60)
    world.course.world = world
    world.submit(graph(job("scan"), smoke, train, job("errors", "train")))
    world.until(lambda state: RUN in state.runs and statuses(state.runs[RUN])["scan"] == "done")
    world.ask(stop("attempt", "train.smoke"))
    run = world.until_settled().runs[RUN]
    assert list(statuses(run).values()) == ["done", "stopped", "skipped", "skipped"]
    assert world.ask(resume("group", "train")) == (
        False,
        f"nothing of train was stopped: it is skipped; skint resume {RUN} undoes what was stopped"
        " of it",
    )
    # A smoke test has no checkpoint, and begins anew.
    text = f"train.smoke of {RUN} waits again; so do 2 that needed it"
    assert world.ask(resume()) == (True, text)
    run = world.until_settled().runs[RUN]
    assert set(statuses(run).values()) == {"done"}
