"""A grid of what a fold predicted, from its predictions and the packed set it was trained on."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import skint
from jobs.errors.confusion import Predictions
from jobs.errors.saved import read_saved
from jobs.features.seen import pictures_behind
from jobs.pages.thumbnails import cell, fitted
from jobs.training.data.targets import column_of, known
from orchestrator.pictures.mistakes import Chosen, Shown, choose, percent
from skint.dataset import META, PackedSet

COLUMNS, ROWS = 4, 4
CELL_PX, GAP_PX, FRAME_PX, TEXT_PX, HEAD_PX, MARK_PX = 152, 10, 4, 36, 28, 22
RIGHT, WRONG = "#0072b2", "#d55e00"
"""Okabe and Ito's blue and vermilion. A mistake has a frame, a cross and other words as well."""


class NoPicture(skint.SkintError):
    """There is nothing to draw: no predictions of classes, or no pictures."""


def chosen_of(ctx: skint.Context) -> tuple[Chosen, PackedSet]:
    """What to show of a finished job. Raises NoPicture, PredictionsError, DatasetError."""
    file = ctx.out / "predictions.npz"
    if not file.is_file():
        raise NoPicture("this job has published no predictions")
    trained_on = PackedSet.open(ctx.find(META).parent)
    saved = read_saved(file, trained_on)
    target = next((one for one in saved.targets if one.kind == "class"), None)
    if target is None:
        raise NoPicture("no target of this job is a class")
    pictures = pictures_behind(ctx, trained_on)
    if pictures.meta.shape[1:3] == (1, 1):
        raise NoPicture("it was trained on features, and the pictures behind them are not known")
    true = column_of(trained_on, target)[saved.ids]
    rows = np.flatnonzero(known(target, true))
    fold = np.full(len(rows), ctx.fold or 0)
    of_classes = Predictions(saved.ids[rows], fold, true[rows], saved.predicted[target.name][rows])
    chosen = choose(of_classes, target.classes, COLUMNS * ROWS)
    if not chosen.shown:
        raise NoPicture("the class of no picture of this fold is known")
    return chosen, pictures


def draw(chosen: Chosen, data: PackedSet, title: str) -> bytes:
    """A PNG; the same pictures give the same bytes with the same Pillow."""
    font, large = ImageFont.load_default(13), ImageFont.load_default(15)
    columns = min(COLUMNS, len(chosen.shown))
    rows = -(-len(chosen.shown) // COLUMNS)
    width, height = CELL_PX + GAP_PX, CELL_PX + TEXT_PX + GAP_PX
    # A lone picture is no narrower than the title.
    size = (GAP_PX + max(columns, 2) * width, HEAD_PX + GAP_PX + rows * height)
    grid = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(grid)
    head = f"{title}: {chosen.wrong:,} of {chosen.pictures:,} wrong"
    pen.text((GAP_PX, 7), fitted(head, size[0] - 2 * GAP_PX, pen, large), "black", large)
    images = data.images()
    for place, one in enumerate(chosen.shown):
        left = GAP_PX + place % COLUMNS * width
        top = HEAD_PX + GAP_PX + place // COLUMNS * height
        inner_px = CELL_PX - 2 * FRAME_PX
        image = cell(images[one.id], data.meta.mean, data.meta.std, inner_px)
        at = (left + (CELL_PX - image.width) // 2, top + (CELL_PX - image.height) // 2)
        grid.paste(image, at)
        if not one.right:
            box = (left, top, left + CELL_PX - 1, top + CELL_PX - 1)
            pen.rectangle(box, outline=WRONG, width=FRAME_PX)
        _mark(pen, left + CELL_PX - MARK_PX, top, one)
        for number, line in enumerate(_captions(one)):
            text = fitted(line, CELL_PX, pen, font)
            pen.text((left, top + CELL_PX + 3 + 16 * number), text, "black", font)
    content = io.BytesIO()
    grid.save(content, "PNG", optimize=True)
    return content.getvalue()


def _captions(one: Shown) -> Sequence[str]:
    if one.right:
        return (f"right: {one.true}", f"sure {percent(one)}")
    return (f"is: {one.true}", f"told: {one.told}, {percent(one)}")


def _mark(pen: ImageDraw.ImageDraw, left: int, top: int, one: Shown) -> None:
    """A tick or a cross in the corner, drawn: not every font has them."""
    right, bottom, inset = left + MARK_PX, top + MARK_PX, 6
    pen.rectangle((left, top, right - 1, bottom - 1), fill=RIGHT if one.right else WRONG)
    if one.right:
        low = (left + MARK_PX * 5 // 12, bottom - inset)
        pen.line([(left + inset - 1, top + MARK_PX // 2), low], "white", 3)
        pen.line([low, (right - inset, top + inset)], "white", 3)
        return
    pen.line([(left + inset, top + inset), (right - inset, bottom - inset)], "white", 3)
    pen.line([(left + inset, bottom - inset), (right - inset, top + inset)], "white", 3)
