"""Looks at a folder: what `skint init` makes a plan of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from jobs.scan.listing import SourceError, source_folder
from jobs.scan.template import is_template, template_columns
from orchestrator.starting.columns import HINT, Guess
from orchestrator.starting.errors import NoFolder, NothingToStart
from orchestrator.starting.found import Found, Heads, Labels, PictureSet, Sample
from orchestrator.starting.heads import read_heads
from orchestrator.starting.parts import Parts, classes_of, parts_of
from orchestrator.starting.samples import is_sample, pictures_of, read_sample
from orchestrator.starting.tables import Pictures, labels_of
from orchestrator.starting.tree import ARRAYS, Folder, Tree, read_tree
from skint.errors import SkintError


def look_at(folder: Path) -> Found:
    """What is in the folder. Raises NothingToStart, in a sentence, where no plan can be made."""
    try:
        root = source_folder(folder.absolute(), "skint init")
    except SourceError as error:
        missing = NoFolder if not folder.exists() else NothingToStart
        raise missing(
            error.what, where=str(folder), wanted=error.wanted, next=error.next
        ) from error
    tree = read_tree(root)
    if not tree.top.total:
        raise _no_pictures(tree)
    if tree.closed:
        raise NothingToStart(
            "a folder in it may not be read",
            where=str(root / tree.closed[0]),
            next="check its permissions, or name another folder: skint init FOLDER",
        )
    parts = parts_of(tree.top)
    classes = classes_of(parts.train, parts.beside)
    others = tuple(_other(role, part, classes) for role, part in parts.others)
    sample = _sample(tree, parts)
    labels = _labels(tree, parts, sample, classes)
    train = _train(parts, classes)
    if labels is not None:
        inside = f"{train.folder}/".startswith(f"{labels.source}/" if labels.source else "")
        place = train.folder if inside else labels.source
        train = PictureSet("train", place, labels.rows - labels.missing)
    if sample is not None and not any(one.role == "test" for one in others):
        aside = _tests_among(tree, sample, labels)
        others += (aside,) if aside else ()
        sample = replace(sample, unknown=0) if aside else sample
    paths = _paths_of(tree, train, parts)
    heads = read_heads(root, paths)
    if len(heads.broken) == heads.looked_at:
        first, reason = heads.broken[0]
        raise NothingToStart(
            "none of the pictures can be read"
            if not heads.sampled
            else f"none of {heads.looked_at:,} pictures that were looked at can be read",
            where=str(root / first),
            got=f"it {reason}",
            next="open one of them in a viewer; are they downloaded whole?",
        )
    if labels is not None and heads.broken and not heads.sampled:
        broken = {path for path, _ in heads.broken}
        labels = labels_of(
            root, labels.table, _pictures(tree, parts), sample.columns if sample else (), broken
        )
        labels = labels if labels is not None and labels.guesses else None
    if heads.mixed:
        raise NothingToStart(
            "these pictures cannot be learnt together",
            where=str(root / train.folder),
            got=heads.mixed,
            wanted="pictures of the same channels and kind of numbers",
            next="move the others away, or name the folder of one kind: skint init FOLDER",
        )
    found = Found(
        root,
        replace(train, bytes=_bytes_of(tree, train.folder), classes=_usable_classes(train, heads)),
        heads,
        others,
        labels,
        sample,
        (parts.masks[0].path, sum(one.total for one in parts.masks)) if parts.masks else None,
        dict(tree.unread),
        _doubled(paths),
        _deeper(parts.train, classes),
    )
    _refuse_what_teaches_nothing(found, tree)
    return found


def _train(parts: Parts, classes: dict[str, int]) -> PictureSet:
    beside = tuple(one.name for one in parts.beside)
    count = sum(classes.values()) or parts.train.total - sum(one.total for one in parts.beside)
    return PictureSet("train", parts.train.path, count, classes=classes, beside=beside)


def _other(role: object, folder: Folder, classes: dict[str, int]) -> PictureSet:
    """A set to judge by or to predict; its folders count as classes where they are those."""
    inside = classes_of(folder)
    labelled = bool(inside) and set(inside) <= set(classes)
    return PictureSet(
        "val" if role == "val" else "test",
        folder.path,
        folder.total,
        folder.total_bytes,
        inside if labelled else {},
    )


def _sample(tree: Tree, parts: Parts) -> Sample | None:
    tests = [path for role, one in parts.others if role == "test" for path in one.paths()]
    found = (read_sample(tree.root, path, tests) for path in tree.tables if is_sample(path))
    return next((sample for sample in found if sample is not None), None)


def _labels(
    tree: Tree, parts: Parts, sample: Sample | None, classes: Mapping[str, int]
) -> Labels | None:
    """The table that names most of the pictures and has something to learn. Beside class folders
    it counts only where it says plainly that it has, and something else than they."""
    tables = [path for path in tree.tables if not is_sample(path)]
    if not tables:
        return None
    pictures = _pictures(tree, parts)
    asked = sample.columns if sample else ()
    read = (labels_of(tree.root, path, pictures, asked) for path in tables)
    found = [labels for labels in read if labels is not None and labels.guesses]
    if len(classes) > 1:
        found = [one for one in found if _says_more(one, asked, classes)]
    return max(
        found,
        key=lambda one: (_is_plain(one.guesses[0], asked), one.rows - one.missing),
        default=None,
    )


def _pictures(tree: Tree, parts: Parts) -> Pictures:
    masks = {path for one in parts.masks for path in one.paths()}
    return Pictures(path for path in tree.top.paths() if path not in masks)


def _says_more(labels: Labels, asked: Sequence[str], classes: Mapping[str, int]) -> bool:
    same = set(labels.guesses[0].counts) == set(classes)
    plain = _is_plain(labels.guesses[0], asked) or _folders_are_names(labels.path)
    return plain and not (same and not labels.group)


def _folders_are_names(path: str) -> bool:
    """The table makes the folders of letters of a name, or of a column that is no class."""
    first = next(iter(template_columns(path)), "") if "/" in path and is_template(path) else ""
    return "[0]" in path or bool(first and not HINT.fullmatch(first))


def _is_plain(guess: Guess, asked: Sequence[str]) -> bool:
    return guess.hinted or guess.asked_in(asked)


def _tests_among(tree: Tree, sample: Sample, labels: Labels | None) -> PictureSet | None:
    """Test pictures that lie among those that train: the sample submission says which."""
    at = pictures_of(tree.root, sample.path, Pictures(tree.top.paths()))
    if at is None or at[2] < sample.rows or labels is None:
        return None
    folder, path, count = at
    return PictureSet("test", folder, count, table=sample.path, path=path)


def _paths_of(tree: Tree, train: PictureSet, parts: Parts) -> list[str]:
    ahead = f"{train.folder}/" if train.folder else ""
    aside = {path for one in (*parts.masks, *parts.beside) for path in one.paths()}
    return sorted(path for path in tree.top.paths() if path.startswith(ahead) and path not in aside)


def _usable_classes(train: PictureSet, heads: Heads) -> Mapping[str, int]:
    """Without the pictures that cannot be read, where all were looked at."""
    if heads.sampled or not heads.broken:
        return train.classes
    start = len(f"{train.folder}/") if train.folder else 0
    lost = Counter(path[start:].partition("/")[0] for path, _ in heads.broken)
    counts = {name: count - lost[name] for name, count in train.classes.items()}
    return {name: count for name, count in counts.items() if count > 0}


def _bytes_of(tree: Tree, path: str) -> int:
    return next((one.total_bytes for one in tree.top.walk() if one.path == path), 0)


def _doubled(paths: Sequence[str]) -> int:
    names = Counter(path.rpartition("/")[2] for path in paths)
    return sum(count > 1 for count in names.values())


def _deeper(train: Folder, classes: Mapping[str, int]) -> tuple[str, ...]:
    """One name in all of them, like `images`, is no choice."""
    inside = [
        {child.name for child in one.with_pictures}
        for one in train.with_pictures
        if one.name in classes
    ]
    names = set.intersection(*inside) if len(inside) > 1 else set()
    return tuple(sorted(names)) if len(names) > 1 else ()


def _no_pictures(tree: Tree) -> SkintError:
    arrays = sorted(set(tree.unread) & ARRAYS)
    if arrays:
        return NothingToStart(
            f"there are arrays ({', '.join(arrays)}) and no pictures in this folder",
            where=str(tree.root),
            wanted="JPEG, PNG, TIFF, WebP, BMP or GIF",
            next="tifffile.imwrite(name, array) makes TIFFs of arrays, with any number of bands",
        )
    if tree.unread:
        kinds = ", ".join(f"{count:,} {suffix}" for suffix, count in tree.unread.most_common())
        return NothingToStart(
            "the pictures in this folder are of kinds that are not read",
            where=str(tree.root),
            got=kinds,
            wanted="JPEG, PNG, TIFF, WebP, BMP or GIF",
            next="convert them, for example: magick mogrify -format png *.heic",
        )
    return NothingToStart(
        "there are no pictures in this folder" if tree.files else "this folder is empty",
        where=str(tree.root),
        got=f"{tree.files:,} other file{'s' * (tree.files != 1)}" if tree.files else None,
        wanted="pictures in a folder for each class, or pictures and a CSV file",
        next="skint init FOLDER",
    )


def _refuse_what_teaches_nothing(found: Found, tree: Tree) -> None:
    """Raises NothingToStart where nothing says what the pictures show, or all show the same."""
    if found.labels is not None:
        return
    where = str(found.root / found.train.folder)
    tables = [path for path in tree.tables if not is_sample(path)]
    if len(found.train.classes) > 1:
        return
    if tables:
        raise NothingToStart(
            f"no table says what the pictures in {found.train.folder or 'the folder'} show",
            where=str(found.root / tables[0]),
            got=_columns_of(found.root / tables[0]),
            wanted="a column with names of the pictures, and one to learn",
            next="docs/scanning.md has a plan for tables of any form",
        )
    if found.masks and not found.train.classes:
        raise NothingToStart(
            "there are masks, and no classes, labels or numbers to learn",
            where=str(found.root / found.masks[0]),
            wanted="a folder for each class, or a CSV file; masks are not trained on",
        )
    raise NothingToStart(
        "there is only one class" if found.train.classes else "nothing says what they show",
        where=where,
        got=f"{found.train.count:,} picture{'s' * (found.train.count != 1)} in one folder",
        wanted="a folder for each class, or a CSV file with a row for each picture",
    )


def _columns_of(path: Path) -> str:
    from jobs.scan.tables import open_table

    try:
        return f"the columns {', '.join(open_table(path).columns)}"
    except SkintError as error:
        return error.what
