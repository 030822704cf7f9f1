"""A quarter of one user's demand: what skint makes of it, and what others would have made of it.

    python benchmarks/quarter.py [SEEDS]

Thirteen weeks of 30 h. Every week brings six to nine k-fold plans of five folds, an hour or so a
fold, submitted during the week; of the configurations a share becomes NaN in some epoch, some plans
are the same as an earlier one, and a share of the folds crashes once. The demand, the durations and
the misfortunes are the same for all: skint's own scheduler, ledger and rules; first come, first
served without a ledger, where the provider ends what runs when the hours are used up; and Slurm's
`safe` rule with backfill. Asked for is more than there is: what is finished is worth counting.

Ends with 1, and says why, unless skint wastes least and finishes most on every seed.
"""

from __future__ import annotations

import random
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
from orchestrator.simulation.tally import HEADS, Tally, best, cells  # noqa: E402

WEEKS = 13
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SATURDAY_MS = 1_798_848_000_000
"""Sat 2 Jan 2027 00:00 UTC."""
FOLDS = 5
BROKEN_SHARE, CRASH_SHARE, SAME_SHARE = 0.15, 0.05, 0.15
LIKELY_S = 3600.0
LIMIT_S = 1.5 * LIKELY_S


def plan(number: int) -> Graph:
    """The k-fold plan of one configuration; the same number is the same experiment."""
    cpu = (
        Job("scan", "scan", uses="scan", static_key="scan"),
        Job("folds", "folds", uses="folds", needs=("scan",), static_key="folds"),
    )
    train = tuple(
        Job(
            f"train.fold{fold}",
            "train",
            uses="train",
            needs=("folds",),
            params={"epochs": 12, "configuration": number},
            fold=fold,
            folds=FOLDS,
            devices=1,
            limit_s=LIMIT_S,
            limit_given=True,
            retries=1,
            resumes=True,
            at_edge="park",
            stop=(StopRule("broken"),),
            static_key=f"configuration {number} fold {fold}",
        )
        for fold in range(FOLDS)
    )
    needs = tuple(job.id for job in train)
    errors = Job("errors", "errors", uses="errors", needs=needs, static_key=f"errors {number}")
    return Graph(f"plan-{number}", "lab", "/plans", (*cpu, *train, errors))


def demand(seed: int) -> tuple[Asked, ...]:
    """Who asks for what, and when."""
    dice = random.Random(f"demand {seed}")
    asked = []
    new = 0
    for week in range(WEEKS):
        for _ in range(dice.randint(6, 9)):
            at_ms = SATURDAY_MS + week * 7 * DAY_MS + dice.randrange(6 * DAY_MS)
            if new and dice.random() < SAME_SHARE:
                number = dice.randrange(max(0, new - 6), new)
            else:
                number, new = new, new + 1
            asked.append(Asked(at_ms, plan(number)))
    return tuple(sorted(asked, key=lambda one: one.at_ms))


def quarter(seed: int) -> Setting:
    """Thirteen weeks of 30 h on one device."""
    account = Account("lab", "simulated", "simulated", (weekly(30 * HOUR_MS),))
    fortunes = Fortunes(seed, {"train": LogNormal(LIKELY_S, 0.25)}, BROKEN_SHARE, CRASH_SHARE)
    return Setting(
        (account,), demand(seed), fortunes, weeks_of(account, SATURDAY_MS, WEEKS), devices=1
    )


def main(seeds: int) -> int:
    good = True
    for seed in range(seeds):
        made = quarter(seed)
        asked_ms = sum(
            1000 * made.fortunes.of(job).seconds
            for one in made.demand
            for job in one.graph.jobs
            if job.devices
        )
        begun_s = time.process_time()
        tallies: list[Tally] = [look_ahead(made)]
        tallies += [play(policy, made) for policy in PEERS]
        seconds = time.process_time() - begun_s
        print(
            f"seed {seed}: {len(made.demand)} plans, {asked_ms / HOUR_MS:.0f} h asked for,"
            f" {WEEKS * 30} h there are ({seconds:.1f} s)"
        )
        print("  policy      " + "  ".join(head.lstrip(">").rjust(14) for head in HEADS))
        for tally in tallies:
            row = "  ".join(cell.rjust(14) for cell in cells(tally))
            print(f"  {tally.policy:<10}  {row}")
        least, most = best(tallies)
        for what, winners in (("wastes least", least), ("finishes most", most)):
            if tallies[0] not in winners:
                good = False
                print(f"  skint is not what {what}: {winners[0].policy} is")
    print(f"skint wastes least and finishes most: {'yes' if good else 'NO'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
