"""The ways out that are offered where a plan does not fit, each with its hours."""

from __future__ import annotations

from dataclasses import replace

from budget.duration import HOUR_MS
from budget.forecasts.forecast import Forecast, unknown
from orchestrator.graph import Graph, Job
from orchestrator.plans.fitting import fit, need_of
from orchestrator.plans.ways import Way, resized, sized_entry, ways
from tests.orchestrator.pasts import folds_graph
from tests.orchestrator.plans.test_fitting import FRIDAY_MS, LAB, left, takes

GRAPH = folds_graph(folds=5, limit_s=3 * 3600 - 30, epochs=12)


def price(graph: Graph, job: Job) -> Forecast:
    """12 epochs at 224 px take 1.92 h; 160 px is 1.9 times as fast; 96 px was never measured."""
    _, size = sized_entry(graph, job)
    hours = {224: 1.92, 160: 1.92 / 1.9}.get(size)
    return unknown(job.wall_limit_ms) if hours is None else takes(hours * job.params["epochs"] / 12)


def offered(hours: float, graph: Graph = GRAPH, pricing: bool = True) -> dict[str, Way]:
    """By the option's name, for a week with so much left."""
    found = [
        need_of(job, price(graph, job) if pricing else unknown(job.wall_limit_ms), LAB)
        for job in graph.jobs
        if job.devices
    ]
    short = fit(found, left(hours), 0, FRIDAY_MS)
    listed = ways(short, graph, LAB, price if pricing else _nothing, [96, 160, 224, 512])
    return {way.option.split("=")[0]: way for way in listed}


def _nothing(graph: Graph, job: Job) -> Forecast:
    return unknown(job.wall_limit_ms)


def test_on_friday_every_way_out_has_its_hours() -> None:
    """The transcript's Friday: 9.6 h are needed, 4 h are left, the reset is in 9 h."""
    found = offered(4.0)
    park = found["--park"]
    assert park.what.startswith("train folds 0–1 now, train fold 2 in two parts, train folds 3–4")
    assert "Sat 28 Nov 2026 00:00 UTC" in park.what
    assert park.cost == "4.00 + 5.60 h"
    assert found["--folds 0,1"].cost == "3.84 h"
    assert found["--set train.epochs"] == Way(
        "--set train.epochs=5", "5 of 12 epochs, now", "4.00 h"
    )
    smaller = found["--set packed.size"]
    assert smaller.option.endswith("=160") and smaller.cost == "5.05 h"
    assert "measured 1.9 × faster" in smaller.what and smaller.later.startswith("after Sat 28")
    assert found["later"].cost == "9.60 h" and "after Sat" in found["later"].later


def test_a_job_that_cannot_be_cut_waits_whole() -> None:
    jobs = tuple(replace(job, at_edge="hard-stop") for job in GRAPH.jobs)
    park = offered(4.0, replace(GRAPH, jobs=jobs))["--park"]
    assert park.what.startswith("train folds 0–1 now, train folds 2–4 after")
    assert park.cost == "3.84 + 5.76 h"


def test_nothing_is_offered_that_does_not_fit_or_was_not_measured() -> None:
    found = offered(0.9)
    assert not any(option.startswith("--folds") for option in found)
    assert "--set train.epochs" not in found  # it would be one epoch of twelve
    assert "--set packed.size" in found  # after the reset
    unpriced = offered(4.0, pricing=False)
    assert set(unpriced) == {"--park", "--folds 0", "limit: 47m", "later"}
    assert unpriced["limit: 47m"].cost <= "4.00 h"


def test_the_longest_limit_that_fits_is_named_where_nothing_is_known() -> None:
    minutes = 47
    assert 5 * (minutes * 60 + 30) <= 4 * 3600 < 5 * ((minutes + 1) * 60 + 30)
    assert f"limit: {minutes}m" in offered(4.0, pricing=False)


def test_a_plan_that_fits_needs_no_way_out() -> None:
    assert offered(9.7) == {}


def test_without_hours_that_come_back_there_is_nothing_to_wait_for() -> None:
    needs = [need_of(job, price(GRAPH, job), LAB) for job in GRAPH.jobs if job.devices]
    lots = fit(needs, left(4.0, gain_ms=None), 0, FRIDAY_MS)
    options = {way.option for way in ways(lots, GRAPH, LAB, price, [])}
    assert options == {"--folds 0,1", "--set train.epochs=5"}
    assert lots.free_ms == 4 * HOUR_MS


def test_the_size_of_images_is_that_of_the_nearest_entry_that_has_one() -> None:
    graph = folds_graph(size=224)
    job = graph.job("train.fold0")
    assert sized_entry(graph, job) == ("packed", 224)
    assert sized_entry(resized(graph, ["packed"], 96), job) == ("packed", 96)
    assert sized_entry(graph, replace(job, params={"size": 64})) == ("train", 64)
    assert sized_entry(graph, graph.job("folds"))[0] == "packed"
    alone = Job("fit", "fit", argv=("python",))
    assert sized_entry(Graph("x", "lab", "/", (alone,)), alone) == ("", 0)


def test_sizes_of_resize_stand_in_lists_and_pictures_to_predict_change_with_the_others() -> None:
    """As `resize` takes them: 224 in a plan is [224] there."""
    packed = replace(GRAPH.job("packed"), uses="resize", params={"size": [224]})
    test = replace(packed, id="test-packed", group="test-packed")
    jobs = (packed, test, *(job for job in GRAPH.jobs if job.id != "packed"))
    graph = replace(GRAPH, jobs=jobs)
    smaller = offered(4.0, graph)["--set packed.size"]
    assert smaller.option == "--set packed.size=160 --set test-packed.size=160"
    assert resized(graph, ["packed"], 96).job("packed").params == {"size": [96]}
