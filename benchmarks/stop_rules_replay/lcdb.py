"""The learning curves of LCDB 0.1.0 as campaigns: Mohr, Viering, Loog, van Rijn, ECML PKDD 2022.

Each learner on a data set is a run; sizes of the training set stand for epochs, the outer splits
for folds. What a longer training costs is what the larger size cost more: as if it went on.
"""

from __future__ import annotations

import importlib.util
import io
import os
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path

from benchmarks.stop_rules_replay.campaign import Campaign, Fold, Run

TABLE = "database-accuracy.csv"
ARCHIVE = "lcdb-0.1.0.tar.gz"
FOLDER = Path(__file__).resolve().parents[1] / "data" / "downloads"
FOLDS = 5
LEAST_RUNS = 10
MISSING = f"""LCDB is not here: the learning curves that this replays (MIT, 68 MB). To get them:
    pip download --no-deps --no-binary :all: lcdb==0.1.0 -d {FOLDER}
or name the folder that has {ARCHIVE} or {TABLE} with --lcdb FOLDER or in LCDB_FOLDER."""

Point = tuple[float, float]
"""Score and seconds."""


def read(folder: Path | None, splits: Iterable[int]) -> list[Campaign]:
    """A campaign for each data set and inner split. FileNotFoundError where the table is not."""
    wanted = {str(split) for split in splits}
    points: dict[tuple[int, int], dict[str, dict[tuple[int, int], Point]]] = {}
    items: dict[int, int] = defaultdict(int)
    outer_seeds = {str(seed) for seed in range(FOLDS)}
    with _table(folder) as lines:
        head = next(lines).rstrip().split(",")
        at = {name: place for place, name in enumerate(head)}
        columns = (
            "openmlid learner size_train size_test outer_seed inner_seed traintime score_valid"
        )
        places = [at[name] for name in columns.split()]
        for line in lines:
            cells = line.rstrip().split(",")
            number, learner, size, test, outer, inner, seconds, score = (cells[i] for i in places)
            if inner in wanted and outer in outer_seeds:
                data = int(number)
                # A tenth is cut off for the test, a tenth of what is left for the validation.
                items[data] = max(items[data], round(0.9 * int(test)))
                learners = points.setdefault((data, int(inner)), {}).setdefault(learner, {})
                learners.setdefault((int(outer), int(size)), (float(score), float(seconds)))
    found = (
        _campaign(data, split, learners, items[data])
        for (data, split), learners in sorted(points.items())
    )
    return [campaign for campaign in found if campaign is not None]


def _campaign(
    data: int, split: int, learners: dict[str, dict[tuple[int, int], Point]], items: int
) -> Campaign | None:
    """The learners that finished every size up to the largest one that most of them finished."""
    finished: dict[int, set[str]] = defaultdict(set)
    for learner, of_learner in learners.items():
        for size in {size for _, size in of_learner}:
            if all((fold, size) in of_learner for fold in range(FOLDS)):
                finished[size].add(learner)
    most = max(map(len, finished.values()), default=0)
    sizes = sorted(size for size, done in finished.items() if len(done) >= 0.75 * most)
    whole = [name for name in sorted(learners) if all(name in finished[size] for size in sizes)]
    if len(whole) < LEAST_RUNS or len(sizes) < 4:
        return None
    trained = tuple(size / sizes[-1] for size in sizes)
    runs = [
        Run(
            name,
            "sizes",
            tuple(
                Fold(
                    tuple(learners[name][fold, size][0] for size in sizes),
                    tuple(accumulate((learners[name][fold, size][1] for size in sizes), max)),
                    trained,
                )
                for fold in range(FOLDS)
            ),
        )
        for name in whole
    ]
    return Campaign(f"lcdb-{data}/{split}", f"lcdb-{data}", items, tuple(runs))


@contextmanager
def _table(folder: Path | None) -> Iterator[Iterator[str]]:
    for place in _places(folder):
        if (place / TABLE).is_file():
            with (place / TABLE).open() as lines:
                yield lines
            return
        if (place / ARCHIVE).is_file():
            with tarfile.open(place / ARCHIVE) as archive:
                inside = archive.extractfile(f"lcdb-0.1.0/lcdb/{TABLE}")
                if inside is None:
                    raise FileNotFoundError(f"{place / ARCHIVE} has no {TABLE}")
                yield io.TextIOWrapper(inside)
            return
    raise FileNotFoundError(MISSING)


def _places(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield folder
        return
    if os.environ.get("LCDB_FOLDER"):
        yield Path(os.environ["LCDB_FOLDER"])
    yield FOLDER
    installed = importlib.util.find_spec("lcdb")
    if installed is not None and installed.origin:
        yield Path(installed.origin).parent
