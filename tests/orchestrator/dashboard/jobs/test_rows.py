"""Lines of the jobs table: what stands in which cell, at any width."""

from __future__ import annotations

import math

import pytest

from orchestrator.dashboard.ink import text_of, width_of
from orchestrator.dashboard.jobs.columns import Widths, head_of
from orchestrator.dashboard.jobs.rows import MOST_WAITING, about, lines_of, to_go
from orchestrator.views.budget.ahead import Ahead
from orchestrator.views.run.job_row import JobRow
from orchestrator.views.run.training import Eta
from orchestrator.views.run.view import RunView

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


def fold(n: int, status: str = "running", **more: object) -> JobRow:
    title = f"fold {n} ({n + 1} of 12)"
    return JobRow(f"train.fold{n}", title, "train", "accelerator", status, fold=n, folds=12, **more)  # type: ignore[arg-type]


def view(*rows: JobRow, status: str = "running", **more: object) -> RunView:
    return RunView("seedlings-1", status, "lab", rows, **more)  # type: ignore[arg-type]


def texts(*views: RunView, width: int = 100, **more: object) -> list[str]:
    """Each line as it is read, columns apart by one blank."""
    lines = lines_of(views, {}, Widths.fitting(width), **more)  # type: ignore[arg-type]
    return [" ".join(text_of(line.pieces).split()) for line in lines]


def test_no_line_is_wider_than_the_table_and_the_heads_stand_above_their_columns() -> None:
    row = fold(
        10,
        "running",
        epoch=120,
        epochs=120,
        progress=1.0,
        metric="val_accuracy_of_all_classes",
        value=0.12345,
        history=tuple(float(n) for n in range(100)),
        eta=Eta(30 * HOUR_MS, 40 * HOUR_MS, 90 * HOUR_MS),
        charged_ms=99 * HOUR_MS,
    )
    waits = fold(11, "waiting", why="waits for its turn, which is a long time coming " * 4)
    smoke = JobRow("train.smoke", "smoke test of train", "train.smoke", "cpu", "starting")
    one = view(row, waits, smoke, simulated=True, mean=0.5, spread=0.25, folds=12, folds_done=11)
    for width in range(70, 260):
        widths = Widths.fitting(width)
        lines = lines_of([one], {}, widths, uses={("seedlings-1", "train.fold10"): 0.5})
        assert [width_of(line.pieces) for line in lines if width_of(line.pieces) >= width] == []
        head, full = text_of(head_of(widths, "Jobs", width + 2)), text_of(lines[1].pieces)
        assert width_of(((head, ""),)) == width + 2
        assert head.index("state") == full.index("running") + 2  # the gutter
        assert head.index("hours") + 5 == full.index("99.00") + 5 + 2
        assert ("use" in head) == ("50%" in full)


