"""The words of whole runs: what is told, and where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orchestrator.events import events as e
from orchestrator.executors.simulated import Faults, Script
from orchestrator.state.projection import apply_all
from orchestrator.state.state import State
from orchestrator.words.announce import notices
from skint.attempt import Task
from tests.orchestrator.words.samples import RUN, failing, folds, once, reports_of, said, told
from tests.orchestrator.worlds import HOUR_MS, World, graph, job, kfold


def test_each_fold_and_the_end_are_told_with_their_curves(tmp_path: Path) -> None:
    world = World(tmp_path, folds([0.5, 0.7, 0.8], [0.6, 0.8, 0.9], [0.4, 0.6, 0.7]))
    told_of = [notice for notice in told(world) if notice.topic != "head"]
    assert said(told_of) == [
        "reply: fold 0 (1 of 3) done: val_acc 0.800 · 3 epochs · 3 min 30 s charged",
        "reply: fold 1 (2 of 3) done: val_acc 0.900 · 3 epochs · 3 min 30 s charged"
        " · val_acc 0.850 ± 0.071 over 2 of 3 folds",
        "reply: fold 2 (3 of 3) done: val_acc 0.700 · 3 epochs · 3 min 30 s charged"
        " · val_acc 0.800 ± 0.100 over 3 of 3 folds",
        "alert: done: val_acc 0.800 ± 0.100 (3 folds)"
        " · fold 0 (1 of 3): val_acc 0.800 · 3 epochs · 3 min 30 s charged"
        " · fold 1 (2 of 3): val_acc 0.900 · 3 epochs · 3 min 30 s charged"
        " · fold 2 (3 of 3): val_acc 0.700 · 3 epochs · 3 min 30 s charged"
        " · 0.18 h charged to lab (simulated)",
    ]
    curves = [notice.curve for notice in told_of]
    assert [len(curve.series) for curve in curves if curve] == [1, 2, 3, 3]
    assert curves[0] is not None
    assert curves[0].series == {"fold 0": ((1, 0.5), (2, 0.7), (3, 0.8))}


def test_a_broken_run_says_which_loss_broke_and_what_stopping_frees(tmp_path: Path) -> None:
    world = World(tmp_path, folds([0.5, float("nan"), 0.1], metric="train_loss"))
    assert said(told(world)) == [
        "alert: stopping train: train_loss became nan in epoch 2 of train.fold0"
        " · rule broken · frees up to 1.48 h of reserve",
        "reply: fold 0 (1 of 3) stopped · after epoch 2 of 3 · 2 min 01 s charged"
        " · up to 0.48 h of reserve free again · 59 s saved by stopping early",
        "alert: stopped: 0 of 3 folds done"
        " · rule broken: train_loss became nan in epoch 2 of train.fold0"
        " · fold 0 (1 of 3): stopped · after epoch 2 of 3 · 2 min 01 s charged"
        " · 2 folds not begun"
        " · 2 min 01 s charged to lab (simulated) · 59 s saved by stopping early",
    ]


def test_a_cancel_says_who_asked_and_what_is_kept(tmp_path: Path) -> None:
    world = World(tmp_path, folds([0.5, 0.7], [0.5, 0.7]))
    in_fold_1 = once(world.stop, lambda run: reports_of(run, "train.fold1") == 1)
    notices = told(world, meanwhile=in_fold_1)
    assert said(notices)[1:] == [
        "reply: stopping the run: cancelled by somebody at the command line"
        " · frees up to 0.98 h of reserve",
        "reply: fold 1 (2 of 3) stopped · 2 epochs · 2 min 01 s charged"
        " · up to 0.48 h of reserve free again",
        "alert: cancelled: 1 of 3 folds done, val_acc 0.700"
        " · cancelled by somebody at the command line"
        " · fold 0 (1 of 3): val_acc 0.700 · 2 epochs · 2 min 30 s charged"
        " · fold 1 (2 of 3): stopped · 2 epochs · 2 min 01 s charged · 1 fold not begun"
        " · 4 min 31 s charged to lab (simulated)",
    ]
    by = "the run cancelled by somebody at the command line 00:04 UTC"
    assert said(notices, "head")[-2:] == [
        "head: stopping · cancelled by cli · 1 of 3 folds done · val_acc 0.700"
        f" · 4 min 30 s charged (simulated) · {by} · lab: 29.45 h left",
        "head: cancelled · 1 of 3 folds done · val_acc 0.700"
        f" · 4 min 31 s charged (simulated) · {by} · lab: 29.92 h left",
    ]


def test_an_aborted_fold_is_told_by_its_name(tmp_path: Path) -> None:
    world = World(tmp_path, folds([0.5, 0.7], [0.5, 0.7], [0.5, 0.7]))
    abort = once(
        lambda: world.stop(scope="attempt", target="train.fold0"),
        lambda run: reports_of(run, "train.fold0") == 1,
    )
    assert said(told(world, meanwhile=abort))[:2] == [
        "reply: stopping fold 0 (1 of 3): cancelled by somebody at the command line"
        " · frees up to 0.48 h of reserve",
        "reply: fold 0 (1 of 3) stopped · 2 epochs · 2 min 01 s charged"
        " · up to 0.48 h of reserve free again",
    ]


def test_what_does_not_fit_says_by_how_much_and_until_when_it_waits(tmp_path: Path) -> None:
    world = World(
        tmp_path, folds([0.5, 0.7], [0.5, 0.7], [0.5, 0.7]), week_ms=round(0.58 * HOUR_MS)
    )
    notices = told(world)
    waits = (
        "lab has 0.50 h left of 0.58 h and this needs 0.51 h: 0.01 h too much;"
        " it resets Sat 28 Nov 2026 00:00 UTC"
    )
    assert [line for line in said(notices) if "waits" in line] == [
        f"reply: fold 2 (3 of 3) waits for hours until Sat 28 Nov 2026 00:00 UTC · {waits}"
        " · nothing was started; it goes on by itself when enough is free"
    ]
    assert [line for line in said(notices, "head") if "waiting" in line][-1:] == [
        f"head: waiting · fold 2 (3 of 3): {waits} · 2 of 3 folds done · val_acc 0.700 ± 0.000"
        " · 5 min 00 s charged (simulated) · lab: 0.50 h left"
    ]


def test_folds_that_wait_for_one_reset_are_told_once(tmp_path: Path) -> None:
    world = World(tmp_path, folds(*[[0.5]] * 3), week_ms=round(0.52 * HOUR_MS), devices=3)
    keys = [notice.key for notice in told(world) if "over-budget" in notice.key]
    assert len(set(keys)) < len(keys)


def test_a_failure_says_what_where_got_wanted_next(tmp_path: Path) -> None:
    error = {"what": "no space left on device", "where": "train.py:14"}
    error |= {"got": "0 bytes", "wanted": "2 GB", "next": "free 2 GB and submit again"}
    lines = said(told(World(tmp_path, failing(1, error))))
    log = tmp_path / "runs/seedlings-1/train.fold1/1/log.txt"
    assert lines[1:] == [
        "alert: fold 1 (2 of 3) failed: no space left on device · where: train.py:14"
        f" · got: 0 bytes · wanted: 2 GB · next: free 2 GB and submit again · log: {log}",
        "alert: failed: 1 of 3 folds done, val_acc 0.700"
        " · fold 1 (2 of 3) failed: no space left on device"
        " · fold 0 (1 of 3): val_acc 0.700 · 2 epochs · 2 min 30 s charged"
        " · fold 1 (2 of 3): failed · after epoch 1 of 2 · 1 min 10 s charged"
        " · 1 fold not begun"
        " · 3 min 40 s charged to lab (simulated) · 1 min 10 s saved by stopping early",
    ]


def test_a_retry_is_told_with_the_log_of_the_attempt_that_failed(tmp_path: Path) -> None:
    lines = said(told(World(tmp_path, failing(1, {})), kfold(retries=1)))
    runs = tmp_path / "runs/seedlings-1/train.fold1"
    assert (
        "reply: fold 1 (2 of 3): attempt 1 failed (exit code 1); trying again, for the last time"
        f" · log: {runs}/1/log.txt"
    ) in lines
    assert f"alert: fold 1 (2 of 3) failed: exit code 1 · log: {runs}/2/log.txt" in lines


def test_a_limit_that_was_over_says_which_and_what_to_do(tmp_path: Path) -> None:
    lines = said(told(World(tmp_path, folds([0.5, 0.6, 0.7])), kfold(folds=1, limit_s=150)))
    assert lines[0] == (
        "reply: fold 0 (1 of 1) stopped: its limit of 2 min 30 s was over · after epoch 2 of 3"
        " · 2 min 31 s charged · up to 31 s of reserve free again"
        " · next: a longer `limit` for train in the plan"
    )


def test_results_that_were_known_are_told_as_such(tmp_path: Path) -> None:
    world = World(tmp_path, folds([0.5, 0.7], [0.6, 0.9], [0.4, 0.8]))
    told(world)
    assert said(told(world, run="seedlings-2")) == [
        "alert: done: val_acc 0.800 ± 0.100 (3 folds)"
        " · fold 0 (1 of 3): val_acc 0.700 · known already, the same as train.fold0 of seedlings-1"
        " · fold 1 (2 of 3): val_acc 0.900 · known already, the same as train.fold1 of seedlings-1"
        " · fold 2 (3 of 3): val_acc 0.800 · known already, the same as train.fold2 of seedlings-1"
        " · nothing charged to lab · 0.13 h saved by known results"
    ]


def test_the_free_work_alone_says_nothing_of_charges(tmp_path: Path) -> None:
    world = World(tmp_path, folds())
    assert said(told(world, cpu_only=True)) == ["alert: done: 3 done, 4 left out"]


def test_an_engine_that_does_not_answer_is_told_once_an_hour(tmp_path: Path) -> None:
    script = folds(*[[0.5] * 9] * 3)
    world = World(tmp_path, script, faults=Faults(lost_poll_share=0.3), seed=1)
    keys = {notice.key: notice for notice in told(world) if "unreachable" in notice.key}
    assert keys
    assert all("waiting, nothing is assumed" in notice.title for notice in keys.values())
    assert len(keys) == len({key.split("/")[2] + key.split("/")[3] for key in keys})


def test_a_note_of_every_fold_is_told_once(tmp_path: Path) -> None:
    def script_of(task: Task) -> Script:
        note = {"kind": "note", "text": "16-mixed is not for CPUs: 32 used"}
        script = folds([0.5], [0.5], [0.5])(task)
        return (
            replace(script, lines=((1.0, note), *script.lines)) if task.fold is not None else script
        )

    found = [notice for notice in told(World(tmp_path, script_of)) if "/note/" in notice.key]
    assert found[0].title == "fold 0 (1 of 3): 16-mixed is not for CPUs: 32 used"
    assert len(found) == 3
    assert len({notice.key for notice in found}) == 1


def test_keys_are_unique_and_the_same_when_the_events_are_told_again(tmp_path: Path) -> None:
    """Edge 50: a restart tells the same events; they have the same keys."""
    world = World(tmp_path, folds([0.5, 0.7], [0.6, 0.8], [0.4, 0.6]))
    found = told(world)
    assert len({notice.key for notice in found}) == len(found)
    events = [event for _, event in world.store.events()]
    again = [notices(events, apply_all(State(), events)) for _ in range(2)]
    assert again[0] == again[1]
    # All at once there is one head; what else is told has the keys that it had.
    assert {n.key for _, n in again[0] if n.topic != "head"} == {
        n.key for n in found if n.topic != "head"
    }


def test_every_place_that_the_plan_names_is_told_and_no_other(tmp_path: Path) -> None:
    event = e.RunSubmitted(
        at_ms=1,
        run=RUN,
        graph=replace(kfold(), notify={"slack": {"channel": "C0123456"}}).to_json(),
    )
    state = apply_all(State(), [event])
    assert [place for place, _ in notices([event], state)] == ["slack:C0123456"]
    event = replace(event, graph=kfold().to_json())
    assert [place for place, _ in notices([event], apply_all(State(), [event]))] == ["console"]


def test_an_answer_to_a_command_is_no_news() -> None:
    answer = e.CommandAnswered(at_ms=1, run="", command="c", ok=False, text="there is no run x")
    assert notices([answer], State()) == []


def test_a_job_that_is_parked_says_where_and_until_when(tmp_path: Path) -> None:
    def script_of(task: Task) -> Script:
        lines = tuple(
            (600.0 * n, {"kind": "report", "values": {"epoch": 5 * task.fence + n, "val_acc": 0.5}})
            for n in range(1, 6)
        )
        return Script(3600.0 if task.fence == 1 else 1800.0, lines, stops_after_s=1)

    fold = job(
        "train", devices=1, fold=0, folds=1, limit_s=5400, grace_s=58, resumes=True, at_edge="park"
    )
    world = World(tmp_path, script_of, week_ms=HOUR_MS)
    (parked,) = [line for line in said(told(world, graph(fold))) if "parked" in line]
    assert parked.startswith(
        "reply: fold 0 (1 of 1) parked after 59 min 01 s at the end of its window;"
        " it goes on from its checkpoint"
    )
    assert parked.endswith("not before Sat 28 Nov 2026 00:00 UTC")
