from __future__ import annotations

import random
from pathlib import Path
from statistics import median

import pytest

from orchestrator.graph import Job
from orchestrator.simulation.distribution import (
    DistributionError,
    LogNormal,
    Recorded,
    assumed,
    given,
    parse,
    recorded,
)
from orchestrator.state.state import State
from tests.orchestrator.worlds import World, kfold, training


def test_a_time_with_its_spread() -> None:
    assert parse("0.5h±20%", "as given") == LogNormal(1800.0, 0.2, "as given")
    assert parse("90m +- 5%", "x") == LogNormal(5400.0, 0.05, "x")


def test_a_time_alone_varies_by_a_fifth() -> None:
    assert parse("2h", "x").spread == 0.2


@pytest.mark.parametrize("text", ["", "fast", "0h", "1h±", "1h±x%", "±20%", "1h±2000%", "-1h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(DistributionError) as caught:
        parse(text, "x")
    assert caught.value.got == text


def test_nine_in_ten_are_within_the_spread_and_half_below_the_middle() -> None:
    dice = random.Random(1)
    drawn = [LogNormal(100.0, 0.25).draw_s(dice) for _ in range(4000)]
    assert median(drawn) == pytest.approx(100, rel=0.02)
    inside = sum(100 / 1.25 <= seconds <= 125 for seconds in drawn) / len(drawn)
    assert inside == pytest.approx(0.9, abs=0.02)


def test_times_come_from_options_and_files(tmp_path: Path) -> None:
    path = tmp_path / "times.yaml"
    path.write_text("train: 0.5h±20%\nerrors: 2m\n")
    found = given([str(path), "errors=1m"])
    assert found["train"] == LogNormal(1800.0, 0.2, f"from {path}")
    assert found["errors"] == LogNormal(60.0, 0.2, "as given")


@pytest.mark.parametrize("text", ["train", "no-such-file.yaml"])
def test_an_option_without_a_time_is_refused(text: str) -> None:
    with pytest.raises(DistributionError, match="cannot be read"):
        given([text])


@pytest.mark.parametrize("text", ["[1, 2]", "train: 5", "{", "\x00"])
def test_a_file_that_is_no_list_of_times_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "times.yaml"
    path.write_text(text)
    with pytest.raises(DistributionError) as caught:
        given([str(path)])
    assert caught.value.where == str(path)


def test_what_was_measured_here_is_used(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.settle(kfold())
    found = recorded(kfold(), world.scheduler.state)
    assert found.keys() == {"train"}  # of the others there is one time each
    times = found["train"]
    assert isinstance(times, Recorded)
    assert times.seconds == (150.0, 150.0, 150.0)
    assert times.draw_s(random.Random(0)) == 150.0
    assert times.basis == "3 times here, 2 min 30 s"


def test_another_kind_of_job_of_the_same_name_is_not_used(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.settle(kfold())
    other = kfold()
    changed = type(other)("seedlings", "lab", "/plans", (Job("train", "train", uses="other"),))
    assert recorded(changed, world.scheduler.state) == {}
    assert recorded(other, State()) == {}


def test_where_nothing_is_known_the_limit_says_something() -> None:
    assert assumed(Job("a", "a", devices=1, limit_s=100.0)).likely_s == 60.0
    assert "assumed" in assumed(Job("a", "a")).basis
