"""What every test stands on."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

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
        default=12,
        help="how many cases of parking and resuming are drawn for each setting of a training",
    )


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
