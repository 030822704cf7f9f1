from __future__ import annotations

import re
from pathlib import Path

import pytest

import jobs.bands.indices
from jobs.bands.indices import INDICES, ROLES, SENSORS


def test_formulas_read_as_they_are_written() -> None:
    assert INDICES["ndvi"].formula == "(nir - red) / (nir + red)"
    assert INDICES["evi"].formula == "(2.5 nir - 2.5 red) / (nir + 6 red - 7.5 blue + 1)"
    assert INDICES["savi"].formula == "(1.5 nir - 1.5 red) / (nir + red + 0.5)"


@pytest.mark.parametrize("name", INDICES)
def test_every_index_is_made_of_known_roles_and_has_its_source(name: str) -> None:
    assert set(INDICES[name].roles) <= set(ROLES)
    assert re.search(
        rf"^    {name} .*\n +\S.*\b(19|20)\d\d, .*\d", jobs.bands.indices.__doc__ or "", re.M
    )


@pytest.mark.parametrize("sensor", SENSORS)
def test_every_sensor_has_a_band_of_its_own_for_each_role(sensor: str) -> None:
    bands = SENSORS[sensor]
    assert set(bands) <= set(ROLES) and len(set(bands.values())) == len(bands)


def test_the_guide_has_every_index_with_its_formula() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "bands.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (\(.*?\) / \(.*?\)) \|", page, re.M))
    assert rows == {name: index.formula for name, index in INDICES.items()}
