"""Which folder trains, which judge or wait for predictions, which are masks: by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.starting.tree import Folder

Role = Literal["train", "val", "test", "mask", "plain"]

_PICTURES = r"(?:images?|imgs?|pictures?|photos?|jpe?gs?|tiles?)"
_AROUND = r"^(?:{p}[-_ ]?)?(?:{words})(?:[-_ ]?(?:{p}|set|data|dataset|jpe?g|png|tiff?))?$"
_WORDS: Mapping[Role, str] = {
    "train": "train|training",
    "val": "val|valid|validation|dev",
    "test": "test|testing|unlabell?ed|predict|submission",
    "mask": r"(?:\w+[-_])?(?:masks?|seg|segmentations?|ground[-_]?truth)",
}
_ROLES = {
    role: re.compile(_AROUND.format(p=_PICTURES, words=words), re.IGNORECASE)
    for role, words in _WORDS.items()
}
DOMINANT = 0.9
"""Of all pictures: a folder with so many, and with folders in it, is where they are."""
DEEPEST = 6


@dataclass(frozen=True)
class Parts:
    """The folders of pictures, each by what it is for."""

    train: Folder
    others: tuple[tuple[Role, Folder], ...] = ()
    """`val` and `test`."""
    masks: tuple[Folder, ...] = ()
    beside: tuple[Folder, ...] = ()
    """Folders within `train` that are no classes of it."""


def role_of(name: str) -> Role:
    return next((role for role, pattern in _ROLES.items() if pattern.match(name)), "plain")


def parts_of(top: Folder) -> Parts:
    """Goes down from `top` to where the pictures that train are."""
    node = top
    others: list[tuple[Role, Folder]] = []
    masks: list[Folder] = []
    beside: tuple[Folder, ...] = ()
    for _ in range(DEEPEST):
        by_role: dict[Role, list[Folder]] = {}
        for child in node.with_pictures:
            by_role.setdefault(role_of(child.name), []).append(child)
        masks += by_role.get("mask", [])
        aside = [(role, child) for role in _OTHERS for child in by_role.get(role, [])]
        others += aside
        plain = by_role.get("plain", [])
        if train := by_role.get("train"):
            node = max(train, key=lambda child: child.total)
            continue
        down = _down(node, plain)
        if down is not None:
            node = down
            continue
        if plain:
            beside = (*(child for _, child in aside), *by_role.get("mask", []))
        break
    return Parts(node, tuple((role, innermost(one)) for role, one in others), tuple(masks), beside)


_OTHERS: tuple[Role, ...] = ("val", "test")


def _down(node: Folder, plain: Sequence[Folder]) -> Folder | None:
    """The one folder that has them all, or nearly all and class folders of its own."""
    if node.pictures or not plain:
        return None
    if len(plain) == 1:
        return plain[0]
    most = max(plain, key=lambda child: child.total)
    whole = sum(child.total for child in plain)
    deep = [one for one in innermost(most).with_pictures if role_of(one.name) != "mask"]
    return most if most.total > DOMINANT * whole and len(deep) > 1 else None


def innermost(folder: Folder) -> Folder:
    """`test/test/…` or `test/images/…`: the folder whose pictures, or classes, stand there."""
    while not folder.pictures and len(folder.with_pictures) == 1:
        folder = folder.with_pictures[0]
    return folder


def classes_of(folder: Folder, beside: Sequence[Folder] = ()) -> dict[str, int]:
    """Pictures by class folder; empty where pictures mostly lie in no folder."""
    left_out = {one.path for one in beside}
    inside = {one.name: one.total for one in folder.with_pictures if one.path not in left_out}
    return inside if sum(inside.values()) > len(folder.pictures) else {}
