"""Simulated weeks a second on one core: a plan of 5 folds × 12 configurations on 30 h a week.

    python benchmarks/simulation.py [WEEKS]

Each week is a new world: the real step, admission, ledger and rules, a store and a ledger in
memory, sixty accelerator jobs of about half an hour, twelve epochs each, looked at every twenty
minutes and whenever one starts or ends. Beside it the same weeks under first come, first served
without a ledger, and under Slurm's `safe` rule, which are a few lines of arithmetic and show what
running the real thing costs; and the same plan with folds of two hours, which takes four weeks.
Ends with 1 below 20 weeks a second of the first kind.
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
    speeds = {}
    folds = {}
    for policy in ("skint", *PEERS):
        begun_s = time.process_time()
        finished = 0
        for seed in range(weeks):
            made = setting(seed)
            if policy == "skint":
                finished += look_ahead(made, poll_s=POLL_S).folds
            else:
                finished += play(policy, made).folds
        speeds[policy] = weeks / (time.process_time() - begun_s)
        folds[policy] = finished / weeks
    long_weeks = max(1, weeks // 4)
    begun_s = time.process_time()
    finished = sum(
        look_ahead(setting(seed, 2.0, 4), poll_s=POLL_S).folds for seed in range(long_weeks)
    )
    speeds["2 h folds"] = 4 * long_weeks / (time.process_time() - begun_s)
    folds["2 h folds"] = finished / long_weeks / 4
    print("policy      weeks a second of CPU  folds finished a week")
    for policy, speed in speeds.items():
        print(f"{policy:<10}  {speed:21.1f}  {folds[policy]:21.1f}")
    good = speeds["skint"] >= BAR
    print(f"at least {BAR:.0f} weeks a second: {'yes' if good else 'NO'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
