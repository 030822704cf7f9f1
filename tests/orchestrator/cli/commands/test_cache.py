"""`skint cache`, by hand as it were: processes, files and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli.printing.size import SizeError, format_size, parse_size
from orchestrator.home import Home
from orchestrator.plans.ingredients import SUFFIX
from tests.terminal import Terminal

PLAN = """
name: small
jobs:
  packed:
    run: sh -c 'head -c 2000 /dev/zero > $SKINT_OUT/pixels'
  stats:
    run: sh -c 'wc -c < $SKINT_INPUT_PACKED/pixels > $SKINT_OUT/count'
    needs: [packed]
"""


@pytest.fixture
def desk(tmp_path: Path) -> Terminal:
    """One run of two jobs is done."""
    made = Terminal(tmp_path)
    made.write("plan.yaml", PLAN)
    done = made.skint("run", "plan.yaml")
    assert done.code == 0, done.err
    return made


def out_of(desk: Terminal, job: str, run: str = "small-1") -> Path:
    return Home(desk.folder / "home").runs / run / job / "1" / "out"


def test_what_is_kept_is_listed_with_size_use_and_cost(desk: Terminal) -> None:
    said = desk.skint("cache", "ls")
    assert said.code == 0
    heads, *rows, _, total = said.out.splitlines()
    assert heads.split()[:3] == ["result", "kind", "size"]
    assert {row.split()[0] for row in rows} == {"packed", "stats"}
    assert all("small-1" in row for row in rows)
    assert total == "2.0 kB in all: 2 results 2.0 kB"
    data = json.loads(desk.skint("cache", "ls", "--json").out)["entries"]
    assert [(one["job"], one["size_bytes"]) for one in data] == [("packed", 2000), ("stats", 5)]
    assert data[0]["used_by"] == ["small-1"] and data[0]["accelerator"] is False


def test_an_empty_home_has_nothing(tmp_path: Path) -> None:
    said = Terminal(tmp_path).skint("cache", "ls")
    assert (said.code, said.err) == (0, "")
    assert said.out == "nothing is kept yet; `skint run PLAN` makes results\n"


def test_pruning_says_what_it_freed_and_what_that_cost_and_the_plan_goes_on(
    desk: Terminal,
) -> None:
    dry = desk.skint("cache", "prune", "--max-size", "1kB", "--dry-run")
    assert dry.code == 0 and "would free 2.0 kB; making all of it again would take" in dry.out
    assert out_of(desk, "packed").exists()
    said = desk.skint("cache", "prune", "--max-size", "1kB", "--yes")
    assert said.code == 0, said.err
    assert "freed 2.0 kB" in said.out and "5 B are left" in said.out
    assert not out_of(desk, "packed").exists() and out_of(desk, "stats").exists()
    assert "0 of" not in desk.skint("logs", "small-1", "packed").out, "logs stay"
    plan = desk.skint("plan", "plan.yaml").out
    assert "runs: packed of small-1 cannot be used: its files are gone" in plan
    again = desk.skint("run", "plan.yaml")
    assert again.code == 0 and "small-2 done: 1 done, 1 reused" in again.out
    assert out_of(desk, "packed", "small-2").exists()


def test_pruning_everything_forgets_what_keys_were_made_of(desk: Terminal) -> None:
    keys = Home(desk.folder / "home").keys
    assert [*keys.glob(f"*{SUFFIX}")]
    said = json.loads(desk.skint("cache", "prune", "--max-size", "0", "-y", "--json").out)
    assert said["freed_bytes"] == 2005 and said["left_bytes"] == 0 and not said["dry_run"]
    assert [one["job"] for one in said["removed"]] == ["packed", "stats"]
    assert not [*keys.glob(f"*{SUFFIX}")]
    assert (
        desk.skint("cache", "prune", "--max-size", "0").out == "nothing to remove; 0 B are kept\n"
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "it is not said what is to go"),
        (("--max-size", "20x"), "--max-size: this is not a size"),
        (("--older-than", "soon"), "--older-than: this is not a duration"),
    ],
)
def test_a_wish_that_is_none_is_explained(
    words: tuple[str, ...], complaint: str, tmp_path: Path
) -> None:
    said = Terminal(tmp_path).skint("cache", "prune", *words)
    assert said.code == 2
    assert complaint in said.err and "Traceback" not in said.err


def test_only_what_was_not_used_for_long_goes(desk: Terminal) -> None:
    said = desk.skint("cache", "prune", "--older-than", "30d")
    assert (said.code, said.out) == (0, "nothing to remove; 2.0 kB are kept\n")


def test_the_newest_run_of_a_plan_keeps_what_it_has(desk: Terminal) -> None:
    desk.write("plan.yaml", PLAN.replace("2000", "3000"))
    assert desk.skint("run", "plan.yaml").code == 0
    said = desk.skint("cache", "prune", "--unused", "-y")
    assert "freed 2.0 kB" in said.out
    assert not out_of(desk, "packed").exists() and not out_of(desk, "stats").exists()
    assert desk.skint("run", "plan.yaml").out.startswith("this was run before: small-2")


def test_damage_is_found_by_reading_and_never_used_after_that(desk: Terminal) -> None:
    pixels = out_of(desk, "packed") / "pixels"
    status = pixels.stat()
    pixels.write_bytes(bytes(1999) + b"x")
    os.utime(pixels, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert "everything in it is known" in desk.skint("plan", "plan.yaml").out
    said = desk.skint("cache", "verify")
    assert said.code == 1
    assert "damaged  packed of small-1: pixels is not what was published" in said.out
    assert "1 of 2 results are whole" in said.out
    plan = desk.skint("plan", "plan.yaml").out
    assert "packed of small-1 cannot be used: pixels is not what was published" in plan
    assert desk.skint("run", "plan.yaml").code == 0
    data = json.loads(desk.skint("cache", "verify", "--json").out)
    assert data == {"schema": "cache-verify/1", "verified": 2, "damaged": []}


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_where_nobody_can_be_asked_nothing_is_removed(
    more: tuple[str, ...], desk: Terminal
) -> None:
    said = desk.skint("cache", "prune", "--max-size", "0", *more)
    assert said.code == 2
    words = said.out if more else said.err  # programs are told on the stream that they read
    assert "nothing was removed" in words and "--yes" in words
    assert "2 to remove, 2.0 kB" in words
    assert out_of(desk, "packed").exists() and out_of(desk, "stats").exists()
    assert desk.skint("cache", "prune", "--max-size", "0", *more, "--dry-run").code == 0


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("", 1), ("y", 0)])
def test_a_person_at_a_terminal_is_asked(answer: str, code: int, desk: Terminal) -> None:
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "orchestrator.cli", "cache", "prune", "--max-size", "0"],
        env={**os.environ, "SKINT_HOME": str(desk.folder / "home")},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    said = b""
    while True:
        try:
            said += os.read(ours, 4096)
        except OSError:  # the other side is closed
            break
    os.close(ours)
    assert process.wait() == code
    assert b"remove these 2, 2.0 kB? [y/N]" in said
    assert (b"nothing was removed" in said) is bool(code)
    assert out_of(desk, "packed").exists() is bool(code)


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("20GB", 20 * 10**9), ("1.5 GiB", 3 * 2**29), ("500mb", 5 * 10**8), ("7", 7), ("3 kB", 3000)],
)
def test_sizes_are_read_as_people_type_them(text: str, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "1 potato", "1e9", "1,5GB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(SizeError):
        parse_size(text)


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (9_960, "10 kB"), (999_600, "1.0 MB")],
)
def test_sizes_are_shown_in_two_figures_or_three(size_bytes: int, text: str) -> None:
    assert format_size(size_bytes) == text
