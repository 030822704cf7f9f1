from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from jobs.pool.pool import CHUNK, spread


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


def exit_on_thirteen(numbers: Sequence[int]) -> list[int]:
    if 13 in numbers:
        os._exit(1)
    return squares(numbers)


def loop_on_thirteen(numbers: Sequence[int]) -> list[int]:
    while 13 in numbers:
        pass
    return squares(numbers)


def die_once(numbers: Sequence[int]) -> list[int]:
    mark = Path(os.environ["POOL_TEST_MARK"])
    if 13 in numbers and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return squares(numbers)


def limits(numbers: Sequence[int]) -> list[list[int]]:
    import numpy  # noqa: F401
    from threadpoolctl import threadpool_info

    return [[pool["num_threads"] for pool in threadpool_info()] for _ in numbers]


def no_limits(number: int) -> list[int]:
    return []


def sleep(numbers: Sequence[int]) -> list[int]:
    time.sleep(600)
    return squares(numbers)


def nap(numbers: Sequence[int]) -> list[int]:
    time.sleep(0.01)
    return squares(numbers)


def unpicklable(numbers: Sequence[int]) -> list[int]:
    class Local(Exception):
        pass

    raise Local("only here")


def test_a_decoder_that_calls_exit_costs_one_item() -> None:
    results = list(spread(exit_on_thirteen, range(30), processes=1, check=go_on, crashed=minus))
    assert results[13] == -13 and results[:13] == squares(range(13))


def test_a_decoder_that_loops_costs_one_item() -> None:
    found = spread(
        loop_on_thirteen, range(30), processes=2, check=go_on, crashed=minus, most_cpu_s=0.2
    )
    results = list(found)
    assert results[13] == -13 and results[14:] == squares(range(14, 30))


def test_an_item_that_was_innocent_of_a_death_is_done_after_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOL_TEST_MARK", str(tmp_path / "died"))
    results = spread(die_once, range(30), processes=2, check=go_on, crashed=minus)
    assert list(results) == squares(range(30))
    assert (tmp_path / "died").exists()


def test_where_other_threads_run_a_new_interpreter_is_used() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        results = spread(start_methods, range(3), processes=1, check=go_on, crashed=str)
        methods = list(results)
    finally:
        done.set()
        thread.join()
    assert methods == ["spawn"] * 3
    alone = sys.platform == "linux" and threading.active_count() == 1
    results = spread(start_methods, range(3), processes=1, check=go_on, crashed=str)
    assert list(results) == ["fork" if alone else "spawn"] * 3


def start_methods(numbers: Sequence[int]) -> list[str]:
    kind = type(multiprocessing.current_process()).__name__
    return [kind.removesuffix("Process").lower() for _ in numbers]


def test_libraries_use_one_thread_in_each_process() -> None:
    import numpy  # noqa: F401

    for pools in spread(limits, range(2), processes=2, check=go_on, crashed=no_limits):
        assert pools and set(pools) == {1}


def test_an_error_that_cannot_be_sent_is_told_in_words() -> None:
    with pytest.raises(RuntimeError, match="only here"):
        list(spread(unpicklable, range(3), processes=1, check=go_on, crashed=minus))


def test_stopping_does_not_wait_for_the_item_at_work() -> None:
    calls: list[float] = []
    others = multiprocessing.active_children()  # of what earlier tests have left unfinished

    def check() -> None:
        calls.append(time.monotonic())
        if len(calls) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(spread(sleep, range(8), processes=2, check=check, crashed=minus))
    assert set(multiprocessing.active_children()) <= set(others)


PROGRAM = """
from jobs.pool.pool import spread
from tests.jobs.pool.test_pool import nap
for _ in spread(nap, range(10_000), processes=2, check=lambda: None, crashed=lambda n: n):
    print(flush=True)
"""


def test_the_processes_end_with_the_one_that_started_them() -> None:
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=root, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None and program.stdout.readline()
        children = psutil.Process(program.pid).children()
        assert len(children) == 2
        program.kill()
    _gone, alive = psutil.wait_procs(children, timeout=300)
    for process in alive:
        process.kill()
    assert not alive
