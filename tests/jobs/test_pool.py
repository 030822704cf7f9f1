from __future__ import annotations

import os
import signal
from collections.abc import Sequence

import pytest

from jobs.pool import CHUNK, spread


def squares(numbers: Sequence[int]) -> list[int]:
    return [number * number for number in numbers]


def die_on_thirteen(numbers: Sequence[int]) -> list[int]:
    if 13 in numbers:
        os.kill(os.getpid(), signal.SIGSEGV)
    return squares(numbers)


def fail_on_thirteen(numbers: Sequence[int]) -> list[int]:
    if 13 in numbers:
        raise TimeoutError("thirteen")
    return squares(numbers)


def go_on() -> None:
    pass


def minus(number: int) -> int:
    return -number


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_the_order_of_the_items(processes: int) -> None:
    items = range(5 * CHUNK + 3)
    results = spread(squares, items, processes=processes, check=go_on, crashed=minus)
    assert list(results) == squares(items)


def test_an_item_that_kills_its_process_costs_only_itself() -> None:
    items = range(5 * CHUNK)
    results = list(spread(die_on_thirteen, items, processes=2, check=go_on, crashed=minus))
    assert results[13] == -13
    assert results[:13] + results[14:] == squares([*items[:13], *items[14:]])


def test_a_defect_of_the_work_is_raised_here() -> None:
    results = spread(fail_on_thirteen, range(40), processes=2, check=go_on, crashed=minus)
    with pytest.raises(TimeoutError, match="thirteen"):
        list(results)


@pytest.mark.parametrize("processes", [1, 2])
def test_what_the_check_raises_ends_the_work(processes: int) -> None:
    seen: list[int] = []

    def check() -> None:
        if len(seen) >= 20:
            raise KeyboardInterrupt

    results = spread(squares, range(10_000), processes=processes, check=check, crashed=minus)
    with pytest.raises(KeyboardInterrupt):
        for result in results:
            seen.append(result)
    assert len(seen) < 20 + 2 * CHUNK
