"""What trying again costs, and what refuses it."""

from __future__ import annotations

from pathlib import Path

from orchestrator.commands import RetryJobs
from orchestrator.forecasts.history import History
from orchestrator.resuming.retry_price import Price, price_of, price_words
from tests.orchestrator.scheduler.obeying.test_resuming import RUN, folds
from tests.orchestrator.scheduler.obeying.test_retrying import Failing, retry


def price(world: Failing, request: RetryJobs) -> Price:
    now_ms = world.clock.now_ms()
    account = next(one for one in world.ledger.accounts() if one.name == "lab")
    balance = world.ledger.balance("lab", now_ms)
    return price_of(world.scheduler.state, request, account, balance, History(), now_ms)


def test_it_is_what_the_rest_and_what_was_skipped_will_take(tmp_path: Path) -> None:
    world = Failing(tmp_path)
    world.settle(folds())
    found = price(world, retry())
    assert [job.id for job in found.jobs] == ["train.fold1", "train.fold2"]
    # Fold 0 took an hour. Fold 1 has half of it behind it, but never said how many epochs it has.
    assert found.likely_ms == 2 * 3_600_000
    assert found.low_ms < found.likely_ms < found.high_ms
    assert found.needs_ms >= 2 * 3_600_000  # what one of them reserves
    assert found.refusing is None
    account = world.ledger.account("lab")
    assert price_words(found, account) == "costs about 2.00 h (1.62–2.47) on lab"
    before_ms = world.settled_ms
    world.mended = True
    world.ask(retry())
    world.until_settled()
    assert 1.4 * 3_600_000 < world.settled_ms - before_ms < found.likely_ms


def test_what_is_not_left_is_refused_by_its_limit(tmp_path: Path) -> None:
    world = Failing(tmp_path, week_ms=round(2.2 * 3_600_000))
    world.settle(folds())
    refusing = price(world, retry()).refusing
    assert refusing is not None
    assert refusing.account == "lab"


def test_cpu_work_costs_nothing(tmp_path: Path) -> None:
    world = Failing(tmp_path)
    world.settle(folds())
    found = price(world, RetryJobs(run=RUN, scope="group", target="errors"))
    assert found.jobs == ()
    assert price_words(found, world.ledger.account("lab")).startswith("costs nothing")
