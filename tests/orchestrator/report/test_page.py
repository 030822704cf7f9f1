"""The page about a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.plans.ingredients import KeptIngredients
from orchestrator.report import page as report
from orchestrator.state.state import RunState, State
from tests.jobs.page import Page
from tests.orchestrator.pasts import START_MS, folds_graph
from tests.orchestrator.trained import HOUR_MS, trained


def page(run: RunState, *others: RunState) -> str:
    state = State({one.name: one for one in (*others, run)})
    charged = dict.fromkeys(run.attempts, HOUR_MS // 2)
    return report.page(run, state, charged, START_MS, KeptIngredients(Path("nowhere")))


def with_page(run: RunState, folder: Path, html: str) -> RunState:
    """One of its jobs has made a page."""
    (folder / "report.html").write_text(html)
    job = replace(run.jobs["packed"], out=str(folder))
    return replace(run, jobs={**run.jobs, "packed": job})


def test_it_says_what_came_of_the_run_and_what_it_cost() -> None:
    text = page(trained("seedlings-1", 0.8, 0.9, 1.0))
    parsed = Page(text)
    assert "val_acc 0.900 ± 0.100, 3 of 3 folds done" in text
    assert "fold 2 (3 of 3)" in text and "val_acc 1.0000" in text and "2 of 10" in text
    assert "Charged 1 h 30 min 00.000 s for 3 attempts, by the ledger." in text
    (drawing,) = parsed.all("svg")
    assert str(drawing["aria-label"]).startswith("val_acc by epoch; at the end: fold 0 0.200")


def test_it_stands_side_by_side_with_what_it_is_compared_with() -> None:
    other = trained("seedlings-1", 0.8, 0.9, 1.0)
    text = page(trained("bold", 0.7, 0.8, 0.9, graph=folds_graph(lr=0.5)), other)
    assert "train: seedlings-1 (0.900 ± 0.100" in text
    assert "−0.1000 ± 0.0000 (se, 3 folds)" in text and "0.5" in text


def test_the_page_of_a_job_is_taken_in_whole_and_cannot_break_out(tmp_path: Path) -> None:
    hostile = '<p class="x">"quoted"</p></iframe><script>alert(1)</script>'
    text = page(with_page(trained("a", 0.8), tmp_path, hostile))
    parsed = Page(text)
    (frame,) = parsed.all("iframe")
    assert frame["srcdoc"] == hostile and "sandbox" in frame
    assert parsed.all("script") == [], "it stands in the frame only"
    policy = [one for one in parsed.all("meta") if one.get("http-equiv")]
    assert str(policy[0]["content"]).startswith("default-src 'none'")


def test_what_errors_has_found_is_told_in_a_sentence(tmp_path: Path) -> None:
    pairs = [{"classes": ["dress", "t-shirt"], "count": 7}]
    facts = {"accuracy": 0.88125, "n": 1160, "most_confused": pairs}
    (tmp_path / "errors.json").write_text(json.dumps(facts))
    text = page(with_page(trained("a", 0.8), tmp_path, "<p>x</p>"))
    assert "88.1 % of 1,160 right. Most confused: dress ↔ t-shirt (7)." in text
    (tmp_path / "errors.json").write_text("[]")
    assert "Most confused" not in page(with_page(trained("a", 0.8), tmp_path, "<p>x</p>"))


def test_words_of_people_and_programs_are_escaped() -> None:
    run = trained("a", 0.8, None)
    job = replace(run.jobs["train.fold1"], sentence="<b>too</b> bad")
    run = replace(run, jobs={**run.jobs, "train.fold1": job}, sentence="<i>&amp;</i>")
    parsed = Page(text := page(run))
    assert parsed.all("b") == [] and parsed.all("i") == []
    assert "&lt;b&gt;too&lt;/b&gt; bad" in text


def test_a_run_that_has_done_nothing_has_a_page(tmp_path: Path) -> None:
    run = replace(trained("a", 0.8), attempts={}, allocations={})
    run = replace(
        run, jobs={id: replace(j, attempts=(), result_of="") for id, j in run.jobs.items()}
    )
    text = report.page(run, State({"a": run}), {}, START_MS, KeptIngredients(tmp_path))
    assert Page(text).all("svg") == [] and "Nothing was charged." in text


@pytest.mark.parametrize("size", [report.LARGEST_PAGE, report.LARGEST_PAGE + 1])
def test_a_page_that_is_too_large_is_named_only(size: int, tmp_path: Path) -> None:
    run = with_page(trained("a", 0.8), tmp_path, "x")
    with open(tmp_path / "report.html", "r+b") as file:
        file.truncate(size)
    text = page(run)
    fits = size <= report.LARGEST_PAGE
    assert ("<iframe" in text) == fits
    assert (str(tmp_path) in text) == (not fits)
