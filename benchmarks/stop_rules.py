"""What stopping early saves and what it costs: recorded runs, replayed through the rules.

    python benchmarks/stop_rules.py [--lcdb FOLDER] [--orders N] [--quick] [--choose]

Two sets of recordings: the learning curves of LCDB 0.1.0 (learners are runs, training sizes stand
for epochs, five outer splits for folds; each of five inner splits is a campaign of its own), and
the project's own epoch curves (benchmarks/record_curves.py). The runs of a campaign come in random
orders; what beats the best finished run is the next baseline; the first is never stopped. A policy
is asked at every look at a fold and at its end; ours are the functions of orchestrator/stop_rules
themselves. Beside them, on the same orders: the paired fold rule alone, "below the mean", median
stopping and, where Optuna is installed, its successive halving and its WilcoxonPruner.

saved: seconds not spent, of all seconds of the replayed runs ("pooled"), and the mean over data
sets of that share ("per set"). wrong: stopped runs among those whose true mean beats the baseline,
by any margin. regret: points between the best of all runs and the best that finished. Brackets are
95 % intervals over data sets (2,000 resamples). A fold's score is its best one, as in `train`.
Hours left are taken as known; the usual hours of a run are those of the tuning half.

The options and constants of the rules were chosen on one half of the data sets alone (--choose
prints that half); shown are the others, with orders of their own. LCDB is split by a digest of each
data set's number; the own sets by the alphabet (benchmarks/stop_rules_replay/split.py). Ends with 1
where a bar is missed. --quick replays few orders of the own curves and has no bars.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.stop_rules_replay import lcdb, peers, recorded, split  # noqa: E402
from benchmarks.stop_rules_replay.campaign import Campaign  # noqa: E402
from benchmarks.stop_rules_replay.figures import Figures, figures  # noqa: E402
from benchmarks.stop_rules_replay.optunas import optunas_policies  # noqa: E402
from benchmarks.stop_rules_replay.replay import Policy, orders, replay  # noqa: E402
from benchmarks.stop_rules_replay.rules import OurRule, together  # noqa: E402
from orchestrator.stop_rules import RULES  # noqa: E402

OURS, PAIRED = "beats-baseline", "paired folds alone"
SEED_TUNED, SEED = 0, 6000
MOST_RUNS = 40
"""Of one order."""
ORDERS_OWN = 50
"""For one of LCDB's: there are fewer campaigns, and they are short."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lcdb", type=Path, help="folder with the archive or the table")
    parser.add_argument("--orders", type=int, default=1, help="of each campaign of LCDB")
    parser.add_argument("--quick", action="store_true", help="own curves, few orders, no bars")
    parser.add_argument("--choose", action="store_true", help="the half that was tuned on")
    options = parser.parse_args(arguments)
    began = time.process_time()
    seed = SEED_TUNED if options.choose else SEED
    tried = policies()
    shown: list[tuple[str, dict[str, Figures]]] = []
    if not options.quick:
        try:
            campaigns = lcdb.read(options.lcdb, range(5))
        except FileNotFoundError as missing:
            print(missing, file=sys.stderr)
            return 1
        tuned, unseen = split.by_digest(campaigns)
        half = tuned if options.choose else unseen
        half = split.with_usual(half, of=tuned)
        shown.append(("LCDB", table("LCDB", half, tried, options.orders, seed)))
    tuned, unseen = split.by_name(recorded.read(), recorded.TUNED_ON)
    half = split.with_usual(tuned if options.choose else unseen, of=tuned)
    count = 2 if options.quick else ORDERS_OWN
    more: dict[str, Policy] = {name: OurRule(RULES[name]) for name in ("broken", "chance", "curve")}
    more["these four rules together"] = OurRule(together)
    own = table("own epoch curves", half, tried | more, count, seed)
    shown.append(("own", own))
    print(f"{time.process_time() - began:.0f} s of CPU time")
    if options.quick or options.choose:
        return 0
    return bars(dict(shown), sorted(tried.keys() - {OURS}))


