"""Make the pictures of `skint top` in docs/, as SVG and PNG: in the middle of a simulated week.

A real store and a real ledger are filled by the real scheduler, on the clock and the engine that
the tests use; then the real dashboard reads them. Run by `make picture`, from anywhere.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import math
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

from PIL import Image  # noqa: E402

from budget.accounts.account import Account  # noqa: E402
from budget.accounts.limit import weekly  # noqa: E402
from orchestrator.dashboard.app import Dashboard  # noqa: E402
from orchestrator.dashboard.jobs.lanes import LaneWatch  # noqa: E402
from orchestrator.executors.base import Device  # noqa: E402
from orchestrator.executors.simulated import Script  # noqa: E402
from orchestrator.graph import Graph, Job  # noqa: E402
from orchestrator.home import Home  # noqa: E402
from orchestrator.state.state import State  # noqa: E402
from skint.attempt import Task  # noqa: E402
from tests.orchestrator.worlds import HOUR_MS, World, epochs, kfold  # noqa: E402

WIDTH, HEIGHT = 100, 30
EPOCHS = 12
TITLE = "skint top"
FOLD = ("down", "down", "down")
PICTURES = {
    "dashboard": ((WIDTH, HEIGHT), FOLD),
    "details": ((120, 36), (*FOLD, "enter")),
    "burn-down": ((WIDTH, HEIGHT), (*FOLD, "b", "right")),
}
"""The size, and the keys that lead there."""
RECIPE = {"model": "efficientnet_b0", "lr": 0.003, "epochs": EPOCHS}
RECIPES = {
    "wide": {**RECIPE, "model": "efficientnet_b2"},
    "bold": {**RECIPE, "lr": 0.05},
    "gulls-big": {**RECIPE, "model": "efficientnet_b5"},
}
LOG = "epoch {epoch}/12 · batch {batch:4}/320 · loss {loss:.4f} · {rate} pictures/s"
CELL_PX = 12.2
"""Width of a cell in the SVGs that rich writes."""
DEJAVU_EM = 1233 / 2048
"""Width of every character of DejaVu Sans Mono, as a share of its size."""
SETTLED_S = 0.3
BLANK = "&#160;"
CHARACTER = re.compile(r"&[^;]+;|.")
TEXT = re.compile(r'(<text [^>]*?)x="([\d.]+)"([^>]*?)textLength="[\d.]+"([^>]*)>([^<]*)</text>')


def learning(seed: int, best: float, seconds_each: float) -> Script:
    """A fold whose accuracy rises to about `best`."""
    chance = random.Random(seed)
    values = [
        best * (1 - 0.55 * math.exp(-epoch / 2.4)) + chance.gauss(0, 0.006)
        for epoch in range(1, EPOCHS + 1)
    ]
    each = seconds_each * chance.uniform(0.97, 1.03)
    return epochs([round(value, 4) for value in values], seconds_each=each)


def script_of(task: Task) -> Script:
    if task.fold is None:
        return Script(seconds=40, outputs={f"{task.job}.csv": b"1"})
    best, seconds = {"wide": (0.918, 246.0), "bold": (0.861, 152.0)}.get(
        task.run.split("-")[0], (0.904, 125.0)
    )
    return learning(hash_of(task.attempt), best, seconds)


def hash_of(text: str) -> int:
    """The same on every machine, which `hash` is not."""
    return int.from_bytes(text.encode()[-8:], "big")


def graph(name: str, folds: int, limit_s: float, account: str = "lab") -> Graph:
    made = kfold(name, folds=folds, limit_s=limit_s)
    jobs = tuple(_named(job, name) for job in made.jobs)
    return replace(made, account=account, jobs=jobs)


def _named(job: Job, plan: str) -> Job:
    """Preparation is shared by all plans, so that it is reused; training is each plan's own."""
    return (
        job
        if job.lane == "cpu" and job.id != "errors"
        else replace(job, static_key=f"{plan}/{job.id}", params=RECIPES.get(plan, RECIPE))
    )


def live_week(path: Path) -> World:
    """Saturday to Tuesday: one run done, one stopped early, one in its third fold, one waiting."""
    world = World(path, script_of)
    course = Account("course", "simulated", "simulated", limits=(weekly(4 * HOUR_MS),))
    world.ledger.add_account(course, world.clock.now_ms())
    world.clock.advance(14 * 3600 + 120)
    world.submit(graph("seedlings", 5, 3600), run="seedlings-1")
    world.until_settled("seedlings-1")
    world.clock.advance(20 * 3600)
    world.submit(graph("bold", 5, 3600), run="bold-1")
    world.until(lambda state: epochs_of(state, "bold-1", "train.fold1") >= 3)
    world.stop("bold-1")
    world.until_settled("bold-1")
    world.clock.advance(23 * 3600)
    world.submit(graph("gulls", 3, 4000, "course"), run="gulls-1")
    world.until_settled("gulls-1")
    world.clock.advance(6 * 3600)
    world.submit(graph("wide", 5, 5400), run="wide-3")
    world.until(lambda state: epochs_of(state, "wide-3", "train.fold1") >= 11)
    world.submit(graph("gulls-big", 3, 9000, "course"), run="gulls-big-1")
    world.until(lambda state: epochs_of(state, "wide-3", "train.fold1") >= 12)
    world.until(lambda state: state.runs["wide-3"].current("train.fold2") is not None)
    world.clock.advance(2)
    world.scheduler.tick()
    world.until(lambda state: epochs_of(state, "wide-3", "train.fold2") >= 4)
    world.clock.advance(47)
    world.scheduler.tick()
    return world


