"""The rehearsal: what would fail on the accelerator fails before it, with words."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip("pytorch_lightning")

from skint.errors import SkintError
from skint.outputs import hash_outputs
from tests.jobs.fit.conftest import STAGED, STAGES, Train

pytestmark = pytest.mark.torch

ONE: dict[str, Any] = {"module": "points_task:Judge", "data": "points_task:Data", "epochs": 2}


def test_every_stage_is_tried_and_the_weights_of_one_step_are_not_kept(train: Train) -> None:
    ctx = train("smoke", STAGED, smoke=True)
    assert list(hash_outputs(ctx.out)) == ["smoke.json"]
    said = json.loads((ctx.out / "smoke.json").read_text())
    assert [stage["stage"] for stage in said["stages"]] == ["copy", "judge"]
    assert all(0 < stage["trained_parameters"] <= stage["parameters"] for stage in said["stages"])


def test_arguments_for_whole_epochs_do_not_stop_it(train: Train) -> None:
    train("smoke", {**ONE, "trainer_args": {"val_check_interval": 4}}, smoke=True)


JUDGED = {"module": "points_task:Judge"}
MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "no such module": ({"module": "point_task:Judge"}, "no module point_task", "points_task"),
    "no such class": ({"module": "points_task:Juge"}, "has no class Juge", "did you mean Judge?"),
    "another kind": (
        {"module": "points_task:NotLightning"},
        "is no LightningModule",
        "Copier, Judge",
    ),
    "data for a module": ({"module": "points_task:Data"}, "is no LightningModule", "Copier"),
    "an unknown argument": (
        {"module_args": {"widht": 3}},
        "points_task:Judge has no parameter widht",
        "did you mean width?",
    ),
    "a missing argument": (
        {"module": "points_task:Needy"},
        "points_task:Needy needs classes",
        "module_args: {classes: VALUE}",
    ),
    "a loss that is no number": (
        {"module": "points_task:Diverging"},
        "the loss of the first training step is not finite",
        "learning rate",
    ),
    "nothing to train on": (
        {"data_args": {"count": 0}},
        "there is no batch to train on",
        "train_dataloader() of length 0",
    ),
    "a step that does nothing": (
        {"module": "points_task:Frozen"},
        "the training step changed no weight",
        "configure_optimizers",
    ),
    "a number that is not logged": (
        {"module": "points_task:Forgetful"},
        "val_loss was not logged",
        "monitor: held_out",
    ),
    "weights that do not fit": (
        {"stages": [{**STAGES[0], "hand_on": "decoder."}, STAGES[1]]},
        "no weight of copy can be handed on",
        "the next module has none",
    ),
    "predictions that are none": (
        {"module": "points_task:Logits", "data": "points_task:Numbered"},
        "probabilities lie between 0 and 1",
        "logits.softmax(1)",
    ),
    "another shape": (
        {"stages": [STAGES[0], {**STAGES[1], "module_args": {"width": 9}}]},
        "no weight of copy can be handed on",
        "shapes 8×4 and 9×4",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_error_that_says_what_to_do(train: Train, mistake: str) -> None:
    change, what, hint = MISTAKES[mistake]
    with pytest.raises(SkintError) as caught:
        train("smoke", {**ONE, **change}, smoke=True)
    assert what in caught.value.what
    assert hint in str(caught.value)
