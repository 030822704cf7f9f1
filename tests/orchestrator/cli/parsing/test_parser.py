"""Mistakes on the command line, other names of commands, and help that fits the screen."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli import main
from orchestrator.cli.commands import COMMANDS, parser_of
from orchestrator.cli.parsing.aliases import ALIASES, ELSEWHERE, meant
from orchestrator.cli.parsing.manner import Manner, split, with_said
from orchestrator.cli.parsing.usage import PURPOSES, by_purpose, usage
from skint.errors import FAILED, OK, USAGE

Said = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("show", ("wants more on its line", "wanted  RUN, as `skint status` names it")),
        ("scheduler", ("wants more on its line", "wanted  start or stop or status")),
        ("abort r", ("wants more on its line", "wanted  --fold FOLD")),
        ("answer r", ("wants one of its options", "wanted  --stop or --let-run")),
        ("hold --lane gpu", ("does not know this for --lane", "cpu, accelerator", "--help")),
        ("account add", ("wanted  NAME", "next    skint account add --help")),
        ("plan --agian p.yaml", ("has no option --agian", "did you mean --again?")),
        ("plan a.yaml b.yaml", ("no use for this word", "got     b.yaml")),
        ("logs r --fold x", ("cannot use this for --fold", "got     x", "a whole number")),
        ("account lst", ("does not know this", "got     lst", "did you mean list?")),
        ("account add x --quotas 3h", ("`skint account add` has no option", "--quota?")),
        ("logs r --fold", ("wants a value behind --fold", "wanted  --fold FOLD", "--fold=-…")),
        ("account add x --zone -q", ("wants a value behind --zone", "--zone=-…")),
        ("account add x --preset local --zone=-q", ("time zone", "got     -q")),
        ("status --quiet=3", ("wants no value behind -q/--quiet", "got     3")),
        ("status --quite", ("has no option --quite", "did you mean --quiet?")),
        ("plna p.yaml", ("there is no command 'plna'", "did you mean `skint plan`?")),
        ("estimate p.yaml", ("there is no command 'estimate'", "uses: probe")),
        ("ls", ("there is no command 'ls'", "next    skint status")),
        ("--jsom status", ("skint has no option --jsom", "did you mean --json?")),
        ("--json", ("a command is missing",)),
    ],
)
def test_a_mistake_on_the_line_is_one_error_with_what_was_meant(
    line: str, words: tuple[str, ...], capsys: Said
) -> None:
    assert main(line.split()) == USAGE
    said = capsys.readouterr()
    assert "json" in line or not said.out
    text = said.err + said.out
    assert [word for word in words if word not in text] == []
    assert "Traceback" not in text


def test_a_program_hears_of_its_mistake_in_json(capsys: Said) -> None:
    assert main(["logs", "r", "--fold", "x", "--json"]) == USAGE
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "wrong-line"
    assert error["exit_code"] == USAGE
    assert error["got"] == "x"


@pytest.mark.parametrize("line", ["--json cache ls", "cache --json ls", "-q --json cache ls"])
def test_what_holds_everywhere_may_stand_before_the_command(line: str, capsys: Said) -> None:
    code = main(line.split())
    if line.startswith("cache"):  # `--json` belongs to what is done with the cache
        assert code == USAGE
    else:
        assert code == OK
        json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("line", "manner"),
    [
        ("-q cache -y ls", Manner(quiet=True, yes=True)),
        ("cache ls -qyv --no-input", Manner(quiet=True, yes=True, verbose=True, no_input=True)),
        ("--json cache ls --quiet", Manner(json=True, quiet=True)),
    ],
)
def test_what_holds_everywhere_may_stand_anywhere(line: str, manner: Manner) -> None:
    front, words = split(line.split())
    _, words = meant(words)
    assert with_said(front, parser_of("cache")[1].parse_args(words)) == manner


def test_the_words_of_a_program_are_left_alone() -> None:
    program = ["echo", "-q", "--json", "--", "-y", "--no-color"]
    front, words = split(["exec", "--cpu", "-v", "--", *program])
    arguments = parser_of("exec")[1].parse_args(words[1:])
    assert arguments.program == program
    assert with_said(front, arguments) == Manner(verbose=True)


@pytest.mark.parametrize("line", ["status", "queue", "tick"])
def test_a_home_that_is_no_folder_is_one_error(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SKINT_HOME", str(tmp_path / "file"))
    assert main(line.split()) == FAILED
    said = capsys.readouterr().err
    assert said.startswith(f"error: {tmp_path / 'file'}: the folder in which skint keeps")
    assert "next    export SKINT_HOME=" in said


def test_another_name_of_a_command_is_that_command(capsys: Said) -> None:
    assert main(["daemon", "status"]) == OK
    one = capsys.readouterr().out
    assert main(["scheduler", "status"]) == OK
    assert capsys.readouterr().out == one
    assert main(["prune", "--unused", "--dry-run"]) == OK
    assert all(line[0] in COMMANDS for line in ALIASES.values())
    assert not COMMANDS.keys() & (ALIASES.keys() | ELSEWHERE.keys())


def test_the_help_has_each_command_once_and_fits_the_screen(capsys: Said) -> None:
    assert main([]) == OK
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    for name in COMMANDS:
        assert len(re.findall(rf"^  {name} ", text, re.M)) == 1
    names = [name for names in PURPOSES.values() for name in names]
    assert len(names) == len(set(names))
    assert sorted(COMMANDS) == sorted(name for names in by_purpose().values() for name in names)
    narrow = usage(60)
    assert max(map(len, narrow.splitlines())) <= 60
    assert narrow.split() == text.split()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_fits_the_screen(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        main(["help", name])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    wide = [
        line
        for line in text.splitlines()
        if len(line) > 80 and not line.strip().startswith("skint")
    ]
    assert wide == []
    assert COMMANDS[name].partition(",")[0][:30] in text


def test_every_option_says_what_it_is_for() -> None:
    silent = [
        f"skint {name} {action.option_strings}"
        for name in COMMANDS
        for action in parser_of(name)[1]._actions
        if action.option_strings and not action.help
    ]
    assert silent == []


def test_an_error_for_programs_that_nobody_reads_is_no_traceback(tmp_path: Path) -> None:
    line = f"{sys.executable} -P -m orchestrator.cli show nobody --json | true"
    done = subprocess.run(
        ["bash", "-c", f"{line}; exit ${{PIPESTATUS[0]}}"],
        env={**os.environ, "SKINT_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (3, "")
