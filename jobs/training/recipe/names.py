"""Which model names exist, found out without importing timm or torchvision (seconds each).

Both register their models with a decorator above a function of the model's name, so the names are
read from the installed sources (tens of milliseconds). Standard library only.
"""

from __future__ import annotations

import difflib
import importlib.util
import re
from pathlib import Path

LITE0 = "efficientnet-lite0"
FEATURES = ("linear", "mlp")
"""Networks for sets of features."""
BUILT_IN = (LITE0, *FEATURES)
LIBRARIES = ("timm", "torchvision")
REGISTERED = re.compile(r"@register_model(?:\([^)]*\))?\s+(?:@[^\n]*\s+)*def (\w+)\(")


def library_models(library: str) -> frozenset[str]:
    """Names of the classification models of `timm` or `torchvision`; empty if not installed."""
    spec = importlib.util.find_spec(library)
    if spec is None or not spec.submodule_search_locations:
        return frozenset()
    folder = Path(spec.submodule_search_locations[0]) / "models"
    # torchvision keeps detection, segmentation and video models in folders below this one.
    sources = (path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py")))
    return frozenset(name for source in sources for name in REGISTERED.findall(source))


def library_of(model: str) -> tuple[str, str] | None:
    """(library, name) that `model` stands for; None where no installed library has it.

    timm comes first. A timm name may carry a tag after a dot (`resnet18.a1_in1k`); it only tells
    pretrained weights apart.
    """
    library, _, name = model.rpartition("/")
    for candidate in LIBRARIES:
        if library not in ("", candidate):
            continue
        if (name.split(".")[0] if candidate == "timm" else name) in library_models(candidate):
            return candidate, name
    return None


def unknown_model(model: str) -> str | None:
    """A sentence with the nearest names where no installed library has `model`, else None.

    `module:Class` and everything on a machine that has no model library pass: only the machine
    that trains can tell.
    """
    if ":" in model or model in BUILT_IN or library_of(model) is not None:
        return None
    known = {name for library in LIBRARIES for name in library_models(library)}
    if not known:
        return None
    near = difflib.get_close_matches(model.rpartition("/")[2], [*BUILT_IN, *sorted(known)], n=3)
    hint = f"; nearest: {', '.join(near)}" if near else ""
    return f"no model of that name in timm or torchvision{hint}"
