"""What stands in the columns of a submission: found out before anything is predicted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from jobs.predict.answer import Answer, as_text
from jobs.predict.params import Params
from jobs.predict.sample_file import SampleFile, WrongSubmission, first_of


class Known(Protocol):
    """A target that the networks have learnt."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def classes(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Column:
    """A column of the submission."""

    name: str
    target: str
    says: str
    """For the person: `probability of dog`."""
    cell: Callable[[Answer, int], str]
    """Of an answer to the target and a row."""


def columns_of(sample: SampleFile, targets: Sequence[Known], params: Params) -> tuple[Column, ...]:
    """In the sample's order. Raises WrongSubmission where they are neither classes nor targets."""
    wanted = sample.columns
    for target in targets:
        if len(wanted) > 1 and set(wanted) == set(target.classes):
            return tuple(_probability(name, target, name) for name in wanted)
    by_name = {target.name: target for target in targets}
    if len(wanted) == 1 and len(targets) == 1:
        return (_single(wanted[0], targets[0], sample, params),)
    if all(name in by_name for name in wanted):
        return tuple(_single(name, by_name[name], sample, params) for name in wanted)
    raise _strangers(sample, targets)


def _strangers(sample: SampleFile, targets: Sequence[Known]) -> WrongSubmission:
    wanted = set(sample.columns)
    near = max(targets, key=lambda target: len(wanted & set(target.classes)))
    lacking, strange = sorted(set(near.classes) - wanted), sorted(wanted - set(near.classes))
    if wanted & set(near.classes):
        return WrongSubmission(
            f"the columns of the sample submission are not the classes of {near.name}",
            where=f"{sample.path}:1",
            got=", ".join(
                part
                for part in (
                    f"no class of the name {first_of(strange)}" if strange else "",
                    f"no column for {first_of(lacking)}" if lacking else "",
                )
                if part
            ),
            wanted=f"a column for each of {len(near.classes)} classes, and no other",
        )
    return WrongSubmission(
        "the columns of the sample submission are neither classes nor targets",
        where=f"{sample.path}:1",
        got=first_of(sample.columns),
        wanted="; or ".join(
            [f"targets: {', '.join(target.name for target in targets)}"]
            + [f"classes: {first_of(target.classes)}" for target in targets if target.classes]
        ),
        next="`id` names the column of the ids, if it is not the first",
    )


def _single(name: str, target: Known, sample: SampleFile, params: Params) -> Column:
    if target.kind == "value":
        return Column(
            name, target.name, target.name, lambda answer, row: as_text(answer.predicted[row])
        )
    if target.kind == "multilabel":
        return Column(
            name,
            target.name,
            f"labels of {target.name} from {params.threshold:g} on",
            lambda answer, row: params.separator.join(answer.labels(row, params.threshold)),
        )
    kind = params.cells if params.cells != "auto" else _looks_like(name, target, sample)
    if kind == "number":
        return Column(
            name,
            target.name,
            f"number of the class, {target.classes[0]} is 0",
            lambda answer, row: str(int(answer.predicted[row].argmax())),
        )
    if kind == "probability":
        return _probability(name, target, _positive(name, target, params))
    return Column(
        name, target.name, "name of the class", lambda answer, row: answer.labels(row, 0)[0]
    )


def _probability(name: str, target: Known, wanted: str) -> Column:
    place = target.classes.index(wanted)
    return Column(
        name,
        target.name,
        f"probability of {wanted}",
        lambda answer, row: as_text(answer.predicted[row, place]),
    )


def _positive(name: str, target: Known, params: Params) -> str:
    if params.positive:
        if params.positive not in target.classes:
            raise WrongSubmission(
                f"{target.name} has no class of this name",
                where="predict: positive",
                got=params.positive,
                wanted=first_of(target.classes),
            )
        return params.positive
    if len(target.classes) != 2:
        raise WrongSubmission(
            f"one probability cannot stand for {len(target.classes)} classes",
            where=f"the column {name}",
            got=f"cells: probability, classes {first_of(target.classes)}",
            next="`positive` names the class whose probability is wanted; or write `cells: label`",
        )
    return target.classes[1]


def _looks_like(name: str, target: Known, sample: SampleFile) -> str:
    """`label` or `probability`; raises WrongSubmission where the sample's cells say neither."""
    cells = {cell for cell in sample.column(name) if cell}
    if cells <= set(target.classes):
        return "label"
    numbers = [_number(cell) for cell in cells]
    if any(number is None for number in numbers):
        strange = sorted(cells - set(target.classes))
        raise WrongSubmission(
            f"the sample submission has cells that are no class of {target.name}",
            where=f"{sample.path}: the column {name}",
            got=first_of(strange),
            wanted=first_of(target.classes),
            next="write `cells: label` if the sample's cells mean nothing",
        )
    if len(target.classes) == 2 and not all(_whole(number) for number in numbers):
        return "probability"
    raise WrongSubmission(
        "the sample submission has numbers where there are names of classes",
        where=f"{sample.path}: the column {name}",
        got=first_of(sorted(cells)),
        wanted="`cells: number` (of the class, in the order of dataset.json), "
        "`cells: probability`, or `cells: label`",
    )


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _whole(number: float | None) -> bool:
    return number is not None and math.isfinite(number) and number == int(number)


def filled(columns: Iterable[Column], answers: Mapping[str, Answer], row: int) -> tuple[str, ...]:
    """The cells of a picture."""
    return tuple(column.cell(answers[column.target], row) for column in columns)
