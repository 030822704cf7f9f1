"""What the screen of a group is compared with is what everything else compares it with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orchestrator.baselines.book import Book
from orchestrator.baselines.comparison import Comparison
from orchestrator.commands import SetBaseline
from orchestrator.dashboard.group.past_groups import PastGroups
from orchestrator.executors.simulated import Script
from orchestrator.graph import Graph
from orchestrator.store.store import Store
from skint.attempt import Task
from tests.orchestrator.worlds import World, epochs, kfold


def script_of(task: Task) -> Script:
    if task.fold is None:
        return Script(seconds=5, outputs={f"{task.job}.csv": task.job.encode()})
    if task.run == "broken-1" and task.fold == 1:
        return Script(seconds=5, code=1)
    best = {"old-1": 0.8, "good-1": 0.9}.get(task.run, 0.7)
    return epochs([0.5, best + task.fold / 100], seconds_each=60)


def own(name: str, folds: int = 3) -> Graph:
    """Its own training on the pictures that all of them have, under the name of one plan."""
    made = kfold(folds=folds)
    jobs = [
        replace(job, static_key=f"{name} {job.id}", params={"plan": name}) if job.devices else job
        for job in made.jobs
    ]
    return replace(made, jobs=tuple(jobs))


def brief(one: Comparison) -> tuple[object, ...]:
    best = one.baseline
    found = best and (best.run, best.group, best.wall_s, [fold.best for fold in best.folds])
    refused = one.refused[:1] if best is None else ()  # nobody asks for it beside a baseline
    return found, one.chosen, one.why, one.passed_over, one.metric, one.facts, refused


def both(world: World, past: PastGroups, name: str) -> tuple[Comparison, Comparison]:
    state = world.store.state()
    with Store(world.path / "store.db") as store:
        some = store.runs({name})
        run = some.runs[name]
        job = run.graph.groups()["train"][0]
        return past.comparison(store, some, run, job), Book().update(state).comparison(run, job)


def test_it_is_the_same_as_of_who_reads_all_runs(tmp_path: Path) -> None:
    world = World(tmp_path, script_of)
    past = PastGroups()

    def agree(name: str, baseline: str | None) -> Comparison:
        found, known = both(world, past, name)
        assert brief(found) == brief(known), name
        assert (found.baseline.run if found.baseline else None) == baseline, name
        return found

    world.settle(own("few", folds=2), run="few-1")
    agree("few-1", None)
    world.settle(own("old"), run="old-1")
    assert agree("old-1", None).refused[0].run == "few-1"
    world.settle(own("good"), run="good-1")
    world.settle(own("broken"), run="broken-1")
    world.settle(own("old"), run="same-1")  # its results are known: reused
    agree("old-1", "good-1")
    agree("good-1", "old-1")
    agree("broken-1", "good-1")
    agree("same-1", "good-1")
    agree("few-1", None)
    for chosen in ("old-1", "few-1"):
        world.store.ask(SetBaseline(run=chosen, on=True), world.clock.now_ms())
        world.scheduler.tick()
        agree("good-1", "old-1")
    world.store.ask(SetBaseline(run="old-1", on=False), world.clock.now_ms())
    world.scheduler.tick()
    assert agree("good-1", None).passed_over == "few-1"


def test_of_runs_that_have_not_changed_nothing_is_read_again(tmp_path: Path) -> None:
    world = World(tmp_path, script_of)
    past = PastGroups()
    for name in ("old", "good"):
        world.settle(own(name), run=f"{name}-1")
    both(world, past, "old-1")
    before = dict(past._known)
    world.settle(own("new"), run="new-1")
    both(world, past, "old-1")
    assert before.keys() < past._known.keys() == {"old-1", "good-1", "new-1"}
    assert all(past._known[name] is known for name, known in before.items())
    before = dict(past._known)
    world.store.ask(SetBaseline(run="good-1", on=True), world.clock.now_ms())
    world.scheduler.tick()
    both(world, past, "old-1")
    assert past._known["good-1"] is not before["good-1"]
