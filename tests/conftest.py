"""What every test stands on."""

from __future__ import annotations

import gc
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

# The threads of OpenMP spin while they wait, which on shared cores takes ten times the time. Read
# when torch is loaded; inherited by every process that a test starts.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

LONGEST = (
    "tests/examples/test_stopped.py",
    "tests/examples/test_examples.py",
    "tests/jobs/training/test_exact_resume.py",
    "tests/orchestrator/test_parking.py",  # waits, while others compute
    "tests/orchestrator/simulation/test_weeks.py",
    "tests/jobs/resize/test_interrupted.py",
    "tests/orchestrator/cli/test_main_job.py",
    "tests/jobs/probe/test_job.py",
    "tests/jobs/train/test_devices.py",
    "tests/budget/ledger/test_crash_points.py",
    "tests/test_gpu_check.py",
    "tests/skint/test_lightning_ranks.py",
    "tests/orchestrator/simulation/test_checker.py",
    "tests/jobs/training/checkpoints/test_resume.py",
    "tests/orchestrator/cli/test_waiting.py",
    "tests/orchestrator/cli/commands/test_slack.py",
    "tests/orchestrator/words/test_storm.py",
    "tests/orchestrator/cli/commands/test_answer.py",
    "tests/orchestrator/cli/commands/test_resume.py",
    "tests/orchestrator/presses/test_listening.py",
    "tests/skint/test_workers.py",
    "tests/skint/test_lightning_base.py",
    "tests/jobs/fit/test_processes.py",
    "tests/jobs/probe/test_loading.py",
    "tests/install/test_wheel.py",
)
"""Files that take ten seconds and more: several processes begin with them, so that in the end none
works alone."""

settings.register_profile("skint", deadline=None)  # a busy machine is no failed test
settings.load_profile("skint")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kills",
        type=int,
        default=5,
        help="how often the soak test kills the scheduler",
    )
    parser.addoption(
        "--storms",
        type=int,
        default=1,
        help="how many storms the outbox goes through",
    )
    parser.addoption(
        "--drawn",
        type=int,
        default=3,
        help="how many settings of a training are drawn for that",
    )
    parser.addoption(
        "--device",
        choices=("cuda", "cpu"),
        help="run what tests/device checks of a device, which is left out without this",
    )
    parser.addoption(
        "--parks",
        type=int,
        default=8,
        help="how many cases of parking and resuming are drawn for each setting of a training",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Among several processes: the longest files first, then those with the most tests."""
    if not hasattr(config, "workerinput"):
        return
    if gone := [file for file in LONGEST if not (config.rootpath / file).is_file()]:
        raise pytest.UsageError(f"tests/conftest.py names files that there are not: {gone}")
    files = {item: item.nodeid.partition("::")[0] for item in items}
    tests = Counter(files.values())
    rank = {file: number for number, file in enumerate(LONGEST)}
    items.sort(key=lambda item: (rank.get(files[item], len(rank)), -tests[files[item]]))


def pytest_collection_finish() -> None:
    """What was imported and collected stays: no collection of garbage needs to look at it again.

    Lightning asks for one in every fit; among millions of objects each takes half a second.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How often the soak test kills the scheduler."""
    count = request.config.getoption("--kills")
    assert isinstance(count, int)
    return count


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`drawn`: numbers of settings of a training that are drawn beside those that are named.
    `storm`: seeds of storms."""
    if "drawn" in metafunc.fixturenames:
        metafunc.parametrize("drawn", range(metafunc.config.getoption("--drawn")))
    if "storm" in metafunc.fixturenames:
        metafunc.parametrize("storm", range(metafunc.config.getoption("--storms")))


@pytest.fixture
def parks(request: pytest.FixtureRequest) -> int:
    """How many cases of parking and resuming are drawn for each setting of a training."""
    count = request.config.getoption("--parks")
    assert isinstance(count, int)
    return count


@pytest.fixture(autouse=True)
def skint_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty SKINT_HOME, for every test: none may touch the hours of the person who runs it."""
    home = tmp_path / "skint-home"
    home.mkdir()
    monkeypatch.setenv("SKINT_HOME", str(home))
    monkeypatch.delenv("SKINT_CONFIG", raising=False)  # nor have their settings
    # Also on a machine that has accelerators: tests must neither use nor charge them.
    monkeypatch.setenv("SKINT_DEVICES", "simulated")
    # A worker's own variable: a test that runs under skint is still outside it.
    monkeypatch.delenv("SKINT_ATTEMPT", raising=False)
    return home
