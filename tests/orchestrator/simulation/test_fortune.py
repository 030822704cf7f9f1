from __future__ import annotations

from dataclasses import replace

from orchestrator.clock import SimulatedClock
from orchestrator.executors.base import Handle, Submission
from orchestrator.executors.simulated import SimulatedEngine
from orchestrator.graph import Job
from orchestrator.simulation.distribution import LogNormal
from orchestrator.simulation.fortune import Fortune, Fortunes, done_before, script_for
from skint.attempt import Task

TRAIN = Job("train.fold0", "train", fold=0, devices=1, limit_s=3600.0, static_key="a")


def fortunes(**more: float) -> Fortunes:
    return Fortunes(1, {"train": LogNormal(1800.0)}, **more)


def test_the_same_job_has_the_same_fortune_whoever_asks() -> None:
    assert fortunes().of(TRAIN, "a-1") == fortunes().of(TRAIN, "b-1")
    assert fortunes().of(TRAIN) != fortunes().of(replace(TRAIN, static_key="b"))
    assert fortunes().of(TRAIN) != Fortunes(2, {"train": LogNormal(1800.0)}).of(TRAIN)


def test_a_broken_configuration_is_broken_in_all_its_folds() -> None:
    folds = [replace(TRAIN, id=f"train.fold{n}", fold=n, static_key=str(n)) for n in range(5)]
    cells = [{"lr": n} for n in range(200)]
    broken = 0
    for cell in cells:
        known = [fortunes(broken_share=0.3).of(replace(job, matrix=cell)) for job in folds]
        assert len({fortune.useful for fortune in known}) == 1
        broken += not known[0].useful
    assert 30 < broken < 90


def test_what_breaks_reports_no_number_from_then_on() -> None:
    fortune = Fortune(100.0, 4, breaks_at=2)
    script = script_for(fortune, Task("a.b.1", 1, "a", "b"))
    losses = [line["values"]["train_loss"] for _, line in script.lines]
    assert isinstance(losses[0], float)
    assert losses[1:] == ["nan", "nan", "nan"]
    assert script.seconds == 100.0


def test_a_crash_ends_the_first_attempt_only() -> None:
    fortune = Fortune(100.0, 4, crashes_at=0.5)
    first = script_for(fortune, Task("a.b.1", 1, "a", "b"))
    second = script_for(fortune, Task("a.b.2", 2, "a", "b"))
    assert (first.seconds, first.code, len(first.lines)) == (50.0, 1, 2)
    assert (second.seconds, second.code, len(second.lines)) == (100.0, 0, 4)


def test_cpu_jobs_and_rehearsals_learn_nothing() -> None:
    assert fortunes().of(Job("scan", "scan")).epochs == 0
    assert fortunes().of(replace(TRAIN, smoke=True)).epochs == 0
    assert fortunes().of(replace(TRAIN, params={"epochs": 7})).epochs == 7


def test_an_attempt_goes_on_where_the_one_before_was_stopped() -> None:
    clock = SimulatedClock(0)
    fortune = Fortune(1000.0, 10)
    engine = SimulatedEngine(clock, lambda task: script_for(fortune, task), files=False)
    first = Task("a.b.1", 1, "a", "b")
    engine.accept(Submission("a.b.1", (first,), (), cpus=1, mem_mb=0))
    clock.advance(405)
    engine.ask(Handle("a.b.1", ("a.b.1",)), "stopped")
    again = Task("a.b.2", 2, "a", "b", previous="/out")
    assert done_before(engine, again) == 405.0
    rest = script_for(fortune, again, done_before(engine, again))
    assert rest.seconds == 595.0
    assert [line["values"]["epoch"] for _, line in rest.lines] == [5, 6, 7, 8, 9, 10]


def test_what_crashed_left_no_work_behind() -> None:
    clock = SimulatedClock(0)
    fortune = Fortune(1000.0, 10, crashes_at=0.5)
    engine = SimulatedEngine(clock, lambda task: script_for(fortune, task), files=False)
    engine.accept(Submission("a.b.1", (Task("a.b.1", 1, "a", "b"),), (), cpus=1, mem_mb=0))
    clock.advance(2000)
    assert done_before(engine, Task("a.b.2", 2, "a", "b", previous="/out")) == 0.0
