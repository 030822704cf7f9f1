"""`metrics`, `compare`, `artifacts` and `report`, on a store with runs that were made by hand."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.cli import main
from orchestrator.events.events import RunSubmitted
from orchestrator.home import Home
from orchestrator.state.state import RunState, State
from orchestrator.store.store import Store
from tests.orchestrator.pasts import folds_graph
from tests.orchestrator.trained import trained

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def kept(skint_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three runs; the working folder is empty."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    runs = (
        trained("seedlings-1", 0.8, 0.9, 1.0),
        trained("bold", 0.7, None, None, graph=folds_graph(lr=0.05)),
        with_files(trained("=odd", 0.5, metric="=1+1"), tmp_path / "made"),
    )
    events = [
        RunSubmitted(at_ms=run.submitted_ms, run=run.name, graph=run.graph.to_json())
        for run in runs
    ]
    with Store(Home(skint_home).store) as store:
        store.keep(events, State({run.name: run for run in runs}))


def with_files(run: RunState, folder: Path) -> RunState:
    folder.mkdir()
    (folder / "best.ckpt").write_bytes(b"weights")
    job = replace(run.jobs["train.fold0"], out=str(folder))
    return replace(run, jobs={**run.jobs, "train.fold0": job})


def said(line: str, capfd: Said, code: int = 0) -> str:
    assert main(line.split()) == code
    found = capfd.readouterr()
    return found.out if code == 0 else found.err


def test_metrics_are_a_table_a_plot_and_rows(capfd: Said) -> None:
    table = said("metrics seedlings-1 --fold 1", capfd).splitlines()
    assert [line.split() for line in table] == [
        ["train"],
        ["fold", "epoch", "val_acc"],
        ["1", "1", "0.1000"],
        ["1", "2*", "0.2000"],
    ]
    plot = said("metrics seedlings-1 --plot", capfd)
    assert plot.startswith("val_acc\n") and "epoch · 0 fold 0 · 1 fold 1 · 2 fold 2" in plot
    heads, *rows = csv.reader(said("metrics seedlings-1 --csv", capfd).splitlines())
    assert heads == ["job", "fold", "epoch", "at", "val_acc"] and len(rows) == 6
    assert rows[0] == ["train.fold0", "0", "1", "2026-11-21T00:00:00.001Z", "0.1"]


def test_no_column_of_a_csv_is_a_formula(capfd: Said) -> None:
    heads = said("metrics =odd --csv", capfd).splitlines()[0]
    assert heads.endswith(",'=1+1")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("metrics seedling-1", ("there is no run seedling-1", "did you mean seedlings-1?")),
        ("metrics seedlings-1 --fold 7", ("no fold 7", "wanted  0, 1, 2")),
        ("metrics seedlings-1 --metric f1", ("no f1", "wanted  val_acc")),
        ("metrics seedlings-1 --job packed", ("packed of seedlings-1 has reported no metric",)),
        ("compare seedlings-1 nobody", ("there is no run nobody",)),
        ("compare seedlings-1 --metric f1", ("none of them has reported f1", "val_acc")),
        ("artifacts seedlings-1 packing", ("packing of seedlings-1 has made nothing",)),
        ("artifacts bold --only report", ("there are no report files of bold",)),
        ("report nobody", ("there is no run nobody",)),
    ],
)
def test_what_is_not_there_is_an_error_with_what_is(
    line: str, words: tuple[str, ...], capfd: Said
) -> None:
    text = said(line, capfd, code=3)
    assert [word for word in words if word not in text] == []


def test_compare_sets_the_runs_side_by_side_and_in_rows(capfd: Said) -> None:
    text = said("compare seedlings-1 bold", capfd)
    assert "(0.6000 at 1/10) stopped" in text and "0.9000 ± 0.1000" in text
    assert "−0.1000 (1 fold)" in text, "of the one that both have done"
    heads, *rows = csv.reader(said("compare seedlings-1 bold --csv", capfd).splitlines())
    assert heads[:4] == ["run", "group", "fold", "status"] and len(rows) == 6
    assert rows[4][:6] == ["bold", "train", "1", "stopped", "val_acc", "0.6"]
    assert "A seedlings-1 · B bold" in said("compare seedlings-1 bold --plot", capfd)


def test_a_page_makes_room_for_the_next_one_and_nothing_else_does(capfd: Said) -> None:
    assert said("report seedlings-1", capfd) == "seedlings-1.html\n"
    assert said("report seedlings-1", capfd) == "seedlings-1.html\n"
    assert said("report bold -o -", capfd).startswith("<!doctype html>")
    Path("mine.html").write_text("<p>mine</p>")
    assert "it is no report" in said("report bold -o mine.html", capfd, code=1)
    assert Path("mine.html").read_text() == "<p>mine</p>"
    assert said("report bold -o mine.html --yes", capfd) == "mine.html\n"
    assert "bold" in Path("mine.html").read_text()
    assert "cannot be written" in said("report bold -o nowhere/x.html", capfd, code=1)


def test_artifacts_are_listed_and_fetched(capfd: Said, tmp_path: Path) -> None:
    listed = said("artifacts =odd", capfd)
    assert "best.ckpt  checkpoint   7 B" in listed and "1 file, 7 B" in listed
    assert said("artifacts =odd train.fold0 --path", capfd) == f"{tmp_path / 'made'}\n"
    assert "1 file copied to there" in said("artifacts =odd --copy-to there", capfd)
    assert Path("there/train.fold0/best.ckpt").read_bytes() == b"weights"
    assert "0 files copied" in said("artifacts =odd --copy-to there", capfd)
    document = json.loads(said("artifacts =odd --copy-to there --json", capfd))
    assert document["copied_to"] == "there"


def test_logs_shows_who_printed_something_and_says_where_nobody_did(
    capfd: Said, tmp_path: Path, skint_home: Path
) -> None:
    run = trained("quiet-1", 0.8, 0.9)
    attempts = {}
    for one in run.attempts.values():
        folder = tmp_path / one.id
        folder.mkdir()
        (folder / "log.txt").write_text("a warning\n" if one.job == "train.fold0" else "")
        (folder / "exit.json").write_text("{}")
        attempts[one.id] = replace(one, folder=str(folder))
    run = replace(run, attempts=attempts)
    event = RunSubmitted(at_ms=run.submitted_ms, run=run.name, graph=run.graph.to_json())
    with Store(Home(skint_home).store) as store:
        store.keep([event], State({run.name: run}))
    assert main(["logs", "quiet-1"]) == 0
    found = capfd.readouterr()
    assert found.out == "a warning\n", "fold 1 is newer, and printed nothing"
    assert found.err.startswith("train.fold0 has printed"), "whose log it is, beside the log"
    assert main(["logs", "quiet-1", "--fold", "1"]) == 0
    found = capfd.readouterr()
    assert found.out == "" and "train.fold1 has printed nothing" in found.err
    assert "skint metrics quiet-1" in found.err
