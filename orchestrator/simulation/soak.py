"""Many weeks of faults, over all cores: what happened in them, and each one that broke something.

python -m orchestrator.simulation.soak --weeks 10000
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from orchestrator.simulation.admitted import InvariantBroken
from orchestrator.simulation.week import FaultWeek, replay_command


@dataclass
class Soaked:
    """What some weeks have come to."""

    weeks: int = 0
    rounds: int = 0
    days: float = 0.0
    admitted: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    broken: dict[int, str] = field(default_factory=dict)
    """By seed: what broke, and the command that replays it."""

    def add(self, other: Soaked) -> None:
        self.weeks += other.weeks
        self.rounds += other.rounds
        self.days += other.days
        self.admitted += other.admitted
        self.happened += other.happened
        self.broken |= other.broken


def soak(seeds: Iterable[int]) -> Soaked:
    """Live one week for each seed."""
    found = Soaked()
    for seed in seeds:
        week = FaultWeek(seed)
        try:
            week.live()
        except InvariantBroken as broken:
            found.broken[seed] = str(broken)
        except Exception as error:  # whatever a week raises is a finding, with its seed
            where = traceback.format_exc().rstrip().splitlines()
            found.broken[seed] = "\n".join([repr(error), *where[-6:], replay_command(seed)])
        found.weeks += 1
        found.rounds += week.rounds
        found.days += week.days
        found.admitted += week.admitted.judged
        found.happened += week.happened
    return found


def soak_in_parallel(first: int, weeks: int, processes: int, share: int = 50) -> Soaked:
    """As `soak`, of `weeks` seeds from `first` on, in `processes` processes."""
    shares = [
        range(at, min(at + share, first + weeks)) for at in range(first, first + weeks, share)
    ]
    found = Soaked()
    with ProcessPoolExecutor(processes, initializer=_quiet) as pool:
        for part in pool.map(soak, shares):
            found.add(part)
    return found


def _quiet() -> None:
    """The warnings of a scheduler in trouble are what is wanted here."""
    logging.disable(logging.CRITICAL)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--weeks", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args(arguments)
    begun_s = time.monotonic()
    found = soak_in_parallel(given.first, given.weeks, given.processes)
    seconds = time.monotonic() - begun_s
    print(render(found))
    print(f"{seconds:.0f} s on {given.processes} processes")
    return 1 if found.broken else 0


def render(found: Soaked) -> str:
    """Faults by kind, then what broke."""
    width = max((len(kind) for kind in found.happened), default=0)
    lines = [f"  {kind:<{width}}  {n:>9,}" for kind, n in sorted(found.happened.items()) if n]
    head = (
        f"{found.weeks:,} weeks ({found.days:,.0f} days, {found.rounds:,} rounds):"
        f" {found.admitted:,} reservations judged, {sum(found.happened.values()):,} faults"
    )
    broken = [f"seed {seed}: {text}" for seed, text in sorted(found.broken.items())]
    return "\n".join([head, *lines, f"{len(broken)} broken invariants", *broken])


if __name__ == "__main__":
    sys.exit(main())
