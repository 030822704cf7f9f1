"""Runs side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.events.verdict import VerdictGiven
from orchestrator.plans.ingredients import KeptIngredients
from orchestrator.state.state import RunState, State
from orchestrator.views.comparing.comparison import (
    Column,
    columns_of,
    mean_curve,
    paired,
    sections,
    why_not,
)
from orchestrator.views.comparing.comparison_table import lines_of, sides_of
from tests.orchestrator.pasts import START_MS, attempt_of, folds_graph, run_of, state_of
from tests.orchestrator.trained import HOUR_MS, trained


def column(run: RunState, metric: str | None = None) -> Column:
    (found,) = columns_of(run, {run.name: run}, START_MS, metric)
    return found


def table(*runs: RunState, keys: Path = Path("nowhere"), metric: str | None = None) -> list[str]:
    ((_, sides),) = sides_of(runs, state_of(*runs), START_MS, KeptIngredients(keys), metric)
    rows, notes = lines_of(sides)
    return [*rows, *notes]


def test_the_mean_the_spread_and_what_an_hour_has_bought() -> None:
    one = column(trained("seedlings-1", 0.8, 0.9, 1.0))
    assert one.mean == pytest.approx(0.9) and one.sd == pytest.approx(0.1)
    assert (one.charged_ms, one.cost_ms) == (1.5 * HOUR_MS, 1.5 * HOUR_MS)
    assert one.per_hour == pytest.approx(0.6)


def test_the_mean_of_some_folds_is_not_told() -> None:
    one = column(trained("bold", 0.8, None, 1.0))
    assert (one.mean, one.sd, one.per_hour, one.whole) == (None, None, None, False)
    assert one.scores == {0: 0.8, 2: 1.0}
    assert one.folds[1].score == 0.6 and not one.folds[1].done


def test_the_difference_is_taken_fold_by_fold() -> None:
    """Folds differ from each other by far more than the runs: pairs see it all the same."""
    one, other = column(trained("a", 0.5, 0.7, 0.9)), column(trained("b", 0.52, 0.73, 0.91))
    found = paired(one, other)
    assert found is not None and found.folds == 3
    assert found.mean == pytest.approx(0.02)
    assert found.se == pytest.approx(0.01 / 3**0.5)
    alone = paired(one, column(trained("b", 0.6, None, None)))
    assert alone is not None and (alone.folds, alone.se) == (1, None)
    assert paired(one, column(trained("b", None, None, None))) is None


def test_what_differs_in_the_recipe_is_told_and_nothing_else() -> None:
    bold = folds_graph(size=128, lr=0.05)
    lines = table(trained("seedlings-1", 0.8, 0.9, 1.0), trained("bold", 0.7, 0.8, 0.9, graph=bold))
    assert [line.split() for line in lines if line.startswith(("lr", "packed"))] == [
        ["lr", "0.01", "0.05"],
        ["packed.size", "224", "128"],
    ]
    assert not any("epochs" in line or "model" in line for line in lines)
    (less,) = [line for line in lines if "less seedlings-1" in line]
    assert less.endswith("−0.1000 ± 0.0000 (se, 3 folds)")


def row(lines: list[str], head: str) -> list[str]:
    (line,) = [line for line in lines if line.strip().startswith(head)]
    return line.strip().removeprefix(head).split()


def test_whole_scores_have_no_decimals_and_their_means_those_that_they_need() -> None:
    lines = table(trained("a", 60.0, 61.0, 64.0), trained("b", 58.0, 60.0, 60.0))
    assert row(lines, "val_acc           fold 0") == ["60", "58"]
    assert row(lines, "mean") == ["61.667", "±", "2.082", "59.333", "±", "1.155"]
    assert row(lines, "less a") == ["−2.333", "±", "0.882", "(se,", "3", "folds)"]
    assert row(lines, "val_acc per hour") == ["41.11", "39.56"]


def test_hours_side_by_side_have_the_same_decimals() -> None:
    short = trained("a", 0.9, 0.9, 0.9, hours=1 / 60)
    assert row(table(short, trained("b", 0.8, 0.9, 1.0)), "hours             charged") == [
        "0.0500",
        "1.5000",
    ]
    free = trained("free", 0.9, 0.9, 0.9, hours=0)
    assert row(table(free, short), "hours             charged") == ["0", "0.0500"]


def test_a_stopped_fold_is_told_with_its_rule_and_its_sentence() -> None:
    run = trained("bold", 0.86, None, None)
    verdict = VerdictGiven(
        at_ms=START_MS,
        run="bold",
        rule="beats-baseline",
        action="stop",
        scope="group",
        target="train",
        reason="beats-baseline",
        sentence="1.8 % chance that its mean beats 0.904",
    )
    lines = table(trained("seedlings-1", 0.9, 0.9, 0.9), replace(run, verdicts=(verdict,)))
    text = "\n".join(lines)
    said = "bold · train stopped by beats-baseline: 1.8 % chance that its mean beats 0.904"
    assert said in text and "too bad to go on" not in text, "it is said once"
    assert "– 1 of 3 done" in text and "(0.6000 at 1/10) stopped" in text
    without = "\n".join(table(run))
    assert "bold · fold 1 (2 of 3), fold 2 (3 of 3) stopped: too bad to go on" in without


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"pictures": "others"}, "other pictures"),
        ({"metric": "val_f1"}, "another metric: val_acc there, val_f1 here"),
        ({"items": 60}, "fold 0 is judged on 50 pictures there, on 60 here"),
        ({"graph": folds_graph(folds=10)}, "other folds: 3 here, 10 there"),
    ],
)
def test_what_cannot_be_compared_is_said_plainly(other: dict[str, Any], why: str) -> None:
    scores = [0.8] * (10 if "graph" in other else 3)
    one, two = trained("a", 0.8, 0.9, 1.0), trained("b", *scores, **other)
    assert why in why_not(column(one), column(two), {"a": one, "b": two})
    text = "\n".join(table(one, two))
    assert "! b cannot be compared with a: " in text and why in text
    assert "less a" not in text


def test_runs_of_different_plans_are_compared() -> None:
    other = trained("wide-1", 0.9, 0.9, 0.9, graph=folds_graph(name="wide"))
    one = trained("seedlings-1", 0.8, 0.8, 0.8)
    assert why_not(column(one), column(other), {"seedlings-1": one, "wide-1": other}) == ""
    assert "less seedlings-1" in "\n".join(table(one, other))


def test_a_reused_result_is_charged_where_it_was_trained_and_costs_the_same() -> None:
    made = trained("seedlings-1", 0.8, 0.9, 1.0)
    jobs = {
        id: replace(job, status="reused", attempts=(), result_of=made.jobs[id].result_of)
        if job.result_of
        else job
        for id, job in made.jobs.items()
    }
    again = replace(made, name="again-1", jobs=jobs, attempts={}, allocations={})
    runs = {made.name: made, again.name: again}
    (found,) = columns_of(again, runs, START_MS)
    assert (found.charged_ms, found.cost_ms) == (0, 1.5 * HOUR_MS)
    assert found.per_hour == pytest.approx(0.6) and found.mean == pytest.approx(0.9)
    text = "\n".join(table(made, again))
    assert "again-1 · 1.50 h of what its scores cost was charged to the runs" in text


def test_another_metric_is_the_one_of_the_epoch_that_is_kept() -> None:
    run = trained("a", 0.2)
    attempt = run.attempts["a.train.fold0.1"]
    losses = ({**report, "val_loss": 5.0 - n} for n, report in enumerate(attempt.reports))
    attempts = {attempt.id: replace(attempt, reports=tuple(losses))}
    found = column(replace(run, attempts=attempts), "val_loss")
    assert found.metric.name == "val_loss" and not found.metric.larger_is_better
    assert found.folds[0].score == 4.0, "of epoch 2, whose accuracy is best"
    assert found.per_hour is None, "less is better: an hour buys none of it"
    assert "val_loss: less is better" in table(run, metric="val_loss")
    assert "less is better" not in "\n".join(table(run))


def test_the_combinations_of_a_matrix_are_columns_of_one_run() -> None:
    graph = folds_graph(folds=1)
    train = graph.job("train.fold0")
    cells = tuple(
        replace(train, id=f"train.lr={lr}.fold0", matrix={"lr": lr}, params={"lr": lr})
        for lr in (0.1, 0.3)
    )
    graph = replace(graph, jobs=(*graph.jobs[:2], *cells))
    run = run_of(graph, name="sweep-1")
    ((name, sides),) = sides_of([run], State({run.name: run}), 0, KeptIngredients(Path("nowhere")))
    assert name == ""
    assert [side.column.name for side in sides] == ["sweep-1 lr=0.1", "sweep-1 lr=0.3"]
    assert sides[0].recipe == {"lr": 0.1}


def test_entries_of_several_names_stand_in_sections_of_their_own() -> None:
    graph = folds_graph(folds=1)
    fine = replace(graph.job("train.fold0"), id="fine.fold0", group="fine")
    run = run_of(replace(graph, jobs=(*graph.jobs, fine)), name="two-1")
    found = sections(columns_of(run, {run.name: run}, 0))
    assert [(name, len(columns)) for name, columns in found] == [("train", 1), ("fine", 1)]
    plain = run_of(graph, name="one-1")
    assert sections(columns_of(plain, {plain.name: plain}, 0))[0][0] == ""


def test_runs_that_trained_nothing_have_nothing_to_stand_side_by_side() -> None:
    runs = [run_of(folds_graph(folds=0), name=name) for name in ("scans-1", "scans-2")]
    assert sides_of(runs, state_of(*runs), START_MS, KeptIngredients(Path("nowhere"))) == []


def test_what_is_too_wide_side_by_side_stands_in_rows() -> None:
    runs = [trained(f"seedlings-{n}", 0.8, 0.9, 1.0) for n in range(9)]
    found = sides_of(runs, state_of(*runs), START_MS, KeptIngredients(Path("nowhere")))
    lines, _ = lines_of(found[0][1], 120)
    heads, first, *_ = lines
    assert heads.split("  ")[-1].strip() == "val_acc per hour"
    assert "val_acc fold 0" in heads and "val_acc mean" in heads and "hours charged" in heads
    assert first.startswith("seedlings-0") and "0.9000 ± 0.1000" in first
    assert max(map(len, lines[:10])) < 180


def test_trainings_without_folds_are_shown_with_a_doubt() -> None:
    graph = folds_graph(folds=1)
    alone = replace(graph.job("train.fold0"), id="train", fold=None, folds=None)
    graph = replace(graph, jobs=(*graph.jobs[:2], alone))
    told = [{"epoch": 1, "val_acc": 0.7, "metric": "val_acc", "score": 0.7, "at_ms": START_MS}]
    runs = [run_of(graph, [attempt_of("train", told, run=n, wall_ms=9)], name=n) for n in "ab"]
    text = "\n".join(table(*runs))
    assert "? b and a: nothing says that both were judged on the same pictures" in text
    assert "fold" not in text.partition("? b")[0] and text.count("0.7000") == 2


def test_the_mean_curve_has_the_epochs_that_all_folds_have() -> None:
    ((epoch, mean),) = mean_curve(column(trained("a", 0.8, None)))
    assert epoch == 1 and mean == pytest.approx(0.35)
    nothing = run_of(folds_graph(folds=1), name="a")
    assert mean_curve(column(nothing)) == ()
    assert "– waiting" in "\n".join(table(nothing))
