"""What a job is given, over real directories."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skint import Context, StopRequested
from skint.attempt import AttemptDir, StopRequest, Task
from skint.context import InputNotFound, ParkFlag


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
