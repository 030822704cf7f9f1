"""The states of the generators, saved and put back."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import numpy as np
import torch

from skint.random_state import random_state, set_random_state

pytestmark = pytest.mark.torch


def drawn() -> list[Any]:
    return [
        random.random(),
        random.gauss(0.0, 1.0),  # every other one comes from a value that is kept
        float(np.random.normal()),
        int(np.random.randint(1 << 30)),
        torch.rand(3).tolist(),
    ]


def test_the_same_numbers_come_again(tmp_path: Path) -> None:
    drawn()
    state = random_state()
    wanted = [drawn(), drawn()]
    torch.save(state, tmp_path / "state.pt")
    drawn()
    # Plain values: a checkpoint with it is read without running any program that it may hold.
    set_random_state(torch.load(tmp_path / "state.pt", weights_only=True))
    assert [drawn(), drawn()] == wanted


def test_a_state_is_not_changed_by_what_is_drawn_later() -> None:
    state = random_state()
    wanted = drawn()
    set_random_state(state)
    assert drawn() == wanted
