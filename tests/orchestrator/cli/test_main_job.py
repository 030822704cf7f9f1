"""The commands around a run, by hand as it were: real processes, a simulated device."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from textwrap import indent

import psutil
import pytest
from PIL import Image

from budget.ledger import Ledger
from tests.terminal import QuickTerminal, Terminal, until

FIT = """
import sys, time, skint
n, epochs = int(sys.argv[1]), 3
for epoch in range(1, epochs + 1):
    time.sleep(0.3)
    skint.report(epoch=epoch, epochs=epochs, train_loss=1 / epoch, val_acc=0.5 + 0.1 * epoch)
skint.report(metric="val_acc", score=0.8 + n / 100, n=50)
"""
PLAN = """
name: toy
account: practice
jobs:
  prepare: {run: "python prepare.py"}
  train:
    run: python fit.py {n}
    needs: [prepare]
    matrix: {n: [0, 1, 2]}
    devices: 1
    limit: 2m
"""
SLEEPER = """
import subprocess, sys, time, skint
daemon = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
subprocess.Popen(daemon, start_new_session=True)
skint.report(epoch=1, epochs=100, val_acc=0.5)
time.sleep(600)
"""
SLOW_PLAN = """
name: slow
account: practice
jobs:
  train: {run: "python sleeper.py {n}", devices: 1, limit: 5m, grace: 1s, matrix: {n: [0, 1]}}
"""


@pytest.fixture
def toy(terminal: Terminal) -> Terminal:
    terminal.write("fit.py", FIT)
    terminal.write("prepare.py", "print('prepared')")
    terminal.write("plan.yaml", PLAN)
    return terminal


def status_of(terminal: Terminal, *words: str) -> str:
    """For who waits: without a process each time."""
    return QuickTerminal(terminal.folder).skint("status", *words).out


@pytest.fixture
def slow(terminal: Terminal) -> Terminal:
    terminal.write("sleeper.py", SLEEPER)
    terminal.write("plan.yaml", SLOW_PLAN)
    return terminal


def processes_of(run: str) -> list[psutil.Process]:
    """Every process that carries the run's mark, wherever it went."""
    found = []
    for process in psutil.process_iter():
        try:
            mark = process.environ().get("SKINT_ATTEMPT", "")
            if mark.startswith(f"{run}.") and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def test_a_run_ends_with_metric_spread_and_a_charge_that_is_the_ledgers(toy: Terminal) -> None:
    said = toy.skint("run", "plan.yaml")
    assert said.code == 0, said.err
    assert "epoch 1/3" in said.out and "epoch 2/3" in said.out  # the third is told with the end
    assert re.search(r"train.n=2 +accelerator +done +val_acc 0.8200", said.out)
    with Ledger(toy.folder / "home" / "ledger.db", read_only=True) as ledger:
        charged = [charge.amount_ms for charge in ledger.charges()]
        free_ms = ledger.balance("practice", 1_795_300_000_000).amount_ms - sum(charged)
    assert len(charged) == 3
    last = said.out[said.out.rindex("job  ") :]
    rows = re.findall(r"done .* (\d+)\.(\d{3}) s$", last, re.MULTILINE)
    assert sum(int(s) * 1000 + int(ms) for s, ms in rows) == sum(charged)
    went = last[last.index("where it went") :]
    by_stage = re.findall(r"^train.n=\d +([\d. s–]+)$", went, re.MULTILINE)
    assert "start  " in went and "epochs  " in went and len(by_stage) == 3
    parts = [part for row in by_stage for part in re.findall(r"(\d+)\.(\d{3}) s", row)]
    assert sum(int(s) * 1000 + int(ms) for s, ms in parts) == sum(charged)
    total = re.search(r"charged +(\d+)\.(\d{3}) s", last)
    assert total and int(total[1]) * 1000 + int(total[2]) == sum(charged)
    left = re.search(r"left +59 min (\d+)\.(\d{3}) s", last)
    assert left and 59 * 60_000 + int(left[1]) * 1000 + int(left[2]) == free_ms


