"""The features of every picture of a packed set, kept as they come."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import skint
from jobs.features.backbone import Built, build_backbone
from jobs.features.params import Params
from jobs.interrupted.journal import Journal
from jobs.training.fitting.device import Engine, choose_engine
from jobs.training.fitting.memory import Memory
from skint.attempt import write_atomic, write_json
from skint.dataset import META, PackedSet, PackedWriter
from skint.libraries import versions_of
from skint.loader import OrderedLoader

FLUSH_S = 20.0
"""Between two notes of how far it is: a kill costs at most so much of an accelerator's time."""
REHEARSED = 4
"""Pictures of the rehearsal."""


class FeaturesError(skint.SkintError):
    """There can be no features of these pictures."""


@dataclass(frozen=True)
class Work:
    """What is known before any device is there."""

    packed: PackedSet
    """At the size that the network sees."""
    built: Built
    width: int
    """Features of a picture."""


def prepare(params: Params, ctx: skint.Context) -> Work:
    """Open the set, build the network on the CPU and try it on one picture."""
    torch.set_num_threads(ctx.cpus)
    packed = PackedSet.open(_source(params, ctx))
    if params.size is not None:
        packed = packed.at(params.size)
    _, height, width, _ = packed.meta.shape
    if not (height and width):
        raise FeaturesError(
            "pictures of different sizes do not fit into a batch",
            where=str(packed.folder),
            got="a packed set of kept sizes",
            next="`resize` them with another mode than keep",
        )
    if not len(packed):
        raise FeaturesError("there are no pictures", where=str(packed.folder))
    built = build_backbone(params, packed, ctx)
    ((_, block),) = blocks(built, packed, np.arange(1), 1, choose_engine("32", ()), ctx)
    return Work(packed, built, block.shape[1])


def _source(params: Params, ctx: skint.Context) -> Path:
    """The folder of the nearest packed set, other than the features that these are to be like."""
    for entry, folders in ctx.task.inputs.items():
        found = [Path(folder) for folder in folders if Path(folder, META).is_file()]
        if found and entry != params.like:
            return found[0]
    return ctx.find(META).parent


def compute(params: Params, ctx: skint.Context) -> None:
    """Write the packed set of features to `ctx.out`, going on where an attempt before stopped."""
    work = prepare(params, ctx)
    packed, count = work.packed, len(work.packed)
    for note in work.built.notes:
        ctx.note(note)
    if params.weights == "none" and ":" not in params.model:
        ctx.note(f"weights: none, so these are features of a {params.model} that learnt nothing")
    devices = ctx.wait_for_devices()
    ctx.stage("features")
    engine = choose_engine(params.precision, devices)
    if engine.note:
        ctx.note(engine.note)
    journal = Journal(ctx.out, "features.json", depends_on(params, work, engine))
    done = journal.take_over(ctx.previous)
    if done:
        ctx.note(f"goes on after {done:,} of {count:,} pictures of an interrupted attempt")
    started, begun = time.monotonic(), done
    writer = PackedWriter(
        ctx.out,
        shape=(count, 1, 1, work.width),
        dtype=params.dtype,
        resume=True,
        taken_up=done > 0,
    )
    with writer:
        put = writer.rows().put
        noted = time.monotonic()
        try:
            for first, block in blocks(
                work.built, packed, np.arange(done, count), params.batch_size, engine, ctx
            ):
                for row, values in enumerate(stored(block, first, params, packed), start=first):
                    put(row, values.reshape(1, 1, -1))
                done = first + len(block)
                writer.settled(done)
                ctx.progress(done, count)
                if time.monotonic() - noted >= FLUSH_S:
                    journal.write(done, writer.partial)
                    noted = time.monotonic()
                if done < count:
                    ctx.check()
        except skint.StopRequested:
            journal.write(done, writer.partial)
            raise
        targets = [target for target in packed.meta.targets if target.kind != "mask"]
        facts = {
            "job": "features",
            "params": params.model_dump(mode="json"),
            **work.built.facts(),
            "picture": list(packed.meta.shape[1:]),
        }
        names = [f"f{number}" for number in range(work.width)]
        made_by = {**facts, "from": dict(packed.meta.made_by)}
        writer.finish(packed.samples, targets, channels=names, made_by=made_by, summed=True)
    journal.remove()
    facts = {**facts, "pictures": count, "features": work.width}
    write_atomic(ctx.out / "features.json", (json.dumps(facts, indent=1) + "\n").encode())
    seconds = time.monotonic() - started
    (ctx.out / "local").mkdir(exist_ok=True)
    write_json(ctx.out / "local" / "timing.json", {"seconds": seconds, "pictures": count - begun})
    ctx.note(
        f"{work.width:,} features of each of {count:,} pictures, "
        f"{(count - begun) / max(seconds, 1e-9):,.0f} pictures/s"
    )


