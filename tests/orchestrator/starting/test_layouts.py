"""For each way in which people bring pictures: a plan that can be read, whose scans find what was
meant."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from budget.duration import HOUR_MS
from jobs.scan.job import Params, scan
from orchestrator.plans.describe import describe
from orchestrator.plans.params import check_params
from orchestrator.plans.plan import Plan, load_plan
from orchestrator.starting.choosing import Choice, Means, choose
from orchestrator.starting.looking import look_at
from orchestrator.starting.writing import plan_text
from orchestrator.views.words.found import found_lines
from skint import Context
from tests.orchestrator.starting.folders import bands, pictures, table

PRACTICE = Means("practice", practice=True, weights=True, free_ms=30 * HOUR_MS)
DEVICE = Means("local", practice=False, weights=True, free_ms=40 * HOUR_MS)


def planned(root: Path, means: Means = PRACTICE) -> tuple[Choice, Plan]:
    """The choice and the plan for `root`, which stands beside it; all its parameters are right."""
    found = look_at(root)
    assert all(found_lines(found))
    choice = choose(found, means, "toy")
    path = root.parent / "plan.yaml"
    path.write_text(plan_text(found, choice, root.parent))
    plan = load_plan(path)
    for name, job in plan.spec.jobs.items():
        kind = describe(job.uses or "", root.parent)
        assert check_params(kind, job.with_, root.parent)[1] == [], name
    return choice, plan


def scanned(plan: Plan, folder: Path) -> dict[str, list[dict[str, str]]]:
    """What each scan of the plan finds, by entry."""
    found: dict[str, list[dict[str, str]]] = {}
    outs: dict[str, Path] = {}
    for name, job in plan.spec.jobs.items():
        if job.uses == "scan":
            inputs = {need: outs[need] for need in job.needs}
            ctx = Context.for_test(folder / f"at-{name}", inputs=inputs, base=plan.base)
            scan(Params.model_validate(job.with_), ctx)
            outs[name] = ctx.out
            with (ctx.out / "scan.csv").open(newline="") as file:
                found[name] = list(csv.DictReader(file))
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "set").mkdir()
    return tmp_path / "set"


def test_a_folder_for_each_class(root: Path, tmp_path: Path) -> None:
    pictures(root, [f"{c}/{n}.png" for c in ("cat", "dog") for n in range(4)])
    choice, plan = planned(root)
    found = scanned(plan, tmp_path)
    assert [row["label"] for row in found["scan"]] == ["cat"] * 4 + ["dog"] * 4
    assert (choice.folds, choice.size_px, choice.model) == (3, 16, "resnet10t")
    assert list(plan.spec.jobs) == ["scan", "packed", "folds", "train", "errors", "card"]


def test_class_folders_deep_inside_and_a_screenshot_beside(root: Path, tmp_path: Path) -> None:
    pictures(root, [f"data/photos/{c}/{n}.png" for c in ("cat", "dog") for n in range(12)])
    pictures(root, ["docs/screen.png"])
    _, plan = planned(root)
    assert {row["label"] for row in scanned(plan, tmp_path)["scan"]} == {"cat", "dog"}


def test_a_test_folder_beside_class_folders_is_no_class(root: Path, tmp_path: Path) -> None:
    pictures(root, [f"{c}/{n}.png" for c in ("cat", "dog") for n in range(4)])
    pictures(root, ["test/a.png", "test/b.png"])
    _, plan = planned(root)
    found = scanned(plan, tmp_path)
    assert {row["label"] for row in found["scan"]} == {"cat", "dog"}
    assert [row["name"] for row in found["test"]] == ["a", "b"]


def test_folders_to_train_validate_and_test(root: Path, tmp_path: Path) -> None:
    for part in ("train", "valid", "test"):
        pictures(root, [f"{part}/{c}/{part}{n}.png" for c in ("cat", "dog") for n in range(3)])
    _, plan = planned(root)
    found = scanned(plan, tmp_path)
    assert [len(found[name]) for name in ("scan", "val", "test")] == [6, 6, 6]
    assert {row["label"] for row in found["test"]} == {"cat", "dog"}  # judged, not submitted
    assert {"val-predict", "test-predict"} <= set(plan.spec.jobs)


def test_a_table_of_names_a_test_folder_and_a_sample(root: Path, tmp_path: Path) -> None:
    pictures(root, [f"train/{n}.png" for n in range(12)])
    pictures(root, [f"test/t{n}.png" for n in range(3)])
    rows = [(n, "ab"[n % 2], f"p{n // 3}", n * 1.5) for n in range(12)]
    table(
        root / "train.csv", ("id", "breed", "patient", "weight"), [*rows, (99, "a", "p1", 1)], ";"
    )
    table(root / "sample_submission.csv", ("id", "a", "b"), [(f"t{n}", 0.5, 0.5) for n in range(3)])
    choice, plan = planned(root)
    found = scanned(plan, tmp_path)
    assert {(row["breed"], row["group"]) for row in found["scan"][:2]} == {("a", "p0"), ("b", "p0")}
    assert [row["name"] for row in found["test"]] == ["t0", "t1", "t2"]
    assert (choice.group, choice.folds) == ("patient", 3)
    assert plan.spec.jobs["test-predict"].with_ == {"submission": "set/sample_submission.csv"}


def test_test_pictures_among_the_others_are_those_of_the_sample(root: Path, tmp_path: Path) -> None:
    pictures(root, [f"images/{kind}_{n}.png" for kind in ("Train", "Test") for n in range(6)])
    hot = [(f"Train_{n}", *(int(n % 3 == c) for c in range(3))) for n in range(6)]
    table(root / "train.csv", ("image_id", "rust", "scab", "well"), hot)
    table(root / "test.csv", ("image_id",), [(f"Test_{n}",) for n in range(6)])
    table(
        root / "sample_submission.csv",
        ("image_id", "rust", "scab", "well"),
        [(f"Test_{n}", 0.3, 0.3, 0.3) for n in range(6)],
    )
    _, plan = planned(root)
    found = scanned(plan, tmp_path)
    assert [row["label"] for row in found["scan"]] == ["rust", "scab", "well"] * 2
    assert [row["name"] for row in found["test"]] == [f"Test_{n}" for n in range(6)]


NAMED: dict[str, Callable[[int], tuple[str, tuple[str, ...]]]] = {
    "path": lambda n: (f"in/{n}.png", (f"in/{n}.png",)),
    "name": lambda n: (f"in/{n}.png", (f"{n}.png",)),
    "windows": lambda n: (f"in/{n}.png", (f"in\\{n}.png",)),
    "letters": lambda n: (f"in/{'ab'[n % 2]}/{'ab'[n % 2]}{n}.png", (f"{'ab'[n % 2]}{n}",)),
    "folder": lambda n: (f"in/s{n % 2}/{n}.png", (str(n), f"s{n % 2}")),
}


@pytest.mark.parametrize("way", NAMED)
def test_however_a_table_names_its_pictures(way: str, root: Path, tmp_path: Path) -> None:
    made = [NAMED[way](n) for n in range(8)]
    pictures(root, [path for path, _ in made])
    heads = ("picture", "folder")[: len(made[0][1])]
    rows = [(*cells, n % 4 // 2, n * 0.25) for n, (_, cells) in enumerate(made)]
    table(root / "labels.csv", (*heads, "grade", "weight"), rows)
    _, plan = planned(root)
    found = scanned(plan, tmp_path)["scan"]
    assert len(found) == 8
    assert {row["grade"] for row in found} == {"0", "1"}


def test_labels_between_marks_and_folds_of_the_table(root: Path, tmp_path: Path) -> None:
    pictures(root, [f"{n}.png" for n in range(12)])
    tags = ("wet", "wet cold", "cold", "wet")
    rows = [(f"{n}.png", tags[n % 4], n % 3) for n in range(12)]
    table(root / "labels.csv", ("file", "tags", "fold"), rows)
    choice, plan = planned(root)
    found = scanned(plan, tmp_path)["scan"]
    assert found[1]["tags"] == "cold|wet"
    assert (choice.group, choice.folds, choice.given_folds) == ("fold", 3, True)
    assert plan.spec.jobs["folds"].with_["group"] is True


def test_numbers_to_learn(root: Path, tmp_path: Path) -> None:
    pictures(root, [f"{n}.png" for n in range(9)])
    table(root / "prices.csv", ("file", "price"), [(f"{n}.png", n + 0.5) for n in range(9)])
    _, plan = planned(root)
    assert plan.spec.jobs["scan"].with_["targets"] == {"price": "value"}
    assert len(scanned(plan, tmp_path)["scan"]) == 9


@pytest.mark.parametrize("gap", [False, True])
def test_bands_are_trained_on_whole_unless_some_have_no_value(
    root: Path, tmp_path: Path, gap: bool
) -> None:
    for c in ("sea", "wood"):
        for n in range(4):
            bands(root / c / f"{n}.tif", "float32" if gap else "uint16", gap=gap)
    choice, plan = planned(root, DEVICE)
    assert (choice.size_px, choice.model, choice.weights) == (16, "resnet18", "none")
    assert ("channels" in plan.spec.jobs) is gap
    assert {row["channels"] for row in scanned(plan, tmp_path)["scan"]} == {"5"}


def test_a_class_with_one_picture_is_left_out(root: Path, tmp_path: Path) -> None:
    pictures(root, [f"{c}/{n}.png" for c in ("cat", "dog") for n in range(8)] + ["emu/0.png"])
    choice, plan = planned(root)
    assert plan.spec.jobs["part"].with_ == {"classes": ["cat", "dog"]}
    assert choice.metric == ""  # of what is left, all have as many


def test_a_broken_picture_counts_for_no_class_of_a_table(root: Path) -> None:
    pictures(root, [f"{n}.png" for n in range(9)])
    (root / "0.png").write_bytes(b"")
    rows = [(f"{n}.png", "emu" if n < 2 else ("cat", "dog")[n % 2]) for n in range(9)]
    table(root / "labels.csv", ("file", "label"), rows)
    _, plan = planned(root)
    assert plan.spec.jobs["part"].with_ == {"classes": ["cat", "dog"]}  # one emu is left


def test_names_that_yaml_would_read_otherwise_stay_names(root: Path, tmp_path: Path) -> None:
    pictures(root, [f"in: it/{n}.png" for n in range(8)])
    rows = [(f"{n}.png", ("yes", "no")[n % 2]) for n in range(8)]
    table(root / "it's {a} #1.csv", ("file name", "true"), rows)
    _, plan = planned(root)
    assert plan.spec.jobs["scan"].with_["source"] == "set/in: it"
    assert {row["true"] for row in scanned(plan, tmp_path)["scan"]} == {"yes", "no"}


def test_a_json_of_the_plan_has_no_surprise(root: Path) -> None:
    pictures(root, [f"{c}/{n}.png" for c in "01" for n in range(4)], size=(230, 300))
    choice, plan = planned(root, DEVICE)
    train = json.loads(json.dumps(plan.spec.jobs["train"].with_))
    assert (train["augment"], train["weights"], choice.size_px) == ("none", "package", 224)
    assert (choice.folds, choice.means.account, plan.spec.account) == (4, "local", "local")


@pytest.mark.parametrize(
    ("patient", "expected"),
    [
        (lambda n: n // 2, ("patient", 3)),  # each class has three patients or more
        (lambda n: n % 2, ("", 3)),  # all of a class are one patient's: he cannot be kept together
        (lambda n: n % 4, ("patient", 2)),
    ],
)
def test_groups_are_kept_together_as_far_as_every_class_has_some(
    root: Path, patient: Callable[[int], int], expected: tuple[str, int]
) -> None:
    pictures(root, [f"{n}.png" for n in range(12)])
    rows = [(f"{n}.png", ("cat", "dog")[n % 2], f"p{patient(n)}") for n in range(12)]
    table(root / "labels.csv", ("file", "label", "patient"), rows)
    choice, _ = planned(root)
    assert (choice.group, choice.folds) == expected
