"""What is on disk, what may go, and taking it away under a scheduler's eyes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.cache.choice import Wish, chosen
from orchestrator.cache.entry import Entry, entries, needed_keys
from orchestrator.cache.removal import ABANDONED_MS, ASIDE, remove, size_of, sweep
from orchestrator.executors.simulated import Script
from orchestrator.submitting.results import GONE, wrong_with
from skint.attempt import Task
from tests.orchestrator.scheduler.test_earlier import ALONE, stopped_in_the_middle
from tests.orchestrator.worlds import HOUR_MS, World, epochs, graph, job, kfold, statuses

DAY_MS = 24 * HOUR_MS


def script_of(task: Task) -> Script:
    if task.fold is None:
        lines = ((2.0, {"kind": "progress", "done": 1, "total": 2}),)
        return Script(seconds=5, lines=lines, outputs={f"{task.job}.bin": b"x" * 100})
    return epochs([0.5, 0.8])


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, script_of)


def on_disk(world: World) -> dict[str, Entry]:
    found = entries(world.scheduler.state, size_of, world.clock.now_ms())
    return {entry.attempt: entry for entry in found}


def pass_time(world: World, ms: int) -> None:
    world.clock.sleep(ms / 1000, None)


# --- entries --------------------------------------------------------------------------------------


def test_each_result_says_who_uses_it_and_what_it_took(world: World) -> None:
    world.settle(graph(job("packed"), job("folds", "packed")), "one-1")
    world.settle(graph(job("packed"), job("stats", "packed")), "two-1")
    found = on_disk(world)
    assert [*found] == ["one-1.folds.1", "one-1.packed.1", "two-1.stats.1"], "oldest use first"
    packed = found["one-1.packed.1"]
    assert (packed.sort, packed.size_bytes, packed.wall_ms) == ("result", 100, 5_000)
    assert packed.used_by == ("one-1", "two-1")
    assert packed.used_ms == world.scheduler.state.runs["two-1"].ended_ms
    assert not packed.accelerator and packed.current and not packed.needed_by
    assert not found["one-1.folds.1"].current, "the newest run of the plan has no folds"


def test_what_a_run_that_goes_on_has_is_needed(world: World) -> None:
    world.settle(ALONE, "one-1")
    world.submit(graph(*ALONE.jobs, job("stats", "packed")), "two-1")
    world.until(lambda state: "two-1" in state.runs)
    assert on_disk(world)["one-1.packed.1"].needed_by == "two-1"
    world.until_settled("two-1")
    assert on_disk(world)["one-1.packed.1"].needed_by == ""


def test_unfinished_work_is_needed_while_somebody_goes_on_from_it(world: World) -> None:
    stopped_in_the_middle(world, "one-1")
    found = on_disk(world)["one-1.packed.1"]
    assert (found.sort, found.used_by, found.needed_by) == ("unfinished", (), "")
    world.submit(ALONE, "two-1")
    world.until(lambda state: "two-1" in state.runs)
    assert on_disk(world)["one-1.packed.1"].needed_by == "two-1"


def test_a_result_that_was_made_again_replaces_the_first(world: World) -> None:
    world.settle(ALONE, "one-1")
    world.settle(ALONE, "two-1", again=True)
    assert {name: one.sort for name, one in on_disk(world).items()} == {
        "one-1.packed.1": "replaced",
        "two-1.packed.1": "result",
    }


def test_what_cost_accelerator_hours_says_how_many_of_which_account(world: World) -> None:
    world.settle(kfold(folds=1))
    fold = on_disk(world)["seedlings-1.train.fold0.1"]
    assert fold.accelerator and fold.account == "lab"
    assert fold.charged_ms == world.settled_ms


# --- choice ---------------------------------------------------------------------------------------


def entry(name: str, **more: object) -> Entry:
    known = Entry(
        attempt=name,
        run="r-1",
        job=name,
        uses=name,
        sort="result",
        accelerator=False,
        out=f"/runs/{name}",
        size_bytes=10,
        made_ms=0,
        used_ms=0,
        used_by=("r-1",),
        wall_ms=0,
        static_key=name,
    )
    return replace(known, **more)  # type: ignore[arg-type]


KEPT = [
    entry("old", used_ms=1 * DAY_MS),
    entry("needed", used_ms=2 * DAY_MS, needed_by="r-2", current=True),
    entry("paid", used_ms=3 * DAY_MS, accelerator=True),
    entry("current", used_ms=4 * DAY_MS, current=True),
    entry("new", used_ms=9 * DAY_MS),
]


@pytest.mark.parametrize(
    ("wish", "going"),
    [
        (Wish(max_bytes=50), []),
        (Wish(max_bytes=49), ["old"]),
        (Wish(max_bytes=30), ["old", "current"]),
        (Wish(max_bytes=30, accelerator=True), ["old", "paid"]),
        (Wish(max_bytes=0), ["old", "current", "new"]),
        (Wish(older_ms=5 * DAY_MS), ["old", "current"]),
        (Wish(older_ms=5 * DAY_MS, max_bytes=49), ["old"]),
        (Wish(unused=True), ["old", "new"]),
        (Wish(unused=True, older_ms=5 * DAY_MS), ["old"]),
        (Wish(unused=True, accelerator=True), ["old", "paid", "new"]),
    ],
)
def test_the_oldest_use_goes_first_and_no_more_than_was_asked(wish: Wish, going: list[str]) -> None:
    assert [one.attempt for one in chosen(KEPT, wish, 10 * DAY_MS)] == going


# --- removal --------------------------------------------------------------------------------------


def test_what_was_removed_is_made_again_when_it_is_needed(world: World) -> None:
    plan = graph(job("packed"), job("folds", "packed"))
    world.settle(plan, "one-1")
    going = [on_disk(world)["one-1.packed.1"]]
    removed = remove(going, lambda: world.scheduler.state, scheduler_runs=False)
    assert [one.attempt for one in removed.gone] == ["one-1.packed.1"]
    assert wrong_with(going[0].out) == GONE
    assert [*on_disk(world)] == ["one-1.folds.1"]
    assert statuses(world.settle(plan, "two-1")) == {"packed": "done", "folds": "reused"}


def test_what_a_run_took_between_two_looks_is_put_back(world: World) -> None:
    world.settle(ALONE, "one-1")
    going = [on_disk(world)["one-1.packed.1"]]
    plan = graph(*ALONE.jobs, job("stats", "packed"))

    def state_then() -> object:
        """As a scheduler that had seen the files a moment ago leaves it."""
        Path(going[0].out).with_name(ASIDE).rename(going[0].out)
        world.submit(plan, "two-1")
        state = world.until(lambda state: "two-1" in state.runs)
        Path(going[0].out).rename(Path(going[0].out).with_name(ASIDE))
        return state

    removed = remove(going, state_then, scheduler_runs=False)  # type: ignore[arg-type]
    assert (removed.gone, [one.attempt for one in removed.spared]) == ([], ["one-1.packed.1"])
    assert wrong_with(going[0].out) == ""
    assert statuses(world.until_settled("two-1").runs["two-1"])["stats"] == "done"


def test_what_cannot_be_removed_is_told_and_stays(world: World) -> None:
    world.settle(ALONE, "one-1")
    one = on_disk(world)["one-1.packed.1"]
    Path(one.out).with_name(ASIDE).mkdir()
    (Path(one.out).with_name(ASIDE) / "in-the-way").write_text("")
    removed = remove([one], lambda: world.scheduler.state, scheduler_runs=False)
    ((failed, why),) = removed.failed
    assert failed == one and why
    assert wrong_with(one.out) == ""


def test_removals_that_were_interrupted_are_ended_by_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "one-1" / "packed" / "1" / ASIDE
    folder.mkdir(parents=True)
    now_ms = round(folder.stat().st_ctime * 1000)
    sweep(tmp_path / "runs", now_ms + 1)
    assert folder.exists(), "somebody may be at it"
    sweep(tmp_path / "runs", now_ms + ABANDONED_MS + 1000)
    assert not folder.exists()


def test_the_ingredients_of_what_is_left_stay(world: World) -> None:
    world.settle(ALONE, "one-1")
    world.submit(graph(job("stats")), "two-1")
    state = world.until(lambda state: "two-1" in state.runs)
    assert {*needed_keys(state, [*on_disk(world).values()])} == {"packed", "stats"}


def test_an_empty_folder_is_nothing_and_a_link_counts_by_itself(tmp_path: Path) -> None:
    assert size_of(str(tmp_path / "gone")) is None
    (tmp_path / "out").mkdir()
    assert size_of(str(tmp_path / "out")) is None
    (tmp_path / "big").write_bytes(bytes(1000))
    (tmp_path / "out" / "link").symlink_to(tmp_path / "big")
    (tmp_path / "out" / "a").write_bytes(bytes(7))
    size_bytes = size_of(str(tmp_path / "out"))
    assert size_bytes is not None and 7 < size_bytes < 1000
