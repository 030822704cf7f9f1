"""Processes that augment ahead, killed and told to end."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

pytest.importorskip("torch")

import torch

from skint.loader import ShuffledLoader
from tests.skint.turning import Picky, Turned

pytestmark = pytest.mark.torch

PATIENCE_S = 120.0
"""A busy machine is no failed test."""


def loader(workers: int, augment: Any, *, dtype: str = "uint8", **options: Any) -> ShuffledLoader:
    pixels = np.random.default_rng(3).integers(0, 100, (50, 4, 5, 3)).astype(dtype)
    pixels[:, 0, 0, 0] = np.arange(50)
    return ShuffledLoader(
        pixels, np.arange(50), np.arange(50), batch_size=8, seed=1, augment=augment,
        workers=workers, **options
    )  # fmt: skip


def epoch(source: ShuffledLoader, number: int = 0) -> tuple[torch.Tensor, set[int]]:
    """All pictures of an epoch, and who has made them (0: this process)."""
    source.set_epoch(number)
    images = torch.cat([batch.images.clone() for batch in source])
    makers = set(images[:, 0, 0, 0].int().tolist())
    images[:, 0, 0, 0] = 0
    return images, makers


def children() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children()
        if any("skint.workers" in word for word in child.cmdline())
    ]


def awaited(source: ShuffledLoader) -> set[int]:
    """Who makes the pictures once the processes are up."""
    end = time.monotonic() + PATIENCE_S
    while 0 in (makers := epoch(source)[1]):
        assert time.monotonic() < end
        time.sleep(0.05)
    return makers


@pytest.fixture(scope="module")
def pair() -> Iterator[ShuffledLoader]:
    """A loader with two processes that are up."""
    source = loader(2, Turned())
    alone = loader(0, Turned())
    assert torch.equal(epoch(source, 3)[0], epoch(alone, 3)[0])  # while they start
    for child in children():
        child.send_signal(signal.SIGTERM)  # so may the training be told to end
    assert len(awaited(source)) == 2
    yield source
    source.close()
    assert children() == []


def test_how_many_work_changes_nothing(pair: ShuffledLoader) -> None:
    wanted, makers = epoch(loader(0, Turned()), 3)
    assert makers == {0}
    found, makers = epoch(pair, 3)
    assert len(makers) == 2 and torch.equal(found, wanted)
    assert not torch.equal(epoch(pair, 4)[0], wanted)


def test_the_end_that_the_training_is_told_of_does_not_end_them(pair: ShuffledLoader) -> None:
    for child in children():
        child.send_signal(signal.SIGTERM)
        child.send_signal(signal.SIGINT)
    assert len(epoch(pair)[1] - {0}) == 2


def test_a_position_is_gone_on_from_with_workers(pair: ShuffledLoader) -> None:
    alone = loader(0, Turned())
    wanted, _ = epoch(alone, 1)
    alone.set_epoch(1)
    for _batch in zip(range(3), alone, strict=False):
        pass
    pair.load_state_dict(alone.state_dict() | {"position": 3, "epoch": 1})
    rest = torch.cat([batch.images.clone() for batch in pair])
    rest[:, 0, 0, 0] = 0
    assert torch.equal(rest, wanted[24:])


def test_one_that_is_killed_is_done_without() -> None:
    source = loader(1, Turned(), dtype="uint16")
    wanted, _ = epoch(loader(0, Turned(), dtype="uint16"))
    before = {child.pid for child in children()}
    assert torch.equal(epoch(source)[0], wanted)
    awaited(source)
    found, makers = epoch(source)
    assert torch.equal(found, wanted) and 0 not in makers
    (victim,) = (child for child in children() if child.pid not in before)
    victim.kill()
    with pytest.warns(RuntimeWarning, match="goes on without them"):
        found, makers = epoch(source)
    assert torch.equal(found, wanted) and makers == {0}
    assert {child.pid for child in children()} == before


def test_an_augmentation_that_fails_says_why() -> None:
    source = loader(1, Picky())
    up = False
    while not up:  # the last time, a process has failed before
        assert source._workers is None or source._workers._pipes
        up = source._workers is not None and all(source._workers._ready)
        with pytest.raises(ValueError, match="thirteen"):
            epoch(source)
    source.close()


def test_pictures_that_nothing_is_done_to_are_gathered_too() -> None:
    source = loader(1, None)
    wanted, _ = epoch(loader(0, None))
    while not (source._workers is not None and all(source._workers._ready)):
        assert torch.equal(epoch(source)[0], wanted)
    assert torch.equal(epoch(source)[0], wanted)
    source.close()


def test_a_loader_is_pickled_without_its_processes() -> None:
    source = loader(1, Turned())
    wanted, _ = epoch(source)
    count = len(children())
    other = pickle.loads(pickle.dumps(source))
    assert len(children()) == count
    assert torch.equal(epoch(other)[0], wanted)
    source.close()
    other.close()


def test_it_ends_them_when_nobody_has_it_any_more() -> None:
    count = len(children())
    source = loader(2, Turned())
    epoch(source)
    assert len(children()) == count + 2
    del source
    assert len(children()) == count


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.skint.test_workers import awaited, children, loader
from tests.skint.turning import Turned
source = loader(1, Turned())
awaited(source)
print(*(child.pid for child in children()), flush=True)
sys.stdin.read()
"""


def test_they_end_with_their_program_however_it_ends() -> None:
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, root], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        (pid,) = program.stdout.readline().split()
        left = psutil.Process(int(pid))
        program.kill()
    assert psutil.wait_procs([left], timeout=PATIENCE_S)[1] == []
