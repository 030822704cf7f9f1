"""Rows of a trained last layer, kept for classes that are called the same here."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from jobs.training.network.model import Network
from jobs.training.network.weights import Weights, WeightsError, shared_prefix

IMAGENET = "imagenet"
How = Literal["same name", "same_classes", "no class of this name", "several of this name"]


@dataclass(frozen=True)
class ClassRow:
    """Where a row of our last layer comes from."""

    row: int
    """Of our last layer."""
    ours: str
    theirs: str | None
    """The class of the weights whose row it is; None where the row starts anew."""
    their_row: int | None
    how: How


def names_of_classes(given: str, path: Path) -> tuple[str, ...]:
    """The classes of `weight_classes: given`, in the order of the rows; `path` is the file's.

    A class may have several names with commas between them. Raises WeightsError where there is no
    such file.
    """
    if given == IMAGENET:
        from timm.data import ImageNetInfo

        info = ImageNetInfo()
        return tuple(info.index_to_description(number) for number in range(info.num_classes()))
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsError(
            "the names of the weights' classes cannot be read",
            where="weight_classes",
            got=f"{given}: {type(error).__name__}",
            wanted=f"`{IMAGENET}`, or a text file with one name a line",
        ) from error
    return tuple(line.strip() for line in lines if line.strip())


def match(
    ours: Mapping[int, str], theirs: Sequence[str], same: Mapping[str, str]
) -> tuple[ClassRow, ...]:
    """Which of `theirs` each of `ours` (names by row) is; `same` is ours to theirs.

    Case, underscores, hyphens and spaces do not count. A name that two classes share is not used.
    Raises WeightsError where `same` names a class that is not there.
    """
    rows: dict[str, list[int]] = {}
    for number, line in enumerate(theirs):
        for name in {plain(line), *map(plain, line.split(","))}:
            rows.setdefault(name, []).append(number)
    told = {plain(name): plain(their) for name, their in same.items()}
    own = [plain(name) for name in ours.values()]
    for name, their in same.items():
        _known(name, plain(name), ours.values(), "our classes")
        _known(their, plain(their), rows, "the classes of the weights")
    found = []
    for row, name in ours.items():
        key = plain(name)
        candidates = rows.get(told.get(key, key), [])
        if len(candidates) == 1 and own.count(key) == 1:
            their_row = candidates[0]
            how: How = "same_classes" if key in told else "same name"
            found.append(ClassRow(row, name, theirs[their_row], their_row, how))
        else:
            how = "several of this name" if candidates else "no class of this name"
            found.append(ClassRow(row, name, None, None, how))
    return tuple(found)


def plain(name: str) -> str:
    """`Running_Shoe ` and `running shoe` are the same."""
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def copy_rows(
    network: Network, weights: Weights, theirs: Sequence[str], rows: Sequence[ClassRow]
) -> None:
    """Copy the rows that have one into the last layer of `network`.

    Raises WeightsError where the last layer of the weights is not one row for each of `theirs`.
    """
    own = network.module.state_dict()
    prefix = shared_prefix(weights.state, own)
    layer = {
        name: weights.state[prefix + name]
        for name in own
        if network.head_prefix
        and name.startswith(network.head_prefix)
        and prefix + name in weights.state
    }
    for name, value in layer.items():
        if len(value) != len(theirs) or value.shape[1:] != own[name].shape[1:]:
            raise WeightsError(
                "the names of the weights' classes do not fit their last layer",
                where="weight_classes",
                got=f"{len(theirs)} names; {name} has shape {tuple(value.shape)}",
                wanted=f"a name for each row, and rows of shape {tuple(own[name].shape[1:])}",
            )
    if not layer:
        raise WeightsError(
            "the last layer is not among the weights",
            where="weight_classes",
            got=weights.path.name,
            wanted=f"tensors {network.head_prefix or 'of a known last layer'}…",
        )
    with torch.no_grad():
        for row in rows:
            if row.their_row is not None:
                for name, value in layer.items():
                    own[name][row.row] = value[row.their_row].to(own[name].dtype)


def as_table(rows: Sequence[ClassRow]) -> list[dict[str, Any]]:
    """For `class_rows.json`."""
    return [asdict(row) for row in rows]


def told(rows: Sequence[ClassRow]) -> str:
    """A sentence with the map, as far as a line goes."""
    reused = [row for row in rows if row.theirs is not None]
    pairs = [
        row.ours if plain(row.ours) == plain(row.theirs or "") else f"{row.ours} = {row.theirs}"
        for row in reused[:8]
    ]
    doubtful = [row.ours for row in rows if row.how == "several of this name"]
    sentence = f"{len(reused)} of {len(rows)} classes keep the weights' rows"
    if pairs:
        sentence += f": {'; '.join(pairs)}" + ("; …" if len(reused) > len(pairs) else "")
    if doubtful:
        sentence += f"; of several meanings, so not used: {', '.join(doubtful[:8])}"
    return f"{sentence}; class_rows.json has them all: check that they mean the same"


def _known(name: str, key: str, known: Any, what: str) -> None:
    keys = {plain(one): one for one in known}
    if key not in keys:
        near = difflib.get_close_matches(key, list(keys), n=3)
        raise WeightsError(
            f"one of its names is none of {what}",
            where="same_classes",
            got=name,
            wanted=f"nearest: {', '.join(keys[one] for one in near)}" if near else None,
        )
