from __future__ import annotations

from math import inf, isnan, nan

from notifiers.base import Curve, Notice


def test_a_stored_notice_comes_back_as_it_was() -> None:
    notice = Notice(
        run="köln-1",
        topic="alert",
        key="k",
        title="fold 0 done",
        lines=("val_acc 0.9", "▂▅▆▇"),
        fields=(("charged", "0.41 h"),),
        curve=Curve("seedlings", "val_acc", {"fold 0": ((1.0, 0.5), (2.0, inf))}),
        at_ms=5,
        final=True,
    )
    assert Notice.from_json(notice.to_json()) == notice


def test_a_curve_may_hold_values_that_are_not_numbers() -> None:
    curve = Curve("t", "loss", {"fold 0": ((1.0, nan),)})
    back = Notice.from_json(Notice("r", "reply", "k", "t", curve=curve).to_json()).curve
    assert back is not None
    assert isnan(back.series["fold 0"][0][1])


def test_a_headline_names_the_run_once() -> None:
    assert Notice("bold", "head", "k", "epoch 1/3").headline == "bold · epoch 1/3"
    assert Notice("bold", "head", "k", "bold · epoch 1/3").headline == "bold · epoch 1/3"
    assert Notice("bold", "head", "k", "boldly onwards").headline == "bold · boldly onwards"
    assert Notice("bold", "head", "k", "").headline == "bold"