def rehearse(params: Params, ctx: skint.Context) -> None:
    """The network, its weights and a few pictures, on the CPU; writes `smoke.json`."""
    started = time.monotonic()
    work = prepare(params, ctx)
    engine = choose_engine(params.precision, ())
    rows = np.arange(min(REHEARSED, len(work.packed)))
    ((first, block),) = blocks(work.built, work.packed, rows, REHEARSED, engine, ctx)
    stored(block, first, params, work.packed)
    facts = {
        "model": params.model,
        "features": work.width,
        "input": list(work.packed.meta.shape[1:]),
    }
    write_atomic(ctx.out / "smoke.json", (json.dumps(facts, indent=1) + "\n").encode())
    ctx.report(seconds=round(time.monotonic() - started, 3), features=work.width)


@torch.inference_mode()
def blocks(
    built: Built,
    packed: PackedSet,
    rows: NDArray[np.int64],
    size: int,
    engine: Engine,
    ctx: skint.Context,
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """(first row, (b, D) features) of consecutive `rows`, batch by batch."""
    memory = Memory(ctx.note)
    module = built.module.to(engine.device)
    loader = OrderedLoader(packed.images(), None, rows, batch_size=size, device=engine.device)
    half = engine.autocast
    begun: tuple[int, torch.Tensor] | None = None
    for batch in loader:
        with torch.autocast(engine.device.type, dtype=half, enabled=half is not None):
            found = memory.evaluate(batch.images, module, doing="features")
        # One batch late: a device is not kept waiting while what it has made is written.
        if begun is not None:
            yield begun[0], begun[1].float().cpu().numpy()
        begun = int(batch.rows[0]), found
    if begun is not None:
        yield begun[0], begun[1].float().cpu().numpy()


def stored(
    block: NDArray[np.float32], first: int, params: Params, packed: PackedSet
) -> NDArray[Any]:
    """The features in the dtype of the set. Raises FeaturesError where one is not a number."""
    with np.errstate(over="ignore"):
        kept = block.astype(params.dtype)
    bad = np.flatnonzero(~np.isfinite(kept).all(axis=1))
    if not len(bad):
        return kept
    row = int(bad[0])
    too_large = bool(np.isfinite(block[row]).all())
    raise FeaturesError(
        "float16 cannot hold these features" if too_large else "some features are not finite",
        where=packed.samples[first + row].path,
        got=f"{np.abs(block[row]).max():.6g}, beyond 65504" if too_large else "NaN or infinity",
        next="write `dtype: float32`"
        if too_large
        else "look at the picture's values, and try `precision: 32`",
    )


def depends_on(params: Params, work: Work, engine: Engine) -> dict[str, Any]:
    """Equal exactly where unfinished arrays may be taken up."""
    return {
        "params": params.model_dump(mode="json"),
        "engine": [engine.accelerator, engine.precision],
        "built": work.built.facts(),
        "width": work.width,
        "dataset": hashlib.sha256((work.packed.folder / "dataset.json").read_bytes()).hexdigest(),
        "libraries": versions_of(("torch", "torchvision", "timm", "numpy")),
    }
