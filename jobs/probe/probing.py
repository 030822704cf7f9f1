"""All that is measured of a recipe, in the order that needs the device last and shortest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import skint
from jobs.probe.curve import draw_curve
from jobs.probe.loading import fewest, loader_rates
from jobs.probe.params import Params
from jobs.probe.process import Measurer, ProbeError
from jobs.probe.requests import Request, Steps
from jobs.probe.search import largest
from jobs.probe.suggestions import suggest
from jobs.training.data.fold import read_fold
from jobs.training.fitting.device import real_devices
from jobs.training.recipe.recipe import Recipe
from skint.attempt import write_atomic
from skint.table import write_rows

FIRST_BATCH = 16
NOISE = 1.05
"""Steps that differ by less are of one speed."""
MARGIN = 0.9
"""Of the memory of an accelerator: a training keeps a little more than a step."""


def measure(params: Params, ctx: skint.Context) -> None:
    """Write `probe.json`; raises ProbeError where not even one step can be run.

    It is written again after each look: what has been charged for stays, whatever comes next.
    """
    data = read_fold(ctx, params.targets)
    measurer = Measurer(ctx.attempt.path)
    found: dict[str, Any] = {}
    try:
        # First: the loader is not to be measured beside its imports.
        measurer.prepare(recipe_of(params, params.model))
        rates = loader_rates(params, data, ctx) if "loader" in params.look else {}
        probing = _Probing(params, ctx, measurer, ctx.wait_for_devices())
        for answer in probing.all(data.packed.meta.sizes):
            found |= answer
            if rates and "loader" not in found:
                found["loader"] = {str(count): round(rate, 1) for count, rate in rates.items()}
                found["workers"] = fewest(rates)
                ctx.note(loader_sentence(rates, found))
            write_atomic(ctx.out / "probe.json", (json.dumps(found, indent=1) + "\n").encode())
    finally:
        measurer.close()
    reported = ("batch", "step_ms", "rate", "lr", "workers")
    ctx.report(**{name: found[name] for name in reported if name in found})


@dataclass
class _Probing:
    params: Params
    ctx: skint.Context
    measurer: Measurer
    devices: tuple[str, ...]

    def all(self, sizes: tuple[int, ...]) -> Iterator[dict[str, Any]]:
        """What `probe.json` says, without the loader, look by look."""
        self.ctx.stage("step")
        own = self.steps(self.params.model, self.params.batch_size)
        if own is None:
            raise ProbeError(
                "a step of this recipe does not fit",
                got=f"out of memory with a batch of {self.params.batch_size}",
                next="a small batch_size here: `look: [batch]` then finds the largest that fits",
            )
        yield {
            "model": self.params.model,
            "precision": self.params.precision,
            "device": device_name(self.devices),
            "batch": own.batch,
            "step_ms": round(own.step_ms, 3),
            "rate": round(own.rate, 1),
            "validation_ms": round(own.validation_ms, 3),
        }
        if "batch" in self.params.look:
            self.ctx.stage("batch")
            yield {"batches": self.batches()}
        if "lr" in self.params.look:
            self.ctx.stage("lr")
            yield self.rate()
        if "sizes" in self.params.look and len(sizes) > 1:
            self.ctx.stage("sizes")
            yield {"sizes": self.sizes(sizes)}
        if "models" in self.params.look and self.params.models:
            self.ctx.stage("models")
            yield {"models": self.models()}

    def steps(self, model: str, batch: int, size_px: int | None = None) -> Steps | None:
        """None where they do not fit."""
        self.ctx.check()
        recipe = recipe_of(self.params, model)
        answer = self.measurer.ask(
            Request("steps", self.devices, recipe, batch, size_px, self.params.steps)
        )
        return None if answer is None else Steps(**answer)

    def batches(self) -> list[dict[str, Any]]:
        """Each batch that was tried and fits; says the largest and the fastest."""
        tried: dict[int, Steps] = {}

        def fits(batch: int) -> bool:
            answer = self.steps(self.params.model, batch)
            if answer is None:
                return False
            tried[batch] = answer
            accelerated = bool(real_devices(self.devices))
            return not accelerated or answer.memory_mib <= MARGIN * answer.memory_of_mib

        most = largest(fits, FIRST_BATCH, self.params.largest_batch)
        if most is None:
            self.ctx.note("not even a batch of 2 fits")
            return []
        fastest = max(tried.values(), key=lambda one: one.rate)
        end = " (no larger one was tried)" if most >= self.params.largest_batch else ""
        self.ctx.note(
            f"largest batch that fits: {most}{end}; fastest: {fastest.batch} with "
            f"{fastest.rate:.0f} pictures/s"
        )
        return [self._row(tried[batch]) for batch in sorted(tried)]

    def rate(self) -> dict[str, Any]:
        """The finder's curve, its picture and its suggestions."""
        self.ctx.check()
        request = Request(
            "lr",
            self.devices,
            recipe_of(self.params, self.params.model),
            self.params.batch_size,
            steps=self.params.lr_steps,
        )
        answer = self.measurer.ask(request)
        if answer is None:
            self.ctx.note("the learning-rate finder ran out of memory")
            return {}
        rates, losses = answer["rates"], answer["losses"]
        found = suggest(np.array(rates), np.array(losses))
        write_rows(self.ctx.out / "lr_finder.csv", ("lr", "loss"), zip(rates, losses, strict=True))
        if rates:
            draw_curve(self.ctx.out / "lr_finder.png", rates, losses, found)
        if found is None:
            self.ctx.note("the learning-rate finder saw too little to suggest a rate")
            return {}
        self.ctx.note(
            f"learning rates: valley {found.valley:.2g}, slide {found.slide:.2g}, "
            f"minimum/10 {found.minimum:.2g}, steepest {found.steep:.2g}; lr is {self.params.lr:g}"
        )
        return {"lr": found.valley, "lr_suggestions": found.as_dict()}

    def sizes(self, sizes: tuple[int, ...]) -> list[dict[str, Any]]:
        """A step at each size of the ladder, and how much faster the smaller ones are."""
        done = [
            answer
            for size_px in sizes
            if (answer := self.steps(self.params.model, self.params.batch_size, size_px))
        ]
        whole = done[-1] if done else None
        for one in done[:-1]:
            assert whole is not None
            ratio = whole.step_ms / one.step_ms
            faster = f"{ratio:.1f} × faster a step" if ratio > NOISE else "no faster a step"
            self.ctx.note(f"{one.size_px} px instead of {whole.size_px}: {faster}")
        return [self._row(one) for one in done]

    def models(self) -> list[dict[str, Any]]:
        """`models` and the recipe's own, the fastest first."""
        names = dict.fromkeys((self.params.model, *self.params.models))
        done = {name: self.steps(name, self.params.batch_size) for name in names}
        fitting = {name: answer for name, answer in done.items() if answer is not None}
        for name in done.keys() - fitting.keys():
            self.ctx.note(f"{name} does not fit with a batch of {self.params.batch_size}")
        ranked = sorted(fitting.items(), key=lambda item: item[1].step_ms)
        self.ctx.note(
            " · ".join(
                f"{name} {one.step_ms:.1f} ms, {one.parameters / 1e6:.1f} M parameters, "
                f"{one.gflops:.2f} GFLOPs"
                for name, one in ranked
            )
        )
        return [{"model": name, **self._row(one)} for name, one in ranked]

    def _row(self, one: Steps) -> dict[str, Any]:
        return {
            "batch": one.batch,
            "size_px": one.size_px,
            "step_ms": round(one.step_ms, 3),
            "validation_ms": round(one.validation_ms, 3),
            "rate": round(one.rate, 1),
            "memory_mib": round(one.memory_mib),
            "parameters": one.parameters,
            "gflops": float(f"{one.gflops:.4g}"),
        }


def recipe_of(params: Params, model: str) -> dict[str, Any]:
    """That of the job; another model than its own starts without its weights."""
    own = {name: getattr(params, name) for name in Recipe.model_fields}
    if model != params.model:
        own |= {"model": model, "weights": "none", "weight_classes": None, "same_classes": {}}
    return Recipe(**own).model_dump(mode="json")


def loader_sentence(rates: dict[int, float], found: dict[str, Any]) -> str:
    """Whether the network waits for pictures, said out loud."""
    count = fewest(rates)
    rate = rates[count]
    own = f"{rate:.0f} pictures/s with {count} worker process{'es' * (count != 1)}"
    if rate < found["rate"]:
        return (
            f"data-bound: the loader gives {own}, the network takes {found['rate']:.0f}: "
            "augment less, or take smaller pictures"
        )
    enough = min(n for n, r in rates.items() if r >= min(found["rate"], rate))
    takes = f"the network takes {found['rate']:.0f}"
    return f"the loader gives {own}, {takes}: workers: {enough} is enough"


def device_name(devices: tuple[str, ...]) -> str:
    """What the driver calls it, or the CPU."""
    import torch

    real = real_devices(devices)
    if real and torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return real[0] if real else "cpu"
