"""Two policies on demands small enough to work out by hand. Each fold takes an hour but where a
test says otherwise; the account has some hours a week."""

from __future__ import annotations

from dataclasses import replace

import pytest

from budget.accounts.account import Account, Session
from budget.accounts.limit import weekly
from orchestrator.graph import Graph, Job
from orchestrator.simulation.fortune import Fortune, Fortunes
from orchestrator.simulation.outlook import Asked, Setting, weeks_of
from orchestrator.simulation.peers import PEERS, play
from orchestrator.simulation.tally import Tally
from tests.orchestrator.worlds import HOUR_MS, SATURDAY_MS


class Told(Fortunes):
    """Fortunes that a test says."""

    def of(self, job: Job, run: str = "") -> Fortune:
        return told.get(job.id, Fortune(3600.0, 4))


told: dict[str, Fortune] = {}


@pytest.fixture(autouse=True)
def forget() -> None:
    told.clear()


def folds(count: int, *, limit_s: float = 7200.0, retries: int = 0) -> Graph:
    jobs = tuple(
        Job(
            f"train.fold{n}",
            "train",
            fold=n,
            folds=count,
            devices=1,
            limit_s=limit_s,
            retries=retries,
            static_key=f"fold {n}",
        )
        for n in range(count)
    )
    return Graph("plan", "lab", "/plans", jobs)


def setting(
    *graphs: Graph, hours: float = 10, weeks: int = 1, overrun: str = "killed", devices: int = 1
) -> Setting:
    limit = weekly(round(hours * HOUR_MS))
    account = Account("lab", "simulated", "simulated", (limit,), overrun=overrun)
    demand = tuple(Asked(SATURDAY_MS, graph) for graph in graphs)
    spans = weeks_of(account, SATURDAY_MS, weeks)
    return Setting((account,), demand, Told(0, {}), spans, devices=devices)


def hours(ms: float) -> float:
    return round(ms / HOUR_MS, 3)


def totals(tally: Tally) -> tuple[int, int, float, float]:
    return tally.folds, tally.runs, hours(tally.used_ms), hours(tally.wasted_ms)


@pytest.mark.parametrize("policy", PEERS)
def test_all_of_a_plan_that_fits_is_finished(policy: str) -> None:
    assert totals(play(policy, setting(folds(5)))) == (5, 1, 5.0, 0.0)


def test_without_a_ledger_the_provider_kills_what_runs_at_zero() -> None:
    found = play("fcfs", setting(folds(5), hours=2.5, weeks=2))
    first, second = found.weeks
    assert (first.folds, hours(first.used_ms), hours(first.wasted_ms)) == (2, 2.5, 0.5)
    assert (second.folds, hours(second.used_ms), hours(second.wasted_ms)) == (2, 2.5, 0.5)
    assert hours(first.left_ms) == 0.0


def test_where_the_provider_lets_it_finish_the_overrun_shows() -> None:
    found = play("fcfs", setting(folds(5), hours=2.5, overrun="finishes"))
    assert totals(found) == (3, 0, 3.0, 0.0)
    assert hours(found.left_ms) == -0.5


def test_safe_starts_only_what_fits_with_its_whole_limit() -> None:
    """Two hours each are set aside for jobs that take one: the third does not start at 2.5 h."""
    found = play("slurm-safe", setting(folds(5), hours=2.5, weeks=2))
    assert [week.folds for week in found.weeks] == [1, 1]
    assert hours(found.weeks[0].left_ms) == 1.5
    assert found.wasted_ms == 0.0


def test_safe_kills_at_the_limit_and_fcfs_does_not_know_it() -> None:
    graph = folds(1, limit_s=1800.0)
    assert totals(play("slurm-safe", setting(graph))) == (0, 0, 0.5, 0.5)
    assert totals(play("fcfs", setting(graph))) == (1, 1, 1.0, 0.0)


@pytest.mark.parametrize("policy", PEERS)
def test_what_became_nan_runs_to_its_end_for_nothing(policy: str) -> None:
    told["train.fold1"] = Fortune(3600.0, 4, breaks_at=1)
    assert totals(play(policy, setting(folds(3)))) == (2, 0, 3.0, 1.0)


@pytest.mark.parametrize("policy", PEERS)
def test_the_same_again_is_paid_for_again(policy: str) -> None:
    assert totals(play(policy, setting(folds(2), folds(2)))) == (2, 2, 4.0, 2.0)


@pytest.mark.parametrize("policy", PEERS)
def test_a_crash_costs_what_it_took_and_is_tried_again(policy: str) -> None:
    told["train.fold0"] = Fortune(3600.0, 4, crashes_at=0.5)
    assert totals(play(policy, setting(folds(1, retries=1)))) == (1, 1, 1.5, 0.5)
    assert totals(play(policy, setting(folds(1)))) == (0, 0, 0.5, 0.5)


@pytest.mark.parametrize("policy", PEERS)
def test_two_devices_run_two_folds(policy: str) -> None:
    found = play(policy, setting(folds(4), devices=2))
    assert totals(found) == (4, 1, 4.0, 0.0)


@pytest.mark.parametrize("policy", PEERS)
def test_a_session_ends_at_its_own_limit(policy: str) -> None:
    made = setting(folds(1))
    (account,) = made.accounts
    short = replace(account, session=Session(max_ms=HOUR_MS // 2))
    assert totals(play(policy, replace(made, accounts=(short,)))) == (0, 0, 0.5, 0.5)


@pytest.mark.parametrize("policy", PEERS)
def test_what_spans_a_reset_is_split_there(policy: str) -> None:
    """Edge 6: a run spans a reset."""
    made = setting(folds(1), weeks=2)
    late = replace(made.demand[0], at_ms=made.weeks[0].end_ms - HOUR_MS // 4)
    found = play(policy, replace(made, demand=(late,)))
    assert [hours(week.used_ms) for week in found.weeks] == [0.25, 0.75]


def test_an_unknown_policy_is_no_policy() -> None:
    with pytest.raises(KeyError):
        play("random", setting(folds(1)))
