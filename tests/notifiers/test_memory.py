from __future__ import annotations

import pytest

from notifiers.base import Notice, NotifyError
from notifiers.memory import Memory


def test_it_shows_the_last_head_and_the_thread_of_each_run() -> None:
    memory = Memory()
    address = memory.send(Notice("a", "head", "1", "epoch 1"), {})
    address = memory.send(Notice("a", "head", "2", "epoch 2"), address)
    memory.send(Notice("a", "reply", "3", "fold 0 done"), address)
    assert memory.heads["a"].title == "epoch 2"
    assert [notice.title for notice in memory.replies["a"]] == ["fold 0 done"]
    assert [notice.key for notice in memory.sent] == ["1", "2", "3"]


def test_a_reply_without_a_head_stands_apart() -> None:
    memory = Memory()
    memory.send(Notice("a", "reply", "1", "early"), {})
    assert [notice.title for notice in memory.replies[""]] == ["early"]


def test_it_fails_as_told_and_then_delivers() -> None:
    memory = Memory()
    memory.failures.append(NotifyError("down"))
    with pytest.raises(NotifyError, match="down"):
        memory.send(Notice("a", "head", "1", "t"), {})
    memory.send(Notice("a", "head", "1", "t"), {})
    assert len(memory.sent) == 1