def policies() -> dict[str, Policy]:
    found: dict[str, Policy] = {
        OURS: OurRule(RULES[OURS]),
        PAIRED: peers.paired_folds,
        "below the mean": peers.below_the_mean,
        "median stopping": peers.median_stopping,
    }
    others = optunas_policies()
    if not others:
        print("Optuna is not installed (pip install optuna scipy): its two pruners are left out")
    return found | others


def table(
    title: str, half: Sequence[Campaign], tried: Mapping[str, Policy], count: int, seed: int
) -> dict[str, Figures]:
    """Replays and prints; every policy meets the same orders."""
    families = {campaign.family for campaign in half}
    runs = sum(len(campaign.runs) for campaign in half) / len(half)
    print(
        f"\n{title}: {len(families)} data sets, {len(half)} campaigns of {runs:.0f} runs, "
        f"{count} order(s) each, seed {seed}"
    )
    print("| policy | saved, pooled | per set | wrongly stopped | regret mean / p95 / max |")
    print("|---|---|---|---|---|")
    found: dict[str, Figures] = {}
    for name, policy in tried.items():
        outcomes = [
            replay(campaign, order, policy, seed)
            for campaign in half
            for order in orders(campaign, count, seed, MOST_RUNS)
        ]
        one = found[name] = figures(outcomes, seed)
        print(
            f"| {name} | {one.pooled} | {one.per_set} | {one.wrong_count} of {one.winners}: "
            f"{one.wrong.fine()} | {one.regret_mean:.4f} / {one.regret_p95:.1f} / "
            f"{one.regret_max:.1f} |",
            flush=True,
        )
    return found


def bars(shown: Mapping[str, Mapping[str, Figures]], others: Sequence[str]) -> int:
    """1 where a bar is missed; each is printed with what was measured."""
    of_lcdb, own = shown["LCDB"], shown["own"]
    ours, ours_own = of_lcdb[OURS], own[OURS]
    missed = 0

    def bar(what: str, got: float, wanted: float, holds: Callable[[float, float], bool]) -> None:
        nonlocal missed
        good = holds(got, wanted)
        missed += not good
        print(f"{'holds ' if good else 'MISSED'} {what}: {got:.4g}, wanted {wanted:.4g}")

    def least(got: float, wanted: float) -> bool:
        return got >= wanted

    def most(got: float, wanted: float) -> bool:
        return got <= wanted

    print()
    bar("LCDB, runs that would have improved, at least", ours.winners, 300, least)
    for name, one in (("LCDB", ours), ("own curves", ours_own)):
        bar(f"{name}, wrongly stopped, %, at most", one.wrong.value, 1, most)
        bar(f"{name}, upper end of its interval, %, at most", one.wrong.high, 2, most)
        bar(f"{name}, mean regret, points, at most", one.regret_mean, 0.005, most)
        bar(f"{name}, 95th percentile of the regret, at most", one.regret_p95, 0, most)
    bar("LCDB, saved, pooled, %, at least", ours.pooled.value, 50, least)
    bar("LCDB, saved, per set, %, at least", ours.per_set.value, 40, least)
    paired = own[PAIRED]
    what = "own curves, saved, %, at least the paired fold rule's"
    bar(f"{what}, pooled", ours_own.pooled.value, paired.pooled.value, least)
    bar(f"{what}, per set", ours_own.per_set.value, paired.per_set.value, least)
    for place, all_of in shown.items():
        mine = all_of[OURS]
        for name in others:
            peer = all_of[name]
            if peer.wrong.value <= mine.wrong.value:
                what = f"{place}, saved, pooled, %, at least that of {name}"
                bar(f"{what}, which errs no more", mine.pooled.value, peer.pooled.value, least)
                bar(f"{what}, per set", mine.per_set.value, peer.per_set.value, least)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
