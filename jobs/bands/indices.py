"""Spectral indices and what the bands of common sensors are. Pure tables.

Every index here is a ratio of two sums of reflectances:

    ndvi   (nir - red) / (nir + red)
           Rouse, Haas, Schell, Deering 1974, Third ERTS-1 Symposium, NASA SP-351, 309-317
    gndvi  (nir - green) / (nir + green)
           Gitelson, Kaufman, Merzlyak 1996, Remote Sensing of Environment 58, 289-298
    ndre   (nir - rededge) / (nir + rededge)
           Gitelson, Merzlyak 1994, Journal of Plant Physiology 143, 286-292
    evi    2.5 (nir - red) / (nir + 6 red - 7.5 blue + 1)
           Huete and others 2002, Remote Sensing of Environment 83, 195-213
    evi2   2.5 (nir - red) / (nir + 2.4 red + 1)
           Jiang, Huete, Didan, Miura 2008, Remote Sensing of Environment 112, 3833-3845
    savi   1.5 (nir - red) / (nir + red + 0.5)
           Huete 1988, Remote Sensing of Environment 25, 295-309
    ndwi   (green - nir) / (green + nir): open water
           McFeeters 1996, International Journal of Remote Sensing 17, 1425-1432
    mndwi  (green - swir1) / (green + swir1): open water beside buildings
           Xu 2006, International Journal of Remote Sensing 27, 3025-3033
    ndsi   the same formula, for snow
           Hall, Riggs, Salomonson 1995, Remote Sensing of Environment 54, 127-140
    ndmi   (nir - swir1) / (nir + swir1): water in leaves (Gao calls it NDWI)
           Gao 1996, Remote Sensing of Environment 58, 257-266
    ndbi   (swir1 - nir) / (swir1 + nir): built-up land
           Zha, Gao, Ni 2003, International Journal of Remote Sensing 24, 583-594
    nbr    (nir - swir2) / (nir + swir2): burnt land
           López García, Caselles 1991, Geocarto International 6 (1), 31-37
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Index:
    """`numerator / (denominator + constant)`: factors by role, in reflectances of 0 to 1."""

    numerator: Mapping[str, float]
    denominator: Mapping[str, float]
    constant: float = 0.0
    """Where it is not 0, the bands must be known as reflectances: a factor does not cancel."""

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple({**self.numerator, **self.denominator})

    @property
    def formula(self) -> str:
        below = _sum(self.denominator)
        below += f" + {self.constant:g}" if self.constant else ""
        return f"({_sum(self.numerator)}) / ({below})"


LOW, HIGH = -1.0, 1.0
"""Indices end there: only pixels that are no reflectances, or nearly black ones, lie beyond."""


def _difference(plus: str, minus: str) -> Index:
    return Index({plus: 1, minus: -1}, {plus: 1, minus: 1})


INDICES: Mapping[str, Index] = {
    "ndvi": _difference("nir", "red"),
    "gndvi": _difference("nir", "green"),
    "ndre": _difference("nir", "rededge"),
    "evi": Index({"nir": 2.5, "red": -2.5}, {"nir": 1, "red": 6, "blue": -7.5}, 1.0),
    "evi2": Index({"nir": 2.5, "red": -2.5}, {"nir": 1, "red": 2.4}, 1.0),
    "savi": Index({"nir": 1.5, "red": -1.5}, {"nir": 1, "red": 1}, 0.5),
    "ndwi": _difference("green", "nir"),
    "mndwi": _difference("green", "swir1"),
    "ndsi": _difference("green", "swir1"),
    "ndmi": _difference("nir", "swir1"),
    "ndbi": _difference("swir1", "nir"),
    "nbr": _difference("nir", "swir2"),
}

ROLES = ("blue", "green", "red", "rededge", "nir", "swir1", "swir2")

SENSORS: Mapping[str, Mapping[str, str]] = {
    # ESA, Sentinel-2 User Handbook, issue 1, table 1.
    "sentinel-2": {
        "blue": "B2",
        "green": "B3",
        "red": "B4",
        "rededge": "B5",
        "nir": "B8",
        "swir1": "B11",
        "swir2": "B12",
    },
    # USGS, "What are the band designations for the Landsat satellites?"
    "landsat-8-9": {
        "blue": "B2",
        "green": "B3",
        "red": "B4",
        "nir": "B5",
        "swir1": "B6",
        "swir2": "B7",
    },
    "landsat-4-7": {
        "blue": "B1",
        "green": "B2",
        "red": "B3",
        "nir": "B4",
        "swir1": "B5",
        "swir2": "B7",
    },
}
"""The band of each role."""

QUANTIFICATION: Mapping[str, float] = {"sentinel-2": 10_000.0}
"""What stands for a reflectance of 1, where it is the same in all products of a sensor."""


def _sum(factors: Mapping[str, float]) -> str:
    text = ""
    for role, factor in factors.items():
        sign = " - " if factor < 0 else " + "
        size = "" if abs(factor) == 1 else f"{abs(factor):g} "
        text += f"{sign if text else sign.strip(' +')}{size}{role}"
    return text
