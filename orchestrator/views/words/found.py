"""What `skint init` has found, in a line or some."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.starting.found import Found, Heads, PictureSet
from orchestrator.starting.tables import MOST_ROWS

_UNITS = ("kB", "MB", "GB", "TB")


def size_words(count: int) -> str:
    """Bytes as a person says them."""
    value, unit = count / 1000, _UNITS[0]
    for larger in _UNITS[1:]:
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.1f} {unit}" if value < 99.5 else f"{value:.0f} {unit}"


def found_lines(found: Found) -> Iterator[str]:
    """The pictures that train first; what is odd last."""
    yield _train(found)
    for one in found.others:
        yield f"{one.folder or '.'}  {one.count:,} {_purpose(one)}"
    if found.sample is not None:
        yield f"{found.sample.path}  {found.sample.rows:,} ids, wants {_some(found.sample.columns)}"
    yield from _odd(found)


def _train(found: Found) -> str:
    train, heads, labels = found.train, found.heads, found.labels
    noun = f"pictures of {_bands(heads)}" if heads.bands else "photos"
    least, most = (f"{width}×{height}" for width, height in (heads.least_px, heads.most_px))
    sizes = least if least == most else f"{least} … {most}"
    about = f"{train.count:,} {noun} ({sizes}, {size_words(train.bytes)})"
    if labels is None:
        return f"{train.folder or '.'}  {len(train.classes)} class folders, {about}"
    learn = labels.guesses[0]
    return f"{train.folder or '.'}  {about}, {labels.table}: {learn.said_in} ({learn.about})"


def _bands(heads: Heads) -> str:
    return f"{heads.channels} band{'s' * (heads.channels != 1)} of {heads.dtype}"


def _purpose(one: PictureSet) -> str:
    if one.role == "val":
        return "pictures to judge by" if one.classes else "pictures without labels"
    return "labelled pictures to judge by" if one.classes else "unlabelled"


def _some(names: tuple[str, ...]) -> str:
    return _few(names) + (f" ({len(names)} columns)" if len(names) > 4 else "")


def _few(names: tuple[str, ...]) -> str:
    return ", ".join((*names[:4], *(("…",) if len(names) > 4 else ())))


def _odd(found: Found) -> Iterator[str]:
    heads, labels, sample = found.heads, found.labels, found.sample
    if heads.broken:
        path, reason = heads.broken[0]
        count = f"{len(heads.broken):,} of {heads.looked_at:,} looked at"
        yield f"{count} cannot be used: {path} {reason}"
    if labels is not None and labels.missing:
        rows = "1 row" if labels.missing == 1 else f"{labels.missing:,} rows"
        have = "has" if labels.missing == 1 else "have"
        yield f"{rows} of {labels.table} {have} no picture: {labels.missing_like}"
    if labels is not None and labels.rows >= MOST_ROWS:
        yield f"of {labels.table} the first {MOST_ROWS:,} rows were looked at"
    if labels is not None and labels.fold:
        yield f"{labels.table} has folds of its own: {labels.fold} ({labels.folds})"
    elif labels is not None and labels.group:
        yield f"{labels.table} has groups: {labels.group} ({labels.groups:,})"
    if sample is not None and sample.unknown:
        yield (
            f"{sample.unknown:,} ids of {sample.path} have no picture ({sample.unknown_like}):"
            " no submission is planned"
        )
    if found.masks:
        yield f"{found.masks[0]}  {found.masks[1]:,} masks, which are not trained on"
    if labels is None and found.deeper:
        classes, deeper = _few(tuple(found.train.classes)), _few(found.deeper)
        yield (
            f"the classes are {classes}, and each has {deeper} in it:"
            " if those are meant, change `labels` in the plan (docs/scanning.md)"
        )
    if found.unread:
        kinds = ", ".join(f"{count:,} {suffix}" for suffix, count in found.unread.items())
        yield f"not read: {kinds}"
    if found.doubled:
        yield f"{found.doubled:,} names of files stand in several folders: results say which"
    if heads.gaps:
        yield "some pixels have no value (NaN): `pca` makes them 0"
    if heads.sampled:
        yield f"sizes and kinds are those of {heads.looked_at:,} files; `scan` opens all of them"
