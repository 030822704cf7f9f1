"""Sample submissions of every form, and every mistake in them, without any network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.predict.answer import Answer
from jobs.predict.columns import columns_of
from jobs.predict.params import Params
from jobs.predict.sample_file import WrongSubmission, read_sample, rows_of
from jobs.predict.submitting import write_submission
from jobs.scan.submission import SubmissionError
from skint.dataset import Sample, Target
from skint.errors import SkintError

COLOUR = Target("colour", "class", ("blue", "green", "red"))
PET = Target("pet", "class", ("cat", "dog"))
THINGS = Target("things", "multilabel", ("car", "house", "tree"))
AGE = Target("age", "value")
ANSWERS = {
    "colour": Answer(
        "colour", "class", COLOUR.classes, np.array([[0.5, 0.25, 0.25], [0, 0.25, 0.75]], "f4")
    ),
    "pet": Answer("pet", "class", PET.classes, np.array([[0.75, 0.25], [0.25, 0.75]], "f4")),
    "things": Answer(
        "things", "multilabel", THINGS.classes, np.array([[0.5, 0.25, 0.75], [0, 0.25, 0]], "f4")
    ),
    "age": Answer("age", "value", (), np.array([31.25, 1234567.125])),
}
SAMPLES = [Sample(0, "a", "test/a.png"), Sample(1, "b", "test/b.png")]


def submitted(
    folder: Path,
    text: str,
    targets: Sequence[Target],
    samples: Sequence[Sample] = SAMPLES,
    **fields: Any,
) -> str:
    """`submission.csv` for a sample submission of that text."""
    (folder / "sample.csv").write_text(text)
    params = Params(submission=folder / "sample.csv", **fields)
    sample = read_sample(folder / "sample.csv", params.id)
    columns = columns_of(sample, targets, params)
    places = rows_of(sample, samples, missing_allowed=params.on_missing == "sample")
    write_submission(folder / "submission.csv", sample, columns, places, ANSWERS)
    return (folder / "submission.csv").read_text()


@pytest.mark.parametrize(
    ("text", "targets", "fields", "wanted"),
    [
        ("id,colour\na,red\nb,red\n", [COLOUR], {}, "id,colour\na,blue\nb,red\n"),
        # In the order of the sample, of its rows and of its columns, wherever the ids stand.
        (
            "red,blue,image,green\n.1,.1,b,.1\n.1,.1,a,.1\n",
            [COLOUR],
            {"id": "image"},
            "red,blue,image,green\n0.75,0.0,b,0.25\n0.25,0.5,a,0.25\n",
        ),
        ("id,label\na,0.5\nb,0.5\n", [PET], {}, "id,label\na,0.25\nb,0.75\n"),
        (
            "id,label\na,0\nb,0\n",
            [PET],
            {"cells": "probability", "positive": "cat"},
            "id,label\na,0.75\nb,0.25\n",
        ),
        ("id,label\na,0\nb,0\n", [PET], {"cells": "number"}, "id,label\na,0\nb,1\n"),
        ("id,label\na,?\nb,?\n", [PET], {"cells": "label"}, "id,label\na,cat\nb,dog\n"),
        ("id,labels\na,\nb,\n", [THINGS], {}, "id,labels\na,car tree\nb,\n"),
        (
            "id,labels\na,\nb,\n",
            [THINGS],
            {"threshold": 0.2, "separator": ";"},
            "id,labels\na,car;house;tree\nb,house\n",
        ),
        (
            "id,tree,car,house\na,0,0,0\nb,0,0,0\n",
            [THINGS],
            {},
            "id,tree,car,house\na,0.75,0.5,0.25\nb,0.0,0.0,0.25\n",
        ),
        ("id,years\na,0\nb,0\n", [AGE], {}, "id,years\na,31.25\nb,1234567.125\n"),
        # Several targets, each under its own name.
        (
            "id,pet,age\na,cat,0\nb,cat,0\n",
            [COLOUR, AGE, PET],
            {},
            "id,pet,age\na,cat,31.25\nb,dog,1234567.125\n",
        ),
        (
            "id,colour\na,red\nc,green\n",
            [COLOUR],
            {"on_missing": "sample"},
            "id,colour\na,blue\nc,green\n",
        ),
    ],
)
def test_answers_take_the_form_of_the_sample(
    tmp_path: Path, text: str, targets: Sequence[Target], fields: dict[str, Any], wanted: str
) -> None:
    assert submitted(tmp_path, text, targets, **fields) == wanted


@pytest.mark.parametrize("ids", ["a,b", "a.png,b.png", "test/a,test/b", "test/a.png,test/b.png"])
def test_ids_are_found_in_the_paths_where_the_names_are_others(tmp_path: Path, ids: str) -> None:
    one, other = ids.split(",")
    samples = [Sample(0, "x/a", "test/a.png"), Sample(1, "x/b", "test/b.png")]
    text = f"id,colour\n{other},red\n{one},red\n"
    assert submitted(tmp_path, text, [COLOUR], samples) == (f"id,colour\n{other},red\n{one},blue\n")


@pytest.mark.parametrize(
    ("text", "targets", "fields", "complaint"),
    [
        ("id,colour\na,red\nc,red\nd,red\n", [COLOUR], {}, "2 of 3 ids .* have no picture\n.*c, d"),
        ("id,colour\nx,red\ny,red\n", [COLOUR], {"on_missing": "sample"}, "2 of 2 ids"),
        ("id,blue,green\na,0,0\nb,0,0\n", [COLOUR], {}, "not the classes of colour\n.*no column"),
        (
            "id,blue,green,rot\na,0,0,0\n",
            [COLOUR],
            {},
            "no class of the name rot, no column for red",
        ),
        ("id,x,y\na,0,0\n", [COLOUR, AGE], {}, "neither classes nor targets\n.*x, y"),
        ("id,colour\na,0\nb,0\n", [COLOUR], {}, "numbers where there are names"),
        ("id,label\na,0\nb,1\n", [PET], {}, "numbers where there are names"),
        ("id,colour\na,rot\nb,red\n", [COLOUR], {}, "no class of colour\n.*rot"),
        ("id,p\na,.5\n", [COLOUR], {"cells": "probability"}, "cannot stand for 3 classes"),
        ("id,p\na,.5\n", [PET], {"positive": "cow"}, "no class of this name\n.*cow"),
    ],
)
def test_a_sample_that_does_not_fit_is_one_clear_error(
    tmp_path: Path, text: str, targets: Sequence[Target], fields: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(WrongSubmission, match=complaint):
        submitted(tmp_path, text, targets, **fields)
    assert not (tmp_path / "submission.csv").exists()


@pytest.mark.parametrize(
    ("text", "error", "complaint"),
    [
        ("id,colour\na,red\na,red\n", SubmissionError, "stands in the sample submission twice"),
        ("id,colour\n,red\n", SubmissionError, "has no id"),
        ("id\na\n", SubmissionError, "no column for predictions"),
        ("id,colour\n", SubmissionError, "has no rows"),
        ("id,red,red\na,1,1\n", SkintError, "twice"),
    ],
)
def test_a_sample_that_is_none_is_refused(
    tmp_path: Path, text: str, error: type[SkintError], complaint: str
) -> None:
    with pytest.raises(error, match=complaint):
        submitted(tmp_path, text, [COLOUR])


def test_two_pictures_of_one_id_are_refused(tmp_path: Path) -> None:
    samples = [Sample(0, "one/a", "one/a.png"), Sample(1, "two/a", "two/a.png")]
    with pytest.raises(WrongSubmission, match="two pictures have the same id"):
        submitted(tmp_path, "id,colour\na,red\n", [COLOUR], samples)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"cells": "label"}, "cells: is about a `submission`"),
        ({"id": "name"}, "id: is about a `submission`"),
        ({"beta": 0.5}, "beta: weighs the views"),
        ({"views": 2}, "views: counts the views of `tta: crops`, and tta is none"),
        ({"tta": "flip", "views": 2}, "and tta is flip"),
        ({"measure": 100}, "measure: is about the gain of `tta`"),
        ({"views": 9}, "less than or equal to 8"),
    ],
)
def test_a_mistake_in_the_parameters_is_named(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Params(**fields)
