"""`skint account`, as a person types it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from budget.accounts.account import Account
from budget.accounts.account_json import account_to_json
from budget.accounts.limit import weekly
from budget.duration import HOUR_MS
from budget.ledger import Ledger
from tests.terminal import QuickTerminal, Said, Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return QuickTerminal(tmp_path)


def account(terminal: Terminal, *words: str) -> Said:
    said = terminal.skint("account", *words)
    assert "Traceback" not in said.err
    return said


def stored(terminal: Terminal, name: str) -> Account:
    with Ledger(terminal.folder / "home" / "ledger.db", read_only=True) as ledger:
        return ledger.account(name)


def test_an_account_is_added_once_and_changes_nothing_when_added_again(terminal: Terminal) -> None:
    words = ("add", "kaggle-gpu", "--preset", "kaggle-gpu", "--keep-back", "1h")
    first, second = account(terminal, *words), account(terminal, *words)
    assert first.out.startswith("added   kaggle-gpu: 30.00 h a week, next reset Sat ")
    assert "1.00 h kept back" in first.out
    assert second.out.startswith("there already   kaggle-gpu")
    assert stored(terminal, "kaggle-gpu").keep_back_ms == HOUR_MS


def test_the_same_name_with_other_figures_is_refused_in_hours_and_nothing_changes(
    terminal: Terminal,
) -> None:
    account(terminal, "add", "lab", "--preset", "local")
    refused = account(terminal, "add", "lab", "--preset", "local", "--quota", "30h")
    assert refused.code == 2
    assert "got     30.00 h a week" in refused.err and "wanted  40.00 h a week" in refused.err
    assert "set-quota lab" in refused.err
    assert stored(terminal, "lab").limits[0].amount_ms == 40 * HOUR_MS


def test_show_has_every_field_with_its_source(terminal: Terminal) -> None:
    account(terminal, "add", "free", "--preset", "colab-free")
    shown = account(terminal, "show", "free").out
    lines = {line[:18].strip(): line[18:].split() for line in shown.splitlines()[1:]}
    assert " ".join(lines["limit rolling"]) == "4.00 h in any 1 d (assumed) assumed"
    assert lines["longest session"][:2] == ["12", "h"]
    assert lines["ended when idle"][:4] == ["after", "1", "h", "30"]
    assert lines["machine T4"][-1] == "assumed"
    assert lines["executor"] == ["colab", "yours"]
    assert {words[-1] for words in lines.values()} == {"yours", "provider", "assumed"}


def test_a_part_takes_the_terms_of_its_parent_and_has_an_amount_of_its_own(
    terminal: Terminal,
) -> None:
    """Edge 25: a project's share of an account."""
    account(terminal, "add", "kaggle-gpu")
    words = ("--parent", "kaggle-gpu", "--quota", "10h", "--window", "unbounded")
    added = account(terminal, "add", "seedlings", *words)
    assert "10.00 h in all" in added.out and "part of kaggle-gpu" in added.out
    part, parent = stored(terminal, "seedlings"), stored(terminal, "kaggle-gpu")
    assert (part.kind, part.executor, part.unit) == (parent.kind, parent.executor, parent.unit)
    assert (part.machines, part.session, part.parent) == (
        parent.machines, parent.session, "kaggle-gpu",
    )  # fmt: skip
    assert "seedlings" in account(terminal, "show", "kaggle-gpu").out
    assert "part of" in account(terminal, "list").out
    bare = account(terminal, "add", "other", "--parent", "kaggle-gpu")
    assert bare.code == 2 and "--quota" in bare.err
    assert account(terminal, "add", "other", "--parent", "nobody", "--quota", "1h").code == 3


def test_credits_are_granted_in_lots_and_print_as_credits(terminal: Terminal) -> None:
    words = ("add", "colab", "--preset", "colab-paid", "--quota", "100 credits")
    assert "granted   100.00 credits" in account(terminal, *words).out
    again = account(terminal, *words)
    assert again.out.startswith("there already") and "granted" not in again.out
    with Ledger(terminal.folder / "home" / "ledger.db", read_only=True) as ledger:
        (lot,) = ledger.lots("colab")
    assert lot.amount_ms == 100 * HOUR_MS
    assert lot.expires_ms is not None and lot.expires_ms - lot.granted_ms == 90 * 24 * HOUR_MS
    assert "1.19 credits an hour" in account(terminal, "show", "colab").out
    refused = account(terminal, "set-quota", "colab", "40")
    assert refused.code == 2 and "lots" in refused.err
    for id, expires, days in (("a", (), 90), ("b", ("--expires", "never"), None)):
        grant = ("ledger", "grant", "colab", "5", "--reason", "x", "--id", id, *expires)
        assert terminal.skint(*grant).code == 0
        with Ledger(terminal.folder / "home" / "ledger.db", read_only=True) as ledger:
            new = ledger.lots("colab")[-1]
        life_ms = None if new.expires_ms is None else new.expires_ms - new.granted_ms
        assert life_ms == (None if days is None else days * 24 * HOUR_MS)
    empty = account(terminal, "add", "later", "--preset", "colab-paid")
    assert "it has nothing yet" in empty.out