def test_the_same_plan_again_is_shown_and_not_paid_for(toy: Terminal) -> None:
    assert toy.skint("run", "plan.yaml").code == 0
    again = toy.skint("submit", "plan.yaml")
    assert again.code == 0
    assert "this was run before: toy-1" in again.out
    assert "charged (key " in again.out and "--again" in again.out
    planned = toy.skint("plan", "plan.yaml")
    assert "reserves" not in planned.out.split("\n\n")[0]
    paid = toy.skint("run", "plan.yaml", "--again")
    assert paid.code == 0
    shown = toy.skint("show", "toy-2").out
    assert re.search(r"prepare +cpu +reused", shown)
    assert len(re.findall(r"accelerator +done", shown)) == 3


def test_cpu_only_does_the_free_work_and_charges_nothing(toy: Terminal) -> None:
    said = toy.skint("run", "plan.yaml", "--cpu-only")
    assert said.code == 0, said.err
    shown = toy.skint("show", "toy-1").out
    assert re.search(r"prepare +cpu +done", shown)
    assert len(re.findall(r"accelerator +skipped", shown)) == 3
    with Ledger(toy.folder / "home" / "ledger.db", read_only=True) as ledger:
        assert ledger.charges() == ()


def test_too_little_left_is_refused_before_anything_starts(toy: Terminal) -> None:
    toy.write("plan.yaml", PLAN.replace("2m", "25m"))
    said = toy.skint("submit", "plan.yaml")
    assert said.code == 5
    assert re.search(r"toy reserves 1\.\d\d h on practice, 1\.00 h are free until", said.err)
    assert "too much" in said.err and "UTC" in said.err and "--cpu-only" in said.err
    assert "Traceback" not in said.err
    assert not (toy.folder / "home" / "runs").exists()
    assert toy.skint("plan", "plan.yaml").code == 5


def test_a_run_is_watched_and_cancelled_from_another_terminal(slow: Terminal) -> None:
    running = slow.begin("run", "plan.yaml")
    until(lambda: "epoch 1/100" in status_of(slow))
    status = slow.skint("status").out
    assert re.search(r"slow-1 +running", status) and "waits for 1 of 1 devices" in status
    budget = slow.skint("budget").out
    assert "in flight" in budget
    assert re.search(r"queued +.* 2 jobs, over about .* UTC with 0\.\d\d h left", budget)
    assert len(processes_of("slow-1")) >= 2

    cancelled = slow.skint("cancel", "slow-1")
    assert cancelled.code == 0 and "being stopped" in cancelled.out
    assert re.search(r"frees up to 0\.1\d h on practice", cancelled.out)
    out, _ = running.communicate(timeout=300)
    assert running.returncode == 6
    assert "slow-1 cancelled" in out and "frees up to" in out
    assert processes_of("slow-1") == []
    with Ledger(slow.folder / "home" / "ledger.db", read_only=True) as ledger:
        assert ledger.reservations() == ()
        assert len(ledger.charges()) == 1


def test_one_fold_is_aborted_and_the_others_go_on(slow: Terminal) -> None:
    for number in range(12):
        picture = Image.new("RGB", (32, 32), (20 * number, 99, 0))
        path = slow.write(f"data/{'ab'[number % 2]}/{number}.png", "")
        picture.save(path)
    slow.write("sleeper.py", f"import sys\nif sys.argv[1] == '0':\n{indent(SLEEPER, '    ')}")
    slow.write(
        "plan.yaml",
        """
name: slow
account: practice
jobs:
  scan: {uses: scan, with: {source: data}}
  packed: {uses: resize, needs: [scan], with: {size: 16}}
  folds: {uses: folds, needs: [packed], with: {k: 3}}
  train:
    {run: "python sleeper.py {fold}", needs: [folds], per: fold, devices: 1, limit: 5m, grace: 1s}
""",
    )
    assert slow.skint("submit", "plan.yaml").code == 0
    until(lambda: "epoch 1/100" in status_of(slow))
    assert slow.skint("abort", "slow-1", "--fold", "7").code == 3
    aborted = slow.skint("abort", "slow-1", "--fold", "0")
    assert aborted.code == 0 and "the others go on" in aborted.out
    until(lambda: re.search(r"slow-1 +stopped", status_of(slow)) is not None)
    shown = slow.skint("show", "slow-1").out
    assert re.search(r"fold 0 \(1 of 3\) +accelerator +stopped", shown)
    assert len(re.findall(r"fold [12] \([23] of 3\) +accelerator +done", shown)) == 2
    assert slow.skint("abort", "slow-1", "--fold", "0").code == 1  # it is over
    assert processes_of("slow-1") == []


