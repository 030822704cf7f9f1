"""The examples, run as their first lines say, on the simulated device."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
import statistics
from pathlib import Path

import pytest

from budget.ledger import Ledger
from tests.terminal import Terminal

pytest.importorskip("pytorch_lightning")

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = [pytest.mark.torch, pytest.mark.slow]


def with_demo_account(folder: Path) -> Terminal:
    terminal = Terminal(folder)
    added = terminal.skint("account", "add", "demo", "--preset", "simulated")
    assert added.code == 0, added.err
    return terminal


def out_of(terminal: Terminal, run: str, job: str) -> Path:
    (out,) = (terminal.folder / "home" / "runs" / run / job).glob("*/out")
    return out


def exact_ms(text: str) -> int:
    """Milliseconds of "1 min 02.345 s"."""
    parts = re.fullmatch(r"(?:(\d+) h )?(?:(\d+) min )?(\d+)\.(\d{3}) s", text)
    assert parts, text
    hours, minutes, seconds, rest = (int(part or 0) for part in parts.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


def test_photos_are_learned_charged_once_and_known_the_second_time(tmp_path: Path) -> None:
    terminal = with_demo_account(tmp_path)
    plan = str(EXAMPLES / "photos" / "plan.yaml")
    said = terminal.skint("run", plan)
    assert said.code == 0, said.out + said.err

    report = json.loads((out_of(terminal, "photos-1", "errors") / "errors.json").read_text())
    pictures = len(list((EXAMPLES / "photos" / "data").glob("*/*.jpg")))
    assert sum(map(sum, report["confusion"])) == pictures == report["n"]
    majority = max(map(sum, report["confusion"])) / pictures
    standard_error = math.sqrt(majority * (1 - majority) / pictures)
    assert report["accuracy"] >= majority + 3 * standard_error
    html = (out_of(terminal, "photos-1", "errors") / "report.html").read_text()
    assert "http://" not in html.replace("http://www.w3.org", "") and "https://" not in html

    last = re.split(r"^job +lane", said.out, flags=re.M)[-1]
    rows = re.findall(r"fold \d.*accelerator +done .*?((?:\d+ min )?\d+\.\d{3} s)$", last, re.M)
    total = re.search(r"^charged +(.*? s) for 3 attempts", last, re.M)
    with Ledger(tmp_path / "home" / "ledger.db", read_only=True) as ledger:
        charged_ms = sum(charge.amount_ms for charge in ledger.charges())
    assert len(rows) == 3 and total
    assert sum(map(exact_ms, rows)) == exact_ms(total[1]) == charged_ms
    assert re.search(r"^mean +val_acc 0\.\d{4} ± 0\.\d{4}", last, re.M)

    again = terminal.skint("run", plan)
    assert again.code == 0
    assert "this was run before: photos-1" in again.out and "--again" in again.out
    assert not (tmp_path / "home" / "runs" / "photos-2").exists()
    with Ledger(tmp_path / "home" / "ledger.db", read_only=True) as ledger:
        assert sum(charge.amount_ms for charge in ledger.charges()) == charged_ms


def test_satellite_tiles_of_13_bands_are_reduced_and_learned(tmp_path: Path) -> None:
    terminal = with_demo_account(tmp_path)
    said = terminal.skint("run", str(EXAMPLES / "satellite" / "plan.yaml"))
    assert said.code == 0, said.out + said.err
    report = json.loads((out_of(terminal, "satellite-1", "errors") / "errors.json").read_text())
    tiles = len(list((EXAMPLES / "satellite" / "data").glob("*/*.tif")))
    assert sum(map(sum, report["confusion"])) == tiles
    assert report["accuracy"] > max(map(sum, report["confusion"])) / tiles


def test_a_classifier_of_texts_starts_from_a_language_model(tmp_path: Path) -> None:
    terminal = with_demo_account(tmp_path)
    said = terminal.skint("run", str(EXAMPLES / "text" / "plan.yaml"))
    assert said.code == 0, said.out + said.err
    result = json.loads((out_of(terminal, "text-1", "fit") / "result.json").read_text())
    assert (result["metric"], result["n"]) == ("val_acc", 260)
    # The held-out texts are of 8 packages in about equal parts.
    chance = 1 / 8
    standard_error = math.sqrt(chance * (1 - chance) / result["n"])
    assert result["score"] >= chance + 6 * standard_error
    assert re.search(r"3 tensors \([\d,]+ values\) handed on from language-model", said.out)
    for stage in ("language-model", "classifier"):  # a line of the charge for each
        assert re.search(rf"^\S* +{stage} +\d+\.\d{{3}} s$", said.out, re.M), said.out


def test_a_table_with_categories_is_learned_on_the_cpu_for_nothing(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)  # without an account
    said = terminal.skint("run", str(EXAMPLES / "tabular" / "plan.yaml"))
    assert said.code == 0, said.out + said.err
    result = json.loads((out_of(terminal, "tabular-1", "fit") / "result.json").read_text())
    rows = list(csv.DictReader((out_of(terminal, "tabular-1", "table") / "table.csv").open()))
    targets = [float(row["target"]) for row in rows]
    held_out, train = targets[::4], [t for n, t in enumerate(targets) if n % 4]
    assert len(held_out) == result["n"]
    # Against always saying the mean of the rows that train.
    errors = [(target - statistics.fmean(train)) ** 2 for target in held_out]
    standard_error = statistics.stdev(errors) / math.sqrt(len(errors))
    assert result["score"] <= statistics.fmean(errors) - 3 * standard_error


def test_a_zero_byte_picture_is_quarantined_and_the_rest_goes_on(tmp_path: Path) -> None:
    terminal = with_demo_account(tmp_path)
    shutil.copytree(EXAMPLES / "photos" / "data", tmp_path / "data")
    classes = sorted(path for path in (tmp_path / "data").iterdir() if path.is_dir())
    (classes[0] / "empty.jpg").write_bytes(b"")
    terminal.write(
        "plan.yaml",
        "name: broken\njobs:\n"
        "  scan: {uses: scan, with: {source: data}}\n"
        "  packed: {uses: resize, needs: [scan], with: {size: 32}}\n",
    )
    said = terminal.skint("run", "plan.yaml")
    assert said.code == 0, said.out + said.err
    assert "quarantine" in said.out
    listed = (out_of(terminal, "broken-1", "scan") / "quarantine.csv").read_text()
    assert f"{classes[0].name}/empty.jpg" in listed
