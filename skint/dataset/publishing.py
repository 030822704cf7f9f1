"""The end of every writer: tables are written, and files get their names."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from skint.attempt import write_atomic
from skint.dataset.error import DatasetError
from skint.dataset.meta import META, DatasetMeta
from skint.dataset.packed import PackedSet
from skint.dataset.sample import FIXED_COLUMNS, SAMPLES, Sample, write_samples
from skint.dataset.target import Target


def publish(
    folder: Path, meta: DatasetMeta, samples: Sequence[Sample], files: Mapping[Path, str]
) -> PackedSet:
    """Rename unfinished `files` to their names in `folder`, and write the tables beside them."""
    write_samples(folder / SAMPLES, samples, meta.targets)
    for path, name in files.items():
        path.replace(folder / name)
    # dataset.json last: a folder that has it is whole.
    write_atomic(folder / META, (json.dumps(meta.to_json(), indent=1) + "\n").encode())
    return PackedSet.open(folder)


def check_tables(
    samples: Sequence[Sample],
    targets: Sequence[Target],
    channels: Sequence[str],
    shape: tuple[int, ...],
) -> None:
    """Raise ValueError unless they describe pictures of the shape (N, ..., C)."""
    if [sample.id for sample in samples] != list(range(shape[0])):
        raise ValueError("samples must have the ids 0..N-1, in order")
    if len(channels) != shape[-1]:
        raise ValueError("one channel name for each channel")
    names = [target.name for target in targets]
    if len({*names, *FIXED_COLUMNS}) != len(names) + len(FIXED_COLUMNS):
        raise ValueError(f"targets need names of their own: {', '.join(names)}")


def no_room(folder: Path, wanted_bytes: int) -> DatasetError:
    return DatasetError(
        "there is not enough room for the packed set",
        where=str(folder),
        got=f"{shutil.disk_usage(folder).free:,} bytes free",
        wanted=f"{wanted_bytes:,} bytes",
    )
