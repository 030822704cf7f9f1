"""`skint simulate` as a person types it."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

import pytest

from budget.instant import WEEKDAYS
from orchestrator.cli import main
from tests.terminal import QuickTerminal, Said, Terminal

PLAN = """
name: toy
account: practice
jobs:
  prepare: {run: "python prepare.py"}
  train:
    run: python fit.py {n}
    needs: [prepare]
    matrix: {n: [0, 1, 2, 3]}
    devices: 1
    limit: 1h
    stop: [broken]
"""
TABLE = re.compile(r"^ *(\d+|all)  (.*?) +(\d+) +(\d+) +(\S+) h +(\S+) h +(\S+) h +(\S+) h$", re.M)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """The week resets in three days, so that a plan of some hours fits in what is left of it."""
    made = QuickTerminal(tmp_path)
    resets = WEEKDAYS[(time.gmtime().tm_wday + 3) % 7]
    preset = ("--preset", "simulated", "--quota", "1h", "--resets", resets)
    added = made.skint("account", "add", "practice", *preset)
    assert added.code == 0, added.err
    return made


@pytest.fixture
def desk(terminal: Terminal) -> Terminal:
    terminal.write("plan.yaml", PLAN)
    terminal.write("fit.py", "print('never run')")
    terminal.write("prepare.py", "print('never run')")
    assert terminal.skint("account", "set-quota", "practice", "30h").code == 0
    return terminal


def weeks(said: Said) -> list[tuple[str, ...]]:
    """(week, folds, runs, used, wasted, saved, left) of each line, the sum last."""
    assert said.code == 0, said
    return [(row[0], *row[2:]) for row in TABLE.findall(said.out)]


def test_what_a_user_would_get_is_shown_week_by_week(desk: Terminal) -> None:
    said = desk.skint("simulate", "plan.yaml", "--weeks", "2", "--hours", "train=0.5h±0%")
    assert weeks(said) == [
        ("1", "4", "1", "2.00", "0.00", "0.00", "28.00"),
        ("2", "0", "0", "0.00", "0.00", "0.00", "30.00"),
        ("all", "4", "1", "2.00", "0.00", "0.00", "58.00"),
    ]
    assert "practice (simulated)   30.00 h a week · one device at once" in said.out
    assert "train   as given" in said.out


def used_up(desk: Terminal) -> None:
    """4 h are left of the week: 9 h were charged, and others have used 17 h."""
    assert desk.skint("ledger", "adjust", "practice", "+9h", "--reason", "by hand").code == 0
    assert desk.skint("ledger", "reading", "practice", "--used", "26h").code == 0


def test_the_first_week_begins_with_what_the_ledger_says_is_left(desk: Terminal) -> None:
    used_up(desk)
    words = ("simulate", "plan.yaml", "--weeks", "2", "--hours", "train=0.9h±0%")
    said = desk.skint(*words)
    now = "week 1   4.00 h of 30.00 h are free now (9.00 h settled, 17.00 h foreign)"
    assert now in said.out.splitlines()
    assert weeks(said) == [  # four jobs with their limits and graces do not fit in 4 h
        ("1", "0", "0", "0.00", "0.00", "0.00", "4.00"),
        ("2", "4", "1", "3.60", "0.00", "0.00", "26.40"),
        ("all", "4", "1", "3.60", "0.00", "0.00", "30.40"),
    ]
    told = json.loads(desk.skint(*words, "--json").out)
    assert told["free_ms"] == told["policies"][0]["weeks"][0]["amount_ms"] == 4 * 3_600_000
    assert told["basis"] == ["train   as given"]


def test_a_full_week_is_simulated_where_that_is_asked_for(desk: Terminal) -> None:
    used_up(desk)
    words = ("--weeks", "2", "--hours", "train=0.9h±0%", "--full-week")
    said = desk.skint("simulate", "plan.yaml", *words)
    assert weeks(said)[0] == ("1", "4", "1", "3.60", "0.00", "0.00", "26.40")
    assert "week 1   full, whatever is used by now" in said.out.splitlines()


def test_others_begin_with_what_is_left_too(desk: Terminal) -> None:
    used_up(desk)
    words = ("--weeks", "1", "--hours", "train=0.9h±0%", "--park", "--against", "fcfs")
    said = desk.skint("simulate", "plan.yaml", *words)
    rows = [row.split()[1:] for row in said.out.splitlines() if row.startswith(("skint", "fcfs"))]
    assert [row[-2] for row in rows] == ["0.40", "0.40"]


@pytest.mark.parametrize(
    ("count", "plans", "said"),
    [
        (2, 1, "the plan is over in week 1; week 2 is empty, since a plan is submitted once"),
        (3, 2, "the plans are over in week 1; weeks 2 to 3 are empty, since a plan is submitted"),
    ],
)
def test_weeks_after_the_last_job_are_said_to_be_empty(
    desk: Terminal, count: int, plans: int, said: str
) -> None:
    found = desk.skint("simulate", *["plan.yaml"] * plans, "--weeks", str(count))
    assert said in found.out


def test_nothing_is_said_of_empty_weeks_where_there_are_none(desk: Terminal) -> None:
    assert "empty" not in desk.skint("simulate", "plan.yaml", "--weeks", "1").out
    assert desk.skint("account", "set-quota", "practice", "2h").code == 0
    waits = desk.skint("simulate", "plan.yaml", "--weeks", "2", "--hours", "train=0.9h±0%")
    assert "is not begun before all of them fit" in waits.out
    assert "empty" not in waits.out


def test_nothing_is_started_charged_or_kept(desk: Terminal) -> None:
    before = desk.skint("ledger", "--json").out
    assert desk.skint("simulate", "plan.yaml").code == 0
    assert desk.skint("ledger", "--json").out == before
    assert not (desk.folder / "home" / "store.db").exists()
    assert not (desk.folder / "home" / "runs").exists()


def test_the_same_seed_gives_the_same_weeks_and_another_one_others(desk: Terminal) -> None:
    first, again, other = (
        weeks(desk.skint("simulate", "plan.yaml", "--seed", seed)) for seed in ("1", "1", "2")
    )
    assert first == again
    assert first != other


def test_what_does_not_fit_into_a_week_comes_after_the_reset(desk: Terminal) -> None:
    """Edge 44: what the hours do not reach for waits for the next window, by itself."""
    assert desk.skint("account", "set-quota", "practice", "2h").code == 0
    words = ("simulate", "plan.yaml", "--weeks", "2", "--hours", "train=0.9h±0%")
    found = weeks(desk.skint(*words, "--park"))
    assert [row[1] for row in found] == ["2", "2", "4"]
    assert all(float(row[6]) >= 0 for row in found)


def test_what_is_not_done_says_why(desk: Terminal) -> None:
    assert desk.skint("account", "set-quota", "practice", "2h").code == 0
    said = desk.skint("simulate", "plan.yaml", "--hours", "train=0.9h±0%")
    assert weeks(said)[-1][1] == "0"
    assert "toy-1 train: train has 4 jobs to do and is not begun before all of them fit" in said.out


def test_others_are_shown_beside_it(desk: Terminal) -> None:
    said = desk.skint(
        *("simulate", "plan.yaml", "plan.yaml", "--hours", "train=0.5h±0%"),
        *("--against", "fcfs,slurm-safe", "--weeks", "1"),
    )
    assert said.code == 0
    rows = {row.split()[0]: row.split() for row in said.out.splitlines() if row[:1].isalpha()}
    assert rows["skint"][1:] == ["4", "2", "2.00", "h", "0.00", "h", "2.00", "h", "28.00", "h"]
    assert rows["fcfs"][1:] == ["4", "2", "4.00", "h", "2.00", "h", "0.00", "h", "26.00", "h"]
    assert rows["slurm-safe"] == ["slurm-safe", *rows["fcfs"][1:]]
    assert "wastes least: skint · finishes most: skint, fcfs, slurm-safe" in said.out


def test_a_preset_is_an_account_too(desk: Terminal) -> None:
    said = desk.skint("simulate", "plan.yaml", "--account", "kaggle-gpu", "--weeks", "1")
    assert "kaggle-gpu (simulated)   30.00 h a week" in said.out
    assert "week 1   full: a preset, of which nothing is used" in said.out
    assert weeks(said)[0][1] == "4"


def test_times_that_were_measured_here_are_used(desk: Terminal) -> None:
    desk.write("fit.py", "import time; time.sleep(0.2)")
    assert Terminal(desk.folder).skint("run", "plan.yaml").code == 0
    said = desk.skint("simulate", "plan.yaml")
    assert re.search(r"^train   4 times here, \d+ s$", said.out, re.M)


def test_hours_come_from_a_file(desk: Terminal) -> None:
    desk.write("times.yaml", 'train: "0.25h±0%"\n')
    said = desk.skint("simulate", "plan.yaml", "--hours", "times.yaml", "--weeks", "1")
    assert weeks(said)[0][3] == "1.00"
    assert "train   from times.yaml" in said.out


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        ((), 2, "no plan is named"),
        (("plan.yaml", "--weeks", "0"), 2, "no number of weeks"),
        (("plan.yaml", "--broken", "2"), 2, "--broken is a share"),
        (("plan.yaml", "--hours", "train=soon"), 2, "soon"),
        (("plan.yaml", "--hours", "trian=1h"), 2, "names what no plan has"),
        (("plan.yaml", "--hours", "nothing"), 2, "--hours cannot be read"),
        (("plan.yaml", "--against", "random"), 2, "unknown policy"),
        (("plan.yaml", "--account", "nobody"), 3, "neither an account nor a preset"),
        (("missing.yaml",), 2, "missing.yaml"),
    ],
)
def test_a_mistake_is_told_in_words(
    desk: Terminal, words: tuple[str, ...], code: int, what: str
) -> None:
    said = desk.skint("simulate", *words)
    assert said.code == code, said
    assert what in said.err
    assert "Traceback" not in said.err


def test_a_week_of_faults_is_lived_and_counted(desk: Terminal) -> None:
    said = desk.skint("simulate", "--faults", "--seed", "11")
    assert said.code == 0, said
    assert said.out.startswith("1 weeks (")
    assert said.out.rstrip().endswith("0 broken invariants")
    assert desk.skint("simulate", "--faults", "--seed", "11").out == said.out


def test_columns_that_a_narrow_terminal_has_no_room_for_are_left_out(
    desk: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(desk.folder)
    monkeypatch.setenv("SKINT_HOME", str(desk.folder / "home"))
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["simulate", "plan.yaml", "--weeks", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 60
    (head,) = [line for line in lines if line.startswith("week ") and "folds" in line]
    assert head.split() == ["week", "folds", "finished", "used", "wasted", "saved", "left"]
