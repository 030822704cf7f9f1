"""Which held-out pictures two trainings of the same fold got right: both, or one of them alone.

Read from the files that trainings publish (`jobs/training/results/correct.py`); a program of one's
own may write the same.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

VERSION = 1
REMEMBERED = 256
"""Files that were read last; they never change."""


@dataclass(frozen=True)
class Agreement:
    """Counts of pictures."""

    metric: str
    """What is counted: `val_acc`, or `val_acc.breed` of one of several targets."""
    items: int
    both: int
    only_ours: int
    only_theirs: int


@dataclass(frozen=True)
class Correct:
    """What stands in one file."""

    metric: str
    items: int
    pictures: str
    """The same for the same pictures with the same labels."""
    right: int
    """The bits as one number, those behind the last picture 0."""


def agreement_of(ours: str, theirs: str) -> Agreement | str:
    """Of two files, by path; or why they cannot be compared, as a clause."""
    found = [read_correct(path) for path in (ours, theirs)]
    for path, one in zip((ours, theirs), found, strict=True):
        if isinstance(one, str):
            return f"{path} {one}"
    here, there = found
    assert isinstance(here, Correct) and isinstance(there, Correct)
    if here.pictures != there.pictures or here.items != there.items:
        return "they were validated on other pictures, or the labels were changed"
    if here.metric != there.metric:
        return f"they count another target: {here.metric} here, {there.metric} there"
    return Agreement(
        metric=here.metric,
        items=here.items,
        both=(here.right & there.right).bit_count(),
        only_ours=(here.right & ~there.right).bit_count(),
        only_theirs=(there.right & ~here.right).bit_count(),
    )


def read_correct(path: str) -> Correct | str:
    """What a file says, or why it says nothing, as a clause."""
    try:
        return _read(path)
    except FileNotFoundError:
        return "is not there"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except (ValueError, KeyError, TypeError):
        return "is not a file of right and wrong pictures"


@lru_cache(maxsize=REMEMBERED)
def _read(path: str) -> Correct:
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    if content["version"] != VERSION:
        raise ValueError("another version")
    items, packed = content["items"], base64.b64decode(content["right"], validate=True)
    if type(items) is not int or len(packed) != (items + 7) // 8:
        raise ValueError("not as many bits as pictures")
    spare = 8 * len(packed) - items
    right = int.from_bytes(packed, "big") >> spare << spare
    return Correct(str(content["metric"]), items, str(content["pictures"]), right)
