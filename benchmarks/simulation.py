"""Simulated weeks a second on one core: a plan of 5 folds × 12 configurations on 30 h a week.

    python benchmarks/simulation.py [WEEKS]

The real step, admission, ledger and rules, a store and a ledger in memory, sixty accelerator jobs
of twelve epochs each, looked at every twenty minutes and whenever one starts or ends; every week is
full. How many weeks the plan takes depends on its folds: four with folds of two hours (their limit
in the plan of the guide), two with folds of an hour, one with folds of half an hour. What is
simulated costs by the fold, so the weeks a second go down with their length. Ends with 1 below 20
weeks a second in any of these, so by the hardest: sixty folds in a week. Beside them the same weeks
under first come, first served without a ledger, and under Slurm's `safe` rule, which are a few
lines of arithmetic and show what running the real thing costs.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from budget.accounts.account import Account  # noqa: E402
from budget.accounts.limit import weekly  # noqa: E402
from orchestrator.graph import Graph, Job, StopRule  # noqa: E402
from orchestrator.simulation.distribution import LogNormal  # noqa: E402
from orchestrator.simulation.fortune import Fortunes  # noqa: E402
from orchestrator.simulation.outlook import Asked, Setting, look_ahead, weeks_of  # noqa: E402
from orchestrator.simulation.peers import PEERS, play  # noqa: E402

BAR = 20.0
HOUR_MS = 3_600_000
SATURDAY_MS = 1_795_219_200_000
"""Sat 21 Nov 2026 00:00 UTC."""
POLL_S = 1200.0


def sweep(folds: int = 5, configurations: int = 12, limit_s: float = 3600.0) -> Graph:
    """scan → packed → folds → train × folds × configurations → errors."""
    cpu = (
        Job("scan", "scan", uses="scan", static_key="scan"),
        Job("packed", "packed", uses="resize", needs=("scan",), static_key="packed"),
        Job("folds", "folds", uses="folds", needs=("packed",), static_key="folds"),
    )
    train = tuple(
        Job(
            f"train.lr={lr}.fold{fold}",
            "train",
            uses="train",
            needs=("folds",),
            params={"epochs": 12, "lr": lr},
            matrix={"lr": lr},
            fold=fold,
            folds=folds,
            devices=1,
            limit_s=limit_s,
            retries=1,
            stop=(StopRule("broken"),),
            static_key=f"train {lr} {fold}",
        )
        for lr in range(configurations)
        for fold in range(folds)
    )
    needs = tuple(job.id for job in train)
    errors = Job("errors", "errors", uses="errors", needs=needs, static_key="errors")
    return Graph("sweep", "lab", "/plans", (*cpu, *train, errors))


def setting(seed: int, hours: float = 0.45, count: int = 1) -> Setting:
    """`count` weeks of one user's demand: folds of about so many hours."""
    account = Account("lab", "simulated", "simulated", (weekly(30 * HOUR_MS),))
    fortunes = Fortunes(seed, {"train": LogNormal(hours * 3600)}, crash_share=0.05)
    weeks = weeks_of(account, SATURDAY_MS, count)
    demand = (Asked(SATURDAY_MS, sweep(limit_s=7200 * hours)),)
    return Setting((account,), demand, fortunes, weeks)


def main(weeks: int) -> int:
    print(f"{'':26}  weeks a second of CPU  folds finished a week")
    speeds = {hours: _skint(hours, span, weeks) for hours, span in ((2.0, 4), (1.0, 2), (0.45, 1))}
    for policy in PEERS:
        begun_s = time.process_time()
        finished = sum(play(policy, setting(seed)).folds for seed in range(weeks))
        speed = weeks / (time.process_time() - begun_s)
        _print(f"{policy}, folds of 0.45 h", speed, finished / weeks)
    good = min(speeds.values()) >= BAR
    print(f"at least {BAR:.0f} weeks a second, however long the folds: {'yes' if good else 'NO'}")
    return 0 if good else 1


def _skint(hours: float, span: int, weeks: int) -> float:
    """Weeks a second of CPU, over about `weeks` weeks of plans that take `span` weeks each."""
    plans = max(1, weeks // span)
    begun_s = time.process_time()
    outlooks = (look_ahead(setting(seed, hours, span), poll_s=POLL_S) for seed in range(plans))
    finished = sum(outlook.folds for outlook in outlooks)
    speed = plans * span / (time.process_time() - begun_s)
    _print(f"skint, folds of {hours:g} h", speed, finished / plans / span)
    return speed


def _print(what: str, speed: float, folds: float) -> None:
    print(f"{what:<26}  {speed:21.1f}  {folds:21.1f}")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
