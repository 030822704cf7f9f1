"""`quota`: hours that are too short for a fold."""

from __future__ import annotations

from orchestrator.stop_rules.base import GO_ON
from orchestrator.stop_rules.quota import quota
from tests.orchestrator.stop_rules.groups import done, group, running, waiting


def test_a_fold_that_cannot_finish_waits_for_new_hours() -> None:
    view = group(running(0, (0.5,)), left_of_fold_s=7200.0, free_s=1800.0)
    verdict = quota(view, {})
    assert (verdict.action, verdict.scope, verdict.reason) == ("park", "attempt", "quota")
    assert verdict.sentence == (
        "fold 0 needs 2.0 h more, the account has 30.0 min until its hours come back: "
        "it waits for them"
    )


def test_a_fold_that_has_not_begun_is_judged_as_well() -> None:
    view = group(done(0, 0.8), waiting(1), left_of_fold_s=7200.0, free_s=1800.0)
    assert quota(view, {}).scope == "attempt"


def test_after_a_fold_the_next_one_is_judged() -> None:
    after = group(done(0, 0.8), left_s=4 * 7200.0, free_s=1800.0)
    verdict = quota(after, {})
    assert (verdict.action, verdict.scope) == ("park", "group")
    assert verdict.sentence.startswith("the next fold needs 2.0 h more")
    assert quota(group(done(0, 0.8), left_s=4 * 7200.0, free_s=7200.0), {}) == GO_ON


def test_a_little_too_short_is_left_to_the_forecasts_error() -> None:
    view = group(running(0, (0.5,)), left_of_fold_s=1000.0, free_s=905.0)
    assert quota(view, {}) == GO_ON
    assert quota(view, {"short": 0.05}).action == "park"


def test_what_is_not_known_parks_nothing() -> None:
    assert quota(group(running(0, (0.5,)), left_of_fold_s=7200.0), {}) == GO_ON
    assert quota(group(running(0, (0.5,)), free_s=0.0), {}) == GO_ON
    all_done = group(*(done(n, 0.8) for n in range(5)), left_s=0.0, free_s=0.0)
    assert quota(all_done, {}) == GO_ON
