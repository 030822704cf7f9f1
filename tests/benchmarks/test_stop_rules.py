"""The replay of stop rules: on runs whose end is known beforehand, and on tables made here."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import stop_rules
from benchmarks.data import epoch_curves
from benchmarks.stop_rules_replay import lcdb, peers, recorded, split
from benchmarks.stop_rules_replay.campaign import Campaign, Fold, Run
from benchmarks.stop_rules_replay.figures import figures
from benchmarks.stop_rules_replay.replay import Judge, Outcome, Policy, orders, replay
from benchmarks.stop_rules_replay.rules import OurRule, together
from orchestrator.stop_rules import RULES
from orchestrator.stop_rules.base import FoldView, GroupView, Verdict

LOOKS = 6


def made(name: str, means: Sequence[float], seed: int = 0, family: str = "") -> Campaign:
    """Runs that climb to about these means, five folds of 200 items each."""
    draw = random.Random(seed)
    runs = []
    for number, level in enumerate(means):
        folds = []
        for _ in range(5):
            best = min(1.0, max(0.0, level + draw.gauss(0, 0.01)))
            curve = tuple(best * (1 - 0.5 * (1 - (n + 1) / LOOKS) ** 2) for n in range(LOOKS))
            folds.append(Fold(curve, tuple(float(n + 1) for n in range(LOOKS))))
        runs.append(Run(f"run{number}", "one-cycle", tuple(folds)))
    return Campaign(name, family or name, 200, tuple(runs), usual_s=30.0)


LEVELS = (0.5, 0.6, 0.55, 0.8, 0.3, 0.82, 0.7, 0.65, 0.81, 0.4, 0.83, 0.2)
CAMPAIGNS = [made(f"made{n}", LEVELS, seed=n) for n in range(4)]


class Oracle:
    """Stops after one look whatever will not improve."""

    def __init__(self) -> None:
        self.best: float | None = None

    def stops_at(self, run: Run) -> tuple[int, int] | None:
        if self.best is not None and run.mean <= self.best:
            return 0, 0
        self.best = run.mean
        return None


class Butcher(Oracle):
    """Stops everything but the first run."""

    def stops_at(self, run: Run) -> tuple[int, int] | None:
        first = self.best is None
        self.best = run.mean
        return None if first else (0, 0)


def oracle(campaign: Campaign, draw: random.Random) -> Judge:
    return Oracle()


def butcher(campaign: Campaign, draw: random.Random) -> Judge:
    return Butcher()


def played(policy: Policy, count: int = 5) -> list[Outcome]:
    return [
        replay(campaign, order, policy, 1)
        for campaign in CAMPAIGNS
        for order in orders(campaign, count, 1, 40)
    ]


def test_an_oracle_never_stops_a_run_that_would_have_improved() -> None:
    found = figures(played(oracle), 1)
    assert (found.wrong_count, found.regret_max) == (0, 0)
    assert found.winners > 20
    assert found.pooled.value > 60


def test_a_butcher_stops_them_all_and_pays_with_regret() -> None:
    found = figures(played(butcher), 1)
    assert found.wrong_count == found.winners > 20
    assert found.regret_mean > 1
    first, rest = 30, 11  # seconds of the first run; one look at each of the others
    assert found.pooled.value == pytest.approx(100 * (1 - (first + rest) / (12 * 30)))


def test_our_rule_saves_on_runs_that_are_far_apart_and_finds_the_best() -> None:
    found = figures(played(OurRule(RULES["beats-baseline"])), 1)
    assert found.pooled.value > 30
    assert found.wrong_count == 0
    assert found.regret_p95 == 0
    assert found.pooled.value < figures(played(oracle), 1).pooled.value


@pytest.mark.parametrize(
    "policy", [peers.paired_folds, peers.below_the_mean, peers.median_stopping]
)
def test_peers_save_something_and_leave_the_first_run_alone(policy: Policy) -> None:
    assert figures(played(policy), 1).pooled.value > 10


def test_the_looks_that_the_replay_leaves_out_are_those_at_which_the_rule_says_nothing() -> None:
    """Inside later folds `beats-baseline` is silent, however bad they are."""
    asked: list[GroupView] = []

    def spy(group: GroupView, options: object) -> Verdict:
        asked.append(group)
        return RULES["beats-baseline"](group, {})

    played(OurRule(spy), count=1)
    later = [view for view in asked if 0 < sum(fold.done for fold in view.folds) < 5]
    assert later
    for view in later:
        at = next(n for n, fold in enumerate(view.folds) if not fold.done)
        hopeless = FoldView(
            f"train.fold{at}",
            at,
            (),
            False,
            scores=(0.0,) * 5,
            epochs=LOOKS,
            best=0.0,
            schedule="one-cycle",
        )
        folds = [*view.folds[:at], hopeless, *view.folds[at + 1 :]]
        inside = GroupView(
            view.group,
            folds,
            hopeless,
            is_share=True,
            items=view.items,
            baseline=view.baseline,
            history=view.history,
        )
        said = RULES["beats-baseline"](inside, {})
        assert said.action == "go-on" or said.reason == "cannot-win"


def test_orders_are_drawn_from_the_seed_and_differ_between_campaigns() -> None:
    one, same, other = CAMPAIGNS[0], made("made0", LEVELS), made("else", LEVELS)
    names = [[run.name for run in order] for order in orders(one, 3, 7, 8)]
    assert names == [[run.name for run in order] for order in orders(same, 3, 7, 8)]
    assert names != [[run.name for run in order] for order in orders(other, 3, 7, 8)]
    assert {len(order) for order in names} == {8}


def test_both_halves_of_the_recordings_are_there_and_share_no_family() -> None:
    tuned, unseen = split.by_name(recorded.read(), recorded.TUNED_ON)
    assert not {one.family for one in tuned} & {one.family for one in unseen}
    assert len({one.family for one in tuned}) >= 3 and len({one.family for one in unseen}) >= 3
    many = [made(f"set{n}", (0.5, 0.6)) for n in range(40)]
    even, odd = split.by_digest(many)
    assert len(even) + len(odd) == 40 and min(len(even), len(odd)) > 10


def test_intervals_are_over_families_and_hold_the_estimate() -> None:
    rows = [Outcome(f"set{n}", 100.0, 50.0 + n, 10, n % 2, 0.0, 3) for n in range(20)]
    found = figures(rows * 3, 5)
    for one in (found.pooled, found.per_set, found.wrong):
        assert one.low < one.value < one.high
    assert found.wrong.value == pytest.approx(5.0)


def test_recorded_trainings_that_went_wrong_are_stopped_by_the_end_of_their_first_fold() -> None:
    """Labels shuffled, rates a thousand times too high or too low, after a good run and others."""
    kinds = {run.id: run.kind for run in epoch_curves.read().runs}
    seen = 0
    for campaign in recorded.read():
        good = [run for run in campaign.runs if kinds[run.name] == "usual"]
        good.sort(key=lambda run: run.mean, reverse=True)
        for run in campaign.runs:
            # On the easiest set even such rates end well: nothing has to be stopped there.
            went_wrong = run.mean < good[0].mean - 0.05
            if kinds[run.name] not in ("shuffled", "rate-high", "rate-low") or not went_wrong:
                continue
            judge = OurRule(together)(campaign, random.Random(0))
            for other in good[:4]:
                judge.stops_at(other)
            end = judge.stops_at(run)
            assert end is not None and end[0] == 0, run.name
            seen += 1
    assert seen >= 20


def table(folder: Path, learners: int, missing: str = "") -> None:
    head = "openmlid,learner,size_train,size_test,outer_seed,inner_seed,traintime,score_train"
    lines = [f"{head},score_valid,score_test"]
    for learner in range(learners):
        for fold in range(5):
            for place, size in enumerate((16, 32, 64, 128)):
                if f"{learner} {fold} {size}" != missing:
                    score = 0.5 + learner / 100 + place / 10
                    lines.append(f"3,l{learner},{size},100,{fold},0,{place}.5,1,{score},0")
    (folder / lcdb.TABLE).write_text("\n".join(lines) + "\n")


def test_lcdb_becomes_campaigns_of_learners_that_finished_every_size(tmp_path: Path) -> None:
    table(tmp_path, 12, missing="4 2 128")
    (campaign,) = lcdb.read(tmp_path, [0])
    assert (campaign.family, campaign.items, len(campaign.runs)) == ("lcdb-3", 90, 11)
    assert "l4" not in {run.name for run in campaign.runs}
    fold = campaign.runs[0].folds[0]
    assert fold.trained == (0.125, 0.25, 0.5, 1.0)
    assert fold.spent == (0.5, 1.5, 2.5, 3.5)
    assert fold.best == pytest.approx(0.8)
    assert lcdb.read(tmp_path, [1]) == []


def test_without_lcdb_it_is_said_where_to_get_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stop_rules.main(["--lcdb", str(tmp_path)]) == 1
    assert "pip download --no-deps --no-binary :all: lcdb==0.1.0" in capsys.readouterr().err


def test_the_quick_replay_prints_every_policy_on_the_own_curves(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert stop_rules.main(["--quick"]) == 0
    printed = capsys.readouterr().out
    for policy in ("beats-baseline", "paired folds alone", "below the mean", "median stopping"):
        assert f"| {policy} |" in printed
