"""The sample submission of a competition: which test pictures it asks for, in which columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jobs.scan.names import names_like
from jobs.scan.tables import open_table
from jobs.scan.wanted import Found
from skint.dataset.target import Target
from skint.errors import SkintError


class SubmissionError(SkintError):
    """The sample submission and the pictures do not belong together."""


@dataclass(frozen=True)
class Submission:
    path: Path
    id: str
    """The column of the ids."""
    columns: tuple[str, ...]
    """The other columns, to be filled by predictions."""
    ids: tuple[str, ...]


def read_submission(path: Path, id_column: str) -> Submission:
    """`id_column` may be empty: then it is the first. Raises TableError, SubmissionError."""
    table = open_table(path)
    name = id_column or (table.columns[0] if table.columns else "")
    table.need(name)
    columns = tuple(column for column in table.columns if column != name)
    if not columns:
        raise SubmissionError(
            "the sample submission has no column for predictions",
            where=f"{path}:1",
            got=", ".join(table.columns),
            wanted="the ids and at least one column more",
        )
    seen: dict[str, str] = {}
    for where, row in table.rows():
        one = row[name]
        if not one:
            raise SubmissionError("this row has no id", where=where)
        if one in seen:
            raise SubmissionError(
                "this id stands in the sample submission twice",
                where=where,
                got=one,
                wanted=f"each id once; the other one is {seen[one]}",
            )
        seen[one] = where
    if not seen:
        raise SubmissionError("the sample submission has no rows", where=str(path))
    return Submission(path, name, columns, tuple(seen))


def named_as_in(submission: Submission, found: Found, *, named_by_table: bool) -> Found:
    """The pictures, called what the submission calls them. Raises SubmissionError.

    An id without any file is an error; a file that cannot be used is not yet.
    """
    ids = set(submission.ids)
    paths = [one.path for one in found.wanted] + [path for path, _reason in found.refused]
    names: Sequence[str] | None
    if named_by_table:
        names = [*(one.name for one in found.wanted), *found.refused_names]
    else:
        names = names_like(paths, ids)
    missing = sorted(ids.difference(names or ()))
    if names is None or missing:
        like = (names or paths)[:1]
        raise SubmissionError(
            f"{_count(len(missing), 'id')} of the sample submission "
            f"{'has' if len(missing) == 1 else 'have'} no picture",
            where=str(submission.path),
            got=", ".join(missing[:3]) + (", …" if len(missing) > 3 else ""),
            wanted=f"names of pictures, like {like[0]}" if like else "names of pictures",
            next=None if names else "`id` names the column of the ids, if it is not the first",
        )
    # `names` goes on with those of the refused.
    wanted = [replace(one, name=name) for one, name in zip(found.wanted, names, strict=False)]
    return replace(found, wanted=wanted)


def doubts(
    submission: Submission,
    found: Found,
    usable: set[str],
    known: Mapping[str, Sequence[Target]],
) -> list[str]:
    """Sentences about what is odd, but no error.

    `usable` are the names of the pictures that can be used; `known` the targets of earlier scans.
    """
    said = []
    extra = sorted({one.name for one in found.wanted}.difference(submission.ids))
    if extra:
        said.append(f"{_count(len(extra), 'picture')} not in the sample submission: {extra[0]}")
    lost = [one for one in submission.ids if one not in usable]
    if lost:
        said.append(
            f"{_count(len(lost), 'id')} of the sample submission will have no prediction, because "
            f"the picture cannot be used: {lost[0]}" + (", …" if len(lost) > 1 else "")
        )
    for scan, targets in known.items():
        fits = {target.name for target in targets} >= set(submission.columns)
        fits |= any(set(target.classes) == set(submission.columns) for target in targets)
        if targets and not fits:
            said.append(
                f"the columns {', '.join(submission.columns[:5])} of the sample submission are "
                f"neither targets nor classes of {scan}"
            )
    return said


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
