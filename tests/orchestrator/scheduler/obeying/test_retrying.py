"""What failed or was aborted is tried anew from its checkpoint, with what was skipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestrator.commands import RetryJobs, StopJobs
from orchestrator.events import events as e
from orchestrator.executors.simulated import Script
from skint.attempt import Task
from tests.orchestrator.scheduler.courses import attempts
from tests.orchestrator.scheduler.obeying.test_resuming import (
    RUN,
    Living,
    epoch_of,
    epochs_told,
    folds,
)
from tests.orchestrator.worlds import statuses


class Failing(Living):
    """Fold 1 fails in its fourth epoch until it is mended."""

    def __init__(self, path: Path, **more: Any) -> None:
        self.mended = False
        super().__init__(path, **more)

    def script(self, task: Task) -> Script:
        script = super().script(task)
        if task.fold != 1 or self.mended:
            return script
        if task.previous is not None:  # it goes on and fails at once
            return Script(5, code=1)
        lines = tuple(line for line in script.lines if line[0] <= 3 * 600)
        return Script(3.5 * 600, lines, code=1)


def retry(scope: Any = "run", target: str = RUN, which: Any = "all") -> RetryJobs:
    return RetryJobs(run=RUN, scope=scope, target=target, which=which, by="ana")


def test_a_failed_fold_goes_on_from_its_checkpoint_and_the_skipped_follow(tmp_path: Path) -> None:
    world = Failing(tmp_path)
    failed = world.settle(folds())
    assert statuses(failed)["train.fold1"] == "failed"
    assert statuses(failed)["train.fold2"] == "skipped"
    assert statuses(failed)["errors"] == "skipped"
    world.mended = True
    ok, text = world.ask(retry())
    assert ok
    assert "train.fold1" in text
    assert "train.fold1 goes on from its checkpoint of epoch 3" in text
    assert text.endswith("undo with skint cancel seedlings-1")
    done = world.until_settled().runs[RUN]
    assert done.outcome == "done"
    assert set(statuses(done).values()) == {"done"}
    assert epochs_told(done, "train.fold1")[:4] == [1, 2, 3, 4]
    assert len(attempts(done, "train.fold0")) == 1
    assert world.store.replayed() == world.store.state() == world.scheduler.state


def test_what_fails_again_has_failed_and_its_tries_are_counted_anew(tmp_path: Path) -> None:
    world = Failing(tmp_path)
    before = world.settle(folds(retries=1))
    assert len(attempts(before, "train.fold1")) == 2
    assert world.ask(retry("attempt", "train.fold1"))[0]
    after = world.until_settled().runs[RUN]
    assert after.outcome == "failed"
    assert len(attempts(after, "train.fold1")) == 4
    assert world.ask(retry())[0]


def test_an_aborted_fold_is_tried_anew_and_a_failed_one_is_not(tmp_path: Path) -> None:
    world = Failing(tmp_path)
    world.submit(folds())
    world.until(epoch_of(0, 2))
    world.ask(StopJobs(run=RUN, scope="attempt", target="train.fold0", reason="aborted"))
    ended = world.until_settled().runs[RUN]
    assert statuses(ended)["train.fold0"] == "stopped"
    assert statuses(ended)["train.fold1"] == "failed"
    assert world.ask(retry("attempt", "train.fold0", "failed"))[1].startswith(
        "nothing of train.fold0 failed: it is stopped"
    )
    assert world.ask(retry(which="aborted"))[0]
    after = world.until_settled().runs[RUN]
    assert statuses(after)["train.fold0"] == "done"
    assert statuses(after)["train.fold1"] == "failed"
    assert epochs_told(after, "train.fold0") == [1, 2, 3, 4, 5, 6]
    (resumed,) = world.kept(e.JobsResumed)
    assert resumed.jobs == ("train.fold0",)


def test_a_cancelled_run_with_a_failed_fold_is_retried_whole(tmp_path: Path) -> None:
    world = Failing(tmp_path)
    world.submit(folds(retries=0))
    world.until(lambda state: epoch_of(1, 3)(state))
    world.until(lambda _: world.run.jobs["train.fold1"].status == "failed")
    world.stop()
    world.until_settled()
    world.mended = True
    assert world.ask(retry())[0]
    assert world.until_settled().runs[RUN].outcome == "done"


def test_where_nothing_failed_there_is_nothing_to_retry(tmp_path: Path) -> None:
    world = Living(tmp_path)
    assert world.ask(retry())[1] == "there is no run seedlings-1"
    world.settle(folds())
    assert world.ask(retry())[1] == "nothing of seedlings-1 failed or was aborted: it is done"
    assert world.ask(retry("group", "nope"))[1] == "seedlings-1 has no nope"


def test_a_retry_starts_from_the_beginning_where_the_checkpoint_is_gone(tmp_path: Path) -> None:
    world = Failing(tmp_path)
    world.settle(folds())
    world.scheduler.has_files = lambda out: False
    ok, text = world.ask(retry())
    assert ok
    assert "train.fold1 starts from the beginning: it has no checkpoint" in text
