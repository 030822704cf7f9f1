"""The statistics as one HTML page: no scripts, no other files, the same bytes each time."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from markupsafe import Markup

from jobs.errors.curves import COLOURS
from jobs.pages.pages import template
from jobs.pages.thumbnails import data_uri
from jobs.stats.colours import Look
from skint.dataset import PackedSet, Target

CLASSES_SHOWN = 60
"""Of more classes, those with the most and the fewest pictures are shown."""
WIDTH, HEIGHT = 440, 180
CHANNELS_DRAWN = 16


def render(facts: dict[str, Any], data: PackedSet, target: Target | None, pixels: Look) -> str:
    """The page. `facts` is what `stats.json` holds."""
    images, mean, std = data.images(), pixels.mean.tolist(), pixels.std.tolist()

    def shown(ids: Sequence[int]) -> list[dict[str, str]]:
        samples = [data.samples[row] for row in ids]
        return [
            {
                "uri": data_uri(images[sample.id], mean, std),
                "path": sample.path,
                "label": sample.label,
                "size": f"{sample.width} × {sample.height}, " if sample.width else "",
            }
            for sample in samples
        ]

    strangest = facts["strangest"]
    galleries = [
        ("The oddest shapes", shown(facts["sizes"].get("odd", []))),
        ("The darkest pictures", shown(strangest["darkest"])),
        ("The brightest pictures", shown(strangest["brightest"])),
        ("The pictures that show least", shown(strangest["flattest"])),
    ]
    return template("jobs.stats", "stats.html.j2").render(
        facts=facts,
        shown=CLASSES_SHOWN,
        rows_of=_rows,
        means=_means(facts, data, target, pixels),
        # Markup: the drawing escapes its own text.
        histogram=Markup(_histogram(facts["channels"])),
        galleries=[(title, pictures) for title, pictures in galleries if pictures],
    )


def _rows(target: dict[str, Any]) -> list[dict[str, Any]]:
    """Classes in their order, or the most and the least frequent; `width` is that of the bar."""
    rows = target["classes"]
    if len(rows) > CLASSES_SHOWN:
        ranked = sorted(rows, key=lambda row: -row["n"])
        rows = [*ranked[: CLASSES_SHOWN // 2], *ranked[-(CLASSES_SHOWN // 2) :]]
    most = max((row["n"] for row in rows), default=0)
    return [{**row, "width": round(100 * row["n"] / most, 1) if most else 0} for row in rows]


def _means(
    facts: dict[str, Any], data: PackedSet, target: Target | None, pixels: Look
) -> list[dict[str, Any]]:
    if target is None:
        return []
    rows = next(one for one in facts["targets"] if one["name"] == target.name)["classes"]
    means = []
    for number, row in enumerate(rows[:CLASSES_SHOWN]):
        picture = pixels.means[number]
        if data.meta.dtype == "uint8":
            picture = np.rint(picture).astype(np.uint8)
        if row["n"]:
            uri = data_uri(picture, pixels.mean.tolist(), pixels.std.tolist())
            means.append({"name": row["name"], "n": row["n"], "uri": uri})
    return means


def _histogram(channels: Sequence[dict[str, Any]]) -> str:
    """An SVG element: how often each channel has which value, a line a channel."""
    drawn = channels[:CHANNELS_DRAWN]
    low, high = min(c["from"] for c in drawn), max(c["to"] for c in drawn)
    top = max(max(c["histogram"]) / max(1, sum(c["histogram"])) for c in drawn) or 1.0
    span = high - low or 1.0
    lines = []
    for number, channel in enumerate(drawn):
        counts, total = channel["histogram"], max(1, sum(channel["histogram"]))
        step = (channel["to"] - channel["from"]) / len(counts)
        points = " ".join(
            f"{(channel['from'] + (place + 0.5) * step - low) / span * WIDTH:.1f},"
            f"{HEIGHT - 20 - count / total / top * (HEIGHT - 30):.1f}"
            for place, count in enumerate(counts)
        )
        colour = _colour(channel["name"], number)
        lines.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
    for number, channel in enumerate(drawn):
        place = f'x="{WIDTH + 8}" y="{16 + 15 * number}"'
        colour = _colour(channel["name"], number)
        lines.append(f'<text {place} style="fill:{colour}">{escape(channel["name"])}</text>')
    axis = (
        f'<line x1="0" x2="{WIDTH}" y1="{HEIGHT - 20}" y2="{HEIGHT - 20}" class="grid"/>'
        f'<text x="0" y="{HEIGHT - 4}">{low:.4g}</text>'
        f'<text x="{WIDTH}" y="{HEIGHT - 4}" text-anchor="end">{high:.4g}</text>'
    )
    height = max(HEIGHT, 16 + 15 * len(drawn))
    title = "How often each channel has which value"
    return (
        f'<svg viewBox="0 0 {WIDTH + 90} {height}" width="{WIDTH + 90}" height="{height}" '
        f'role="img" aria-label="{title}"><title>{title}</title>{axis}{"".join(lines)}</svg>'
    )


def _colour(name: str, number: int) -> str:
    """Red, green and blue in their own colours, told apart with every kind of colour vision."""
    own = {"R": "#D55E00", "G": "#009E73", "B": "#0072B2"}
    return own.get(name, COLOURS[number % len(COLOURS)])
