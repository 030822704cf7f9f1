"""What a shell offers at TAB: in words, and in a real bash, zsh and fish."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli import main
from orchestrator.cli.commands import COMMANDS
from orchestrator.cli.completing.lines import lines
from orchestrator.cli.completing.offers import offers
from orchestrator.cli.completing.shells import SCRIPTS, answer, words_of
from orchestrator.home import Home


@pytest.fixture(scope="module")
def known(home: Home) -> Mapping[str, Any]:
    return lines(home.path / "completion.json")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """With an account and a run of one job that has ended."""
    found = Home(tmp_path_factory.mktemp("home"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKINT_HOME", str(found.path))
        assert main(["account", "add", "demo", "--preset", "simulated"]) == 0
        assert main(["exec", "--cpu", "--name", "greeting", "-q", "--", "true"]) == 0
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    here = tmp_path / "here"
    (here / "plans").mkdir(parents=True)
    for name in ("plan.yaml", "a plan.yml", "notes.txt", ".hidden.yaml"):
        (here / name).touch()
    monkeypatch.chdir(here)
    return here


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("stat", {"status"}),
        ("daem", {"daemon"}),
        ("--js", {"--json"}),
        ("--json stat", {"status"}),
        ("show ", {"greeting"}),
        ("show gr", {"greeting"}),
        ("show x", set()),
        ("logs greeting --job ", {"program"}),
        ("logs --job prog", {"program"}),
        ("abort greeting --fold ", set()),
        ("cancel -q gree", {"greeting"}),
        ("run --account ", {"demo"}),
        ("account show ", {"demo"}),
        ("account add ", set()),
        ("account add x --preset sim", {"simulated"}),
        ("account add x --preset=sim", {"--preset=simulated"}),
        ("exec -- make --file=no", set()),
        ("cache pr", {"prune"}),
        ("prune --dry", {"--dry-run"}),
        ("cache prune --max", {"--max-size"}),
        ("budget d", {"demo"}),
        ("scheduler sto", {"stop"}),
        ("plan ", {"plan.yaml", "a plan.yml", "plans/"}),
        ("plan ./pl", {"./plan.yaml", "./plans/"}),
        ("plan .h", {".hidden.yaml"}),
        ("completion ", {"bash", "zsh", "fish"}),
        ("exec --cpu --pa", {"--park"}),
        ("exec -- cat no", {"notes.txt"}),
        ("nonsense ", set()),
    ],
)
def test_what_may_stand_next_is_offered(
    line: str, wanted: set[str], known: Mapping[str, Any], home: Home, folder: Path
) -> None:
    assert {word for word, _ in offers(line.split(" "), known, home)} == wanted


def test_every_command_and_option_is_offered_with_what_it_is_for(
    known: Mapping[str, Any], home: Home
) -> None:
    assert dict(offers([""], known, home)).items() >= COMMANDS.items()
    options = dict(offers(["run", "plan.yaml", "--"], known, home))
    assert options["--park"].startswith("begin although")
    assert {"--set", "--yes", "--no-color"} <= options.keys()
    assert "--park" not in dict(offers(["run", "--park", "--"], known, home))


def test_the_program_behind_two_dashes_is_looked_for_on_the_path(
    known: Mapping[str, Any], home: Home, folder: Path
) -> None:
    assert "env" in dict(offers(["exec", "--cpu", "--", "en"], known, home))


def test_a_home_that_cannot_be_read_offers_nothing(
    known: Mapping[str, Any], tmp_path: Path
) -> None:
    assert offers(["show", ""], known, Home(tmp_path / "none")) == []
    (tmp_path / "store.db").write_text("no store")
    assert offers(["show", ""], known, Home(tmp_path)) == []


def test_what_is_kept_of_the_lines_is_used_until_a_command_changes(tmp_path: Path) -> None:
    kept = tmp_path / "completion.json"
    kept.write_text("{")
    first = lines(kept)
    kept.write_text(kept.read_text().replace('"plan":', '"kept":', 1))
    assert "kept" in lines(kept)
    kept.write_text(kept.read_text().replace('"stamp": [1', '"stamp": [0', 1))
    assert lines(kept) == first


def test_names_that_a_shell_would_act_on_are_escaped_or_not_offered(
    known: Mapping[str, Any], home: Home, folder: Path
) -> None:
    odd = ("two\nlines.yaml", "\x1b]0;title.yaml", "$(id);`id`.yaml", os.fsdecode(b"\xff.yaml"))
    (folder / "odd").mkdir()
    for name in odd:
        (folder / "odd" / name).touch()
    found = offers(["plan", "odd/"], known, home)
    assert [word for word, _ in found] == ["odd/$(id);`id`.yaml"]
    assert answer("bash", found) == r"odd/\$\(id\)\;\`id\`.yaml"


def test_bash_takes_words_apart_at_an_equals_sign_and_wants_blanks_escaped() -> None:
    assert words_of("bash", 4, ["skint", "logs", "--fold", "=", "1"]) == ["logs", "--fold", "1"]
    assert words_of("bash", 3, ["skint", "logs", "--fold", "="]) == ["logs", "--fold", ""]
    assert words_of("fish", 2, ["skint", "show"]) == ["show", ""]
    assert answer("bash", [("a plan.yml", ""), ("b/", "")]) == "a\\ plan.yml\nb/"
    assert answer("zsh", [("a:b", "what")]) == "a\\:b:what"
    assert answer("zsh", [(r"a\b", "")]) == r"a\\b"
    assert answer("fish", [("a", "what")]) == "a\twhat"


BASH = """
set -e
skint() {{ {python} -P -m orchestrator.cli "$@"; }}
source <(skint completion bash)
complete -p skint
ask() {{ COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; _skint
    printf '%s\\n' "${{COMPREPLY[@]}}"; }}
