"""What a plan may say of a fit, and what each stage makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from jobs.fit.params import Params, planned

WHOLE: dict[str, Any] = {"module": "a:B", "data": "a:C"}


def test_without_stages_there_is_one() -> None:
    (stage,) = planned(Params(**WHOLE, epochs=7, module_args={"width": 3}))
    assert (stage.name, stage.epochs, stage.first_epoch, stage.is_last) == ("training", 7, 0, True)
    assert (stage.module, stage.data, stage.module_args) == ("a:B", "a:C", {"width": 3})


def test_a_stage_takes_over_what_it_does_not_say() -> None:
    stages: Any = [
        {"name": "one", "epochs": 2, "hand_on": "encoder."},
        {"name": "two", "module": "./x/y.py:D", "data_args": {}, "hand_on": ["a.", "b."]},
        {"name": "three", "monitor": "val_acc", "trainer_args": {"gradient_clip_val": 2.0}},
    ]
    first, second, third = planned(
        Params(
            **WHOLE,
            data_args={"n": 1},
            monitor="val_mse",
            stages=stages,
            trainer_args={"gradient_clip_val": 1.0},
        )
    )
    assert (first.prefixes, second.prefixes) == (("encoder.",), ("a.", "b."))
    assert (first.data_args, second.data_args) == ({"n": 1}, {})
    assert (second.module, second.first_epoch, third.first_epoch) == ("./x/y.py:D", 2, 12)
    assert [one.larger_is_better for one in (first, second, third)] == [False, False, True]
    assert (second.trainer_args, third.trainer_args) == (
        {"gradient_clip_val": 1.0},
        {"gradient_clip_val": 2.0},
    )


@pytest.mark.parametrize(
    ("monitor", "mode", "larger"),
    [
        ("val_loss", "auto", False),
        ("val_RMSE", "auto", False),
        ("val_acc", "auto", True),
        ("val_loss", "max", True),
        ("score", "min", False),
    ],
)
def test_which_way_is_better(monitor: str, mode: Any, larger: bool) -> None:
    (stage,) = planned(Params(**WHOLE, monitor=monitor, mode=mode))
    assert stage.larger_is_better is larger


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"data": "a:C"}, "`with` does not say its module"),
        ({**WHOLE, "module": "my_task"}, "neither module:Class nor"),
        ({**WHOLE, "module": "a:b c"}, "neither module:Class nor"),
        ({**WHOLE, "trainer_args": {"max_epochs": 3}}, "max_epochs: this job sets that itself"),
        ({**WHOLE, "epochs": 0}, "greater than or equal to 1"),
        ({**WHOLE, "epoch": 3}, "Extra inputs"),
        ({**WHOLE, "stages": [{"name": "x"}, {"name": "x"}]}, "two stages are called x"),
        ({**WHOLE, "stages": [{"name": "x", "hand_on": "a."}]}, "nobody to hand weights on to"),
        ({"module": "a:B", "stages": [{"name": "x"}]}, "the stage x does not say its data"),
        ({**WHOLE, "stages": [{"name": "a/b"}]}, "match pattern"),
    ],
)
def test_a_mistake_is_named(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Params(**given)