def epochs_of(state: State, run: str, job: str) -> int:
    attempt = state.runs[run].current(job) if run in state.runs else None
    return sum("epoch" in report for report in attempt.reports) if attempt else 0


def write_log(state: State) -> None:
    """What the fold that trains has printed: the engine of the tests prints nothing."""
    attempt = state.runs["wide-3"].current("train.fold2")
    assert attempt is not None
    lines = [
        LOG.format(epoch=4, batch=batch, loss=0.61 - batch / 4000, rate=840 + batch % 7)
        for batch in range(0, 320, 16)
    ]
    attempt.path.mkdir(parents=True, exist_ok=True)
    (attempt.path / "log.txt").write_text("\n".join([*lines, ""]), encoding="utf-8")


async def drawn(
    home: Home, world: World, size: tuple[int, int], keys: tuple[str, ...] = FOLD
) -> str:
    """The screen as SVG, after some keys."""
    used = itertools.cycle((0.11, 0.34, 0.62, 0.58, 0.31, 0.12))
    watch = LaneWatch(
        lambda: [Device("simulated-0", "", simulated=True)], None, lambda: next(used), cores=4
    )
    for before_s in range(60, 0, -2):  # what a dashboard that was open for a minute has seen
        watch.look(State(), world.clock.now_ms() - before_s * 1000)
    app = Dashboard(home, now_ms=world.clock.now_ms, zone=UTC, watch=watch)
    async with app.run_test(size=size) as pilot:
        await app.look()
        await pilot.press(*keys)
        before = ""
        while (now := text_of(app)) != before:  # other threads read, too
            before = now
            await app.look()
            await pilot.pause(SETTLED_S)
        return app.export_screenshot(title=TITLE)


def text_of(app: Dashboard) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def tidied(svg: str) -> str:
    """The same bytes each time, no font from the network, and each word at its place.

    Renderers differ in the width of a font and in what they do with blanks at the ends, so blanks
    become positions, and the font's size is the one whose characters are as wide as the cells.
    """
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    svg = re.sub(r"\s*@font-face \{.*?\}\n", "\n", svg, flags=re.S)
    svg = svg.replace("Fira Code", "DejaVu Sans Mono").replace(
        "font-size: 20px", f"font-size: {CELL_PX / DEJAVU_EM:.3f}px"
    )
    return TEXT.sub(_words, svg)


def _words(found: re.Match[str]) -> str:
    """A text as one text for each of its words."""
    head, x, middle, tail, text = found.groups()
    cells = CHARACTER.findall(text)
    placed = []
    for word, start in _pieces(cells):
        left, length = float(x) + start * CELL_PX, len(word) * CELL_PX
        placed.append(
            f'{head}x="{left:.1f}"{middle}textLength="{length:.1f}"{tail}>{"".join(word)}</text>'
        )
    return "".join(placed)


def _pieces(cells: list[str]) -> Iterator[tuple[list[str], int]]:
    """Words with their places; dots of a curve one by one, as they come from another font."""
    for start, cell in enumerate(cells):
        before = cells[start - 1] if start else BLANK
        if cell != BLANK and (before == BLANK or _is_dots(cell) or _is_dots(before)):
            rest = cells[start + 1 :]
            more = itertools.takewhile(lambda cell: cell != BLANK and not _is_dots(cell), rest)
            yield [cell, *(() if _is_dots(cell) else more)], start


def _is_dots(cell: str) -> bool:
    return "\u2800" <= cell <= "\u28ff"


def write_png(svg: Path, png: Path) -> bool:
    """By librsvg, which is a Debian package; False where it is not installed."""
    program = shutil.which("rsvg-convert")
    if program is None:
        return False
    subprocess.run([program, "--zoom", "1.25", "--output", png, svg], check=True)
    with Image.open(png) as image:
        few = image.convert("RGB").quantize(
            256, Image.Quantize.MAXCOVERAGE
        )  # a third of the bytes, and no eye can tell
    few.save(png, optimize=True)
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", help="of the dashboard: columns x lines")
    parser.add_argument("--into", type=Path, default=DOCS, help="the folder to write to")
    arguments = parser.parse_args()
    pictures = dict(PICTURES)
    if arguments.size:
        width, height = (int(part) for part in arguments.size.split("x"))
        pictures = {"dashboard": ((width, height), FOLD)}
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        world = live_week(home.path)
        write_log(world.scheduler.state)
        with home.locked():
            home.lock.write_text("4711")  # the same process in every picture
            drawings = {
                name: tidied(asyncio.run(drawn(home, world, size, keys)))
                for name, (size, keys) in pictures.items()
            }
    for name, svg in drawings.items():
        write(arguments.into / f"{name}.svg", svg)


def write(target: Path, svg: str) -> None:
    target.write_text(svg, encoding="utf-8")
    print(f"wrote {target}")
    if write_png(target, target.with_suffix(".png")):
        print(f"wrote {target.with_suffix('.png')}")
    else:
        print("no PNG: install rsvg-convert (Debian: librsvg2-bin)", file=sys.stderr)


if __name__ == "__main__":
    main()
