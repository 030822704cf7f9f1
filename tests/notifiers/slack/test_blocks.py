from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifiers.base import Button, Notice, Topic
from notifiers.slack.blocks import SECTION_CHARS, blocks, clip, fallback_text
from tests.stand_ins.slack_blocks import accepts_blocks

TOPICS: tuple[Topic, ...] = ("head", "reply", "alert")


def test_a_head_shows_the_run_in_bold_and_its_details() -> None:
    notice = Notice("s-1", "head", "k", "epoch 4/12", ("0.14 h spent",), (("left", "29.9 h"),))
    first, second = blocks(notice)
    assert first["text"]["text"] == "*s-1* · epoch 4/12\n0.14 h spent"
    assert [part["text"] for part in second["fields"]] == ["*left*\n29.9 h"]
    assert fallback_text(notice) == "s-1 · epoch 4/12\n0.14 h spent\nleft: 29.9 h"


def test_what_slack_would_read_is_escaped() -> None:
    notice = Notice("a<b", "reply", "k", "<!channel> & co", ("if x > 1",), (("<", "&"),))
    shown = str(blocks(notice)) + fallback_text(notice)
    assert "&lt;!channel&gt; &amp; co" in shown
    assert "<!channel>" not in shown
    assert "x > 1" not in shown


def test_a_long_text_keeps_its_first_and_its_last_lines() -> None:
    text = "cause\n" + "frame\n" * 5000 + "ValueError: the end"
    short = clip(text, SECTION_CHARS)
    assert len(short) <= SECTION_CHARS
    assert short.startswith("cause\n")
    assert short.endswith("ValueError: the end")
    assert "left out" in short


def test_clipping_cuts_no_escape_in_two() -> None:
    for limit in range(2, 400):
        kept = clip("&" * 1000, limit)
        assert len(kept) <= limit
        assert set(kept.replace("&amp;", "")) <= set("\n… 1000 characters, the middle is left out")


@pytest.mark.parametrize("topic", TOPICS)
@settings(max_examples=30, deadline=None)
@given(
    run=st.text(min_size=1),
    title=st.sampled_from(["", "done", "<&>" * 400, "😀" * 2000]),
    line=st.sampled_from(["", "&" * 4000, "😀" * 3000, "ok"]),
    lines=st.integers(0, 80),
    fields=st.integers(0, 700),
    remark=st.sampled_from(["", "no picture", "x" * 5000]),
    buttons=st.integers(0, 40),
    label=st.sampled_from(["", "Abort fold 3", "😀" * 80]),
    value=st.sampled_from(["{}", "v" * 2000, "v" * 2001]),
    pressable=st.booleans(),
    mentions=st.integers(0, 300),
)
def test_slack_takes_every_notice(
    topic: Topic,
    run: str,
    title: str,
    line: str,
    lines: int,
    fields: int,
    remark: str,
    buttons: int,
    label: str,
    value: str,
    pressable: bool,
    mentions: int,
) -> None:
    notice = Notice(
        run,
        topic,
        "k",
        title,
        (line,) * lines,
        tuple((f"<{n}>", line) for n in range(fields)),
        buttons=(Button(label, value, "danger", line),) * buttons,
        typed=(line,),
        mention=("U0123456789",) * mentions,
    )
    for named in (False, True):
        made = blocks(notice, remark, pressable=pressable, named=named)
        assert accepts_blocks(made)
        text = fallback_text(notice, remark, pressable=pressable, named=named)
        assert 1 <= len(text) <= SECTION_CHARS
