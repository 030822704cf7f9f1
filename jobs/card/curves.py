"""The learning curves of all folds in one picture.

Importing this module imports matplotlib: jobs import it inside their function.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jobs.card.trained import Trained
from jobs.errors.curves import COLOURS

LOSSES = ("train_loss", "val_loss")
ACROSS = 3
"""Diagrams in a row."""
MOST = 12
"""Diagrams of metrics; more are in `metrics.csv`."""
_DOTS_PER_INCH = 100
_WIDTH_IN, _HEIGHT_IN = 4.4, 3.0


def draw(trained: Sequence[Trained]) -> bytes:
    """A PNG: the losses, each metric, the learning rate; a colour for each fold.

    A dot is the best epoch, an upright line the beginning of a stage. The same numbers give the
    same bytes with the same matplotlib.
    """
    panels = panels_of(trained)
    across = min(ACROSS, len(panels))
    down = math.ceil(len(panels) / across)
    figure = Figure(figsize=(across * _WIDTH_IN, down * _HEIGHT_IN), dpi=_DOTS_PER_INCH)
    FigureCanvasAgg(figure)
    for number, columns in enumerate(panels, start=1):
        axes = figure.add_subplot(down, across, number)
        for one in trained:
            for column in columns:
                _line(axes, one, column)
        _labelled(axes, trained, columns)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(8, len(labels)))
    figure.set_layout_engine("constrained")
    content = BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()


def panels_of(trained: Sequence[Trained]) -> list[tuple[str, ...]]:
    """The columns of each diagram; a column without a number in any fold has none."""
    names = dict.fromkeys(name for one in trained for row in one.epochs for name in row)
    drawn = [name for name in names if any(one.curve(name)[1] for one in trained)]
    losses = tuple(name for name in LOSSES if name in drawn)
    others = [name for name in drawn if name.startswith("val_") and name not in LOSSES]
    panels = [losses] if losses else []
    panels += [(name,) for name in others[:MOST]]
    if "lr" in drawn:
        panels.append(("lr",))
    return panels or [()]


def _line(axes: Any, one: Trained, column: str) -> None:
    epochs, values = one.curve(column)
    colour = COLOURS[one.fold % len(COLOURS)]
    trains = column == "train_loss"
    axes.plot(
        epochs,
        values,
        color=colour,
        linestyle="--" if trains else "-",
        linewidth=1.0 if trains else 1.5,
        marker="." if len(epochs) == 1 else None,
        label=None if trains else f"fold {one.fold}",
    )
    best = one.result.get("best_epoch")
    if column.startswith("val_") and best in epochs:
        axes.plot([best], [values[epochs.index(best)]], "o", color=colour, markersize=4)


def _labelled(axes: Any, trained: Sequence[Trained], columns: Sequence[str]) -> None:
    axes.set_title("train_loss (dashed) and val_loss" if len(columns) > 1 else "".join(columns))
    axes.set_xlabel("epoch")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    for first, name in trained[0].stages if columns else []:
        axes.axvline(first - 0.5, color="0.6", linewidth=0.8)
        axes.annotate(
            name, (first - 0.5, 1), xycoords=("data", "axes fraction"), fontsize=7, va="top"
        )