ask skint show ""
ask skint plan "a"
ask skint nothing ""
"""


def test_a_real_bash_completes(home: Home, folder: Path) -> None:
    done = subprocess.run(
        ["bash", "--norc", "-c", BASH.format(python=shlex.quote(sys.executable))],
        env={**os.environ, "SKINT_HOME": str(home.path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "complete -o nosort -F _skint skint",
        "greeting",
        "a\\ plan.yml",
        "",
    ]


FISH = """
function skint; {python} -P -m orchestrator.cli $argv; end
skint completion fish | source
complete -C 'skint show '
complete -C 'skint plan a\\\\ '
complete -C 'skint account add x --preset=sim'
complete -C 'skint nothing '
"""


@pytest.mark.skipif(shutil.which("fish") is None, reason="a machine without fish")
def test_a_real_fish_completes(home: Home, folder: Path) -> None:
    done = subprocess.run(
        ["fish", "--no-config", "-c", FISH.format(python=shlex.quote(sys.executable))],
        env={**os.environ, "SKINT_HOME": str(home.path), "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert done.stdout.splitlines() == ["greeting\tended", "a plan.yml", "--preset=simulated"]


ZSH = r"""
skint() {{ {python} -P -m orchestrator.cli "$@" }}
skint completion zsh > _skint
zmodload zsh/zpty
zpty -b shell zsh -f -i
type_in() {{ zpty -n -w shell "$1"; zpty -r shell answer "*$2*" || exit 1; print -r -- "$2"; }}
zpty -w shell "PS1=; skint() {{ {python} -P -m orchestrator.cli \"\$@\" }}"
zpty -w shell 'fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; print REA''DY'
zpty -r shell answer '*READY*' || exit 1
type_in $'skint show gr\t' 'skint show greeting'
type_in $'\C-uskint plan a\t' 'skint plan a\ plan.yml'
type_in $'\C-uskint account add x --preset=sim\t' '--preset=simulated'
zpty -d shell
"""


@pytest.mark.skipif(shutil.which("zsh") is None, reason="a machine without zsh")
def test_a_real_zsh_completes_at_the_first_tab(home: Home, folder: Path) -> None:
    done = subprocess.run(
        ["zsh", "-f", "-c", ZSH.format(python=shlex.quote(sys.executable))],
        env={**os.environ, "SKINT_HOME": str(home.path), "TERM": "xterm"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 3


def test_pressing_tab_imports_no_command(home: Home, folder: Path) -> None:
    script = (
        "import sys; from orchestrator.cli import main; main(sys.argv[1:]);"
        " print(sorted(n for n in sys.modules if n.startswith(('orchestrator', 'budget', 'rich'))))"
    )
    words = ["__complete", "bash", "2", "skint", "show", ""]
    asked = [sys.executable, "-c", script, *words]
    environ = {**os.environ, "SKINT_HOME": str(home.path)}
    subprocess.run(asked, env=environ, check=True, capture_output=True, timeout=300)  # keeps them
    done = subprocess.run(
        asked, env=environ, check=True, capture_output=True, text=True, timeout=300
    )
    assert done.stdout.startswith("greeting\n")
    assert "budget" not in done.stdout
    assert "orchestrator.cli.commands.show" not in done.stdout
    assert "orchestrator.store.store" not in done.stdout


@pytest.mark.parametrize("shell", SCRIPTS)
def test_each_shell_has_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    said = capsys.readouterr()
    assert f"skint __complete {shell}" in said.out
    assert said.err == ""
