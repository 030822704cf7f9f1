"""A learning curve as a PNG. Folds differ by colour *and* line style: colour alone excludes people.

Imports matplotlib, which takes about half a second: import this module where a picture is drawn.
The object interface (`Figure`) is used throughout: pyplot keeps global state, unfit for threads.
"""

from __future__ import annotations

import io
from math import isfinite, nan

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from notifiers.base import Curve

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9")
"""Okabe and Ito's palette, without the yellow that vanishes on white (jfly.uni-koeln.de/color)."""
LINE_STYLES = ("-", "--", "-.", ":")
_LEGEND_ROWS = 8
_DPI = 100
_SIZE_PX = (960, 540)


def learning_curve_png(curve: Curve) -> bytes:
    """Draw all series of the curve in one panel; values that are not finite are gaps.

    The same curve gives the same bytes with the same matplotlib.
    """
    width_px, height_px = _SIZE_PX
    figure = Figure(figsize=(width_px / _DPI, height_px / _DPI), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    handles: list[Line2D] = []
    for index, points in enumerate(curve.series.values()):
        (line,) = axes.plot(
            [epoch for epoch, _ in points],
            [value if isfinite(value) else nan for _, value in points],
            color=COLOURS[index % len(COLOURS)],
            linestyle=LINE_STYLES[index % len(LINE_STYLES)],
            # A lone point has no line to be seen by.
            marker="o" if len(points) < 2 else ".",
            linewidth=2,
        )
        handles.append(line)
    # parse_math: a `$` in a name is a dollar, and broken TeX would raise.
    axes.set_title(curve.title, parse_math=False)
    axes.set_xlabel("epoch")
    axes.set_ylabel(curve.metric, parse_math=False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=True, color="#dddddd")
    if handles:
        columns = -(-len(handles) // _LEGEND_ROWS)
        # Labels are set afterwards: a name that begins with `_` would be left out of the legend.
        legend = axes.legend(handles, [str(n) for n in range(len(handles))], ncols=columns)
        for text, name in zip(legend.get_texts(), curve.series, strict=True):
            text.set_parse_math(False)
            text.set_text(name)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()


def alt_text(curve: Curve) -> str:
    """The picture in words, for screen readers: last value of each series and its epoch."""
    said = []
    for name, points in curve.series.items():
        if not points:
            said.append(f"{name} has no values yet")
            continue
        epoch, value = points[-1]
        figure = f"{value:.4g}" if isfinite(value) else "not a number"
        said.append(f"{name} {figure} at epoch {epoch:g}")
    return f"{curve.title}. {curve.metric} by epoch: {'; '.join(said)}."
