"""A picture of what the components show: some tiles in false colours, and how much each keeps.

Importing this module imports matplotlib: jobs import it inside their function.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from jobs.pca.components import Components
from jobs.pca.scores import Projection, scaling_of
from jobs.pca.valid import Validity
from skint.dataset import PackedSet

TILES = 15
ACROSS = 5
TILE_PX = 128
"""Larger pictures are thinned out to it."""
BARS = 16
"""Components in the diagram at most."""
_DOTS_PER_INCH = 100


@dataclass(frozen=True, eq=False)
class Tile:
    name: str
    pixels: NDArray[np.uint8]
    """(H, W, 3)"""


def tiles_of(
    data: PackedSet, components: Components, valid: Validity | None, deviations: float
) -> list[Tile]:
    """Pictures spread over the set: the first three components as red, green and blue.

    Each is stretched by itself, whatever the stored numbers are; with two, blue is dark, with
    one the tile is gray. Pixels without data are black.
    """
    scaling = scaling_of(components, "uint8", whiten=True, deviations=deviations, masked=True)
    project = Projection(components, scaling, valid)
    images = data.images()
    tiles = []
    for row in np.unique(np.linspace(0, len(data) - 1, min(TILES, len(data))).astype(int)).tolist():
        picture = images[row]
        thin = math.ceil(max(picture.shape[:2]) / TILE_PX)
        picture = np.ascontiguousarray(picture[::thin, ::thin])
        values = project(picture.reshape(-1, picture.shape[2])).reshape(*picture.shape[:2], -1)
        colours = np.zeros((*picture.shape[:2], 3), dtype=np.uint8)
        colours[:, :, : min(3, components.k)] = values[:, :, :3]
        if components.k == 1:
            colours[:] = values
        sample = data.samples[row]
        tiles.append(Tile(sample.label or sample.name, colours))
    return tiles


def draw(tiles: Sequence[Tile], components: Components) -> bytes:
    """PNG: the tiles, and beside them a bar a component, those that are kept in colour.

    The same tiles and components give the same bytes with the same matplotlib.
    """
    down = max(1, math.ceil(len(tiles) / ACROSS))
    figure = Figure(figsize=(10.4, max(2.6, 1.45 * down + 0.3)), dpi=_DOTS_PER_INCH)
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        down, ACROSS + 3, left=0.01, right=0.985, top=0.91, bottom=0.02, wspace=0.06, hspace=0.25
    )
    for number, tile in enumerate(tiles):
        axes = figure.add_subplot(grid[number // ACROSS, number % ACROSS])
        axes.imshow(tile.pixels, interpolation="nearest")
        axes.set_axis_off()
        axes.set_title(_short(tile.name), fontsize=8, pad=3, parse_math=False)
    _bars(figure.add_axes((0.715, 0.2, 0.27, 0.66)), components)
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _bars(axes: Any, components: Components) -> None:
    shares = components.shares[:BARS] * 100
    numbers = np.arange(1, len(shares) + 1)
    colours = ["#0072B2" if number <= components.k else "#BBBBBB" for number in numbers]
    axes.bar(numbers, shares, color=colours)
    for number, share in zip(numbers[: min(components.k, 6)], shares, strict=False):
        axes.annotate(
            f"{share:.1f}", (number, share), (0, 2), "data", "offset points", ha="center", size=8
        )
    axes.set_title(f"{shares[: components.k].sum():.1f} % of the variance is kept", fontsize=9)
    axes.set_xlabel("component", fontsize=8)
    axes.set_ylabel("% of the variance", fontsize=8)
    axes.set_xticks(numbers)
    axes.tick_params(labelsize=7)
    axes.set_ylim(0, 112)
    axes.spines[["top", "right"]].set_visible(False)


def _short(name: str) -> str:
    return name if len(name) <= 18 else f"{name[:17]}…"
