"""What a job is given, over real directories."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skint import Context, StopRequested
from skint.attempt import AttemptDir, Go, StopRequest, Task
from skint.context import InputNotFound, ParkFlag
from skint.visibility import HIDDEN


def made(folder: Path, *files: str) -> Path:
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).write_text(file)
    return folder


def lines(ctx: Context, kind: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in ctx.attempt.events.read_text().splitlines()]
    return [line for line in found if line["kind"] == kind]


def test_inputs_are_single_jobs_and_groups_are_asked_for_by_name(tmp_path: Path) -> None:
    folds = [made(tmp_path / f"fold{n}") for n in range(3)]
    scan = made(tmp_path / "scan")
    ctx = Context.for_test(tmp_path / "job", inputs={"train": folds, "scan": scan})
    assert ctx.inputs == {"scan": scan}
    assert ctx.group("train") == tuple(folds)
    assert ctx.group("scan") == (scan,)
    with pytest.raises(InputNotFound) as caught:
        ctx.group("trian")
    assert (caught.value.what, caught.value.wanted) == (
        "trian is not among what this job needs",
        "train, scan",
    )


def test_a_file_is_found_in_the_nearest_entry_that_has_it(tmp_path: Path) -> None:
    near = [made(tmp_path / "a"), made(tmp_path / "b", "x"), made(tmp_path / "c", "x")]
    far = made(tmp_path / "far", "x", "y")
    ctx = Context.for_test(tmp_path / "job", inputs={"near": near, "far": far})
    assert ctx.find("x") == tmp_path / "b" / "x"
    assert ctx.find_all("x") == (tmp_path / "b" / "x", tmp_path / "c" / "x")
    assert ctx.find("y") == far / "y"
    with pytest.raises(InputNotFound) as caught:
        ctx.find("z")
    assert str(caught.value) == (
        "job: nothing that this job needs has made z\n"
        "  got     needs: near, far\n"
        "  next    add the job that writes z to its `needs`"
    )


def test_relative_paths_count_from_the_plans_folder(tmp_path: Path) -> None:
    ctx = Context.for_test(tmp_path / "job", base=tmp_path)
    assert ctx.resolve("data/train") == tmp_path / "data/train"
    assert ctx.resolve(tmp_path / "x") == tmp_path / "x"
    assert ctx.resolve("~/x") == Path.home() / "x"


def test_what_it_is_told_stands_in_the_context(tmp_path: Path) -> None:
    ctx = Context.for_test(
        tmp_path, fold=1, folds=3, cpus=2, devices=("GPU-1",), smoke=True, previous=tmp_path / "p"
    )
    assert (ctx.fold, ctx.folds, ctx.cpus, ctx.devices, ctx.smoke) == (1, 3, 2, ("GPU-1",), True)
    assert ctx.previous == tmp_path / "p"
    assert ctx.attempt.read_task() == ctx.task
    assert Context.for_test(tmp_path / "all", cpus=0).cpus >= 1


def test_progress_is_thinned_but_its_first_and_last_line_are_kept(tmp_path: Path) -> None:
    ctx = Context.for_test(tmp_path)
    for done in range(1, 5001):
        ctx.progress(done, 5000)
    written = [line["done"] for line in lines(ctx, "progress")]
    assert (written[0], written[-1]) == (1, 5000)
    assert len(written) < 5000


def test_a_note_is_one_line(tmp_path: Path) -> None:
    ctx = Context.for_test(tmp_path)
    ctx.note("1 file\n quarantined ")
    assert lines(ctx, "note")[0]["text"] == "1 file quarantined"


def test_a_checkpoint_is_named_relative_to_out(tmp_path: Path) -> None:
    ctx = Context.for_test(tmp_path)
    ctx.checkpoint(ctx.out / "checkpoints" / "last.ckpt", epoch=2, step=40)
    (line,) = lines(ctx, "checkpoint")
    assert (line["path"], line["epoch"], line["step"]) == ("checkpoints/last.ckpt", 2, 40)


def test_check_goes_on_until_a_stop_is_requested(tmp_path: Path) -> None:
    ctx = Context.for_test(tmp_path)
    ctx.check()
    request = StopRequest("step", "end", "cancelled", "cancelled by you")
    ctx.attempt.request_stop(request)
    with pytest.raises(StopRequested, match="cancelled by you") as caught:
        ctx.check()
    assert (caught.value.request, caught.value.code) == (request, 75)


def test_a_stop_at_the_end_of_the_epoch_waits_for_it(tmp_path: Path) -> None:
    ctx = Context.for_test(tmp_path)
    ctx.attempt.request_stop(StopRequest("epoch", "end", "paused"))
    ctx.check(mid_epoch=True)
    with pytest.raises(StopRequested):
        ctx.check()


@pytest.fixture
def park() -> Iterator[ParkFlag]:
    before = signal.getsignal(signal.SIGTERM)
    flag = ParkFlag()
    flag.install()
    yield flag
    signal.signal(signal.SIGTERM, before)


def test_term_parks_and_does_not_wait_for_the_epoch(tmp_path: Path, park: ParkFlag) -> None:
    directory = AttemptDir(tmp_path)
    ctx = Context(directory, Task("a", 1, "run", "job"), park)
    os.kill(os.getpid(), signal.SIGTERM)
    request = ctx.stop_requested()
    assert request and (request.how, request.then, request.reason) == (
        "step",
        "requeue",
        "terminated",
    )
    directory.request_stop(StopRequest("epoch", "end", "paused"))
    with pytest.raises(StopRequested) as caught:
        ctx.check(mid_epoch=True)
    assert caught.value.request == StopRequest("step", "end", "paused")


def test_a_forked_child_still_dies_of_term(park: ParkFlag) -> None:
    child = os.fork()
    if child == 0:
        os.kill(os.getpid(), signal.SIGTERM)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
    assert not park.raised


def test_a_forked_child_dies_too_when_another_handler_calls_the_flag(park: ParkFlag) -> None:
    signal.signal(signal.SIGTERM, lambda number, frame: park(number, frame))
    child = os.fork()
    if child == 0:
        os.kill(os.getpid(), signal.SIGTERM)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM


def started_ahead(folder: Path) -> Context:
    attempt = AttemptDir(folder)
    task = Task("a.1", 1, "run", "job", standby_s=60.0)
    attempt.create(task)
    return Context(attempt, task)


def test_an_ordinary_attempt_has_its_devices_at_once(tmp_path: Path) -> None:
    ctx = Context.for_test(tmp_path, devices=("GPU-1",))
    assert ctx.wait_for_devices() == ("GPU-1",) == ctx.devices
    assert not ctx.attempt.events.exists()


def test_one_that_was_started_ahead_says_that_it_is_ready_and_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in HIDDEN.items():
        monkeypatch.setenv(name, value)
    ctx = started_ahead(tmp_path)
    assert ctx.devices == ()

    def give() -> None:
        while not ctx.attempt.events.exists():  # not before it has said that it is ready
            pass
        ctx.attempt.give(Go("r.allocation-1.u", 5, ("GPU-2",), limit_s=9.0, grace_s=3.0))

    giver = threading.Thread(target=give)
    giver.start()
    given = ctx.wait_for_devices()
    assert given == ctx.task.devices == ("GPU-2",)
    giver.join()
    assert len(lines(ctx, "ready")) == 1
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-2"
    assert "HIP_VISIBLE_DEVICES" not in os.environ
    assert (ctx.task.limit_s, ctx.task.grace_s) == (9.0, 3.0)
    assert ctx.wait_for_devices() == ("GPU-2",)
    assert len(lines(ctx, "ready")) == 1


def test_one_that_waits_for_devices_can_be_stopped(tmp_path: Path) -> None:
    ctx = started_ahead(tmp_path)
    ctx.attempt.request_stop(StopRequest("epoch", "end", "cancelled"))
    with pytest.raises(StopRequested):
        ctx.wait_for_devices()


def test_devices_are_given_once_and_never_to_one_that_was_given_up(tmp_path: Path) -> None:
    directory = AttemptDir(tmp_path)
    first = Go("r.allocation-1.u", 5, ("GPU-1",))
    assert directory.read_go() is None
    assert directory.give(first) == first
    assert directory.give(Go("", 6)) == first == directory.read_go()
    given_up = AttemptDir(tmp_path / "other")
    given_up.path.mkdir()
    assert given_up.give(Go("", 6)).void
    assert given_up.give(first).void
    assert [path.name for path in given_up.path.iterdir()] == ["go.json"]


def test_a_stage_is_told_in_one_line(tmp_path: Path) -> None:
    ctx = Context.for_test(tmp_path)
    ctx.stage("training at\n128 px")
    assert [line["name"] for line in lines(ctx, "stage")] == ["training at 128 px"]


def test_one_of_several_processes_speaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Context.for_test(tmp_path, devices=("simulated-0", "simulated-1"))
    monkeypatch.setenv("LOCAL_RANK", "1")
    second = Context.for_test(tmp_path, devices=("simulated-0", "simulated-1"))
    for ctx in (second, first):
        ctx.note("a word")
        ctx.stage("all")
        ctx.report(epoch=1)
    assert [len(lines(first, kind)) for kind in ("note", "stage", "report")] == [1, 1, 1]
    assert first.device_count == 2
