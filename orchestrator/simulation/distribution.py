"""How long things take: a log-normal round a likely time, or what was measured before."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Protocol

from budget.duration import DurationError, parse_ms
from orchestrator.graph import Graph, Job
from orchestrator.state.state import State
from orchestrator.views.figures import amount
from skint.errors import USAGE, SkintError

NINE_IN_TEN = 1.645
"""Standard deviations either side of the middle that hold nine in ten of a normal variable."""
WANTED = "JOB=TIME or JOB=TIME±PERCENT, such as train=0.5h±20%"
_TIME = re.compile(
    r"(?P<time>[^±+%]+?)\s*(?:(?:±|\+-|\+/-)\s*(?P<spread>[0-9]+(?:\.[0-9]+)?)\s*%)?"
)


class DistributionError(SkintError):
    """A time, or how much it varies, cannot be read."""

    exit_code = USAGE


class Distribution(Protocol):
    @property
    def basis(self) -> str:
        """What it stands on, for a person."""

    def draw_s(self, dice: random.Random) -> float:
        """Seconds of one job."""


@dataclass(frozen=True)
class LogNormal:
    """Half take less than `likely_s` seconds; nine in ten are within `spread` (0.2 is 20 %) of it,
    below by division as above by multiplication."""

    likely_s: float
    spread: float = 0.2
    basis: str = ""

    def draw_s(self, dice: random.Random) -> float:
        sigma = math.log1p(self.spread) / NINE_IN_TEN
        return self.likely_s * math.exp(dice.gauss(0.0, sigma))


@dataclass(frozen=True)
class Recorded:
    """Any of the times that were measured."""

    seconds: tuple[float, ...]
    basis: str = ""

    def draw_s(self, dice: random.Random) -> float:
        return dice.choice(self.seconds)


def parse(text: str, basis: str) -> LogNormal:
    """`0.5h±20%`; without a spread 20 %. Raises DistributionError."""
    match = _TIME.fullmatch(text.strip())
    try:
        seconds = parse_ms(match["time"].strip()) / 1000 if match else 0.0
    except DurationError as error:
        raise DistributionError(error.what, got=text, wanted=error.wanted) from error
    spread = float(match["spread"]) / 100 if match and match["spread"] else 0.2
    if match is None or not seconds or not 0 <= spread <= 10:
        raise DistributionError("this is no time that a job can take", got=text, wanted=WANTED)
    return LogNormal(seconds, spread, basis)


def given(options: Sequence[str]) -> dict[str, Distribution]:
    """By plan entry, from `train=0.5h±20%` or from a YAML file of such pairs.

    Raises DistributionError.
    """
    found: dict[str, Distribution] = {}
    for option in options:
        name, sign, time = option.partition("=")
        if sign:
            found[name.strip()] = parse(time, "as given")
        elif Path(option).is_file():
            found |= {name: parse(time, f"from {option}") for name, time in _read(option).items()}
        else:
            raise DistributionError("--hours cannot be read", got=option, wanted=WANTED)
    return found


def _read(path: str) -> Mapping[str, str]:
    import yaml

    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        raise DistributionError(f"it cannot be read: {error}", where=path) from error
    if not isinstance(data, dict) or not all(isinstance(time, str) for time in data.values()):
        raise DistributionError(
            "it is no list of times", where=path, wanted='lines such as train: "0.5h±20%"'
        )
    return {str(name): time for name, time in data.items()}


def recorded(graph: Graph, state: State, least: int = 3) -> dict[str, Distribution]:
    """By plan entry, from the runs that are over: what the same kind of job has taken here.

    The same kind has the same name in the plan, does the same and on as many devices.
    """
    kinds = {_kind(job): job.group for job in graph.jobs}
    seconds: dict[str, list[float]] = {}
    for run in state.runs.values():
        for attempt in run.attempts.values():
            group = kinds.get(_kind(run.graph.job(attempt.job)))
            done = attempt.outcome == "done" and attempt.started_ms is not None
            if group is not None and done and attempt.ended_ms is not None:
                assert attempt.started_ms is not None
                seconds.setdefault(group, []).append((attempt.ended_ms - attempt.started_ms) / 1000)
    return {
        group: Recorded(
            tuple(times), f"{len(times)} times here, {amount(round(median(times) * 1000))}"
        )
        for group, times in seconds.items()
        if len(times) >= least
    }


def assumed(job: Job) -> LogNormal:
    """Nothing is known: some way to its limit; of a job of the CPU lane, a minute."""
    if job.limit_s is None:
        return LogNormal(60.0, 0.5, "assumed: a minute")
    return LogNormal(0.6 * job.limit_s, 0.3, "assumed: 60 % of its limit")


def _kind(job: Job) -> tuple[str, str, tuple[str, ...], int, bool]:
    return job.group, job.uses, job.argv, job.devices, job.smoke