def test_kill_9_of_the_scheduler_loses_nothing(slow: Terminal) -> None:
    assert slow.skint("submit", "plan.yaml").code == 0
    until(lambda: "epoch 1/100" in status_of(slow))
    pid = json.loads(slow.skint("status", "--json").out)["scheduler_pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: json.loads(status_of(slow, "--json"))["scheduler_pid"] is None)
    alive = {process.pid for process in processes_of("slow-1")}
    assert len(alive) >= 2
    assert "on without one" in slow.skint("status").out

    ticked = slow.skint("tick")
    assert ticked.code == 0 and "1 job live" in ticked.out
    assert {process.pid for process in processes_of("slow-1")} == alive  # adopted, not restarted
    assert slow.skint("cancel", "slow-1").code == 0  # starts a scheduler, which adopts them too
    until(lambda: re.search(r"slow-1 +cancelled", status_of(slow)) is not None)
    assert processes_of("slow-1") == []
    assert slow.skint("replay").code == 0


def test_ctrl_c_cancels_what_runs_in_the_foreground(slow: Terminal) -> None:
    running = slow.begin("run", "plan.yaml")
    until(lambda: "epoch 1/100" in status_of(slow))
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=300)
    assert running.returncode == 130
    assert "checkpoints are kept" in err and "slow-1 cancelled" in out
    assert "skint retry slow-1 begins anew" in out, "a resume would be refused: no checkpoints"
    refused = slow.skint("abort", "slow-1", "--fold", "0")
    assert refused.code == 3 and "in skint top the key a stops one job" in refused.err
    assert processes_of("slow-1") == []


def test_a_broken_loss_stops_each_combination_and_tells_what_it_saved(terminal: Terminal) -> None:
    terminal.write(
        "nan.py",
        "import time, skint\n"
        "for epoch in range(1, 600):\n"
        "    skint.report(epoch=epoch, epochs=600, train_loss=float('nan'))\n"
        "    time.sleep(1)\n",
    )
    terminal.write(
        "plan.yaml",
        "name: bad\naccount: practice\njobs:\n"
        '  train: {run: "python nan.py {n}", devices: 1, limit: 5m, matrix: {n: [0, 1]},'
        " stop: [broken]}\n",
    )
    said = terminal.skint("run", "plan.yaml")
    assert said.code == 6
    for n in range(2):
        assert f"train_loss became nan in epoch 1 of train.n={n}" in said.out
    assert "frees up to" in said.out
    with Ledger(terminal.folder / "home" / "ledger.db", read_only=True) as ledger:
        # The values of a matrix are not each other's folds: the second may do well.
        assert len(ledger.charges()) == 2


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("pln",), 2, "did you mean `skint plan`?"),
        (("show", "nothing"), 3, "there is no run nothing"),
        (("logs", "nothing"), 3, "there is no run nothing"),
        (("cancel", "nothing"), 3, "there is no run nothing"),
        (("account", "add", "x", "--preset", "nope"), 2, "unknown preset"),
        (("account", "add", "x", "--preset", "simulated", "--quota", "3"), 2, "no unit"),
        (("account", "add", "practice", "--preset", "kaggle-gpu"), 2, "it is another one"),
        (("budget", "nobody"), 3, "nobody"),
    ],
)
def test_a_wrong_word_is_one_clear_error(
    terminal: Terminal, words: tuple[str, ...], code: int, told: str
) -> None:
    said = terminal.skint(*words)
    assert said.code == code
    assert told in said.err and said.err.startswith("error: ")
    assert "Traceback" not in said.err


