from __future__ import annotations

import io
import re

import pytest
import rich.console
from rich.live import Live

from notifiers.base import Notice, NotifyError
from notifiers.console import Console


def head(title: str, *lines: str, final: bool = False) -> Notice:
    return Notice("seedlings-1", "head", title, title, lines=lines, final=final)


def test_a_head_is_printed_again_only_when_its_title_changes() -> None:
    stream = io.StringIO()
    console = Console(stream)
    address = console.send(head("epoch 1/3", "2 h to go"), {})
    address = console.send(head("epoch 1/3", "1.9 h to go"), address)
    address = console.send(head("epoch 2/3", "1 h to go"), address)
    assert stream.getvalue().splitlines() == [
        "seedlings-1 · epoch 1/3 · 2 h to go",
        "seedlings-1 · epoch 2/3 · 1 h to go",
    ]


def test_the_last_head_is_printed_even_under_the_same_title() -> None:
    stream = io.StringIO()
    console = Console(stream)
    address = console.send(head("epoch 3/3"), {})
    console.send(head("epoch 3/3", "done", final=True), address)
    assert stream.getvalue().splitlines()[-1] == "seedlings-1 · epoch 3/3 · done"


def test_lines_are_printed_above_a_table_that_is_redrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Printed beside it, it would move up by too few lines: over the words, and not over itself."""
    screen = io.StringIO()
    monkeypatch.setattr("sys.stdout", screen)
    console = Console()  # before the table is there, as `skint run` makes it
    terminal = rich.console.Console(file=screen, force_terminal=True, width=60)
    with Live("the table", console=terminal, auto_refresh=False):
        console.send(head("epoch 1/3"), {})
    assert re.search(r"\r\x1b\[2K *seedlings-1 · epoch 1/3 *\nthe table", screen.getvalue())


def test_a_reply_names_its_run_and_an_alert_stands_out() -> None:
    stream = io.StringIO()
    console = Console(stream)
    fields = (("charged", "0.41 h"),)
    console.send(Notice("s-1", "reply", "a", "fold 0 done", fields=fields), {})
    console.send(Notice("s-1", "alert", "b", "finished"), {})
    assert stream.getvalue() == "s-1 · fold 0 done · charged: 0.41 h\n! s-1 · finished\n"


def test_text_cannot_steer_the_terminal() -> None:
    stream = io.StringIO()
    Console(stream).send(Notice("s-1", "reply", "a", "bad\x1b[2Jname\rx"), {})
    assert stream.getvalue() == "s-1 · bad?[2Jname?x\n"


def test_a_terminal_without_unicode_gets_question_marks() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Console(stream).send(Notice("s", "reply", "a", "▂▅▇ up"), {})
    assert raw.getvalue() == b"s ? ??? up\n"


def test_a_closed_stream_is_given_up() -> None:
    stream = io.StringIO()
    stream.close()
    with pytest.raises(NotifyError) as caught:
        Console(stream).send(Notice("s", "reply", "a", "t"), {})
    assert caught.value.permanent


def test_who_waits_for_one_run_hears_nothing_of_others() -> None:
    stream = io.StringIO()
    console = Console(stream, "mine")
    for run in ("mine", "other", ""):
        console.send(Notice(run, "reply", run, "an epoch"), {})
    assert stream.getvalue().count("an epoch") == 2, "what is about no run is said"
