"""`skint ledger` and `skint budget`, by hand as it were: words, files and exit codes."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from budget.accounts.presets import preset
from budget.duration import HOUR_MS
from budget.ledger import Ledger
from orchestrator.views.budget.entries import COLUMNS, iso_instant
from tests.terminal import QuickTerminal, Said, Terminal

ADDED_MS = 1_795_219_200_000
"""Sat 21 Nov 2026 00:00 UTC: a window of kaggle-gpu begins."""


@pytest.fixture
def desk(tmp_path: Path) -> Terminal:
    """A ledger with an account of hours and one of credits."""
    made = QuickTerminal(tmp_path)
    with Ledger(ledger_of(made)) as ledger:
        for name in ("kaggle-gpu", "colab-paid"):
            ledger.add_account(preset(name, name.removesuffix("-paid")), ADDED_MS)
    return made


def done(said: Said) -> str:
    assert (said.code, said.err) == (0, "")
    return said.out


def ledger_of(desk: Terminal) -> Path:
    return desk.folder / "home" / "ledger.db"


def settled_ms(desk: Terminal, account: str = "kaggle-gpu") -> int:
    with Ledger(ledger_of(desk), read_only=True) as ledger:
        return sum(charge.amount_ms for charge in ledger.charges(account))


def test_hours_are_charged_and_given_back_with_a_reason(desk: Terminal) -> None:
    said = done(desk.skint("ledger", "adjust", "kaggle-gpu", "+1.5h", "--reason", "by hand"))
    assert re.match(
        r"kaggle-gpu: 1 h 30 min 00\.000 s charged \(adjust-\w+\) · 28\.50 h free", said
    )
    done(desk.skint("ledger", "adjust", "kaggle-gpu", "-30m", "--reason", "too much"))
    assert settled_ms(desk) == HOUR_MS
    listed = done(desk.skint("ledger", "list"))
    assert re.search(r"adjustment +kaggle-gpu .*\+1\.50 h .*by hand", listed)
    assert re.search(r"adjustment +kaggle-gpu .*-0\.50 h .*too much", listed)
    assert "kaggle-gpu   charged 1.00 h in 2 lines" in listed


def test_a_reading_shows_what_others_used_and_what_the_provider_allows(desk: Terminal) -> None:
    """Edge 39: the provider counts more than skint does; edge 40: its own remaining is not used."""
    done(desk.skint("ledger", "adjust", "kaggle-gpu", "2h", "--reason", "one run"))
    said = done(desk.skint("ledger", "reading", "kaggle-gpu", "--used", "28h", "--allowed", "27h"))
    assert "26.00 h foreign · overdrawn by 1.00 h" in said
    shown = done(desk.skint("budget", "kaggle-gpu"))
    assert re.search(r"foreign +26\.00 h  ▚+  \(by others: the provider counts 28\.00 h", shown)
    assert re.search(r"free +-1\.00 h  overdrawn by 1\.00 h: nothing new starts", shown)
    assert re.search(r"of +27\.00 h", shown)
    assert settled_ms(desk) == 2 * HOUR_MS  # history is as it was


def test_credits_are_granted_and_spent_as_numbers(desk: Terminal) -> None:
    said = done(
        desk.skint("ledger", "grant", "colab", "100", "--expires", "90d", "--reason", "bought")
    )
    assert "100.00 credits granted" in said
    done(desk.skint("ledger", "adjust", "colab", "12.31", "--reason", "a notebook"))
    shown = done(desk.skint("budget", "colab"))
    assert re.search(r"free +87\.69 credits", shown)
    assert re.search(r"lot +100\.00 credits  expires .*: bought", shown)


def test_the_same_id_again_changes_nothing_and_for_something_else_it_is_refused(
    desk: Terminal,
) -> None:
    """Edge 43: a correction is made once."""
    commands: list[list[str]] = [
        ["adjust", "kaggle-gpu", "30m", "--reason", "x", "--id", "a"],
        ["reading", "kaggle-gpu", "--used", "3h", "--id", "b"],
        ["grant", "colab", "5", "--expires", "3d", "--reason", "x", "--id", "c"],
    ]
    for words in commands:
        done(desk.skint("ledger", *words))
        done(desk.skint("ledger", *words))
    assert settled_ms(desk) == HOUR_MS // 2
    with Ledger(ledger_of(desk), read_only=True) as ledger:
        assert (len(ledger.readings()), len(ledger.lots())) == (1, 1)
    said = desk.skint("ledger", "adjust", "kaggle-gpu", "1h", "--reason", "x", "--id", "a")
    assert said.code == 1 and "the id a stands for something else" in said.err
    assert settled_ms(desk) == HOUR_MS // 2


def test_a_refund_goes_to_its_charge_once_and_never_beyond_it(desk: Terminal) -> None:
    """Edge 43: a refund of what was refunded, and of more than was charged."""
    with Ledger(ledger_of(desk)) as ledger:
        now_ms = ADDED_MS + HOUR_MS
        ledger.reserve(
            id="run-1.a1",
            account="kaggle-gpu",
            owner="run-1/",
            devices=1,
            amount_ms=HOUR_MS,
            now_ms=now_ms,
        )
        ledger.settle("run-1.a1", now_ms, now_ms + HOUR_MS, shares={"x": 1}, now_ms=now_ms)
    words = ["ledger", "adjust", "kaggle-gpu", "-2h", "--refunds", "run-1.a1", "--reason", "broken"]
    assert desk.skint(*words).code == 1
    words[3] = "-30m"
    done(desk.skint(*words))
    again = desk.skint(*words)
    assert again.code == 1 and again.err.startswith("error: ")
    assert settled_ms(desk) == HOUR_MS // 2
    assert "(refunds run-1.a1)" in done(desk.skint("ledger", "list"))


def test_a_correction_counts_when_it_was_used_and_gives_back_no_more_than_that(
    desk: Terminal,
) -> None:
    """Edge 43: nothing is given back to a week in which nothing was used."""
    with Ledger(ledger_of(desk)) as ledger:
        ledger.adjust("kaggle-gpu", HOUR_MS, "by hand", ADDED_MS - 1, "last-week")
    words = ["ledger", "adjust", "kaggle-gpu", "-1h", "--reason", "it was less"]
    refused = desk.skint(*words)
    assert refused.code == 1 and refused.err.startswith("error: kaggle-gpu has not used as much")
    assert "--refunds" in refused.err and "--at" in refused.err
    assert settled_ms(desk) == HOUR_MS
    then = ("--at", "2026-11-20T23:00Z", "--id", "less")
    for _ in range(2):
        said = done(desk.skint(*words, *then))
        assert said.startswith("kaggle-gpu: 1 h 00 min 00.000 s given back (less) · 30.00 h free")
    assert settled_ms(desk) == 0
    listed = done(desk.skint("ledger", "list"))
    assert re.search(r"it was less \(counts Fri 20 Nov .*23:00", listed)
    for wrong in (["--at", "2999-01-01T00:00Z"], [*then, "--refunds", "x"], ["--at", ""]):
        assert desk.skint(*words, *wrong).code == 2


def test_pretended_hours_are_labelled_on_every_screen(desk: Terminal) -> None:
    done(desk.skint("account", "add", "practice", "--preset", "simulated"))
    said = done(desk.skint("ledger", "adjust", "practice", "90s", "--reason", "x"))
    assert said.startswith("practice (simulated): ")
    listed = done(desk.skint("ledger", "list"))
    assert re.search(r"adjustment +practice \(simulated\) .*\+1 min 30 s", listed)
    assert "practice (simulated)   charged 1 min 30 s in 1 line" in listed
    (row,) = exported(done(desk.skint("ledger", "export", "--format", "csv")))
    assert row["simulated"] == "True"
    assert "(simulated)" in done(desk.skint("budget", "practice"))


def exported(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_an_export_can_be_read_back_whatever_stands_in_it(desk: Terminal) -> None:
    reason = 'trained, by "hand"\nand again; =1+1 ü'
    done(desk.skint("ledger", "adjust", "kaggle-gpu", "1h", "--reason", "used"))
    done(desk.skint("ledger", "adjust", "kaggle-gpu", "-1h", "--reason", reason))
    done(desk.skint("ledger", "grant", "colab", "5", "--reason", "bought"))
    (_, adjusted, granted) = exported(done(desk.skint("ledger", "export", "--format", "csv")))
    assert tuple(adjusted) == COLUMNS
    assert (adjusted["kind"], adjusted["charged_ms"]) == ("adjustment", str(-HOUR_MS))
    assert adjusted["reason"] == reason
    assert (granted["unit"], granted["granted_ms"]) == ("credit", str(5 * HOUR_MS))
    value = json.loads(done(desk.skint("ledger", "export", "--format", "json")))
    assert value["schema"] == "ledger/1"
    assert [entry["reason"] for entry in value["entries"]] == ["used", reason, "bought"]
    assert value["entries"][1]["charged_ms"] == -HOUR_MS
    listed = done(desk.skint("ledger", "list", "kaggle-gpu"))
    assert len(listed.splitlines()) == 5  # a new line in a reason does not break the table


def test_an_export_to_a_file_is_whole_or_not_there(desk: Terminal) -> None:
    done(desk.skint("ledger", "adjust", "kaggle-gpu", "1h", "--reason", "x"))
    target = desk.write("out.csv", "old")
    said = desk.skint("ledger", "export", "--format", "csv", "-o", "out.csv")
    assert (said.code, said.out) == (0, "") and "wrote 1 line to out.csv" in said.err
    assert len(exported(target.read_text())) == 1
    before = sorted(path.name for path in desk.folder.iterdir())
    refused = desk.skint("ledger", "export", "--format", "csv", "-o", "nowhere/out.csv")
    assert refused.code == 1 and refused.err.startswith("error: nowhere/out.csv: ")
    assert sorted(path.name for path in desk.folder.iterdir()) == before


def test_an_export_to_a_full_disk_is_an_error_and_a_device_stays_a_device(desk: Terminal) -> None:
    said = desk.skint("ledger", "export", "--format", "csv", "-o", "/dev/full")
    assert said.code == 1
    assert said.err.startswith("error: /dev/full: the export cannot be written")
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)
    done(desk.skint("ledger", "adjust", "kaggle-gpu", "1h", "--reason", "x"))
    whole = Terminal(desk.folder)  # with a standard output of its own
    piped = whole.skint("ledger", "export", "--format", "csv", "-o", "/dev/stdout")
    assert (piped.code, len(exported(piped.out))) == (0, 1)


def test_an_export_to_a_link_is_written_where_it_leads(desk: Terminal) -> None:
    target, link = desk.folder / "real.csv", desk.folder / "link.csv"
    link.symlink_to(target)
    assert desk.skint("ledger", "export", "--format", "csv", "-o", "link.csv").code == 0
    assert link.is_symlink() and target.read_text().startswith("at,kind,id,")


def test_what_is_no_text_is_refused_with_what_it_is(desk: Terminal) -> None:
    for words in (
        ("ledger", "adjust", "kaggle-gpu", "1h", "--reason", "\udcff"),
        ("ledger", "adjust", "kaggle-gpu", "1h", "--reason", "x", "--id", "\udcff"),
        ("ledger", "list", "\udcff"),
        ("budget", "\udcff"),
    ):
        said = desk.skint(*words)
        assert (said.code, said.out) == (1, "")
        assert "is no text" in said.err and "Traceback" not in said.err
    assert settled_ms(desk) == 0


def test_since_leaves_out_what_is_older(desk: Terminal) -> None:
    with Ledger(ledger_of(desk)) as ledger:
        ledger.adjust("kaggle-gpu", HOUR_MS, "long ago", 1_600_000_000_000, "old")
    done(desk.skint("ledger", "adjust", "kaggle-gpu", "1h", "--reason", "today"))
    listed = done(desk.skint("ledger", "list", "--since", "7d"))
    assert "today" in listed and "long ago" not in listed
    assert "long ago" in done(desk.skint("ledger", "list"))
    assert json.loads(done(desk.skint("ledger", "list", "colab", "--format", "json"))) == {
        "schema": "ledger/1",
        "entries": [],
    }


def test_a_removed_account_is_still_listed_by_what_it_was(desk: Terminal) -> None:
    done(desk.skint("ledger", "grant", "colab", "5", "--reason", "bought"))
    done(desk.skint("ledger", "adjust", "colab", "2", "--reason", "used"))
    done(desk.skint("account", "remove", "colab"))
    assert "2.00 credits" in done(desk.skint("ledger", "list"))
    assert "2.00 credits" in done(desk.skint("ledger", "list", "colab"))
    assert "colab" not in done(desk.skint("budget"))


def test_check_finds_a_sum_that_somebody_changed(desk: Terminal) -> None:
    done(desk.skint("ledger", "adjust", "kaggle-gpu", "1h", "--reason", "x"))
    assert done(desk.skint("ledger", "check")) == "all sums agree\n"
    with closing(sqlite3.connect(ledger_of(desk), isolation_level=None)) as connection:
        connection.execute("UPDATE total SET amount_ms = amount_ms + 1")
    said = desk.skint("ledger", "check")
    assert said.code == 1
    assert "total of kaggle-gpu" in said.out and "do not agree" in said.err


def test_the_budget_for_programs_adds_up(desk: Terminal) -> None:
    done(desk.skint("ledger", "adjust", "kaggle-gpu", "2h", "--reason", "x"))
    done(desk.skint("ledger", "reading", "kaggle-gpu", "--used", "3h"))
    with Ledger(ledger_of(desk)) as ledger:  # an older one, noted later
        now_ms = ledger.readings()[0].at_ms
        ledger.reading("kaggle-gpu", id="old", used_ms=2 * HOUR_MS, at_ms=now_ms - 1, now_ms=now_ms)
    done(desk.skint("account", "add", "part", "--parent", "kaggle-gpu", "--quota", "5h"))
    value = json.loads(done(desk.skint("budget", "--json")))
    assert [account["account"] for account in value["accounts"]] == ["colab", "kaggle-gpu", "part"]
    limits: list[dict[str, Any]] = [
        limit for account in value["accounts"] for limit in account["limits"]
    ]
    assert [limit["account"] for limit in limits] == ["colab", "kaggle-gpu", "part", "kaggle-gpu"]
    names = ("settled", "in_flight", "reserved", "foreign", "kept_back", "free")
    for limit in limits:
        assert sum(limit[f"{name}_ms"] for name in names) == limit["amount_ms"]
    assert limits[1]["reading"]["used_ms"] == 3 * HOUR_MS
    text = done(desk.skint("budget"))
    assert re.search(r"^  part   week to .*\(part of kaggle-gpu\)$", text, re.MULTILINE)


def test_windows_that_have_ended_keep_the_amount_of_their_time(desk: Terminal) -> None:
    """Edge 8: the amount is changed, and history keeps the old one."""
    week_ms = 7 * 24 * HOUR_MS
    with Ledger(ledger_of(desk)) as ledger:
        account = ledger.account("kaggle-gpu")
        changed = replace(account, limits=(replace(account.limits[0], amount_ms=20 * HOUR_MS),))
        ledger.adjust("kaggle-gpu", 4 * HOUR_MS, "used", ADDED_MS + HOUR_MS, "used")
        ledger.change_account(changed, ADDED_MS + week_ms + HOUR_MS)
    now = iso_instant(ADDED_MS + 2 * week_ms + 1)
    shown = done(desk.skint("budget", "kaggle-gpu", "--history", "5", "--at", now))
    past = [line.split() for line in shown.splitlines() if line.startswith("  weekly ")]
    assert [(line[-6], line[-2]) for line in past] == [("0.00", "20.00"), ("4.00", "30.00")]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("adjust", "kaggle-gpu", "30", "--reason", "x"), 2, "no unit"),
        (("adjust", "kaggle-gpu", "200000h", "--reason", "x"), 2, "ten years"),
        (("adjust", "kaggle-gpu", "1h", "--reason", " "), 2, "a reason is missing"),
        (("adjust", "kaggle-gpu", "1h"), 2, "--reason"),
        (("adjust", "kagle-gpu", "1h", "--reason", "x"), 3, "kaggle-gpu"),
        (("adjust", "colab", "3h", "--reason", "x"), 2, "counts credits"),
        (("adjust", "kaggle-gpu", "-1h", "--reason", "x", "--refunds", "nobody"), 1, "nobody"),
        (("reading", "kaggle-gpu", "--used", "-1h"), 2, "--used: "),
        (("reading", "kaggle-gpu", "--used", "1h", "--at", "2090-01-01T00:00Z"), 2, "to come"),
        (("reading", "kaggle-gpu", "--used", "1h", "--at", "2026-11-01"), 2, "no zone"),
        (("reading", "kaggle-gpu", "--used", "1h", "--refresh", "2020-01-01T00:00Z"), 2, "past"),
        (("reading", "kaggle-gpu", "--used", "1h", "--limit", "daily"), 1, "no such limit"),
        (("grant", "kaggle-gpu", "1h", "--reason", "x"), 1, "lots"),
        (("grant", "colab", "0", "--reason", "x"), 2, "nothing"),
        (("grant", "colab", "5", "--reason", "x", "--expires", "2020-01-01T00:00Z"), 2, "past"),
        (("list", "nobody"), 3, "no such account"),
        (("list", "--since", "yesterday"), 2, "--since"),
        (("export",), 2, "--format"),
    ],
)
def test_what_is_wrong_is_one_clear_error_and_nothing_is_written(
    desk: Terminal, words: tuple[str, ...], code: int, said: str
) -> None:
    found = desk.skint("ledger", *words)
    assert (found.code, found.out) == (code, "")
    assert said in found.err and "Traceback" not in found.err
    with Ledger(ledger_of(desk), read_only=True) as ledger:
        assert (ledger.charges(), ledger.readings(), ledger.lots()) == ((), (), ())


@pytest.mark.parametrize("words", [("--history", "0"), ("--history", "x"), ("--at", "now")])
def test_a_wrong_option_of_budget_is_a_clear_error(desk: Terminal, words: tuple[str, str]) -> None:
    found = desk.skint("budget", *words)
    assert found.code == 2 and words[0] in found.err and "Traceback" not in found.err


def test_without_a_ledger_nothing_is_made_by_looking(tmp_path: Path) -> None:
    bare = Terminal(tmp_path)
    assert "nothing is written down yet" in done(bare.skint("ledger", "list"))
    assert "no accounts yet" in done(bare.skint("budget"))
    assert json.loads(done(bare.skint("budget", "--json")))["accounts"] == []
    assert done(bare.skint("ledger", "check")) == "all sums agree\n"
    assert not (tmp_path / "home").exists()


def test_a_damaged_ledger_is_an_error_for_every_screen_and_stays_as_it_is(desk: Terminal) -> None:
    """Edge 17: a ledger that is cut short is never read as an empty one."""
    path = ledger_of(desk)
    path.write_bytes(path.read_bytes()[:5000])
    broken = path.read_bytes()
    for words in (("budget",), ("ledger", "list"), ("ledger", "export", "--format", "csv")):
        said = desk.skint(*words)
        assert (said.code, said.out) == (1, "")
        assert "damaged" in said.err and "put a copy back" in said.err
    assert path.read_bytes() == broken


def test_windows_before_an_account_was_added_again_are_not_listed(desk: Terminal) -> None:
    week_ms = 7 * 24 * HOUR_MS
    with Ledger(ledger_of(desk)) as ledger:
        account = ledger.account("kaggle-gpu")
        ledger.remove_account("kaggle-gpu", ADDED_MS + HOUR_MS)
        ledger.add_account(account, ADDED_MS + week_ms + HOUR_MS)
    now = iso_instant(ADDED_MS + 2 * week_ms + 1)
    shown = done(desk.skint("budget", "kaggle-gpu", "--history", "5", "--at", now))
    assert len([line for line in shown.splitlines() if line.startswith("  weekly ")]) == 1


def test_an_empty_instant_is_a_mistake_and_not_now(desk: Terminal) -> None:
    said = desk.skint("budget", "--at", "")
    assert said.code == 2 and "--at: this is not an instant" in said.err
    assert desk.skint("ledger", "list", "--since", "").code == 2


def test_no_text_of_an_export_is_a_formula_to_a_spreadsheet(desk: Terminal) -> None:
    for reason in ("=1+1", "+2", "-2", "@SUM(A1)", "plain -2"):
        done(desk.skint("ledger", "adjust", "kaggle-gpu", "1h", f"--reason={reason}"))
    done(desk.skint("ledger", "adjust", "kaggle-gpu", "-1h", "--reason", "too much"))
    *rows, less = exported(done(desk.skint("ledger", "export", "--format", "csv")))
    assert [row["reason"] for row in rows] == ["'=1+1", "'+2", "'-2", "'@SUM(A1)", "plain -2"]
    assert less["charged_ms"] == str(-HOUR_MS)  # a number stays one
    value = json.loads(done(desk.skint("ledger", "export", "--format", "json")))
    assert value["entries"][0]["reason"] == "=1+1"