def test_an_account_whose_executor_is_not_here_is_refused(toy: Terminal) -> None:
    toy.write("plan.yaml", PLAN.replace("account: practice", "account: kaggle-gpu"))
    unknown = toy.skint("submit", "plan.yaml")
    assert unknown.code == 2
    assert "plan.yaml:3:account: there is no such account" in unknown.err
    assert "skint account add kaggle-gpu --preset kaggle-gpu" in unknown.err
    assert toy.skint("account", "add", "kaggle-gpu", "--preset", "kaggle-gpu").code == 0
    known = toy.skint("submit", "plan.yaml")
    assert known.code == 2
    assert "plan.yaml:3:account: this account needs the executor 'kaggle'" in known.err
    assert not (toy.folder / "home" / "runs").exists()


def test_what_a_job_printed_is_shown(toy: Terminal) -> None:
    toy.skint("run", "plan.yaml", "--cpu-only")
    assert toy.skint("logs", "toy-1", "--job", "prepare").out == "prepared\n"


def test_a_failing_program_names_its_log_and_skips_its_like(toy: Terminal) -> None:
    toy.write("fit.py", "raise ValueError('no such layer')")
    said = toy.skint("run", "plan.yaml")
    assert said.code == 6
    shown = toy.skint("show", "toy-1").out
    assert re.search(r"train.n=0 +accelerator +failed", shown) and "ended with code 1" in shown
    assert "would run the same code" in shown
    assert "no such layer" in toy.skint("logs", "toy-1", "--job", "train.n=0").out


def test_slack_token_of_the_environment_stands_nowhere_on_disk(toy: Terminal) -> None:
    secret = "xoxb-111-222-SECRETSECRET"
    told = Terminal(toy.folder, {"SLACK_BOT_TOKEN": secret, "MY_KEY": "hunter2-hunter2"})
    told.write("prepare.py", "import os; assert os.environ['MY_KEY']")
    told.write("plan.yaml", PLAN.replace('prepare.py"}', 'prepare.py", env: [MY_KEY]}'))
    assert told.skint("run", "plan.yaml").code == 0
    for path in Path(told.folder / "home").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert secret.encode() not in content and b"hunter2" not in content, path


def test_a_program_finds_its_inputs_and_its_output_folder_in_the_environment(
    terminal: Terminal,
) -> None:
    terminal.write(
        "plan.yaml",
        """
name: shell
jobs:
  first: {run: "sh -c 'echo one > $SKINT_OUT/number.txt'"}
  second: {run: "sh -c 'cat $SKINT_INPUT_FIRST/number.txt'", needs: [first]}
""",
    )
    said = terminal.skint("run", "plan.yaml")
    assert said.code == 0, said.err
    assert terminal.skint("logs", "shell-1", "--job", "second").out == "one\n"


def test_a_result_whose_file_was_deleted_is_made_again(terminal: Terminal) -> None:
    """Edge 35: what is reused is what is on the disk."""
    terminal.write(
        "plan.yaml",
        "name: kept\njobs:\n  make: {run: \"sh -c 'echo one > $SKINT_OUT/number.txt'\"}\n",
    )
    assert terminal.skint("run", "plan.yaml").code == 0
    assert "reused" in terminal.skint("plan", "plan.yaml").out
    (made,) = (terminal.folder / "home" / "runs").glob("*/make/1/out/number.txt")
    made.unlink()
    assert "are gone" in terminal.skint("plan", "plan.yaml").out
    assert terminal.skint("run", "plan.yaml").code == 0
    assert len(list((terminal.folder / "home" / "runs").glob("*/make/1/out/number.txt"))) == 1


def test_a_file_name_that_is_no_text_is_listed_and_stops_nobody(terminal: Terminal) -> None:
    for number in range(6):
        path = terminal.write(f"data/{'ab'[number % 2]}/{number}.png", "")
        Image.new("RGB", (16, 16), (40 * number, 0, 0)).save(path)
    with open(os.fsencode(terminal.folder / "data" / "a") + b"/caf\xe9.png", "wb"):
        pass
    terminal.write("plan.yaml", "name: names\njobs: {scan: {uses: scan, with: {source: data}}}\n")
    said = terminal.skint("run", "plan.yaml")
    assert said.code == 0, said.err
    assert "1 file" in said.out and "quarantine" in said.out
    assert terminal.skint("status").code == 0
    assert terminal.skint("replay").code == 0
