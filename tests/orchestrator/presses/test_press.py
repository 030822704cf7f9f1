"""The value of a button: made, read back, and known again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.presses.press import (
    VALUE_CHARS,
    Press,
    PressError,
    is_current,
    is_of,
    press_of,
    read_press,
)
from tests.orchestrator.worlds import World, kfold, training

RUN = "seedlings-1"
PRESS = Press("seedlings-1", "abort-fold", "train.fold3", "", "0123456789abcdef")


def test_a_value_is_read_back_as_it_was_made() -> None:
    assert read_press(PRESS.to_json()) == PRESS
    assert len(PRESS.to_json()) < 200


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        "",
        "abort",
        "[]",
        "null",
        "[" * 1900,
        json.dumps({"run": RUN}),
        "x" * (VALUE_CHARS + 1),
    ],
)
def test_what_no_button_of_ours_carries_is_refused(value: object) -> None:
    with pytest.raises(PressError):
        read_press(value)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"v": "1"},
        {"run": "../other"},
        {"run": ""},
        {"run": 3},
        {"do": "delete"},
        {"do": ["abort-run"]},
        {"target": None},
        {"target": ""},
        {"rule": {}},
        {"nonce": 5},
        {"more": 1},
    ],
)
def test_a_value_with_one_thing_changed_is_refused(change: dict[str, Any]) -> None:
    data = json.loads(PRESS.to_json())
    with pytest.raises(PressError):
        read_press(json.dumps({**data, **change}))


def test_a_value_too_long_for_slack_is_not_made() -> None:
    with pytest.raises(PressError, match="cannot carry"):
        Press(RUN, "abort-fold", "x" * VALUE_CHARS).to_json()


def test_the_id_of_the_command_is_made_of_the_value_alone() -> None:
    assert PRESS.command == read_press(PRESS.to_json()).command
    assert PRESS.command != Press(RUN, "abort-fold", "train.fold4", "", PRESS.nonce).command


def test_the_name_of_the_run_and_nothing_both_mean_the_whole_run(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.submit(kfold())
    world.until(lambda state: RUN in state.runs)
    run = world.scheduler.state.runs[RUN]
    assert press_of(run, "abort-run", RUN) == press_of(run, "abort-run")


def test_a_fold_that_was_started_again_is_not_what_the_button_was_about(tmp_path: Path) -> None:
    world = World(tmp_path, training)
    world.submit(kfold())
    world.until(lambda state: RUN in state.runs)
    before = press_of(world.scheduler.state.runs[RUN], "abort-fold", "train.fold0")
    world.until(lambda state: bool(state.runs[RUN].jobs["train.fold0"].attempts))
    run = world.scheduler.state.runs[RUN]
    assert is_of(before, run)
    assert not is_current(before, run)
    assert is_current(press_of(run, "abort-fold", "train.fold0"), run)


def test_another_run_of_that_name_is_not_what_the_button_was_about(tmp_path: Path) -> None:
    runs = []
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        world = World(tmp_path / str(number), training)
        world.submit(kfold())
        runs.append(world.until(lambda state: RUN in state.runs).runs[RUN])
    assert not is_of(press_of(runs[0], "abort-run"), runs[1])
    assert is_of(press_of(runs[1], "abort-run"), runs[1])