def test_credits_are_told_from_hours() -> None:
    for ms, cell in ((HOUR_MS * 119 // 100, "1.19c"), (12 * HOUR_MS, "12.0c"), (10**9, "278c")):
        one = view(fold(0, charged_ms=ms), charged_ms=ms, amounts_in="credit")
        assert all(cell in text for text in texts(one, width=80))
    one = view(fold(0, charged_ms=1_188_000), in_flight_ms=3_600_000, amounts_in="credit")
    assert about(one, "") == "seedlings-1 · 1.00 credits charged"
    assert about(one, "train.fold0") == "fold 0 (1 of 12) · 0.33 credits charged"


def test_a_job_line_has_epoch_time_hours_use_score_and_curve() -> None:
    row = fold(
        2,
        epoch=3,
        epochs=12,
        progress=0.25,
        metric="val_acc",
        value=0.87,
        history=(0.5, 0.7, 0.87),
        eta=Eta(20 * MINUTE_MS, 21 * MINUTE_MS, 22 * MINUTE_MS),
        charged_ms=HOUR_MS // 4,
        in_flight_ms=HOUR_MS // 4,
    )
    uses = {("seedlings-1", "train.fold2"): 0.92}
    assert texts(view(row), width=120, uses=uses)[1] == (
        "fold 2 (3 of 12) running ▮▮▯▯▯▯▯▯ 3/12 21 min 0.50 92% 0.870 val_acc ▁▅█"
    )


def test_what_waits_says_what_it_will_cost_and_why_it_waits() -> None:
    waits = fold(1, "waiting", why="waits for 1 of 1 devices")
    first = fold(2, "waiting", why="waits for its turn")
    one = view(waits, first, fold(3, "waiting"), fold(4, "failed", why="out of memory"))

    def ahead(job: str, measured: bool) -> Ahead:
        return Ahead("seedlings-1", job, "", "lab", False, HOUR_MS, HOUR_MS, measured)

    expected = {
        ("seedlings-1", "train.fold1"): ahead("train.fold1", True),
        ("seedlings-1", "train.fold2"): ahead("train.fold2", False),
    }
    assert texts(one, expected=expected)[1:] == [
        "fold 1 (2 of 12) waiting ~1.00 h · waits for 1 of 1 devices",
        "fold 2 (3 of 12) waiting ≤ 1.00 h · waits for its turn",
        "fold 3 (4 of 12) waiting its turn comes",
        "fold 4 (5 of 12) failed out of memory",
    ]


def test_of_thousands_that_wait_the_first_ones_have_a_line_and_the_others_are_counted() -> None:
    rows = [fold(n, "waiting", why="waits") for n in range(5000)]
    lines = lines_of([view(fold(5001, "running"), *rows)], {}, Widths.fitting(80))
    assert len(lines) == 1 + 1 + MOST_WAITING + 1
    assert text_of(lines[-1].pieces).strip() == "and 4,988 more that wait"
    assert lines[-1].more and len({line.key for line in lines}) == len(lines)


def test_a_curve_longer_than_its_column_keeps_its_ends_and_its_shape() -> None:
    rising = fold(0, metric="m", value=1.0, history=tuple(n / 99 for n in range(100)))
    assert texts(view(rising), width=78)[1].endswith("▁▂▃▄▅▆▇█")


def test_a_loss_that_is_not_a_number_is_shown_as_such() -> None:
    row = fold(0, metric="val_loss", value=math.nan, history=(0.5, math.nan))
    assert texts(view(row))[1].endswith("nan val_loss ▄×")


def test_cpu_work_that_is_over_makes_room_only_while_the_run_goes_on() -> None:
    scan = JobRow("scan", "scan", "scan", "cpu", "done")
    packed = JobRow("packed", "packed", "packed", "cpu", "failed")
    rows = (scan, packed, fold(0, "done"))
    widths = Widths.fitting(100)
    live = [line.job for line in lines_of([view(*rows)], {}, widths)]
    assert live == ["", "packed", "train.fold0"]
    over = view(*rows, status="done", ended_ms=1)
    assert [line.job for line in lines_of([over], {}, widths)] == [""]
    chosen = lines_of([over], {"seedlings-1": True}, widths)
    assert [line.job for line in chosen] == ["", "scan", "packed", "train.fold0"]


@pytest.mark.parametrize(
    ("eta", "words"),
    [
        (None, ""),
        (Eta(0, 0, 0), "0 s"),
        (Eta(245_000, 245_000, 245_000), "4 min 05 s"),
        (Eta(19 * MINUTE_MS, 20 * MINUTE_MS, 21 * MINUTE_MS), "20 min"),
        (Eta(HOUR_MS, HOUR_MS + 1, HOUR_MS + 2), "1 h 00 min"),
        (Eta(8 * MINUTE_MS, 10 * MINUTE_MS, 14 * MINUTE_MS), "8–14 min"),
        (Eta(HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS), "1.0–3.0 h"),
        (Eta(20_000, 30_000, 50_000), "20–50 s"),
    ],
)
def test_time_to_go_is_a_figure_or_an_honest_range(eta: Eta | None, words: str) -> None:
    assert to_go(eta) == words


def test_the_sentence_on_a_job_prefers_why_it_waits() -> None:
    waits = fold(1, "waiting", why="lab has 0.20 h left", notes=("old news",))
    runs = fold(
        0, wall_ms=90_000, notes=("1 file quarantined", "9 pictures"), best=0.9, metric="val_acc"
    )
    one = view(waits, runs, sentence="fold 0")
    assert about(one, "train.fold1") == "fold 1 (2 of 12) · lab has 0.20 h left"
    assert about(one, "train.fold0") == (
        "fold 0 (1 of 12) · 1 file quarantined · runs for 1 min 30 s · best val_acc 0.9000"
    )
    assert about(one, "") == "seedlings-1 · fold 0"
