from __future__ import annotations

import pytest

from budget.accounts.account import AccountError, Machine, Session
from budget.accounts.limit import Limit, weekly
from budget.accounts.presets import PRESETS, preset
from budget.duration import DAY_MS, HOUR_MS, MINUTE_MS
from budget.windows import Calendar, FirstUse, Lots, PerSession, Rolling, Unbounded


def test_kaggle_grants_session_hours_from_saturday_to_saturday() -> None:
    gpu, tpu = preset("kaggle-gpu"), preset("kaggle-tpu")
    assert gpu.limits == (weekly(30 * HOUR_MS, "sat", "00:00", "UTC"),)
    assert tpu.limits == (weekly(20 * HOUR_MS, "sat", "00:00", "UTC"),)
    assert gpu.executor == tpu.executor == "kaggle"
    assert (gpu.session.max_ms, tpu.session.max_ms) == (12 * HOUR_MS, 9 * HOUR_MS)
    assert gpu.session.concurrent == 2
    # A session with two T4 is one session hour an hour, not two.
    assert gpu.cost_ms(2, HOUR_MS, "NvidiaTeslaT4") == HOUR_MS
    assert tpu.cost_ms(8, HOUR_MS, "TpuV5E8") == HOUR_MS
    assert (gpu.overrun, gpu.observe) == ("finishes", "api")
    # The P100 was retired in September 2026; who asks for one gets two T4.
    assert gpu.machines == (Machine("NvidiaTeslaT4", 1_000, 2),)


def test_colab_sells_credits_that_expire_at_a_rate_by_machine() -> None:
    paid = preset("colab-paid")
    assert paid.limits == (Limit(0, Lots(90 * DAY_MS), "units"),)
    assert (paid.unit, paid.metering.rate_source) == ("credit", "measured")
    assert paid.cost_ms(1, HOUR_MS, "T4") == 4_284_000
    assert paid.cost_ms(1, HOUR_MS, "A100-80GB") == 27_072_000


def test_the_free_tier_of_colab_is_a_guess_and_says_so() -> None:
    free = preset("colab-free")
    assert free.session == Session(12 * HOUR_MS, 1, 90 * MINUTE_MS)
    assert free.limits[0].assumed and free.limits[0].window == Rolling(DAY_MS)
    assert free.best_effort


def test_a_lab_server_counts_the_last_seven_days_and_slurm_a_grant() -> None:
    assert preset("lab-server").limits == (Limit(40 * HOUR_MS, Rolling(7 * DAY_MS), "rolling"),)
    assert preset("lab-server").cost_ms(2, HOUR_MS) == 2 * HOUR_MS
    slurm = preset("slurm")
    assert (slurm.executor, slurm.unit, slurm.limits[0].window) == ("slurm", "device", Unbounded())
    assert slurm.limits[0].assumed


def test_the_other_platforms_are_data() -> None:
    """Edge 31: what starts the meter is a session, or a call."""
    lightning = preset("lightning-free")
    assert lightning.limits[0].window == Calendar("month", "1")
    assert 21 * HOUR_MS < lightning.duration_ms(1, lightning.limits[0].amount_ms) < 23 * HOUR_MS
    studio = preset("studio-lab")
    assert [limit.window for limit in studio.limits] == [FirstUse(DAY_MS), PerSession()]
    assert {limit.amount_ms for limit in studio.limits} == {4 * HOUR_MS}
    assert preset("paperspace-free").limits[0].window == PerSession()
    zero, pro = preset("zerogpu-free"), preset("zerogpu-pro")
    assert (zero.limits[0].amount_ms, pro.limits[0].amount_ms) == (210_000, 1_500_000)
    assert zero.machines == (Machine("large", 1_000, 1), Machine("xlarge", 2_000, 1))
    assert zero.cost_ms(1, 1_000, "xlarge") == 2_000
    assert (zero.metering.starts, zero.metering.stops) == ("call_start", "call_end")


def test_only_the_simulated_preset_is_simulated() -> None:
    assert [name for name in PRESETS if PRESETS[name].kind == "simulated"] == ["simulated"]
    assert all(PRESETS[name].name == name for name in PRESETS)


def test_a_preset_can_have_another_name() -> None:
    mine = preset("simulated", called="mine")
    assert (mine.name, mine.kind) == ("mine", "simulated")


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(AccountError) as caught:
        preset("kaggle")
    assert caught.value.wanted is not None and "kaggle-gpu" in caught.value.wanted
