"""What is printed fits the terminal."""

from __future__ import annotations

from orchestrator.cli.printing.screen import error_text

TEXT = (
    "error: jobs.train.stop: there is no such stop rule, and none that is called nearly so\n"
    "  wanted  beats-baseline, broken, budget, chance, silence, target, or a rule of your own\n"
    "  next    skint plan plan.yaml --set train.stop=[broken] --set train.epochs=12 --again"
)


def test_an_error_is_broken_between_words_but_for_what_is_typed() -> None:
    lines = error_text(TEXT, 50).split("\n")
    assert lines[-1] == TEXT.split("\n")[-1]
    assert max(map(len, lines[:-1])) <= 50
    assert lines[1].startswith("  rule, and")
    assert lines[3].startswith(" " * 10 + "silence")
    assert " ".join(" ".join(lines).split()) == " ".join(TEXT.split())


def test_a_pipe_has_each_part_in_one_line() -> None:
    assert error_text(TEXT, None) == TEXT
