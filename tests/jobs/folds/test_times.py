from __future__ import annotations

from pathlib import Path

import pytest

from jobs.folds.times import TimesError, times_of
from skint.dataset import Target
from tests.jobs.table_set import table_set


def read(folder: Path, *cells: str, column: str = "taken") -> list[float]:
    data = table_set(folder, {"taken": cells}, [Target("taken", "class", tuple(cells))])
    return times_of(data.samples, column, data, "samples.csv").tolist()  # type: ignore[no-any-return]


def test_numbers_are_taken_as_they_are(tmp_path: Path) -> None:
    assert read(tmp_path, "2021", "2019.5", "-1e3") == [2021, 2019.5, -1000]


def test_dates_are_put_in_order_whatever_their_zone(tmp_path: Path) -> None:
    cells = ("2026-11-22", "2026-11-22T01:00:00+02:00", "2026-11-22 00:00:01", "1969-12-31")
    first, second, third, before = read(tmp_path, *cells)
    assert before < 0 < second < first < third == first + 1


@pytest.mark.parametrize("cells", [("2020", ""), ("2020", "2020-01-01"), ("soon",), ("nan", "1")])
def test_a_cell_that_is_no_time_is_named(tmp_path: Path, cells: tuple[str, ...]) -> None:
    with pytest.raises(TimesError, match="have no time") as error:
        read(tmp_path, *cells)
    assert ".png" in str(error.value.where)


def test_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TimesError, match="no such column") as error:
        read(tmp_path, "1", column="date")
    assert error.value.wanted == "taken, name, group"
