"""Pictures to predict that were made otherwise than those that train."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.plans.expand import expand
from orchestrator.plans.picture_recipes import OtherPictures, other_pictures
from orchestrator.plans.plan import load_plan

PLAN = """
name: seedlings
account: practice
jobs:
  scan: {uses: scan, with: {source: data}}
  packed: {uses: resize, needs: [scan], with: {size: 64}}
  folds: {uses: folds, needs: [scan], with: {k: 2}}
  train: {uses: train, needs: [packed, folds], per: fold, devices: 1, limit: 5m}
  test: {uses: scan, with: {source: test, labels: none}}
  test-packed: {uses: resize, needs: [test], with: {size: 64}}
  test-predict: {uses: predict, needs: [train, test-packed]}
"""


def found(folder: Path, *sets: str, plan: str = PLAN) -> list[OtherPictures]:
    for name in ("data", "test"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "plan.yaml").write_text(plan)
    return list(other_pictures(expand(load_plan(str(folder / "plan.yaml"), sets))))


def other(given_px: int, trained_px: int) -> OtherPictures:
    sides = (f"{given_px} px", f"{trained_px} px")
    names = ("test-predict", "test-packed", "packed")
    return OtherPictures(*names, "size", *sides, True, (f"test-packed.size={trained_px}",))


def test_pictures_of_the_size_that_trains_are_well(tmp_path: Path) -> None:
    assert found(tmp_path) == []
    assert found(tmp_path, "test-packed.size=96", "packed.size=96") == []
    assert found(tmp_path, "test-packed.size=[32, 64]") == []


def test_those_of_another_size_are_found(tmp_path: Path) -> None:
    assert found(tmp_path, "packed.size=96") == [other(64, 96)]
    assert found(tmp_path, "packed.size=null") == [other(64, 224)]
    channels = "  few: {uses: pca, needs: [test-packed, fit], with: {fitted: fit}}\n"
    fitted = "  fit: {uses: pca, needs: [packed], with: {k: 2}}\n"
    plan = PLAN.replace("[train, test-packed]", "[train, few]") + channels + fitted
    assert found(tmp_path, "packed.size=96", plan=plan) == [other(64, 96)]


@pytest.mark.parametrize(
    ("sets", "mend", "fails"),
    [
        (["test-packed.mode=pad"], "test-packed.mode=crop", False),
        (["packed.mode=stretch"], "test-packed.mode=stretch", False),
        (["test-packed.mode=keep", "test-packed.size=null"], "test-packed.mode=crop", True),
        (["test-packed.colour=gray"], "test-packed.colour=rgb", True),
        (["test-packed.colour=gray3"], "test-packed.colour=rgb", False),
        (
            ["packed.mode=pad", "packed.fill=9", "test-packed.mode=pad"],
            "test-packed.fill=9",
            False,
        ),
    ],
)
def test_those_that_look_otherwise_are_found_with_what_mends_it(
    tmp_path: Path, sets: list[str], mend: str, fails: bool
) -> None:
    (one,) = found(tmp_path, *sets)
    assert (one.mend[0], one.fails) == (mend, fails)
    assert found(tmp_path, *sets, *one.mend) == []


def test_how_pictures_are_kept_is_not_seen_by_a_network(tmp_path: Path) -> None:
    sets = ["test-packed.compress={format: jpeg}", "packed.part_mib=64"]
    assert found(tmp_path, *sets) == []


def test_of_several_sets_it_is_about_the_one_that_is_taken(tmp_path: Path) -> None:
    more = "  more: {uses: resize, needs: [test], with: {size: 64, mode: pad}}\n"
    plan = PLAN.replace("[train, test-packed]", "[train, test-packed, more]") + more
    (taken,) = found(tmp_path, "test-packed.size=96", plan=plan)
    assert (taken.given, taken.key) == ("more", "mode")
    assert found(tmp_path, "more.size=96", plan=plan) == []


@pytest.mark.parametrize(
    ("sets", "old", "new"),
    [
        (["packed.mode=keep", "packed.size=null"], "", ""),
        (["packed.size=96"], "[train, test-packed]", "[train]"),
        (["packed.size=96"], "[train, test-packed]", "[train, packed]"),
        (["packed.size=96"], "[train, test-packed]", "[train, own]"),
    ],
)
def test_what_the_plan_does_not_say_is_no_mistake(
    tmp_path: Path, sets: list[str], old: str, new: str
) -> None:
    own = "  own: {run: python pack.py, needs: [test-packed]}\n"
    assert found(tmp_path, *sets, plan=PLAN.replace(old, new) + own) == []
