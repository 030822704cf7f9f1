"""The documents keep what they promise."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOT_OURS = {".git", ".venv", "build", "dist", "__pycache__", ".skint-demo"}


def files(*suffixes: str) -> list[Path]:
    return sorted(
        path
        for path in ROOT.rglob("*")
        if path.suffix in suffixes
        and path.is_file()
        and not any(
            part in NOT_OURS or part.endswith((".egg-info", "_cache"))
            for part in path.relative_to(ROOT).parts
        )
    )


def prose(page: Path) -> str:
    """A page without its code, in which a bracket and a parenthesis are no link."""
    text = re.sub(r"^( *)```.*?^\1```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    return re.sub(r"`[^`\n]*`", "", text)


@pytest.mark.parametrize("page", files(".md"), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(\s*<?([^)\s>]+)", prose(page))
    targets = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:", link)]
    missing = [target for target in targets if target and not (page.parent / target).exists()]
    assert missing == []


def test_every_command_is_in_the_documents() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from orchestrator.cli import main; main()", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    commands = re.findall(r"^ {2,4}([a-z]+)(?: {2,}|$)", done.stdout, flags=re.M)
    documents = "\n".join(
        page.read_text(encoding="utf-8") for page in files(".md") if page.name != "CHANGELOG.md"
    )
    assert {"plan", "run", "submit", "status", "budget", "cancel"} <= set(commands)
    assert [name for name in commands if not re.search(rf"skint {name}\b", documents)] == []


def test_no_text_names_a_place_on_somebodys_machine() -> None:
    places = re.compile(r"(?<![\w.])/(work/|root/|home/\w|Users/\w)")
    texts = files(".py", ".md", ".toml", ".yaml", ".yml", ".j2", ".txt", ".json", ".csv", ".svg")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in texts
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1
        )
        if places.search(line)
    ]
    assert texts
    assert found == []