def test_a_quota_is_changed_from_now_on(terminal: Terminal) -> None:
    account(terminal, "add", "kaggle-gpu")
    changed = account(terminal, "set-quota", "kaggle-gpu", "40h")
    assert changed.out.startswith("changed   kaggle-gpu: 40.00 h a week")
    assert "(was 30.00 h)" in changed.out
    assert stored(terminal, "kaggle-gpu").limits[0].amount_ms == 40 * HOUR_MS
    assert "unlimited" in account(terminal, "set-quota", "kaggle-gpu", "unlimited").out


def test_a_quota_below_what_the_provider_has_allowed_says_what_counts(terminal: Terminal) -> None:
    account(terminal, "add", "kaggle-gpu")
    terminal.skint("ledger", "reading", "kaggle-gpu", "--used", "2h", "--allowed", "30h")
    for words in (("set-quota", "kaggle-gpu", "5h"), ("change", "kaggle-gpu", "--quota", "6h")):
        changed = account(terminal, *words).out
        assert "the provider has allowed 30.00 h in this window" in changed
        assert "--parent kaggle-gpu" in changed
    account(terminal, "add", "lab-server")
    assert "provider" not in account(terminal, "set-quota", "lab-server", "5h").out


def test_another_zone_and_day_hold_from_now_on_and_the_account_stays_the_same(
    terminal: Terminal,
) -> None:
    """Edge 8: changed in the middle of a week."""
    account(terminal, "add", "lab", "--preset", "local")
    words = ("change", "lab", "--resets", "sat", "--zone", "Europe/Berlin", "--keep-back", "2h")
    changed = account(terminal, *words)
    assert changed.out.startswith("changed   lab: 40.00 h a week, next reset Sat ")
    assert "CE" in changed.out and "2.00 h kept back" in changed.out
    assert account(terminal, *words).out.startswith("as it was   lab")
    wider = account(terminal, "change", "lab", "--every", "month", "--quota", "100h")
    assert "100.00 h a month, next reset" in wider.out
    assert stored(terminal, "lab").limits[0].name == "weekly"
    assert account(terminal, "change", "lab", "--limit", "daily", "--quota", "1h").code == 2
    assert account(terminal, "change", "nobody", "--quota", "1h").code == 3


def test_one_of_several_limits_is_changed_by_its_name(terminal: Terminal) -> None:
    account(terminal, "add", "studio-lab")
    account(terminal, "set-quota", "studio-lab", "2h", "--limit", "per-session")
    assert [limit.amount_ms for limit in stored(terminal, "studio-lab").limits] == [
        4 * HOUR_MS, 2 * HOUR_MS,
    ]  # fmt: skip
    wrong = account(terminal, "set-quota", "studio-lab", "2h", "--limit", "weekly")
    assert wrong.code == 2 and "first-use, per-session" in wrong.err


def test_a_guess_that_is_replaced_is_no_guess_any_more(terminal: Terminal) -> None:
    account(terminal, "add", "slurm")
    assert "(assumed)" in account(terminal, "list").out
    account(terminal, "set-quota", "slurm", "250h")
    assert "(assumed)" not in account(terminal, "list").out


def test_an_account_is_removed_after_its_parts_and_may_come_again(terminal: Terminal) -> None:
    account(terminal, "add", "kaggle-gpu")
    account(terminal, "add", "part", "--parent", "kaggle-gpu", "--quota", "1h")
    assert account(terminal, "remove", "kaggle-gpu").code != 0
    assert account(terminal, "remove", "part").out.startswith("removed   part")
    assert account(terminal, "remove", "kaggle-gpu").code == 0
    assert account(terminal, "show", "kaggle-gpu").code == 3
    assert account(terminal, "remove", "kaggle-gpu").code == 3
    assert account(terminal, "add", "kaggle-gpu").out.startswith("added")


