"""The finder's curve as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jobs.probe.suggestions import Suggestions


def draw_curve(
    path: Path, rates: Sequence[float], losses: Sequence[float], found: Suggestions | None
) -> None:
    """Loss over the rate, with the suggestions on it."""
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(rates, losses, color="black", linewidth=1.2)
    axes.set_xscale("log")
    axes.set_xlabel("learning rate")
    axes.set_ylabel("loss, smoothed")
    for name, rate in (found.as_dict() if found else {}).items():
        nearest = min(range(len(rates)), key=lambda n: abs(rates[n] - rate))
        axes.plot([rate], [losses[nearest]], "o", label=f"{name} {rate:.2g}")
    if found:
        axes.legend(frameon=False)
    FigureCanvasAgg(figure).print_png(path)  # type: ignore[no-untyped-call]
