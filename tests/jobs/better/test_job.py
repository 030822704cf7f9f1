"""Entries with real result files are compared, and what needs the choice finds what was kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skint
from jobs.better.choice import find_kept
from jobs.better.job import Params, better
from jobs.errors.curves import read_curves
from jobs.errors.job import Params as ErrorsParams
from jobs.errors.job import errors
from tests.jobs.small_set import small_set

FROZEN, TUNED = (0.75, 0.5, 0.5), (0.75, 0.75, 1.0)
Entry = tuple[Path, ...]


def entry(
    folder: Path,
    scores: Sequence[float | None],
    *,
    metric: str = "val_acc",
    first_row: int = 0,
    labels: int = 3,
    curve: str = "1",
) -> Entry:
    """Folds of four held-out rows each, as `train` publishes them; predictions are all of blue."""
    folders = []
    for fold, score in enumerate(scores):
        out = folder / f"fold{fold}"
        out.mkdir(parents=True)
        result = {"metric": metric, "score": score, "n": 4}
        (out / "result.json").write_text(json.dumps(result))
        ids = np.arange(4) + 4 * fold + first_row
        np.savez(
            out / "predictions.npz",
            ids=ids,
            target=ids % labels,
            probabilities=np.tile(np.array([1, 0, 0], np.float32), (4, 1)),
            classes=np.array(["blue", "green", "red"]),
        )
        (out / "metrics.csv").write_text(f"epoch,val_acc\n1,{curve}\n")
        folders.append(out)
    return tuple(folders)


def chosen(folder: Path, inputs: dict[str, Any], **fields: Any) -> skint.Context:
    ctx = skint.Context.for_test(folder, inputs=inputs)
    better(Params(**fields), ctx)
    return ctx


def choice(ctx: skint.Context) -> Any:
    return json.loads((ctx.out / "choice.json").read_text())


def note(ctx: skint.Context) -> str:
    lines = map(json.loads, ctx.attempt.events.read_text().splitlines())
    return next(str(line["text"]) for line in lines if line["kind"] == "note")


@pytest.fixture
def both(tmp_path: Path) -> dict[str, Entry]:
    return {
        "frozen": entry(tmp_path / "frozen", FROZEN),
        "tuned": entry(tmp_path / "tuned", TUNED, curve="0.5"),
    }


def test_the_better_score_is_kept_with_the_paired_difference(
    tmp_path: Path, both: dict[str, Entry]
) -> None:
    ctx = chosen(tmp_path / "a", both)
    facts = choice(ctx)
    assert facts["kept"] == "tuned" and facts["metric"] == "val_acc"
    assert facts["entries"]["frozen"]["folds"] == list(FROZEN)
    found = facts["beaten"]["frozen"]
    assert found["folds"] == [0, 0.25, 0.5] and found["by"] == pytest.approx(0.25)
    assert found["error"] == pytest.approx(0.25 / np.sqrt(3))
    assert note(ctx) == (
        "tuned 0.8333 beats frozen 0.5833 by 0.25 ± 0.14, no more than folds vary; kept: tuned"
    )


def test_predictions_of_what_is_kept_stand_together_with_their_folds(
    tmp_path: Path, both: dict[str, Entry]
) -> None:
    ctx = chosen(tmp_path / "a", both)
    with np.load(ctx.out / "predictions.npz") as arrays:
        assert arrays["ids"].tolist() == list(range(12))
        assert arrays["fold"].tolist() == [0] * 4 + [1] * 4 + [2] * 4
        assert arrays["classes"].tolist() == ["blue", "green", "red"]
        assert arrays["probabilities"].shape == (12, 3)
    result = json.loads((ctx.out / "result.json").read_text())
    assert result == {"metric": "val_acc", "score": pytest.approx(5 / 6), "n": 12}


def test_less_of_a_loss_is_better(tmp_path: Path) -> None:
    inputs = {
        "one": entry(tmp_path / "one", (0.5, 0.7), metric="val_loss"),
        "two": entry(tmp_path / "two", (0.4, 0.5), metric="val_loss"),
    }
    facts = choice(chosen(tmp_path / "a", inputs))
    assert facts["kept"] == "two" and facts["beaten"]["one"]["by"] == pytest.approx(0.15)


def test_of_equals_the_first_is_kept(tmp_path: Path) -> None:
    inputs = {name: entry(tmp_path / name, (0.5, 0.5)) for name in ("one", "two")}
    ctx = chosen(tmp_path / "a", inputs)
    assert choice(ctx)["kept"] == "one"
    assert note(ctx) == "one 0.5 equals two; kept: one"
    assert choice(chosen(tmp_path / "b", inputs, entries=("two", "one")))["kept"] == "two"


def test_of_one_fold_no_error_is_told(tmp_path: Path) -> None:
    inputs = {"one": entry(tmp_path / "one", (0.5,)), "two": entry(tmp_path / "two", (0.75,))}
    ctx = chosen(tmp_path / "a", inputs)
    assert note(ctx) == "two 0.75 beats one 0.5 by 0.25, of one fold; kept: two"


def test_a_metric_of_ones_own_needs_its_direction(tmp_path: Path) -> None:
    inputs = {
        "one": entry(tmp_path / "one", (3,), metric="gini"),
        "two": entry(tmp_path / "two", (2,), metric="gini"),
    }
    with pytest.raises(skint.SkintError, match="not known whether more gini is better"):
        chosen(tmp_path / "a", inputs)
    assert choice(chosen(tmp_path / "b", inputs, larger_is_better=False))["kept"] == "two"


@pytest.mark.parametrize(
    ("scores", "options", "complaint"),
    [
        (TUNED[:2], {}, "different numbers of folds"),
        (TUNED, {"metric": "val_f1"}, "different metrics"),
        (TUNED, {"first_row": 1}, "did not hold out the same pictures in fold 0"),
        (TUNED, {"labels": 2}, "trained on different labels"),
        ((0.5, None, 0.5), {}, "a score is not finite"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    tmp_path: Path, scores: Sequence[float | None], options: dict[str, Any], complaint: str
) -> None:
    inputs = {
        "frozen": entry(tmp_path / "frozen", FROZEN),
        "tuned": entry(tmp_path / "tuned", scores, **options),
    }
    with pytest.raises(skint.SkintError, match=complaint):
        chosen(tmp_path / "a", inputs)


def test_one_entry_alone_and_one_without_results_are_refused(
    tmp_path: Path, both: dict[str, Entry]
) -> None:
    with pytest.raises(skint.SkintError, match="no two entries"):
        chosen(tmp_path / "a", {"frozen": both["frozen"]})
    with pytest.raises(skint.SkintError, match="scan is not among"):
        chosen(tmp_path / "b", both, entries=("frozen", "scan"))
    (both["tuned"][1] / "result.json").write_text("{}")
    with pytest.raises(skint.SkintError, match="tuned has no result"):
        chosen(tmp_path / "c", both, entries=("frozen", "tuned"))


def test_a_choice_of_choices_leads_to_the_training(tmp_path: Path, both: dict[str, Entry]) -> None:
    best = entry(tmp_path / "best", (1, 1, 1))
    first = chosen(tmp_path / "a", both).out
    inputs: dict[str, Any] = {"first": first, "best": best, **both}
    ctx = chosen(tmp_path / "b", inputs)
    assert set(choice(ctx)["entries"]) == {"first", "best"}
    later = skint.Context.for_test(tmp_path / "c", inputs={"second": ctx.out, **inputs})
    assert find_kept(later, "metrics.csv") == tuple(out / "metrics.csv" for out in best)


def test_errors_shows_what_was_kept(tmp_path: Path) -> None:
    packed = small_set(tmp_path / "packed", per_class=4)
    inputs: dict[str, Any] = {
        "frozen": entry(tmp_path / "frozen", FROZEN, curve="0.25"),
        "tuned": entry(tmp_path / "tuned", TUNED, curve="0.75"),
        "packed": packed,
    }
    made = chosen(tmp_path / "a", inputs).out
    ctx = skint.Context.for_test(tmp_path / "b", inputs={"baseline": made, **inputs})
    errors(ErrorsParams(), ctx)
    facts = json.loads((ctx.out / "errors.json").read_text())
    assert [fold["fold"] for fold in facts["folds"]] == [0, 1, 2]
    curves = read_curves(ctx, ("val_acc",))
    assert [(curve.fold, curve.points) for curve in curves] == [(n, ((1, 0.75),)) for n in range(3)]