def test_an_account_of_the_first_version_is_completed_by_its_preset(terminal: Terminal) -> None:
    bare = Account("kaggle-gpu", "provider", "kaggle", (weekly(30 * HOUR_MS),), unit="session")
    with Ledger(terminal.folder / "home" / "ledger.db") as ledger:
        ledger.add_account(bare, 0)
    assert account(terminal, "add", "kaggle-gpu").out.startswith("completed   kaggle-gpu")
    assert stored(terminal, "kaggle-gpu").session.max_ms == 12 * HOUR_MS
    assert account(terminal, "add", "kaggle-gpu").out.startswith("there already")


def test_the_presets_are_listed_without_a_ledger(terminal: Terminal) -> None:
    listed = account(terminal, "presets")
    assert listed.code == 0 and "zerogpu-pro" in listed.out
    assert "3 min 30 s in 1 d from the first use" in listed.out
    assert not (terminal.folder / "home").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--preset", "nonsense"), "unknown preset"),
        (("--quota", "30h"), "what kind of account"),
        (("--preset", "local", "--quota=-3h"), "negative"),
        (("--preset", "local", "--quota", "3"), "no unit"),
        (("--preset", "local", "--quota", "9999999h"), "ten years"),
        (("--preset", "local", "--quota", "3h", "--unlimited"), "two amounts"),
        (("--preset", "local", "--zone", "Mars/Olympus"), "unknown time zone"),
        (("--preset", "local", "--at", "25:00"), "time of the reset"),
        (("--preset", "local", "--every", "month", "--resets", "32"), "1 to 31"),
        (("--preset", "local", "--every", "fortnight"), "day or week or month"),
        (("--preset", "local", "--length", "7d"), "no --length"),
        (("--preset", "local", "--window", "rolling"), "has a length"),
        (("--preset", "local", "--window", "rolling", "--length", "0h"), "length"),
        (("--preset", "local", "--window", "rolling", "--length", "59s"), "1 min or more"),
        (("--preset", "local", "--window", "first-use", "--length", "5ms"), "1 min or more"),
        (("--preset", "lab-server", "--window", "rolling", "--zone", "UTC"), "is of a calendar"),
        (("--preset", "local", "--keep-back", "41h"), "keeps back more"),
        (("--preset", "colab-paid", "--quota", "-5"), "--quota"),
        (("--preset", "local", "--parent", "x", "--quota", "1h"), "not of a preset"),
    ],
)
def test_wrong_options_are_refused_with_the_way_out_and_nothing_is_added(
    terminal: Terminal, words: tuple[str, ...], said: str
) -> None:
    refused = account(terminal, "add", "mine", *words)
    assert refused.code == 2
    assert said in refused.err
    assert "mine" not in account(terminal, "list").out


def test_a_definition_from_the_future_is_an_error_and_no_zero(terminal: Terminal) -> None:
    account(terminal, "add", "lab", "--preset", "local")
    text = account_to_json(stored(terminal, "lab")).replace('"version": 2', '"version": 9')
    path = terminal.folder / "home" / "ledger.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER account_version_fixed")
        connection.execute("UPDATE account_version SET definition = ?", (text,))
    refused = account(terminal, "list")
    assert refused.code != 0 and "newer version" in refused.err


def test_a_quota_below_nothing_and_a_name_that_is_taken_are_clear_errors(
    terminal: Terminal,
) -> None:
    negative = account(terminal, "add", "lab", "--preset", "simulated", "--quota", "-3h")
    assert negative.code == 2
    assert "--quota" in negative.err and "it is negative" in negative.err
    assert account(terminal, "add", "lab", "--preset", "simulated").code == 0
    taken = account(terminal, "add", "lab")
    assert taken.code == 2
    assert "there is an account lab already" in taken.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a system without /dev/full")
def test_output_without_room_is_not_taken_for_a_full_disk_of_ours(terminal: Terminal) -> None:
    for words in ("account presets", "account list --json", "--help"):
        full = subprocess.run(
            ["sh", "-c", f"exec {sys.executable} -P -m orchestrator.cli {words} >/dev/full"],
            env={**os.environ, "SKINT_HOME": str(terminal.folder / "home")},
            stderr=subprocess.PIPE,
            text=True,
            timeout=300,
        )
        assert full.returncode == 1
        assert full.stderr.startswith("error: standard output: ")
        assert "home" not in full.stderr and "Exception ignored" not in full.stderr
