"""Which verdict `skint answer` means."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli.answer import NothingAsked, meant
from orchestrator.graph import StopRule
from orchestrator.home import Home
from tests.orchestrator.worlds import World, epochs, kfold

BROKEN = [float("nan"), *[0.5] * 20]


def test_an_answer_to_what_nobody_asked_names_what_was_asked(tmp_path: Path) -> None:
    world = World(tmp_path, lambda task: epochs(BROKEN, metric="train_loss"))
    world.submit(kfold(stop=(StopRule("broken", mode="ask", after_s=600),)))
    world.until(lambda state: any(run.verdicts for run in state.runs.values()))
    home = Home(tmp_path)
    assert meant(home, "seedlings-1", "", "") == ("broken", "train")
    for rule, about, what in (
        ("chance", "", "chance has said nothing of seedlings-1"),
        ("", "train.fold1", "no stop rule has said anything of train.fold1"),
    ):
        with pytest.raises(NothingAsked) as refused:
            meant(home, "seedlings-1", rule, about)
        assert refused.value.what == what
        assert refused.value.wanted == "--rule broken --about train"
        assert refused.value.next == "skint show seedlings-1"
