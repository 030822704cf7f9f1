"""What `validation_step` returned of the samples it was validated on, put together.

    def validation_step(self, batch, index):
        ...
        return {"ids": rows, "target": labels, "probabilities": logits.softmax(1)}

A step that returns something else, or nothing, is left alone: there are no predictions then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from skint.errors import SkintError
from skint.ranks import everyones

WANTED = "ids (B,), target (B,) or (B, K), and probabilities (B, K) or values (B,)"
PREDICTED = ("probabilities", "values")

Arrays = dict[str, torch.Tensor]
"""`ids` (n,), `target` (n,) or (n, K), and `probabilities` (n, K) or `values` (n,), on the host."""


class HeldOutError(SkintError):
    """What the module returned are no predictions of held-out samples."""

    def __init__(
        self,
        what: str,
        *,
        got: object | None = None,
        wanted: str | None = None,
        next: str | None = None,
    ) -> None:
        super().__init__(what, where="validation_step", got=got, wanted=wanted, next=next)


class HeldOut:
    """Gathers one validation."""

    def __init__(self) -> None:
        self._given: list[Mapping[str, Any]] = []
        self._batches = 0

    def add(self, returned: Any) -> None:
        """What the step returned for the next batch. Nothing waits for a device."""
        self._batches += 1
        if _offers(returned):
            # Copies: a loader may fill its buffers again.
            names = ("ids", "target", *PREDICTED)
            self._given.append({n: _copy(returned[n]) for n in names if n in returned})

    def whole(self) -> Arrays | None:
        """Those of all processes, which all have to call it; None where nothing was returned.

        Raises HeldOutError, in all of them, where the batches do not fit each other.
        """
        mine: tuple[int, Any]
        try:
            mine = self._batches - len(self._given), [_arrays(one) for one in self._given]
        except HeldOutError as error:
            mine = 0, error
        everyone = everyones(mine)
        for _, found in everyone:
            if isinstance(found, HeldOutError):
                raise found
        parts: list[Arrays] = [part for _, found in everyone for part in found]
        without = sum(count for count, _ in everyone)
        if not parts:
            return None
        if without:
            raise HeldOutError(
                "predictions were returned of some batches only",
                got=f"{without} of {without + len(parts)} batches without",
            )
        joined = _joined(parts)
        return _once(joined) if len(everyone) > 1 else joined


def _offers(returned: Any) -> bool:
    """Whether it is meant: a module may have other use for `ids`."""
    if not isinstance(returned, Mapping) or "ids" not in returned:
        return False
    return any(name in returned for name in PREDICTED)


def _copy(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, torch.Tensor) else value


def _arrays(given: Mapping[str, Any]) -> Arrays:
    """Of one batch, on the host; raises HeldOutError where the shapes are others."""
    predicted = [name for name in PREDICTED if name in given]
    if "target" not in given or len(predicted) != 1:
        raise _misfit(", ".join(given))
    found = {name: _tensor(name, value) for name, value in given.items()}
    shapes = ", ".join(f"{name} {tuple(value.shape)}" for name, value in found.items())
    ids, target, told = found["ids"], found["target"], found[predicted[0]]
    count = tuple(ids.shape)
    allowed = (count,) if predicted[0] == "values" else (count, tuple(told.shape))
    if (
        ids.ndim != 1
        or told.ndim != (1 if predicted[0] == "values" else 2)
        or told.shape[0] != len(ids)
        or tuple(target.shape) not in allowed
    ):
        raise _misfit(shapes)
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise HeldOutError("ids are whole numbers", got=f"ids of {ids.dtype}")
    return found


def _tensor(name: str, value: Any) -> torch.Tensor:
    try:
        found = torch.as_tensor(value).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise HeldOutError(f"{name} is no tensor", got=str(error).split("\n")[0]) from error
    if name == "values":
        return found.double()
    return found.float() if name == "probabilities" else found


def _misfit(got: str) -> HeldOutError:
    return HeldOutError("what it returned are no predictions of a batch", got=got, wanted=WANTED)


def _joined(parts: Sequence[Arrays]) -> Arrays:
    names = list(parts[0])
    for part in parts:
        same = part.keys() == parts[0].keys() and all(
            part[name].shape[1:] == parts[0][name].shape[1:] for name in names
        )
        if not same:
            shapes = (", ".join(f"{n} {tuple(v.shape)}" for n, v in p.items()) for p in parts[:1])
            raise HeldOutError(
                "batches of predictions do not fit each other",
                got=f"{next(shapes)}; then "
                + ", ".join(f"{n} {tuple(v.shape)}" for n, v in part.items()),
            )
    return {name: torch.cat([part[name] for part in parts]) for name in names}


def _once(joined: Arrays) -> Arrays:
    """Each sample once: of uneven shares several processes get some twice."""
    ids = joined["ids"].tolist()
    first: dict[int, int] = {}
    for place, number in enumerate(ids):
        first.setdefault(number, place)
    rows = torch.tensor(list(first.values()), dtype=torch.int64)
    return {name: value[rows] for name, value in joined.items()}
